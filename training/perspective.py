"""Looks at a board from the side: its pictures and the boxes of its lines, all moved alike.

Look at one:  /usr/bin/python3 training/boards.py --tilt 0.06 --out /tmp/board
"""
import random

import cv2
import numpy as np


def tilt(pictures, lines, most, seed):
    """Each corner moves outwards by up to `most` of the sides, so that board is everywhere.

    Returns the pictures and the lines that are still whole, their boxes around where they lie now.
    """
    pick = random.Random(seed)
    height, width = pictures["ink"].shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    inwards = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    inner = corners + np.array([(across * pick.uniform(0, most) * width,
                                 down * pick.uniform(0, most) * height)
                                for across, down in inwards], np.float32)
    matrix = cv2.getPerspectiveTransform(inner, corners)

    def move(picture, method):
        return cv2.warpPerspective(picture, matrix, (width, height), flags=method,
                                   borderMode=cv2.BORDER_REPLICATE)

    # Between the numbers of two letters lies a third letter's: they are not interpolated.
    moved = {name: move(picture, cv2.INTER_NEAREST) if picture.dtype == np.uint8
             else move(picture, cv2.INTER_CUBIC).clip(0, 1) for name, picture in pictures.items()}
    kept = []
    for line in lines:
        left, top, right, bottom = line["box"]
        around = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]],
                          np.float32)
        points = cv2.perspectiveTransform(around, matrix)[0]
        low, high = np.floor(points.min(0)), np.ceil(points.max(0))
        if low.min() >= 0 and high[0] <= width and high[1] <= height:
            kept.append(dict(line, box=[int(value) for value in (*low, *high)]))
    return moved, kept
