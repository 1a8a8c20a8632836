"""Trains the recogniser for a fixed time, or counts what it reads on boards of held-out fonts.

/usr/bin/python3 training/dataset.py --scale 2 --glyphs --minutes 5 --seed 800000 --out /tmp/letters
/usr/bin/python3 training/train_recogniser.py train --shards /tmp/letters --minutes 20 \\
    --network training/checkpoints/boardsharp-x2.pt --out /tmp/recogniser.pt
/usr/bin/python3 training/train_recogniser.py read --recogniser /tmp/recogniser.pt \\
    --networks training/checkpoints/boardsharp-x2.pt training/checkpoints/boardsharp-x2.pt@0.5
"""
import argparse
import collections
import os
import time

import cv2
import numpy as np
import torch
from torch.nn import functional

import boards
import camera
import model
import recogniser
import score
import train
from recogniser import CLASSES, SCALE

TILE, AROUND = 160, 32  # px: a board is read in parts, each with its own contrast


class Letters(train.Shard):
    """A shard of dataset.py --glyphs, mapped from disk."""

    def __init__(self, folder):
        super().__init__(folder)
        if self.scale != SCALE:
            raise SystemExit(f"{folder} is of x{self.scale}: a recogniser is made with "
                             f"dataset.py --scale {SCALE} --glyphs")
        side = self.patch * self.scale
        self.glyphs = np.memmap(os.path.join(folder, "glyphs.u8"), np.uint8, "r",
                                shape=(self.count, side, side))

    def batch(self, size, crop, rng):
        """Photos and truths as float tensors, and the class of each photo pixel's cell: that of its
        four truth pixels, 0 where they differ."""
        rows = np.sort(rng.choice(self.count, size, replace=size > self.count))
        left, top = rng.integers(0, (self.patch - crop) // 2 + 1, 2) * 2
        cut = (rows, slice(top * SCALE, (top + crop) * SCALE),
               slice(left * SCALE, (left + crop) * SCALE))
        corners = [self.glyphs[cut][:, y::2, x::2] for y in (0, 1) for x in (0, 1)]
        same = np.all([corner == corners[0] for corner in corners], 0)
        photo, truth = (torch.from_numpy(part[..., :3]).permute(0, 3, 1, 2).float() / 255
                        for part in (self.photos[rows, top:top + crop, left:left + crop],
                                     self.truths[cut]))
        return photo, truth, torch.from_numpy(np.where(same, corners[0], 0)).long()


def pictures_of(photo, truth, correction, rng):
    """What has to be read, as brightness: of ten pictures four are truths, most of them soft or
    noisy, one or two are enlarged photos, the others a network's results, whole or in part."""
    base, true, answer = (model.luma(part)[:, None]
                          for part in (model.bicubic(photo, SCALE), truth, correction))
    pictures = []
    for index in range(len(photo)):
        kind, picture = rng.random(), true[index:index + 1]
        if kind < 0.4:
            sigma = rng.uniform(0.05, 1.3) if rng.random() < 0.6 else 0
            if sigma > 0.3:
                picture = recogniser.soften(picture, sigma)
            if rng.random() < 0.4:
                picture = picture + rng.uniform(0, 0.02) * torch.randn_like(picture)
        else:
            share = 0 if kind < 0.55 else rng.uniform(0.3, 1.1)
            picture = base[index:index + 1] + share * answer[index:index + 1]
        pictures.append(picture)
    return torch.cat(pictures)


def teach(args):
    """Trains on whichever of a shard's photos chance brings, with a cosine of the learning rate."""
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    upscaler = model.load(args.network)[0].to(memory_format=torch.channels_last)
    network = recogniser.Recogniser(args.width)
    if args.start:
        network = recogniser.load(args.start).requires_grad_(True).train()
        args.width = network.width
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), args.rate, betas=(0.9, 0.99),
                                  weight_decay=1e-4)
    shards = [Letters(folder) for folder in args.shards]
    share = np.array([shard.count for shard in shards], float) / sum(s.count for s in shards)
    started, step, done = time.time(), 0, 0.0
    total, tally = 0.0, np.zeros(2, int)
    print(f"seed {args.seed}, {args.minutes} minutes, {len(CLASSES) - 1} classes", flush=True)
    while done < 1:
        done = min(1.0, (time.time() - started) / 60 / args.minutes)
        train.set_rate(optimizer, step, done, args)
        photo, truth, cells = shards[rng.choice(len(shards), p=share)].batch(args.batch, args.crop,
                                                                             rng)
        # Only the networks: a faint stroke is less than a step of bfloat16 beside its board.
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=not args.no_bf16):
            answer = upscaler(photo.contiguous(memory_format=torch.channels_last))
        pictures = pictures_of(photo, truth, answer.float(), rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=not args.no_bf16):
            scores = network(pictures)
        loss = functional.cross_entropy(scores.float(), cells, ignore_index=0,
                                        label_smoothing=0.02)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        step, total, there = step + 1, total + float(loss), cells > 0
        tally += [int((scores.argmax(1) == cells)[there].sum()), int(there.sum())]
        if step % args.every == 0 or done >= 1:
            seen = (step - 1) % args.every + 1
            print(f"step {step} {(time.time() - started) / 60:.1f} min loss {total / seen:.4f} "
                  f"cells right {tally[0] / max(1, tally[1]):.3f}", flush=True)
            total, tally = 0.0, np.zeros(2, int)
            # Half precision: it is kept in the repository.
            weights = {name: value.half() if value.is_floating_point() else value
                       for name, value in network.state_dict().items()}
            torch.save({"width": args.width, "weights": weights, "step": step}, args.out + ".part")
            os.replace(args.out + ".part", args.out)


def scores_of(network, brightness):
    """The recogniser's scores [classes, h/2, w/2] of a whole board [1, 1, h, w], part by part."""
    height, width = (length // 8 * 8 for length in brightness.shape[2:])
    scores = np.zeros((len(CLASSES), height // 2, width // 2), np.float32)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            up, side = min(top, AROUND), min(left, AROUND)
            part = network(brightness[..., top - up:min(height, top + TILE + AROUND),
                                      left - side:min(width, left + TILE + AROUND)])[0]
            part = part[:, up // 2:(up + TILE) // 2, side // 2:(side + TILE) // 2]
            scores[:, top // 2:top // 2 + part.shape[1],
                   left // 2:left // 2 + part.shape[2]] = part
    return scores


def letters_of(board):
    """Marks of the letters in cells [h/2, w/2]; class and x-height of each mark."""
    heights = np.zeros(board.glyphs.shape, np.float32)
    for line in board.lines:
        left, top, right, bottom = line["box"]
        heights[top:bottom, left:right] = line["x_height"]
    marks = cv2.connectedComponents((board.glyphs > 0).astype(np.uint8), connectivity=4)[1]
    first = np.unique(marks, return_index=True)[1]
    return marks[::2, ::2], board.glyphs.ravel()[first], heights.ravel()[first]


def answers_of(scores, marks, count):
    """The class with the highest mean score in each mark; 0 for a mark without a cell."""
    sums = np.stack([np.bincount(marks.ravel(), part.ravel(), count) for part in scores[1:]])
    return np.where(np.bincount(marks.ravel(), minlength=count), sums.argmax(0) + 1, 0)


@torch.no_grad()
def count_letters(args):
    """Prints the share of letters read wrongly in bicubic, in results and in the truth."""
    reading = recogniser.load(args.recogniser)
    networks = model.named(args.networks, SCALE)
    tally = collections.defaultdict(lambda: np.zeros(2, int))
    width, height = (length * SCALE for length in score.SIZES[SCALE])
    for index in range(args.count):
        seed, (tier, _) = args.seed + index, score.circumstances(index)
        board, pictures = boards.make(seed, width, height, SCALE, held_out=True,
                                      number=recogniser.number)
        photo = camera.photograph(pictures["grainy"], SCALE, tier, seed)
        photo = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
        results = {**model.results_of(networks, photo, SCALE),
                   "truth": torch.from_numpy(pictures["clean"]).permute(2, 0, 1)[None]}
        marks, classes, heights = letters_of(board)
        for name, picture in results.items():
            scores = scores_of(reading, model.luma(picture.clamp(0, 1))[:, None])
            answers = answers_of(scores, marks, len(classes))
            for letter, answer, tall in zip(classes[1:], answers[1:], heights[1:]):
                if answer and tall:
                    cell = next(cell for cell, _, top in score.CLASSES if tall < top)
                    tally[tier, cell, name] += [answer != letter, 1]
    print(f"seeds {args.seed}.., {args.count} boards\n| tier | letters | number |",
          " | ".join(results), "|\n|---|---|---|" + "---|" * len(results))
    for tier in sorted(set(score.TIERS)):
        for cell, *_ in score.CLASSES:
            row = [tally[tier, cell, name] for name in results]
            if row[0][1]:
                print(f"| {tier} | {cell} | {row[0][1]} |",
                      " | ".join(f"{wrong / number:.3f}" for wrong, number in row), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("train", "read"))
    parser.add_argument("--seed", type=int, default=1, help="seed, of read the first board's")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    # Training
    parser.add_argument("--shards", nargs="+", help="folders of dataset.py --scale 2 --glyphs")
    parser.add_argument("--network", help="a network of x2, whose results it shall read too")
    parser.add_argument("--out", help="checkpoint to write")
    parser.add_argument("--start", help="checkpoint of a recogniser to begin with, "
                        "of its width (then --rate 1e-3 is enough)")
    parser.add_argument("--minutes", type=float, default=20, help="wall clock, sets the schedule")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--warmup", type=int, default=100, help="steps until that rate")
    parser.add_argument("--batch", type=int, default=32, help="patches in a step")
    parser.add_argument("--crop", type=int, default=48, help="photo pixels of a patch's side")
    parser.add_argument("--width", type=int, default=32, help="channels at the finest resolution")
    parser.add_argument("--no-bf16", action="store_true", help="fp32 throughout")
    parser.add_argument("--every", type=int, default=100, help="steps between lines of progress")
    # Reading
    parser.add_argument("--recogniser", help="checkpoint to read with")
    parser.add_argument("--networks", nargs="*", default=[],
                        metavar="CHECKPOINT[+CHECKPOINT][@SHARE]",
                        help="networks of x2 whose results are read, SHARE of their correction")
    parser.add_argument("--count", type=int, default=16, help="boards")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    (teach if args.command == "train" else count_letters)(args)


if __name__ == "__main__":
    main()
