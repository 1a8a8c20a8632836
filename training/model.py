"""The Boardsharp network and the bicubic base that its correction is added to.

Try it:  /usr/bin/python3 training/model.py   (prints sizes and the receptive field)
"""
import functools

import numpy as np
import torch
from torch import nn

LUMA = (0.299, 0.587, 0.114)  # BT.601


def luma(images):
    """Brightness [n, h, w] of RGB images [n, 3, h, w]."""
    return sum(weight * images[:, band] for band, weight in enumerate(LUMA))


def keys(distance):
    """Keys' cubic kernel with a = -0.5, the one the engine computes its base with."""
    x = abs(distance)
    if x < 1:
        return 1.5 * x ** 3 - 2.5 * x ** 2 + 1
    if x < 2:
        return -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2
    return 0.0


@functools.lru_cache(maxsize=64)
def bicubic_matrix(size, scale):
    """The [scale*size, size] matrix that upscales one axis: half-pixel centres, edges repeated."""
    matrix = np.zeros((scale * size, size), np.float64)
    for out in range(scale * size):
        centre = (out + 0.5) / scale - 0.5
        first = int(np.floor(centre)) - 1
        for tap in range(first, first + 4):
            matrix[out, min(max(tap, 0), size - 1)] += keys(centre - tap)
    return torch.from_numpy(matrix.astype(np.float32))


def bicubic(images, scale):
    """Upscales [n, c, h, w] without rounding or clamping, exactly as the engine does."""
    rows = bicubic_matrix(images.shape[-2], scale).to(images)
    columns = bicubic_matrix(images.shape[-1], scale).to(images)
    return rows @ images @ columns.t()


class Block(nn.Module):
    """Two 3x3 convolutions whose result is added to what came in."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features):
        return features + self.second(torch.relu(self.first(features)))


class BoardNet(nn.Module):
    """Correction of the bicubic base: all work at half the photo's resolution.

    Only Conv, Relu, Add and DepthToSpace, which ONNX Runtime keeps in its fastest layout.
    """

    def __init__(self, scale, channels=64, blocks=6):
        super().__init__()
        self.scale = scale
        self.settings = {"scale": scale, "channels": channels, "blocks": blocks}
        self.head = nn.Conv2d(3, channels, 6, stride=2, padding=2)
        self.body = nn.Sequential(*[Block(channels) for _ in range(blocks)])
        self.tail = nn.Conv2d(channels, 3 * (2 * scale) ** 2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2 * scale)
        self.reset()

    def reset(self):
        """He initialisation; a weaker one leaves the body dead and the output bicubic."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            for block in self.body:
                block.second.weight.mul_(0.3)
            self.tail.weight.mul_(0.05)

    def forward(self, images):
        return self.shuffle(self.tail(self.body(torch.relu(self.head(images)))))


class Turned(nn.Module):
    """The mean of four answers: a network's to a photo and its mirror images, or two networks' to
    two mirror images.

    What they are sure of is said four times, guesses differ and fade: better by a fifth of a
    decibel for four times the time, without any training.
    """

    def __init__(self, network, second=None):
        super().__init__()
        self.scale = network.scale
        self.networks = nn.ModuleList([network] if second is None else [network, second])
        self.images = ((), (3,), (2,), (2, 3)) if second is None else ((3,), (2,))

    def forward(self, images):
        total = 0
        for network in self.networks:
            for axes in self.images:
                # The photo itself is not sent through a flip of nothing.
                answer = (torch.flip(network(torch.flip(images, axes)), axes) if axes
                          else network(images))
                total = answer + total
        return total / 4


class Exits(nn.Module):
    """Several networks on one trunk: each leaves it after some blocks by a tail of its own.

    What a photo lost is the same at every scale, so they learn it together for the price of the
    deepest. `exits` are (scale, blocks) pairs; `part` takes one of them out as a BoardNet.
    """

    def __init__(self, exits, channels=64):
        super().__init__()
        self.exits, self.channels = [tuple(pair) for pair in exits], channels
        self.settings = {"exits": self.exits, "channels": channels}
        whole = BoardNet(2, channels, max(blocks for _, blocks in self.exits))
        self.head, self.body = whole.head, whole.body
        self.tails = nn.ModuleDict({f"{scale}:{blocks}": BoardNet(scale, channels, 0).tail
                                    for scale, blocks in self.exits})

    def forward(self, images, scales):
        """{(scale, blocks): correction} of the exits with one of `scales`."""
        wanted = [pair for pair in self.exits if pair[0] in scales]
        features, result = torch.relu(self.head(images)), {}
        for done in range(max(blocks for _, blocks in wanted) + 1):
            for scale, blocks in wanted:
                if blocks == done:
                    tail = self.tails[f"{scale}:{blocks}"](features)
                    result[scale, blocks] = nn.functional.pixel_shuffle(tail, 2 * scale)
            if done < len(self.body):
                features = self.body[done](features)
        return result

    def part(self, scale, blocks):
        """One exit as a network of its own, with copied weights."""
        network = BoardNet(scale, self.channels, blocks)
        network.head.load_state_dict(self.head.state_dict())
        network.body.load_state_dict(self.body[:blocks].state_dict())
        network.tail.load_state_dict(self.tails[f"{scale}:{blocks}"].state_dict())
        return network

    def begin_with(self, network):
        """Starts as `network`, a BoardNet of the highest scale there is: new blocks change nothing
        at first, and x2 is the area mean of x4."""
        self.head.load_state_dict(network.head.state_dict())
        for own, given in zip(self.body, network.body):
            own.load_state_dict(given.state_dict())
        with torch.no_grad():
            for block in self.body[len(network.body):]:
                block.second.weight.zero_()
            for (scale, _), tail in zip(self.exits, self.tails.values()):
                for own, given in ((tail.weight, network.tail.weight),
                                   (tail.bias, network.tail.bias)):
                    if scale < network.scale:
                        # Channels are (band, row, column) of the shuffled pixels.
                        given = given.reshape(3, 4, 2, 4, 2, -1).mean((2, 4))
                    own.copy_(given.reshape(own.shape))


def load(path, leave=None):
    """A checkpoint's network with its averaged (EMA) weights, and the checkpoint itself.

    `leave` is the (scale, blocks) of one exit where the checkpoint is a trunk's.
    """
    checkpoint = torch.load(path, map_location="cpu")
    settings = checkpoint["settings"]
    if "exits" in settings:
        network = Exits(**settings)
        network.load_state_dict(checkpoint["ema"])
        return network.part(*(leave or settings["exits"][0])).eval(), checkpoint
    network = BoardNet(**settings)
    network.load_state_dict(checkpoint["ema"])
    return network.eval(), checkpoint


def named(specs, scale):
    """{spec: (network, share)} of specs CHECKPOINT[+CHECKPOINT][@SHARE]: SHARE of a correction, all
    of it unless told; two checkpoints are asked together, as by the x4 quality network. Refuses
    networks that do not enlarge by `scale`."""
    networks = {}
    for spec in specs:
        paths, _, share = spec.partition("@")
        parts = [load(path)[0] for path in paths.split("+")]
        if parts[0].scale != scale:
            raise SystemExit(f"{spec} enlarges by {parts[0].scale}, and {scale} is wanted")
        networks[spec] = Turned(*parts) if len(parts) > 1 else parts[0], float(share or 1)
    return networks


def results_of(networks, photo, scale):
    """{"bicubic", and each of `named`: result [1, 3, h, w]} of a photo, not clamped."""
    base = bicubic(photo, scale)
    return {"bicubic": base, **{name: base + share * network(photo)
                                for name, (network, share) in networks.items()}}


def upscale(network, images):
    """Bicubic base plus correction, kept within 0..1; sides must be even."""
    with torch.no_grad():
        return (bicubic(images, network.scale) + network(images)).clamp(0, 1)


def receptive_radius(network, size=96):
    """How many photo pixels away a pixel can still change the correction, by perturbation."""
    twin = BoardNet(**network.settings).double()
    with torch.no_grad():
        for parameter in twin.parameters():
            # Positive weights without zeros: no path may cancel or die on the way.
            parameter.fill_(0.01)
    reach = 0
    for offset in (0, 1):
        image = torch.zeros(1, 3, size, size, dtype=torch.double)
        spot = size // 2 + offset
        plain = twin(image)
        image[..., spot, spot] = 1.0
        changed = (twin(image) - plain).abs().sum(1)[0].sum(0).nonzero().flatten()
        first, last = int(changed.min()), int(changed.max())
        reach = max(reach, spot - first // network.scale, last // network.scale - spot)
    return reach


if __name__ == "__main__":
    for wanted in (2, 4):
        net = BoardNet(wanted)
        count = sum(parameter.numel() for parameter in net.parameters())
        print(f"x{wanted}: {count} parameters, receptive radius {receptive_radius(net)} px")
