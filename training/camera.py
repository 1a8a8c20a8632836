"""Photographs a drawn board: optics, downscaling, sensor, the phone's processing, JPEG.

Look at one:  /usr/bin/python3 training/camera.py /tmp/board.grainy.png --scale 4 --tier typical
"""
import argparse
import random

import cv2
import numpy as np
from PIL import Image

# Ranges per tier; sigmas and lengths in photo pixels, noise in 1/255, share of sharpened
# photos, JPEG quality. A real evening photo in a messenger is "typical".
TIERS = {
    "mild": {"blur": (0.15, 0.4), "motion": 0.0, "noise": (0.5, 2.0), "chroma": (0, 1.0),
             "watercolour": 0.0, "sharpen": (0, 0.5), "quality": (87, 95), "twice": 0.0},
    "typical": {"blur": (0.3, 0.6), "motion": 0.15, "noise": (1.5, 4.5), "chroma": (0.5, 3.0),
                "watercolour": 0.15, "sharpen": (0, 1.0), "quality": (78, 92), "twice": 0.25},
    "hard": {"blur": (0.45, 0.85), "motion": 0.35, "noise": (4, 9), "chroma": (2, 5),
             "watercolour": 0.3, "sharpen": (0.2, 1.2), "quality": (72, 84), "twice": 0.5},
}
RESAMPLING = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.HAMMING,
              Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def downscale(image, scale, method=Image.Resampling.BOX):
    """Float RGB brought down by a whole factor; pixel centres stay where they were."""
    if method == Image.Resampling.BOX:
        return cv2.resize(image, (image.shape[1] // scale, image.shape[0] // scale),
                          interpolation=cv2.INTER_AREA)
    size = (image.shape[1] // scale, image.shape[0] // scale)
    bands = [Image.fromarray(band).resize(size, method) for band in cv2.split(image)]
    return cv2.merge([np.asarray(band) for band in bands])


def optics(image, pick, scale, tier):
    """Focus and movement, often in linear light, where thin dark lines lose weight."""
    linear = pick.random() < 0.5
    if linear:
        image = image ** 2.2
    sigma = pick.uniform(*tier["blur"]) * scale
    stretch = pick.uniform(1, 1.6) if pick.random() < 0.3 else 1
    image = cv2.GaussianBlur(image, (0, 0), max(0.1, sigma), sigmaY=max(0.1, sigma * stretch))
    if pick.random() < 0.15:
        # A lens out of focus draws a disc, not a bell.
        radius = pick.uniform(0.3, 1.6 * tier["blur"][1]) * scale
        reach = int(np.ceil(radius))
        y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1]
        disc = (radius + 0.5 - np.hypot(x, y)).clip(0, 1).astype(np.float32)
        image = cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)
    if pick.random() < tier["motion"]:
        length, angle = pick.uniform(0.5, 2.2) * scale, pick.uniform(0, np.pi)
        reach = int(np.ceil(length / 2)) + 1
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        # Centred, or the photo would be shifted against the truth.
        for step in np.linspace(-length / 2, length / 2, 8 * reach):
            x, y = reach + step * np.cos(angle), reach + step * np.sin(angle)
            column, row = int(x), int(y)
            right, below = x - column, y - row
            kernel[row:row + 2, column:column + 2] += np.outer((1 - below, below),
                                                               (1 - right, right))
        image = cv2.filter2D(image, -1, kernel / kernel.sum(),
                             borderType=cv2.BORDER_REFLECT_101)
    return image.clip(0, 1) ** (1 / 2.2) if linear else image


def sensor(image, pick, rng, tier):
    """Noise that grows with the light, and blotches of colour that denoising leaves."""
    level = pick.uniform(*tier["noise"]) / 255
    share = pick.uniform(0.3, 0.8)
    sigma = level * np.sqrt(1 - share + 2 * share * image.clip(0, 1))
    grey = rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None]
    colour = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + sigma * (0.8 * grey + 0.6 * colour)
    if pick.random() < 0.3:
        # Noise that was there before the phone's own scaling comes out soft.
        soft = cv2.GaussianBlur(rng.standard_normal(image.shape[:2], dtype=np.float32),
                                (0, 0), pick.uniform(0.5, 1.0))
        image += 2 * level * soft[..., None]
    blotch = pick.uniform(*tier["chroma"]) / 255
    small = rng.standard_normal((image.shape[0] // 4 + 1, image.shape[1] // 4 + 1, 3),
                                dtype=np.float32)
    small -= small.mean(-1, keepdims=True)
    return image + blotch * cv2.resize(small, (image.shape[1], image.shape[0]),
                                       interpolation=cv2.INTER_LINEAR)


def phone(image, pick, tier):
    """Denoising that turns faint detail into watercolour, and sharpening with its halos."""
    if pick.random() < tier["watercolour"]:
        image = cv2.bilateralFilter(image.astype(np.float32), 5, pick.uniform(0.02, 0.08),
                                    pick.uniform(0.8, 1.6))
    amount = pick.uniform(*tier["sharpen"]) if pick.random() < 0.75 else 0
    if amount:
        blurred = cv2.GaussianBlur(image, (0, 0), pick.uniform(0.6, 1.6))
        image = image + amount * (image - blurred)
    return image


def pack(image, quality):
    """JPEG bytes with chroma at half resolution, as every messenger writes them."""
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]


def jpeg(image, quality):
    """uint8 RGB through a JPEG."""
    return cv2.imdecode(pack(image, quality), cv2.IMREAD_COLOR)[..., ::-1].copy()


def photograph(image, scale, tier, seed, packed=False):
    """uint8 photo [h/scale, w/scale, 3] of a float RGB board, its grid aligned to the board's.

    The same seed gives the same photo. `tier` is a name of TIERS, or None for an exact
    area-downscaled picture without any loss. `packed` gives the last JPEG's bytes instead.
    """
    if tier is None:
        return np.round(downscale(image, scale).clip(0, 1) * 255).astype(np.uint8)
    pick, rng, tier = random.Random(seed), np.random.default_rng(seed), TIERS[tier]
    image = optics(image.astype(np.float32), pick, scale, tier)
    image = downscale(image, scale, pick.choices(RESAMPLING, (40, 20, 10, 15, 15))[0])
    image = phone(sensor(image, pick, rng, tier), pick, tier)
    image = np.round(image.clip(0, 1) * 255).astype(np.uint8)
    if pick.random() < tier["twice"]:
        # Half the time the first encoder's 8x8 blocks fall elsewhere: the photo was cropped.
        down, right = (pick.randrange(8), pick.randrange(8)) if pick.random() < 0.5 else (0, 0)
        padded = np.pad(image, ((down, 0), (right, 0), (0, 0)), mode="edge")
        image = jpeg(padded, pick.randint(80, 96))[down:, right:]
    quality = pick.randint(*tier["quality"])
    return pack(image, quality).tobytes() if packed else jpeg(image, quality)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", help="a board's grainy picture (boards.py)")
    parser.add_argument("--scale", type=int, default=4, help="board pixels per photo pixel")
    parser.add_argument("--tier", choices=TIERS, default="typical", help="how bad the photo is")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    parser.add_argument("--out", default="/tmp/board.photo.png", help="photo to write")
    args = parser.parse_args()
    board = cv2.imread(args.picture)[..., ::-1].astype(np.float32) / 255
    taken = photograph(board, args.scale, args.tier, args.seed)
    cv2.imwrite(args.out, taken[..., ::-1])
