"""Real boards to write on: parts of photos, reduced so far that they are sharp and clean.

Look at one:  /usr/bin/python3 training/backdrops.py PHOTOS --seed 3 --out /tmp/backdrop
The folder holds photos and their SOURCES.csv (file, licence, repo, width, height).
"""
import argparse
import csv
import functools
import os
import random

import cv2
import numpy as np

FREE = ("MIT", "BSD", "CC0")
MIN_PIXELS = 7_900_000
# Their reduction, at least: it averages the photo's own noise and encoder away.
MIN_SHRINK = 1.6
TRIES = 12


@functools.lru_cache(maxsize=None)
def free_photos(folder):
    """Board photos of 8 megapixels and more under MIT, BSD or CC0."""
    if not folder:
        return []
    with open(os.path.join(folder, "SOURCES.csv"), encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table)
                if row["licence"].startswith(FREE) and not row["repo"].startswith("uva-cs/")
                and int(row["width"]) * int(row["height"]) >= MIN_PIXELS]
    return [os.path.join(folder, row["file"]) for row in rows]


@functools.lru_cache(maxsize=4)
def photo(path):
    """A photo as uint8 RGB."""
    return cv2.imread(path)[..., ::-1]


class Backdrop:
    """A part of a real board: "grainy" as photographed, "clean" without its grain, "ink" that is
    there already, "light" that falls on new ink, and whether the board is "white"."""

    def __init__(self, path, width, height, pick):
        image = photo(path)
        largest = min(image.shape[1] / width, image.shape[0] / height)
        shrink = min(largest, MIN_SHRINK * pick.uniform(1, 1.6))
        if shrink < 1:
            raise ValueError(f"{path} is smaller than {width}x{height}")
        wide, high = int(width * shrink), int(height * shrink)
        # Of several places the emptiest: what is written there already stays, in both pictures.
        grey = cv2.resize(image.mean(-1).astype(np.float32), None, fx=1 / 8, fy=1 / 8,
                          interpolation=cv2.INTER_AREA)
        detail = np.abs(grey - cv2.blur(grey, (15, 15)))
        places = [(pick.randrange(image.shape[1] - wide + 1),
                   pick.randrange(image.shape[0] - high + 1)) for _ in range(TRIES)]
        left, top = min(places, key=lambda place: detail[
            place[1] // 8:(place[1] + high) // 8, place[0] // 8:(place[0] + wide) // 8].mean())
        part = cv2.resize(image[top:top + high, left:left + wide], (width, height),
                          interpolation=cv2.INTER_AREA)
        self.grainy = part.astype(np.float32) / 255
        # Grain is faint, strokes are not: what a bilateral filter keeps is board and writing.
        self.clean = cv2.bilateralFilter(self.grainy, 7, 0.05, 2)
        brightness = self.clean.mean(-1)
        # What is written there already is ink as well.
        self.ink = (np.abs(brightness - cv2.blur(brightness, (41, 41))) > 0.09).astype(np.float32)
        self.white = bool(np.median(brightness) > 0.45)
        # The light that falls on new ink: the board's, where it is bare and in front of it.
        level = cv2.resize(brightness, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA)
        level = cv2.morphologyEx(level, cv2.MORPH_CLOSE if self.white else cv2.MORPH_OPEN,
                                 np.ones((5, 5)))
        level = cv2.resize(cv2.GaussianBlur(level, (0, 0), 4), (width, height),
                           interpolation=cv2.INTER_CUBIC)
        self.light = (level / np.quantile(level, 0.9)).clip(0.4, 1.1)[..., None]


def open_one(folder, width, height, pick):
    """A backdrop out of a folder's free photos; None where there is none of the size."""
    paths = [path for path in free_photos(folder)]
    pick.shuffle(paths)
    for path in paths:
        try:
            return Backdrop(path, width, height, pick)
        except ValueError:
            continue
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="board photos with SOURCES.csv")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    parser.add_argument("--out", default="/tmp/backdrop", help="start of the pictures' names")
    args = parser.parse_args()
    found = open_one(args.folder, 1024, 768, random.Random(args.seed))
    if found is None:
        raise SystemExit(f"no photo of {args.folder} is free and large enough")
    for name in ("grainy", "clean"):
        cv2.imwrite(f"{args.out}.{name}.png", np.round(getattr(found, name)[..., ::-1] * 255))
