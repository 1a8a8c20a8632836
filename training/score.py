"""Renders evaluation boards in fonts kept out of training, and measures results on them.

/usr/bin/python3 training/score.py render --out /tmp/eval-x4 --count 24 --seed 9000 --scale 4
/usr/bin/python3 training/score.py measure --set /tmp/eval-x4 --results boardsharp=/tmp/results \\
    --checkpoint training/checkpoints/boardsharp-x4.pt
/usr/bin/python3 training/score.py pairs --photos PHOTOS \\
    --checkpoint training/checkpoints/boardsharp-x2.pt
"""
import argparse
import json
import os
import random

import cv2
import numpy as np
import torch
from skimage.metrics import structural_similarity

import backdrops
import boards
import camera
import dataset
import model
import reader

SIZES = {2: (640, 480), 4: (352, 264)}  # photo pixels
TIERS = ("typical", "mild", "typical", "hard")
KINDS = ("white", "green", "white", "black", "white", "brown")
CLASSES = (("< 5 px", 0, 5), ("5-8 px", 5, 8), ("> 8 px", 8, 999))


def circumstances(index):
    """Tier and kind of an evaluation board. Of 24 boards the white ones are never hard and the
    others never mild; the next 24 are the other way round, so every pair is among 48."""
    return TIERS[index % len(TIERS)], KINDS[(index // 2 + index // 24) % len(KINDS)]


def render(args):
    """Photos, truths and truth.json of `count` boards."""
    os.makedirs(args.out, exist_ok=True)
    width, height = SIZES[args.scale]
    entries = []
    for index in range(args.count):
        seed, (tier, kind) = args.seed + index, circumstances(index)
        board, pictures = boards.make(seed, width * args.scale, height * args.scale, args.scale,
                                      held_out=True, kind=kind)
        name = f"board-{index:03d}"
        packed = camera.photograph(pictures["grainy"], args.scale, tier, seed, packed=True)
        with open(os.path.join(args.out, name + ".photo.jpg"), "wb") as file:
            file.write(packed)
        truth = np.round(pictures["clean"] * 255).astype(np.uint8)
        cv2.imwrite(os.path.join(args.out, name + ".truth.png"), truth[..., ::-1])
        entries.append({"name": name, "seed": seed, "tier": tier, "kind": board.kind,
                        "lines": board.lines})
    with open(os.path.join(args.out, "truth.json"), "w", encoding="utf-8") as file:
        json.dump({"scale": args.scale, "seed": args.seed, "boards": entries}, file, indent=1,
                  ensure_ascii=False)
    lines = sum(len(entry["lines"]) for entry in entries)
    print(f"{args.count} boards, {lines} lines, seeds {args.seed}.. -> {args.out}")


def picture(path):
    """A picture file as float RGB 0..1."""
    image = cv2.imread(path)
    if image is None:
        raise SystemExit(f"{path} is missing or no picture: put every board's result there")
    return image[..., ::-1].astype(np.float32) / 255


def found(folder, name):
    """A board's result: NAME.photo.png, NAME.photo*.png or NAME.png, whatever a tool calls it."""
    for file in sorted(os.listdir(folder)):
        if file.split(".")[0].startswith(name) and file.endswith((".png", ".jpg", ".webp")):
            return os.path.join(folder, file)
    return os.path.join(folder, name + ".png")


def methods(args, scale):
    """{name: function(entry) -> float RGB result}, the two classical ones first."""
    def photo(entry):
        return picture(os.path.join(args.set, entry["name"] + ".photo.jpg"))

    def tensor(entry):
        return torch.from_numpy(photo(entry).copy()).permute(2, 0, 1)[None]

    def lanczos(entry):
        image = photo(entry)
        size = (image.shape[1] * scale, image.shape[0] * scale)
        return cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4).clip(0, 1)

    def keys(entry):
        return model.bicubic(tensor(entry), scale).clamp(0, 1)[0].permute(1, 2, 0).numpy()

    result = {"bicubic": keys, "Lanczos4": lanczos}
    for pair in args.results or []:
        name, folder = pair.split("=", 1)
        result[name] = lambda entry, folder=folder: picture(found(folder, entry["name"]))
    if args.checkpoint:
        network, checkpoint = model.load(args.checkpoint)
        print(f"checkpoint: step {checkpoint['step']}, {checkpoint['minutes']:.0f} minutes")
        result["network"] = lambda entry: model.upscale(network, tensor(entry))[0].permute(
            1, 2, 0).numpy()
    result["truth"] = lambda entry: picture(os.path.join(args.set, entry["name"] + ".truth.png"))
    return result


def luma(image):
    """Y in 0..255 of what an 8-bit file would hold."""
    return np.round(image.clip(0, 1) * 255) @ np.array(model.LUMA, np.float32)


def decibel(error):
    return float(10 * np.log10(255 ** 2 / max(float(np.mean(error)), 1e-4)))


def compare(result, truth, entry, scale):
    """PSNR and SSIM on Y without the outer `scale` pixels, and PSNR on the lines' boxes."""
    ours, wanted = luma(result), luma(truth)
    error = (ours - wanted) ** 2
    text = np.zeros(error.shape, bool)
    for line in entry["lines"]:
        left, top, right, bottom = line["box"]
        text[max(0, top - 2):bottom + 2, max(0, left - 2):right + 2] = True
    inner = slice(scale, -scale)
    ssim = structural_similarity(ours[inner, inner], wanted[inner, inner], data_range=255,
                                 gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    return (decibel(error[inner, inner]), float(ssim),
            decibel(error[text]) if text.any() else np.nan)


def opened(args):
    """truth.json of a set, its first `count` boards, each with its first `lines` lines; and sets
    the threads that are used from here on."""
    with open(os.path.join(args.set, "truth.json"), encoding="utf-8") as file:
        about = json.load(file)
    torch.set_num_threads(args.threads)
    entries = about["boards"][:args.count]
    for entry in entries:
        entry["lines"] = [line for line in entry["lines"] if len(line["text"]) > 1][:args.lines]
    return about, entries


def lines_of(entries):
    """The lines of all boards in their order, each with its board's tier and kind."""
    return [dict(line, tier=entry["tier"], kind=entry["kind"])
            for entry in entries for line in entry["lines"]]


def measure(args):
    """All figures, as Markdown tables."""
    about, entries = opened(args)
    scale = about["scale"]
    figures, reads = {}, {}
    for name, function in methods(args, scale).items():
        plain, patient, figures[name] = [], [], []
        for entry in entries:
            result = function(entry)
            truth = picture(os.path.join(args.set, entry["name"] + ".truth.png"))
            if result.shape != truth.shape:
                raise SystemExit(f"{name}: {entry['name']} is {result.shape[1]}x"
                                 f"{result.shape[0]}, its truth {truth.shape[1]}x"
                                 f"{truth.shape[0]}; upscale with --scale {scale}")
            figures[name].append(compare(result, truth, entry, scale))
            for line in entry["lines"]:
                plain.append(reader.plain(luma(result), line))
                patient.append(reader.patient(luma(result), line, scale))
        reads[name] = {"patient": reader.read(patient, args.threads),
                       "plain": reader.read(plain, args.threads)}
    lines = lines_of(entries)
    print(f"{len(entries)} boards from seed {about['seed']}, {len(lines)} lines, x{scale}\n")
    table(figures, reads, lines)
    tiers(figures, reads, entries, lines)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"figures": figures, "reads": reads, "lines": lines}, file,
                      ensure_ascii=False)


def table(figures, reads, lines):
    """One row per method: picture scores, letter errors, words recovered and harmed."""
    print("| | PSNR | text PSNR | SSIM | CER patient | CER plain | "
          + " | ".join(label for label, _, _ in CLASSES)
          + " | words read | recovered | harmed |")
    print("|" + "---|" * (9 + len(CLASSES)))
    for name, rows in figures.items():
        mean = np.nanmean(np.array(rows, np.float64), 0)
        patient = reads[name]["patient"]
        cells = ["–" if name == "truth" else f"{mean[0]:.2f}",
                 "–" if name == "truth" else f"{mean[2]:.2f}",
                 "–" if name == "truth" else f"{mean[1]:.4f}",
                 f"{reader.error_rate(patient, lines):.3f}",
                 f"{reader.error_rate(reads[name]['plain'], lines):.3f}"]
        for _, low, high in CLASSES:
            keep = [i for i, line in enumerate(lines) if low <= line["x_height"] < high]
            rate = reader.error_rate([patient[i] for i in keep], [lines[i] for i in keep])
            cells.append(f"{rate:.3f}" if keep else "–")
        words = reader.words(patient, reads["bicubic"]["patient"], reads["truth"]["patient"],
                             lines)
        cells += [f"{words['read']}/{words['all']}",
                  f"{words['recovered']}/{words['recoverable']}",
                  f"{words['harmed']}/{words['harmable']}"]
        print(f"| {name} | " + " | ".join(cells) + " |")
    counts = [sum(low <= line["x_height"] < high for line in lines) for _, low, high in CLASSES]
    print("\nLines per letter height: " + ", ".join(
        f"{label} {count}" for (label, _, _), count in zip(CLASSES, counts)))


def tiers(figures, reads, entries, lines):
    """PSNR and patient CER of every tier."""
    print("\n| tier | " + " | ".join(figures) + " |\n|" + "---|" * (len(figures) + 1))
    for tier in camera.TIERS:
        boards_of = [i for i, entry in enumerate(entries) if entry["tier"] == tier]
        within = [i for i, line in enumerate(lines) if line["tier"] == tier]
        if not boards_of or not within:
            continue
        cells = []
        for name, rows in figures.items():
            psnr = np.mean([rows[i][0] for i in boards_of])
            error = reader.error_rate([reads[name]["patient"][i] for i in within],
                                      [lines[i] for i in within])
            cells.append((f"{psnr:.2f} dB, " if name != "truth" else "") + f"CER {error:.3f}")
        print(f"| {tier} | " + " | ".join(cells) + " |")


def pairs(args):
    """PSNR of a x2 network on real photos: reduced to 2560 px as truth, to 1280 px as the photo.

    Text regions are ink and what is within 2 photo pixels of it. Photos that training used are
    counted apart from those it did not; these are smaller, so their truths are too: each is
    reduced by MIN_SHRINK at least, for its noise to go.
    """
    torch.set_num_threads(args.threads)
    network, _ = model.load(args.checkpoint)
    if network.scale != 2:
        raise SystemExit(f"{args.checkpoint} enlarges by {network.scale}; pairs are for x2")
    used, rows = set(backdrops.free_photos(args.photos)), {}
    for file in sorted(os.listdir(args.photos)):
        path = os.path.join(args.photos, file)
        if not file.endswith((".jpg", ".png")):
            continue
        photo, truth, ink = dataset.real_pair(path, random.Random(f"{args.seed} {file}"),
                                              min_shrink=backdrops.MIN_SHRINK)
        tensor = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
        text = cv2.dilate(ink, np.ones((9, 9), np.uint8)) > 0
        row = [max(truth.shape), text.mean()]
        for result in (model.bicubic(tensor, 2).clamp(0, 1), model.upscale(network, tensor)):
            error = luma(result[0].permute(1, 2, 0).numpy()) - luma(truth / np.float32(255))
            row += [decibel(error ** 2), decibel(error[text] ** 2) if text.any() else np.nan]
        rows.setdefault("in training" if path in used else "not in training", []).append(row)
        print(f"{file[:60]:60} " + " ".join(f"{figure:.2f}" for figure in row[2:]), flush=True)
    print("\n| photos | | mean truth | PSNR bicubic | network | text regions bicubic | network |")
    print("|" + "---|" * 7)
    for kind, figures in rows.items():
        side, share, *means = np.nanmean(figures, 0)
        print(f"| {kind} | {len(figures)}, text on {share:.0%} | {side:.0f} px | "
              + " | ".join(f"{means[i]:.2f}" for i in (0, 2, 1, 3)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("render", help="write an evaluation set")
    draw.add_argument("--out", required=True, help="folder for photos and truths")
    draw.add_argument("--count", type=int, default=24, help="boards")
    draw.add_argument("--seed", type=int, default=9000, help="seed of the first board")
    draw.add_argument("--scale", type=int, choices=(2, 4), required=True, help="enlargement")
    judge = commands.add_parser("measure", help="measure results on an evaluation set")
    judge.add_argument("--set", required=True, help="folder made by render")
    judge.add_argument("--results", nargs="*", metavar="NAME=FOLDER", help="folders of results")
    judge.add_argument("--checkpoint", help="checkpoint of train.py to run directly")
    judge.add_argument("--count", type=int, default=999, help="only the first boards")
    judge.add_argument("--lines", type=int, default=12, help="lines read per board at most")
    judge.add_argument("--threads", type=int, default=2, help="CPU threads and readers")
    judge.add_argument("--json", help="file for every single figure and reading")
    twins = commands.add_parser("pairs", help="measure a x2 network on real photos, reduced")
    twins.add_argument("--photos", required=True, help="folder of photos with SOURCES.csv")
    twins.add_argument("--checkpoint", required=True, help="checkpoint of train.py")
    twins.add_argument("--seed", type=int, default=1, help="seed of the encoders")
    twins.add_argument("--threads", type=int, default=2, help="CPU threads")
    args = parser.parse_args()
    {"render": render, "measure": measure, "pairs": pairs}[args.command](args)


if __name__ == "__main__":
    main()
