"""The Boardsharp network and the bicubic base that its correction is added to.

Try it:  /usr/bin/python3 training/model.py   (prints sizes and the receptive field)
"""
import functools

import numpy as np
import torch
from torch import nn


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


def load(path):
    """A checkpoint's network with its averaged (EMA) weights, and the checkpoint itself."""
    checkpoint = torch.load(path, map_location="cpu")
    network = BoardNet(**checkpoint["settings"])
    network.load_state_dict(checkpoint["ema"])
    return network.eval(), checkpoint


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
