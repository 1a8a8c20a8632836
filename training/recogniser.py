"""A small recogniser of letters, which tells train.py what a letter is known by.

It is not the judge: what counts is read by Tesseract, which it knows nothing of. Trained by
train_recogniser.py. Try it:  /usr/bin/python3 training/recogniser.py   (prints its classes)
"""
import string

import torch
from torch import nn
from torch.nn import functional

import reader
from model import luma

SCALE = 2  # pixels of its pictures per photo pixel; pictures of x4 are reduced by area
ALPHABET = ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя" + string.ascii_lowercase + string.digits
            + ".,:;!?%")
# Letters that look alike are one class, as for the judge; class 0 is what is not known.
CLASSES = [""] + sorted({reader.fold(letter) for letter in ALPHABET})
GROUND = 49  # px: the board's brightness is the mean around a pixel


def number(letter):
    """The class of a letter, 0 where it has none."""
    folded = reader.fold(letter)
    return CLASSES.index(folded) if folded in CLASSES else 0


def layer(given, made, stride=1):
    """A convolution, its statistics evened out, and a ReLU; a stride of 2 halves the sides."""
    size = 4 if stride == 2 else 3
    return nn.Sequential(nn.Conv2d(given, made, size, stride, 1, bias=False),
                         nn.BatchNorm2d(made), nn.ReLU())


class Recogniser(nn.Module):
    """Which letter each photo pixel belongs to: brightness [n, 1, h, w] of x2 pictures -> scores
    [n, classes, h/2, w/2]. Sides must be multiples of 8 and above 24.

    Three resolutions down and up again, as in U-Net (Ronneberger et al. 2015), since a small letter
    is three of these cells wide.
    """

    def __init__(self, width=32):
        super().__init__()
        self.width = width
        self.fine = nn.Sequential(layer(1, width, 2), layer(width, width), layer(width, width))
        self.middle = nn.Sequential(layer(width, 2 * width, 2), layer(2 * width, 2 * width),
                                    layer(2 * width, 2 * width))
        self.coarse = nn.Sequential(layer(2 * width, 3 * width, 2), layer(3 * width, 3 * width),
                                    layer(3 * width, 2 * width))
        self.join = layer(4 * width, 2 * width)
        self.last = layer(3 * width, 2 * width)
        self.scores = nn.Conv2d(2 * width, len(CLASSES), 1)

    def forward(self, brightness, sign=None):
        """`sign` is what `sign_of` says of a picture that shall count as equally dark on light."""
        fine = self.fine(level(brightness, sign))
        middle = self.middle(fine)
        coarse = functional.interpolate(self.coarse(middle), scale_factor=2)
        middle = functional.interpolate(self.join(torch.cat([middle, coarse], 1)), scale_factor=2)
        return self.scores(self.last(torch.cat([fine, middle], 1)))


def even(brightness):
    """The board's own brightness taken away."""
    edge = GROUND // 2
    around = functional.pad(brightness, (edge,) * 4, mode="reflect")
    return brightness - functional.avg_pool2d(around, GROUND, 1)


def sign_of(brightness):
    """1 where writing is dark on light, -1 where it is light on dark: [n, 1, 1, 1]."""
    skew = even(brightness).pow(3).mean((1, 2, 3), keepdim=True)
    return torch.where(skew > 0, -1.0, 1.0)


def level(brightness, sign=None):
    """Writing alone, at one contrast, dark on light."""
    writing = even(brightness)
    spread = writing.pow(2).mean((1, 2, 3), keepdim=True).add(2e-4).sqrt()
    return writing / spread * (sign_of(brightness) if sign is None else sign)


def soften(pictures, sigma):
    """A Gaussian blur, `sigma` in pixels, at most 1.3."""
    at = torch.arange(-4, 5, device=pictures.device, dtype=pictures.dtype)
    bell = torch.exp(-at ** 2 / (2 * sigma ** 2))
    bell = bell / bell.sum()
    pictures = functional.pad(pictures, (4, 4, 4, 4), mode="reflect")
    return functional.conv2d(functional.conv2d(pictures, bell[None, None, None]),
                             bell[None, None, :, None])


def disagreement(recognise, result, truth, ink, scale):
    """How differently `recognise`, a Recogniser, reads `result` and `truth` [n, 3, h, w] where
    `ink` [n, 1, h, w] is: the mean divergence (Kullback and Leibler) of its answers, in nats.

    What it cannot read in the truth counts nothing. Not under autocast: a faint stroke is less than
    a step of bfloat16 beside its board.
    """
    near = functional.max_pool2d(functional.max_pool2d(ink, scale)[:, 0], 3, 1, 1)
    pictures = [luma(part)[:, None] for part in (result, truth)]
    if scale > SCALE:
        pictures = [functional.avg_pool2d(part, scale // SCALE) for part in pictures]
    sign = sign_of(pictures[1])
    # Both softened alike, by chance: no pattern of single pixels may please it.
    sigma = 0.9 * float(torch.rand(()))
    if sigma > 0.3:
        pictures = [soften(part, sigma) for part in pictures]
    given, wanted = pictures
    with torch.no_grad():
        wanted = recognise(wanted, sign).float()[:, 1:].softmax(1)
    given = recognise(given, sign).float()[:, 1:].log_softmax(1)
    weight = near * ((wanted.max(1).values - 0.3) / 0.5).clamp(0, 1)
    apart = (wanted * (wanted.clamp(min=1e-6).log() - given)).sum(1)
    return (apart * weight).sum() / weight.sum().clamp(min=1)


def load(path):
    """The recogniser of a checkpoint, with weights that stay as they are."""
    saved = torch.load(path, map_location="cpu")
    network = Recogniser(saved["width"])
    network.load_state_dict(saved["weights"])
    return network.eval().requires_grad_(False)


if __name__ == "__main__":
    print(len(CLASSES) - 1, *CLASSES[1:])
    print(sum(parameter.numel() for parameter in Recogniser().parameters()), "parameters")
