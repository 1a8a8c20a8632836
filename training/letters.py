"""Draws letters and formulas as masks: first oversampled, then settled on the board's pixels.

Used by boards.py; look at results with that file's command.
"""
import cv2
import numpy as np
from PIL import Image, ImageDraw

import fonts

OVERSAMPLING = 3  # letters are drawn this much larger, so that they do not snap to the grid


def set_text(path, text, height, bold):
    """A font in the size of an x-height, what `bold` adds around strokes, and the text's box."""
    size = max(6, int(round(height * OVERSAMPLING / fonts.x_height(path))))
    font, extra = fonts.load(path, size), int(round(bold * OVERSAMPLING))
    return font, extra, font.getbbox(text, anchor="ls", stroke_width=extra)


def text_mask(path, text, height, bold):
    """Text with x-height `height` px as a float mask, `bold` px added around the strokes."""
    font, extra, (left, top, right, bottom) = set_text(path, text, height, bold)
    picture = Image.new("L", (right - left + 8, bottom - top + 8), 0)
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, 255, font, "ls", stroke_width=extra)
    return np.asarray(picture, np.float32) / 255


def numbered_mask(path, text, height, bold, number):
    """text_mask with two more channels: in the middle of each letter, as high as an x,
    `number(letter)` and its square, 0 elsewhere.

    They are bent and reduced with the mask. Where the mean of the squares is the square of the
    mean, `sure_numbers`, everything that came together there was one number.
    """
    mask = text_mask(path, text, height, bold)
    font, _, (left, top, *_) = set_text(path, text, height, bold)
    numbers, baseline = np.zeros_like(mask), 4 - top
    rows = slice(max(0, baseline - int(round(height * OVERSAMPLING))), baseline)
    for index, letter in enumerate(text):
        first, last = (4 - left + font.getlength(text[:index + more]) for more in (0, 1))
        spare = 0.15 * (last - first)
        numbers[rows, max(0, int(first + spare)):int(last - spare) + 1] = number(letter)
    return np.dstack([mask, numbers, numbers ** 2])


def ink_of(mask):
    """A mask without its numbers."""
    return mask[..., 0] if mask.ndim == 3 else mask


def with_ink(mask, ink):
    """A mask whose ink is another, its numbers the same."""
    return np.dstack([ink, mask[..., 1:]]) if mask.ndim == 3 else ink


def sure_numbers(mask):
    """The numbers of a numbered mask, uint8, 0 where there is none or several have met."""
    mean, square = mask[..., 1], mask[..., 2]
    return np.where(square - mean ** 2 < 0.01, np.round(mean), 0).astype(np.uint8)


def distort(mask, rng, height):
    """Another hand: stretched, bent letter by letter, its strokes thinner or thicker in places.

    Nobody's letters are the font's: what holds for all of them is learnt, which is strokes.
    `height` is the x-height in oversampled pixels.
    """
    wide = float(rng.uniform(0.75, 1.35))
    mask = cv2.resize(mask, None, fx=wide, fy=1, interpolation=cv2.INTER_AREA)
    pad = int(0.35 * height) + 2
    mask = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    columns, rows = np.meshgrid(np.arange(mask.shape[1], dtype=np.float32),
                                np.arange(mask.shape[0], dtype=np.float32))
    for share, cell in ((0.22, 1.6), (0.07, 0.45)):
        strength = rng.uniform(0, share) * height
        for field in (columns, rows):
            field += strength * waves(rng, mask.shape, cell * height)
    mask = cv2.remap(mask, columns, rows, cv2.INTER_LINEAR)
    # A blurred mask cut at another level: the pen's width changes along the line, its edge stays.
    blurred = cv2.GaussianBlur(ink_of(mask), (0, 0), max(0.8, rng.uniform(0.03, 0.08) * height))
    level = 0.36 + 0.16 * waves(rng, mask.shape, 2 * height)
    return with_ink(mask, ((blurred - level) * 4 + 0.5).clip(0, 1).astype(np.float32))


def waves(rng, shape, cell):
    """A smooth random field -1..1 without detail finer than `cell` pixels."""
    size = int(shape[0] / cell) + 3, int(shape[1] / cell) + 3
    field = rng.uniform(-1, 1, size).astype(np.float32)
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC).clip(-1, 1)


def scribble(rng, height, signs, thickness):
    """A line of signs that are no letters, oversampled: hooks, arcs, bars, loops and dots.

    `height` is what an x-height would be, `thickness` the pen's width, both in board pixels.
    """
    unit, gap = height * OVERSAMPLING, 0.35
    canvas = np.zeros((int(2.6 * unit) + 8, int(signs * 1.3 * unit) + 8), np.uint8)
    left = 4.0
    for _ in range(signs):
        width = rng.uniform(0.25, 1.0) * unit
        for _ in range(rng.integers(1, 5)):
            pen_stroke(canvas, rng, left, width, unit, thickness * OVERSAMPLING)
        left += width + gap * unit * rng.uniform(0.3, 1.6)
        if left + 1.2 * unit > canvas.shape[1]:
            break
    return canvas.astype(np.float32) / 255


def pen_stroke(canvas, rng, left, width, unit, thickness):
    """One stroke of a sign: a smooth curve through a few points, or a dot."""
    top, bottom = 0.7 * unit, 1.7 * unit
    if rng.random() < 0.3:
        top -= 0.6 * unit
    elif rng.random() < 0.3:
        bottom += 0.6 * unit
    pick = rng.random()
    if pick < 0.12:
        points = np.array([[left + rng.random() * width, rng.uniform(top, bottom)]] * 2)
    elif pick < 0.3:
        row = rng.uniform(top, bottom)
        points = np.array([[left, row], [left + width, row + rng.normal(0, 0.08) * unit]])
    elif pick < 0.48:
        column = left + rng.random() * width
        points = np.array([[column, top], [column + rng.normal(0, 0.1) * unit, bottom]])
    elif pick < 0.7:
        start, span = rng.uniform(0, 6.3), rng.uniform(2, 6.3)
        turns = np.linspace(start, start + span, 12)
        points = np.stack([left + width * (0.5 + 0.5 * np.cos(turns)),
                           (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turns)], 1)
    else:
        points = np.stack([left + rng.random(4) * width, rng.uniform(top, bottom, 4)], 1)
        at = np.linspace(0, 3, 20)
        inner = np.stack([np.interp(at, np.arange(4), points[:, axis]) for axis in (0, 1)], 1)
        points = cv2.GaussianBlur(inner, (1, 7), 0, borderType=cv2.BORDER_REPLICATE)
    cv2.polylines(canvas, [np.round(points * 16).astype(np.int32)], False,
                  int(rng.uniform(190, 255)), max(1, int(round(thickness))), cv2.LINE_AA, 4)


def settle(mask, rng, turn, slant):
    """Turns and slants a mask, bends its line a little, brings it to the board's pixels."""
    height, width = mask.shape[:2]
    drop = abs(np.tan(turn)) * width + abs(slant) * height
    pad = int(drop + 0.3 * height) + OVERSAMPLING
    mask = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    columns, rows = np.meshgrid(np.arange(mask.shape[1], dtype=np.float32),
                                np.arange(mask.shape[0], dtype=np.float32))
    wave = 0.06 * height * np.sin(columns[:1] / (2.5 * height) + rng.uniform(0, 6.3))
    shift = rng.uniform(0, OVERSAMPLING, 2)
    middle_x, middle_y = mask.shape[1] / 2, mask.shape[0] / 2
    source_x = columns + slant * (rows - middle_y) + shift[0]
    source_y = rows + np.float32(np.tan(turn)) * (columns - middle_x) + wave + shift[1]
    mask = cv2.remap(mask, source_x.astype(np.float32), source_y.astype(np.float32),
                     cv2.INTER_LINEAR)
    size = (mask.shape[1] // OVERSAMPLING, mask.shape[0] // OVERSAMPLING)
    mask = mask[:size[1] * OVERSAMPLING, :size[0] * OVERSAMPLING]
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    ink = ink_of(mask) > 0.1
    rows, columns = ink.any(1).nonzero()[0], ink.any(0).nonzero()[0]
    if not len(rows):
        return None
    return mask[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def formula_mask(tree, path, height, bold):
    """A formula tree (words.py) as an oversampled mask and the row of its baseline."""
    kind = tree[0]
    if kind == "text":
        font = path if fonts.can_write(path, tree[1]) else fonts.symbols()
        mask = text_mask(font, tree[1], height, bold)
        top = set_text(font, tree[1], height, 0)[2][1]
        return mask, 4 - top
    if kind == "over":
        top, bottom = [formula_mask(part, path, height * 0.85, bold)[0] for part in tree[1:]]
        line = max(2, int(height * OVERSAMPLING * 0.14))
        return stack([top, np.ones((line, max(top.shape[1], bottom.shape[1])), np.float32),
                      bottom], top.shape[0] + height * OVERSAMPLING * 0.5)
    if kind == "limits":
        sign = text_mask(fonts.symbols(), tree[1], height * 1.3, bold)
        upper, lower = [formula_mask(part, path, height * 0.6, bold)[0] for part in tree[2:]]
        return stack([upper, sign, lower], upper.shape[0] + sign.shape[0] * 0.75)
    unit = height * OVERSAMPLING
    if kind == "script":
        parts = [(*formula_mask(tree[1], path, height, bold), 0)]
        for part, lift in ((tree[2], 0.8), (tree[3], -0.45)):
            if part:
                parts.append((*formula_mask(part, path, height * 0.65, bold), lift * unit))
        return side_by_side(parts, 0)
    parts = [(*formula_mask(part, path, height, bold), 0) for part in tree[1]]
    return side_by_side(parts, unit * 0.35)


def stack(masks, baseline):
    """Masks one under another, centred."""
    width = max(mask.shape[1] for mask in masks)
    rows = []
    for mask in masks:
        left = (width - mask.shape[1]) // 2
        rows.append(np.pad(mask, ((2, 2), (left, width - mask.shape[1] - left))))
    return np.concatenate(rows), baseline


def side_by_side(parts, gap):
    """(mask, baseline, lift) next to each other on one baseline."""
    above = max(base + lift for _, base, lift in parts)
    below = max(mask.shape[0] - base - lift for mask, base, lift in parts)
    columns = []
    for mask, base, lift in parts:
        top = int(above - base - lift)
        bottom = max(0, int(above + below) + 2 - top - mask.shape[0])
        columns.append(np.pad(mask, ((top, bottom), (0, int(gap)))))
    height = max(column.shape[0] for column in columns)
    columns = [np.pad(column, ((0, height - column.shape[0]), (0, 0))) for column in columns]
    return np.concatenate(columns, 1), above
