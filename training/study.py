"""When does a result make sense? Reads lines of one height, blur, noise, contrast and script.

/usr/bin/python3 training/study.py --scale 2 --checkpoint training/checkpoints/boardsharp-x2.pt \\
    --strength 0.5 --out /tmp/study-x2
Prints a table for each circumstance, all others held at a typical photo's, and draws a strip of
pictures for each: photo, bicubic, result, truth.
"""
import argparse
import os

import cv2
import numpy as np
import torch

import boards
import camera
import model
import reader
import score

WIDTH, HEIGHT = 384, 112  # photo pixels: three to six lines of writing
USUAL = {"height": 4.5, "blur": 0.45, "noise": 3.0, "motion": 0.0, "contrast": 1.0,
         "language": "ru", "kind": "white"}
LEVELS = {
    "height": (3.0, 3.5, 4.0, 4.5, 5.5, 7.0, 10.0),
    "blur": (0.15, 0.3, 0.45, 0.6, 0.8, 1.1),
    "noise": (0.5, 2.0, 4.0, 7.0, 11.0),
    "motion": (0.0, 1.0, 2.0, 3.0),
    "contrast": (0.12, 0.2, 0.35, 0.6, 1.0),
    "language": ("ru", "en"),
    "kind": ("white", "green", "black", "brown"),
}


class Page(boards.Board):
    """A board all of whose lines have one height, one contrast and one language."""

    def __init__(self, seed, scale, at):
        super().__init__(seed, WIDTH * scale, HEIGHT * scale, scale, held_out=True,
                         kind=at["kind"])
        self.at = at

    def letter_height(self):
        return self.at["height"] * self.scale

    def strength(self):
        return self.at["contrast"]

    def hand(self):
        language = self.at["language"]
        return language, self.pick.choice(boards.fonts.catalogue(True)[language])


def tier(at):
    """The camera's settings of exactly these circumstances; the rest is a typical photo's."""
    return {**camera.TIERS["typical"], "blur": (at["blur"],) * 2, "noise": (at["noise"],) * 2,
            "motion": 0.0, "watercolour": 0.0, "twice": 0.0, "quality": (84, 84)}


def pictures(seed, scale, at):
    """Photo and truth as float RGB, and the lines."""
    page = Page(seed, scale, at)
    page.text(2 * scale, 2 * scale, page.width - 2 * scale, page.height - 2 * scale)
    drawn = page.render()
    board = drawn["grainy"]
    if at["motion"]:
        # Sideways, as a hand moves: as long as its number of photo pixels.
        length = int(round(at["motion"] * scale)) | 1
        board = cv2.blur(board, (length, 1))
    camera.TIERS["study"] = tier(at)
    return camera.photograph(board, scale, "study", seed), drawn["clean"], page.lines


def methods(photo, truth, network, strength, scale):
    """Bicubic, the result and the truth, as Y in 0..255."""
    tensor = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.no_grad():
        base = model.bicubic(tensor, scale)
        result = base + strength * network(tensor)
    return [score.luma(image.clamp(0, 1)[0].permute(1, 2, 0).numpy())
            for image in (base, result)] + [score.luma(truth)]


def strip(photo, images, line, scale):
    """The start of one line: the photo's pixels enlarged, bicubic, result, truth."""
    left, top, right, bottom = line["box"]
    top, bottom, right = max(0, top - 4), bottom + 4, min(right, left + 60 * scale)
    small = photo[top // scale:bottom // scale, left // scale:right // scale]
    small = score.luma(small.astype(np.float32) / 255)
    rows = [cv2.resize(part, (480, 72), interpolation=method) for part, method in
            [(small, cv2.INTER_NEAREST)] + [(image[top:bottom, left:right], cv2.INTER_CUBIC)
                                            for image in images]]
    return np.concatenate(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=(2, 4), required=True, help="enlargement")
    parser.add_argument("--checkpoint", required=True, help="checkpoint of train.py")
    parser.add_argument("--strength", type=float, default=1.0, help="share of the correction")
    parser.add_argument("--boards", type=int, default=8, help="boards of each circumstance")
    parser.add_argument("--seed", type=int, default=51000, help="seed of the first board")
    parser.add_argument("--only", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--out", required=True, help="folder for the pictures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.makedirs(args.out, exist_ok=True)
    network = model.load(args.checkpoint)[0]
    print(f"x{args.scale}, seeds {args.seed}.., {args.boards} boards each, usual: {USUAL}")
    for name in args.only:
        print(f"\n| {name} | letters | bicubic | result | truth |\n|---|---|---|---|---|")
        columns = []
        for level in LEVELS[name]:
            at, crops, lines = {**USUAL, name: level}, [[], [], []], []
            shown = None
            for seed in range(args.seed, args.seed + args.boards):
                photo, truth, written = pictures(seed, args.scale, at)
                images = methods(photo, truth, network, args.strength, args.scale)
                written = [line for line in written if len(line["text"]) > 3]
                lines += written
                for line in written:
                    for part, image in zip(crops, images):
                        part.append(reader.patient(image, line, args.scale))
                if shown is None and written:
                    shown = strip(photo, images, max(written, key=lambda a: len(a["text"])),
                                  args.scale)
            rates = [reader.error_rate(reader.read(part, 1), lines) for part in crops]
            letters = sum(len(line["text"]) for line in lines)
            print(f"| {level} | {letters} | " + " | ".join(f"{rate:.3f}" for rate in rates) + " |",
                  flush=True)
            if shown is not None:
                columns.append(shown)
        columns = [np.pad(column, ((0, 0), (0, 8)), constant_values=255) for column in columns]
        cv2.imwrite(os.path.join(args.out, f"{name}.png"), np.concatenate(columns, 1))


if __name__ == "__main__":
    main()
