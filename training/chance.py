"""Tells what a network does to words from what the reader does by chance, on bare networks.

A reader is not sure of a word in a photo: a little larger, the same picture reads otherwise. So
every line is read in five letter sizes, and only readings of different sizes are compared.

/usr/bin/python3 training/score.py render --out /tmp/eval-x4 --count 60 --seed 9000 --scale 4
/usr/bin/python3 training/chance.py --set /tmp/eval-x4 \\
    --networks training/checkpoints/boardsharp-x4.pt@0.45 training/checkpoints/boardsharp-x4.pt
"""
import argparse
import itertools
import json
import os

import numpy as np
import torch

import camera
import model
import reader
import score

SIZES = (21, 22.5, 24, 25.5, 27)  # px: x-heights; which of them reads best is chance too
SURELY, HARDLY = 4, 1  # of the five readings
DRAWS, SEED = 1000, 1


@torch.no_grad()
def readings(args, scale, entries):
    """{(picture, size): texts of all lines}, bicubic first and the truth last."""
    networks = model.named(args.networks, scale)
    crops = {}
    for entry in entries:
        photo, truth = (score.picture(os.path.join(args.set, entry["name"] + ending))
                        for ending in (".photo.jpg", ".truth.png"))
        photo = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None]
        pictures = {name: result.clamp(0, 1)[0].permute(1, 2, 0).numpy()
                    for name, result in model.results_of(networks, photo, scale).items()}
        for name, picture in {**pictures, "truth": truth}.items():
            luma = score.luma(picture)
            for size in SIZES:
                crops.setdefault((name, size), []).extend(
                    np.round(reader.patient(luma, line, scale, size)).astype(np.uint8)
                    for line in entry["lines"])
    return {key: reader.read(lines, args.threads) for key, lines in crops.items()}


def crosswise(reads, name, lines):
    """Words recovered, recoverable, harmed and harmable [lines, 4] in picture `name`, summed over
    all ordered pairs of sizes: bicubic and truth in the one, `name` in the other."""
    keys = ("recovered", "recoverable", "harmed", "harmable")
    counts = np.zeros((len(lines), len(keys)))
    for one, two in itertools.permutations(SIZES, 2):
        for i, line in enumerate(lines):
            count = reader.words(*([reads[key][i]] for key in ((name, two), ("bicubic", one),
                                                               ("truth", one))), [line])
            counts[i] += [count[key] for key in keys]
    return counts


def surely(reads, name, lines):
    """How many words most readings of bicubic have and hardly any of `name`, the other way round,
    and of how many: (lost, of, won, of). Bicubic itself has none by definition: what the reader
    loses in the truth is what to compare with."""
    def times(picture, word, i):
        return sum(word in reader.fold(reads[picture, size][i]).split() for size in SIZES)

    lost = had = won = missed = 0
    for i, line in enumerate(lines):
        for word in set(reader.fold(line["text"]).split()):
            before, after = times("bicubic", word, i), times(name, word, i)
            had += before >= SURELY
            lost += before >= SURELY and after <= HARDLY
            missed += before <= HARDLY
            won += before <= HARDLY and after >= SURELY
    return lost, had, won, missed


def more_harmed(here, bicubic, boards):
    """How much more of the words that can be harmed `here` harms than `bicubic` itself does, both
    as of `crosswise`; and the interval that holds 95 % of draws of boards."""
    rng, boards = np.random.default_rng(SEED), np.array(boards)
    each = np.stack([[part[boards == board].sum(0) for board in np.unique(boards)]
                     for part in (here, bicubic)])

    def difference(rows):
        one, other = rows.sum(1)
        return one[2] / max(1, one[3]) - other[2] / max(1, other[3])

    drawn = [difference(each[:, rng.integers(0, each.shape[1], each.shape[1])])
             for _ in range(DRAWS)]
    return difference(each), *np.quantile(drawn, (0.025, 0.975))


def error_rates(reads, names, numbered, sizes=SIZES):
    """Letter errors of each picture on lines with their numbers, the mean over the sizes."""
    return [np.mean([reader.error_rate([reads[name, size][i] for i, _ in numbered],
                                       [line for _, line in numbered]) for size in sizes])
            for name in names]


def show(reads, lines, boards):
    """All tables."""
    names = list(dict.fromkeys(name for name, _ in reads))
    numbered = list(enumerate(lines))
    rows = [("all", numbered)]
    rows += [(tier, [pair for pair in numbered if pair[1]["tier"] == tier])
             for tier in camera.TIERS]
    rows += [(label, [pair for pair in numbered if low <= pair[1]["x_height"] < high])
             for label, low, high in score.CLASSES]
    print("| letter errors | lines | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 2))
    tables = [(label, part, SIZES) for label, part in rows if part]
    tables += [(f"all, at {size:g} px", numbered, [size]) for size in SIZES]
    for label, part, sizes in tables:
        print(f"| {label} | {len(part)} | "
              + " | ".join(f"{rate:.3f}" for rate in error_rates(reads, names, part, sizes)) + " |")
    print("\n| words | recovered | harmed | more than bicubic by itself | surely lost "
          "| surely won |\n|---|---|---|---|---|---|")
    alone = crosswise(reads, "bicubic", lines)
    for name in names:
        counts = crosswise(reads, name, lines)
        recovered, recoverable, harmed, harmable = counts.sum(0)
        more, low, high = more_harmed(counts, alone, boards)
        lost, had, won, missed = surely(reads, name, lines)
        print(f"| {name} | {recovered / max(1, recoverable):.1%} | {harmed / max(1, harmable):.1%} "
              f"| {more:+.1%} ({low:+.1%} to {high:+.1%}) | {lost} of {had} | {won} of {missed} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", required=True, help="folder made by score.py render")
    parser.add_argument("--networks", nargs="+", required=True,
                        metavar="CHECKPOINT[+CHECKPOINT][@SHARE]",
                        help="networks of the set's scale, SHARE of their correction; two are "
                             "asked together, as by the x4 quality network")
    parser.add_argument("--count", type=int, default=999, help="only the first boards")
    parser.add_argument("--lines", type=int, default=12, help="lines read per board at most")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads and readers")
    parser.add_argument("--json", help="file for every reading")
    args = parser.parse_args()
    about, entries = score.opened(args)
    lines = score.lines_of(entries)
    boards = [entry["name"] for entry in entries for _ in entry["lines"]]
    reads = readings(args, about["scale"], entries)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump([[*key, texts] for key, texts in reads.items()], file, ensure_ascii=False)
    print(f"{len(entries)} boards from seed {about['seed']}, {len(lines)} lines, "
          f"x{about['scale']}, {len(SIZES)} readings of each\n")
    show(reads, lines, boards)


if __name__ == "__main__":
    main()
