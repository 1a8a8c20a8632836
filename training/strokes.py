"""Writes with single-line strokes (EMS and Hershey SVG fonts), as a pen or chalk moves.

Try it:  /usr/bin/python3 training/strokes.py /work/shared/strokes --out /tmp/strokes.png
The fonts are a mirror of https://gitlab.com/oskay/svg-fonts (OFL and Hershey's own licence);
training works without them.
"""
import argparse
import functools
import glob
import os
import re
import xml.etree.ElementTree as tree

import cv2
import numpy as np

# Blackletter and decoration: not what a hand leaves on a board.
LEFT_OUT = ("HersheyGothEnglish", "HersheyGothGerman", "HersheyGothItalian", "EMSSpaceRocks",
            "EMSElfin", "TwinSans")


@functools.lru_cache(maxsize=None)
def listing(folder):
    """The usable stroke fonts of a folder; empty without one."""
    if not folder:
        return []
    found = sorted(glob.glob(os.path.join(folder, "*", "*.svg")))
    return [path for path in found if os.path.basename(path)[:-4] not in LEFT_OUT]


@functools.lru_cache(maxsize=None)
def glyphs(path):
    """{letter: (advance, [polyline, ...])} with y pointing up."""
    result = {}
    for node in tree.parse(path).iter():
        letter = node.get("unicode")
        if not node.tag.endswith("glyph") or not letter or len(letter) != 1:
            continue
        lines = []
        for step in re.findall(r"([ML])\s*([-\d.]+)[ ,]+([-\d.]+)", node.get("d") or ""):
            if step[0] == "M":
                lines.append([])
            if lines:
                lines[-1].append((float(step[1]), float(step[2])))
        result[letter] = (float(node.get("horiz-adv-x") or 500), lines)
    return result


@functools.lru_cache(maxsize=None)
def x_height(path):
    """Height of the letter x in the font's own units."""
    points = [point for polyline in glyphs(path)["x"][1] for point in polyline]
    return max(point[1] for point in points)


def can_write(path, text):
    """Whether the stroke font has every letter of a text."""
    return all(letter in glyphs(path) or letter == " " for letter in text)


def write(path, text, height, thickness, rng):
    """The text as a mask (float32, 0..1), its x-height `height` px, lines `thickness` px wide,
    with the box (left, top, right, bottom) of the ink."""
    scale = height / x_height(path)
    pen, lines = 0.0, []
    for letter in text:
        advance, polylines = glyphs(path).get(letter, (500.0, []))
        lift = rng.uniform(-0.06, 0.06) * height
        for polyline in polylines:
            points = np.array(polyline) * scale
            lines.append(np.stack([pen + points[:, 0], lift - points[:, 1]], axis=1))
        pen += advance * scale
    if not lines:
        return None
    every = np.concatenate(lines)
    pad = int(thickness) + 4
    low = np.floor(every.min(0)) - pad
    size = np.ceil(every.max(0) - low + pad).astype(int)
    mask = np.zeros((size[1], size[0]), np.uint8)
    # Four more bits than whole pixels, so that strokes do not snap to the pixel grid.
    fixed = [np.round((line - low) * 16).astype(np.int32) for line in lines]
    cv2.polylines(mask, fixed, False, 255, max(1, int(round(thickness))), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder with EMS/ and Hershey/")
    parser.add_argument("--out", default="/tmp/strokes.png", help="picture to write")
    args = parser.parse_args()
    rows = [write(path, "Board 7 sharp", 20, 3, np.random.default_rng(1))
            for path in listing(args.folder)]
    sheet = np.zeros((sum(row.shape[0] for row in rows), max(row.shape[1] for row in rows)))
    top = 0
    for row in rows:
        sheet[top:top + row.shape[0], :row.shape[1]] = row
        top += row.shape[0]
    cv2.imwrite(args.out, 255 - sheet * 255)
