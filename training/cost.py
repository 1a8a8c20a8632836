"""What other networks cost: Swin2SR and Real-ESRGAN of their published shapes, with random weights.

/usr/bin/python3 training/cost.py --out /tmp/cost     prints GFLOP and parameters, writes ONNX files
node bench/networks.ts --size 64x64 models/boardsharp-x2.onnx /tmp/cost/*.onnx   measures

Only the shapes are theirs: what these files make of a photo is noise. Time does not need weights.
"""
import argparse
import os

import torch
from torch import nn
from torch.nn import functional

import model

WINDOW = 8


class DenseBlock(nn.Module):
    """Five 3x3 convolutions, each seeing all before it (Real-ESRGAN's RRDB has three of these)."""

    def __init__(self, channels=64, growth=32):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(channels + i * growth, growth if i < 4 else channels, 3, padding=1)
            for i in range(5))

    def forward(self, image):
        seen = image
        for layer in self.layers[:-1]:
            seen = torch.cat([seen, functional.leaky_relu(layer(seen), 0.2)], 1)
        return image + 0.2 * self.layers[-1](seen)


class RealESRGAN(nn.Module):
    """RealESRGAN_x4plus: RRDBNet of 23 blocks, 64 channels, growth 32."""

    def __init__(self, blocks=23, channels=64):
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.ModuleList(nn.Sequential(*[DenseBlock(channels) for _ in range(3)])
                                  for _ in range(blocks))
        self.after, self.up1, self.up2, self.high = (
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(4))
        self.last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, image):
        first = features = self.first(image)
        for block in self.body:
            features = features + 0.2 * block(features)
        features = first + self.after(features)
        for layer in (self.up1, self.up2):
            larger = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = functional.leaky_relu(layer(larger), 0.2)
        return self.last(functional.leaky_relu(self.high(features), 0.2))


class Attention(nn.Module):
    """Window attention of Swin v2: cosine similarity, a learnt temperature, a bias by place."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.key, self.out = nn.Linear(width, width, bias=False), nn.Linear(width, width)
        self.temperature = nn.Parameter(torch.full((heads, 1, 1), 2.3))
        # The published network computes this table by a small MLP, the same for every window.
        self.bias = nn.Parameter(torch.zeros(heads, WINDOW ** 2, WINDOW ** 2))

    def forward(self, tokens):
        count, length, width = tokens.shape
        query, key, value = (
            layer(tokens).view(count, length, self.heads, width // self.heads).transpose(1, 2)
            for layer in (self.query, self.key, self.value))
        scores = functional.normalize(query, dim=-1) @ functional.normalize(key, dim=-1
                                                                            ).transpose(-2, -1)
        weights = (scores * self.temperature.exp() + self.bias).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(count, length, width))


class Layer(nn.Module):
    """One transformer layer: attention in (shifted) windows and an MLP, each normed afterwards."""

    def __init__(self, width, heads, shift):
        super().__init__()
        self.shift, self.attention = shift, Attention(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(),
                                 nn.Linear(2 * width, width))

    def forward(self, image):
        _, high, wide, width = image.shape
        moved = torch.roll(image, (-self.shift, -self.shift), (1, 2)) if self.shift else image
        rows, columns = high // WINDOW, wide // WINDOW
        windows = moved.view(1, rows, WINDOW, columns, WINDOW, width).transpose(2, 3)
        seen = self.attention(windows.reshape(rows * columns, WINDOW ** 2, width))
        seen = seen.view(1, rows, columns, WINDOW, WINDOW, width).transpose(2, 3)
        seen = seen.reshape(1, high, wide, width)
        seen = torch.roll(seen, (self.shift, self.shift), (1, 2)) if self.shift else seen
        image = image + self.norm1(seen)
        return image + self.norm2(self.mlp(image))


class Stage(nn.Module):
    """Six layers and a convolution, added to what came in."""

    def __init__(self, width, heads, depth=6):
        super().__init__()
        self.layers = nn.Sequential(*[Layer(width, heads, (i % 2) * WINDOW // 2)
                                      for i in range(depth)])
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, image):
        seen = self.layers(image).permute(0, 3, 1, 2)
        return image + self.conv(seen).permute(0, 2, 3, 1)


class Swin2SR(nn.Module):
    """Swin2SR: 6 stages of 6 layers, 180 wide, 6 heads. `nearest`: the real-world variant's end."""

    def __init__(self, scale, nearest=False, width=180, heads=6, stages=6):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*[Stage(width, heads) for _ in range(stages)])
        self.norm, self.after = nn.LayerNorm(width), nn.Conv2d(width, width, 3, padding=1)
        ends = [nn.Conv2d(width, 64, 3, padding=1), nn.LeakyReLU(0.01)]
        for _ in range(scale // 2):
            ends += ([nn.Upsample(scale_factor=2), nn.Conv2d(64, 64, 3, padding=1),
                      nn.LeakyReLU(0.2)] if nearest
                     else [nn.Conv2d(64, 256, 3, padding=1), nn.PixelShuffle(2)])
        ends += [nn.Conv2d(64, 64, 3, padding=1), nn.LeakyReLU(0.2)] if nearest else []
        self.ends = nn.Sequential(*ends, nn.Conv2d(64, 3, 3, padding=1))

    def forward(self, image):
        first = self.first(image)
        seen = self.norm(self.body(first.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return self.ends(first + self.after(seen))


def networks():
    """{name: network} of the shapes that are measured."""
    return {"boardsharp-x2": model.BoardNet(2), "boardsharp-x4": model.BoardNet(4),
            "swin2sr-classical-x2": Swin2SR(2), "swin2sr-classical-x4": Swin2SR(4),
            "swin2sr-realworld-x4": Swin2SR(4, nearest=True),
            "realesrgan-x4plus": RealESRGAN()}


def gigaflops(network, side=64):
    """GFLOP for a megapixel of photo, multiplications and additions counted apart."""
    total = [0]

    def count(layer, _, output):
        if isinstance(layer, nn.Conv2d):
            each = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
            total[0] += 2 * each * output.numel()
        elif isinstance(layer, nn.Linear):
            total[0] += 2 * layer.in_features * output.numel()
        elif isinstance(layer, Attention):
            # Two products for every pair of pixels in a window.
            total[0] += 4 * output.numel() * WINDOW ** 2

    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.no_grad():
        network(torch.rand(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return total[0] / side ** 2 / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="folder for the ONNX files")
    parser.add_argument("--side", type=int, default=64, help="photo pixels of the ONNX files' side")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    print("| network | parameters | GFLOP a megapixel |\n|---|---|---|")
    for name, network in networks().items():
        network.eval()
        parameters = sum(weights.numel() for weights in network.parameters())
        print(f"| {name} | {parameters / 1e6:.2f} M | {gigaflops(network):,.0f} |", flush=True)
        if args.out and not name.startswith("boardsharp"):
            os.makedirs(args.out, exist_ok=True)
            torch.onnx.export(network, torch.rand(1, 3, args.side, args.side),
                              os.path.join(args.out, f"{name}.onnx"), opset_version=13,
                              input_names=["pixel_values"], output_names=["reconstruction"])


if __name__ == "__main__":
    main()
