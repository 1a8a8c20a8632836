"""Draws boards with known truth: a clean picture, a grainy one, the ink, the lines of text.

Look at one:  /usr/bin/python3 training/boards.py --seed 3 --scale 4 --out /tmp/board
"""
import argparse
import random

import cv2
import numpy as np

import backdrops
import fonts
import formulas
import perspective
import strokes
import words
from letters import (OVERSAMPLING, distort, formula_mask, ink_of, numbered_mask, scribble, settle,
                     sure_numbers, text_mask, with_ink)

BOARDS = {
    "white": ((236, 238, 236), 10), "green": ((44, 82, 64), 14),
    "black": ((42, 44, 46), 12), "brown": ((96, 70, 48), 14),
}
MARKERS = [(28, 28, 34), (24, 48, 150), (178, 28, 36), (20, 112, 58), (90, 36, 120),
           (212, 96, 20), (60, 130, 190), (110, 70, 40)]
CHALKS = [(240, 240, 232), (246, 226, 120), (244, 160, 170), (150, 200, 240), (170, 226, 160),
          (244, 190, 120)]


def smooth_noise(rng, shape, cell):
    """A random field 0..1 without detail finer than `cell` pixels."""
    small = rng.random((int(shape[0] / cell) + 3, int(shape[1] / cell) + 3), dtype=np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def x_height(rng, scale, floor=3.4):
    """Letter height on the board in px: mostly 4 to 9 px in the photo, some larger."""
    pick = rng.random()
    if pick < 0.74:
        return scale * rng.uniform(floor, 9.5)
    return scale * (rng.uniform(9.5, 18) if pick < 0.93 else rng.uniform(18, 40))


class Board:
    """One board being written: ink layers, one per colour, and the lines that stand on it."""

    def __init__(self, seed, width, height, scale, held_out=False, stroke_folder=None, kind=None,
                 formula_folder=None, photo_folder=None, number=None):
        self.rng, self.pick = np.random.default_rng(seed), random.Random(seed)
        self.width, self.height, self.scale = width, height, scale
        self.held_out, self.stroke_folder = held_out, stroke_folder
        self.formula_files = formulas.listing(formula_folder)
        self.kind = kind or self.pick.choices(list(BOARDS), (50, 22, 18, 10))[0]
        self.backdrop = None
        if photo_folder:
            self.backdrop = backdrops.open_one(photo_folder, width, height, self.pick)
        if self.backdrop:
            self.kind = "white" if self.backdrop.white else "black"
        inks = MARKERS if self.kind == "white" else CHALKS
        weights = [6, 4, 3, 3] + [1] * (len(inks) - 4)
        self.colours = self.pick.choices(inks, weights, k=self.pick.choice((1, 2, 3)))
        self.layers = [np.zeros((height, width), np.float32) for _ in self.colours]
        self.lines = []
        # Which letter stands where: what `number` says of it, 0 where none is known.
        self.number, self.glyphs = number, np.zeros((height, width), np.uint8) if number else None

    def put(self, mask, left, top, strength=1.0):
        """Presses a mask onto a random layer; returns the layer's box that it covers."""
        layer = self.pick.choice(self.layers)
        right = min(self.width, left + mask.shape[1])
        bottom = min(self.height, top + mask.shape[0])
        if left < 0 or top < 0 or right - left < 4 or bottom - top < 4:
            return None
        part, mask = layer[top:bottom, left:right], mask[:bottom - top, :right - left]
        if mask.ndim == 3:
            numbers = sure_numbers(mask)
            np.copyto(self.glyphs[top:bottom, left:right], numbers, where=numbers > 0)
        np.maximum(part, ink_of(mask) * strength, out=part)
        return [left, top, right, bottom]

    def strength(self):
        """How firmly a line is written: mostly firm, at times faint."""
        pick = self.pick.random()
        return self.pick.uniform(*((0.85, 1) if pick < 0.7 else
                                   (0.5, 0.85) if pick < 0.94 else (0.28, 0.5)))

    def hand(self):
        """A language and a font file for one block; stroke fonts only in training."""
        language = self.pick.choices(("ru", "en"), (60, 40))[0]
        stroke_files = [] if self.held_out else strokes.listing(self.stroke_folder)
        if stroke_files and self.pick.random() < (0.3 if language == "en" else 0):
            return language, self.pick.choice(stroke_files)
        return language, self.pick.choice(fonts.catalogue(self.held_out)[language])

    def line_mask(self, path, text, height, bold, turn, slant):
        """One written line, ready to be put."""
        if path.endswith(".svg"):
            thick = max(1, (0.12 * height + bold) * OVERSAMPLING)
            mask = strokes.write(path, text, height * OVERSAMPLING, thick, self.rng)
        elif self.number:
            mask = numbered_mask(path, text, height, bold, self.number)
        else:
            mask = text_mask(path, text, height, bold)
        if mask is None:
            return None
        if not self.held_out and self.rng.random() < 0.85:
            mask = distort(mask, self.rng, height * OVERSAMPLING)
        mask = settle(mask, self.rng, turn, slant)
        if mask is None or self.held_out:
            return mask
        # Pressure changes along the line, never within a stroke's width.
        low = self.rng.uniform(0.5, 1)
        pressure = low + (1 - low) * smooth_noise(self.rng, mask.shape, 1.5 * height)
        return with_ink(mask, ink_of(mask) * pressure)

    def letter_height(self):
        """As in the evaluation; in training more of the small letters, where the work is."""
        if self.held_out or self.pick.random() < 0.5:
            return x_height(self.pick, self.scale)
        return self.scale * self.pick.uniform(3, 7)

    def scribbles(self, left, top, right, bottom):
        """Lines of signs that are no letters: only strokes can be learnt from them."""
        height = min(self.letter_height(), (bottom - top) / 3)
        thickness = max(0.5, height * self.pick.uniform(0.07, 0.22))
        turn, slant = self.pick.gauss(0, 0.03), self.pick.gauss(0, 0.15)
        y, strength = top, self.strength()
        while y + 2.6 * height < bottom:
            signs = max(2, int((right - left) / (1.6 * height) * self.pick.uniform(0.4, 1)))
            mask = settle(scribble(self.rng, height, signs, thickness), self.rng, turn, slant)
            if mask is not None and mask.shape[1] < right - left:
                self.put(mask, int(left), int(y), strength)
            y += height * self.pick.uniform(2.4, 3.4)

    def text(self, left, top, right, bottom):
        """A block of lines in one hand."""
        language, path = self.hand()
        height = self.letter_height()
        height = min(height, (bottom - top) / 2.5)
        bold = self.pick.choice((0, 0, 0, 0.04, 0.08)) * height
        turn, slant = self.pick.gauss(0, 0.012), self.pick.gauss(0, 0.12)
        pitch, y = height * self.pick.uniform(2.6, 3.4), top + int(height)
        strength = self.strength()
        while y + 2.4 * height < bottom:
            room = int((right - left) / (height * 1.15))
            text = words.line(self.pick, language, self.pick.randint(max(3, room // 2), room + 1)
                              ) if room > 3 else words.number(self.pick)
            if not path.endswith(".svg") and not fonts.can_write(path, text):
                text = "".join(c for c in text if c == " " or fonts.can_write(path, c))
            indent = int(self.pick.random() ** 3 * (right - left) * 0.3)
            mask = self.line_mask(path, text, height, bold, turn, slant) if text.strip() else None
            while mask is not None and mask.shape[1] > right - left - indent and " " in text:
                text = text.rsplit(" ", 1)[0]
                mask = self.line_mask(path, text, height, bold, turn, slant)
            fits = mask is not None and mask.shape[1] <= right - left - indent
            if fits and y + mask.shape[0] <= self.height:
                box = self.put(mask, left + indent, int(y), strength)
                if box:
                    self.lines.append({"text": text, "box": box, "language": language,
                                       "x_height": round(height / self.scale, 2)})
            y += max(pitch, (mask.shape[0] if mask is not None else 0) + 0.5 * height)

    def formulas(self, left, top, right, bottom):
        """Formulas under one another."""
        path = self.hand()[1]
        path = fonts.catalogue(self.held_out)["en"][0] if path.endswith(".svg") else path
        height, y = x_height(self.pick, self.scale, 4), top + 4
        for _ in range(8):
            if self.formula_files and self.pick.random() < 0.6:
                mask = self.set_formula(height)
            else:
                tree = words.formula(self.pick)
                mask = settle(formula_mask(tree, path, height, 0)[0], self.rng, 0, 0.05)
            if mask is None or y + mask.shape[0] > bottom:
                return
            if mask.shape[1] < right - left:
                self.put(mask, left, int(y), self.strength())
                y += mask.shape[0] + height

    def set_formula(self, height):
        """A formula set by TeX, its strokes made as thick as a pen's, most of them by hand."""
        mask = formulas.mask(self.pick.choice(self.formula_files), height,
                             self.pick.uniform(0, 0.06) * height)
        if self.pick.random() < 0.8:
            mask = distort(mask, self.rng, height * OVERSAMPLING)
        return settle(mask, self.rng, self.pick.gauss(0, 0.01), self.pick.gauss(0, 0.1))

    def shaky(self, points, thickness, closed=False):
        """A polyline as a hand draws it."""
        points = np.array(points, np.float32)
        if closed:
            points = np.concatenate([points, points[:1]])
        steps = np.linspace(0, len(points) - 1, 8 * len(points))
        line = np.stack([np.interp(steps, np.arange(len(points)), points[:, axis])
                         for axis in (0, 1)], 1)
        line += cv2.GaussianBlur(self.rng.normal(0, 1.2 * self.scale, line.shape), (1, 9), 0)
        canvas = np.zeros((self.height, self.width), np.uint8)
        cv2.polylines(canvas, [np.round(line * 16).astype(np.int32)], False, 255,
                      max(1, int(round(thickness))), cv2.LINE_AA, 4)
        layer = self.pick.choice(self.layers)
        np.maximum(layer, canvas.astype(np.float32) / 255 * self.strength(), out=layer)

    def diagram(self, left, top, right, bottom):
        """Boxes, circles, arrows, a table or a curve."""
        thickness = self.scale * self.pick.uniform(0.6, 2.6)
        kind = self.pick.choice(("boxes", "table", "curve", "circles"))
        if kind == "table":
            across, down = self.pick.randint(2, 5), self.pick.randint(2, 6)
            for x in np.linspace(left, right, across):
                self.shaky([(x, top), (x, bottom)], thickness)
            for y in np.linspace(top, bottom, down):
                self.shaky([(left, y), (right, y)], thickness)
        elif kind == "curve":
            self.shaky([(left, top), (left, bottom), (right, bottom)], thickness)
            x = np.linspace(left, right, 24)
            y = (top + bottom) / 2 + (bottom - top) * 0.4 * np.sin(x / self.pick.uniform(20, 90))
            self.shaky(np.stack([x, y], 1), thickness)
        else:
            for _ in range(self.pick.randint(2, 5)):
                x, y = self.pick.uniform(left, right), self.pick.uniform(top, bottom)
                w, h = (self.pick.uniform(8, 50) * self.scale for _ in "wh")
                if kind == "boxes":
                    self.shaky([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], thickness, True)
                else:
                    round_ = np.linspace(0, 6.28, 20)
                    self.shaky(np.stack([x + w * np.cos(round_), y + w * np.sin(round_)], 1),
                               thickness)
                tip = (x + w * 2, y + h * self.pick.uniform(-1, 1))
                self.shaky([(x + w, y), tip], thickness)
                head = 3 * self.scale
                self.shaky([(tip[0] - head, tip[1] - head), tip, (tip[0] - head, tip[1] + head)],
                           thickness)

    def write(self, left, top, right, bottom, depth=0):
        """Splits the board into cells and fills each with something."""
        wide, high = right - left, bottom - top
        if depth < 3 and self.pick.random() < 0.75 - 0.2 * depth and max(wide, high) > 250:
            cut = self.pick.uniform(0.35, 0.65)
            if wide > high:
                middle = int(left + cut * wide)
                self.write(left, top, middle, bottom, depth + 1)
                self.write(middle, top, right, bottom, depth + 1)
            else:
                middle = int(top + cut * high)
                self.write(left, top, right, middle, depth + 1)
                self.write(left, middle, right, bottom, depth + 1)
            return
        pad = 3 * self.scale
        cell = (left + pad, top + pad, right - pad, bottom - pad)
        kinds = [self.text, self.formulas, self.diagram, None]
        weights = [88, 6, 4, 2]
        if not self.held_out:
            kinds, weights = kinds + [self.scribbles], [58, 13, 10, 5, 14]
        what = self.pick.choices(kinds, weights)[0]
        if what:
            what(*cell)

    def render(self):
        """{"clean", "grainy": [h, w, 3] float 0..1, "ink": [h, w] 0..1, and of numbered letters
        "glyphs": [h, w] uint8}, both in one light."""
        rng, shape = self.rng, (self.height, self.width)
        base, spread = BOARDS[self.kind]
        colour = np.array(base, np.float32) / 255 + self.pick.gauss(0, spread / 255)
        clean = np.empty(shape + (3,), np.float32)
        clean[:] = colour + rng.normal(0, 0.012, 3)
        # Smears of a sponge and old dust: soft, and part of the board, so truth keeps them.
        dust = np.array(self.colours[0], np.float32) / 255
        if self.pick.random() < 0.6:
            smear = smooth_noise(rng, shape, self.pick.uniform(6, 60) * self.scale)
            smear = (smear - 0.35).clip(0) * self.pick.uniform(0.03, 0.3)
            clean += smear[..., None] * (dust - clean)
        if self.pick.random() < 0.25:
            ghost = cv2.GaussianBlur(np.flip(self.layers[0], 1), (0, 0), 2.5 * self.scale)
            clean += ghost[..., None] * self.pick.uniform(0.05, 0.2) * (dust - clean)
        grainy = clean.copy()
        if self.backdrop:
            clean, grainy = self.backdrop.clean.copy(), self.backdrop.grainy.copy()
        chalk = self.kind != "white"
        grain = self.pick.uniform(0.15, 0.8) if chalk else self.pick.uniform(0, 0.12)
        cell = self.pick.uniform(0.35, 0.8) * self.scale
        noise = smooth_noise(rng, shape, max(1.0, cell))
        ink = self.backdrop.ink if self.backdrop else np.zeros(shape, np.float32)
        for mask, rgb in zip(self.layers, self.colours):
            rgb = np.array(rgb, np.float32) / 255 + rng.normal(0, 0.03, 3).astype(np.float32)
            rgb = rgb * (self.backdrop.light if self.backdrop else 1)
            clean += mask[..., None] * (rgb - clean)
            rough = mask * (1 - grain * (noise < 0.42 + 0.2 * (1 - mask)) * (noise + 0.3))
            grainy += rough[..., None].clip(0, 1) * (rgb - grainy)
            ink = np.maximum(ink, mask)
        dirt = rng.normal(0, self.pick.uniform(0, 0.03), shape).astype(np.float32)
        grainy += cv2.GaussianBlur(dirt, (0, 0), 0.4 * self.scale)[..., None]
        # A real board brings its own light.
        light, glare = (1, 0) if self.backdrop else self.light()
        numbered = {} if self.glyphs is None else {"glyphs": self.glyphs}
        return {"clean": (clean * light + glare).clip(0, 1),
                "grainy": (grainy * light + glare).clip(0, 1), "ink": ink, **numbered}

    def light(self):
        """A gradient, now and then a shadow's soft edge, and a glare."""
        y, x = np.mgrid[0:self.height, 0:self.width].astype(np.float32)
        angle, depth = self.pick.uniform(0, 6.28), self.pick.uniform(0, 0.45)
        slope = (np.cos(angle) * x / self.width + np.sin(angle) * y / self.height) / 1.5
        light = self.pick.uniform(0.72, 1.06) * (1 - depth * (slope + 0.5))
        if self.pick.random() < 0.25:
            edge = x * self.pick.gauss(0, 1) + y * self.pick.gauss(0, 1)
            edge = (edge - np.quantile(edge[::16, ::16], self.pick.uniform(0.2, 0.8)))
            soft = self.pick.uniform(2, 40) * self.scale
            light *= 1 - self.pick.uniform(0.1, 0.45) / (1 + np.exp((edge / soft).clip(-30, 30)))
        glare = np.zeros_like(light)
        if self.pick.random() < 0.25:
            far = ((x - self.pick.uniform(0, self.width)) ** 2
                   + (y - self.pick.uniform(0, self.height)) ** 2)
            size = self.pick.uniform(0.05, 0.25) * self.width
            glare = self.pick.uniform(0.1, 0.6) * np.exp(-far / (2 * size ** 2))
        tint = 1 + self.rng.normal(0, 0.03, 3).astype(np.float32)
        return light[..., None].astype(np.float32) * tint, glare[..., None].astype(np.float32)


def make(seed, width, height, scale, tilt=0, **settings):
    """A written board and its pictures; `tilt` is the most its corners move, as a share of its
    sides."""
    board = Board(seed, width, height, scale, **settings)
    board.write(0, 0, width, height)
    pictures = board.render()
    if tilt:
        pictures, board.lines = perspective.tilt(pictures, board.lines, tilt, seed)
        board.glyphs = pictures.get("glyphs")
    return board, pictures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    parser.add_argument("--scale", type=int, default=4, help="board pixels per photo pixel")
    parser.add_argument("--strokes", help="folder of single-line fonts")
    parser.add_argument("--formulas", help="folder of formulas.py")
    parser.add_argument("--photos", help="folder of real boards to write on (backdrops.py)")
    parser.add_argument("--tilt", type=float, default=0, help="0.06: seen from the side")
    parser.add_argument("--held-out", action="store_true", help="evaluation fonts only")
    parser.add_argument("--out", default="/tmp/board", help="start of the pictures' names")
    args = parser.parse_args()
    drawn, pictures = make(args.seed, 320 * args.scale, 240 * args.scale, args.scale,
                           held_out=args.held_out, stroke_folder=args.strokes,
                           formula_folder=args.formulas, photo_folder=args.photos,
                           tilt=args.tilt)
    for name, picture in pictures.items():
        picture = np.round(picture * 255).astype(np.uint8)
        cv2.imwrite(f"{args.out}.{name}.png",
                    picture[..., ::-1] if picture.ndim == 3 else picture)
    print(drawn.kind, *(entry["text"] for entry in drawn.lines), sep="\n")
