"""Fills shards of (photo, truth, ink) patches, as plain uint8 files that train.py maps.

With --glyphs another file says which letter stands where, for train_recogniser.py.

/usr/bin/python3 training/dataset.py --scale 2 --minutes 8 --seed 1000 --out /tmp/boards-x2 \\
    --strokes STROKES --formulas FORMULAS --photos PHOTOS
"""
import argparse
import contextlib
import json
import os
import random
import time

import cv2
import numpy as np

import boards
import camera
import recogniser
from backdrops import free_photos

PATCH = 64  # photo pixels; train.py crops 48 out of it at random
SIZES = {2: (512, 384), 4: (320, 240)}  # a training photo
TIERS = {"mild": 36, "typical": 50, "hard": 14}
TILT = 0.06  # the most that corners of a board seen from the side move, as a share of its sides


def crops(photo, truth, ink, scale, count, pick, glyphs=None):
    """`count` patches of one photo, nearly all with ink; truth carries ink as 4th channel, and
    `glyphs` as 5th."""
    mask = cv2.dilate((ink > 0.12).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    truth = np.dstack([truth, mask] if glyphs is None else [truth, mask, glyphs])
    for _ in range(count):
        blank_allowed = pick.random() < 0.1
        for _ in range(8):
            left = pick.randrange(photo.shape[1] - PATCH + 1)
            top = pick.randrange(photo.shape[0] - PATCH + 1)
            part = truth[top * scale:(top + PATCH) * scale, left * scale:(left + PATCH) * scale]
            if blank_allowed or (part[..., 3] > 0).mean() > 0.02:
                break
        yield photo[top:top + PATCH, left:left + PATCH], part


def drawn(seed, scale, args):
    """Patches of a synthetic board's photos; at times it stands on a real one, or is tilted."""
    pick, chance = random.Random(seed), random.Random(f"chance {seed}")
    width, height = SIZES[scale]
    real_board, from_the_side = (chance.random() < share
                                 for share in (args.backdrop_share, args.tilt_share))
    _, pictures = boards.make(seed, width * scale, height * scale, scale,
                              tilt=TILT if from_the_side else 0, stroke_folder=args.strokes,
                              formula_folder=args.formulas,
                              photo_folder=args.photos if real_board else None,
                              number=recogniser.number if args.glyphs else None)
    truth = np.round(pictures["clean"] * 255).astype(np.uint8)
    # A photo costs a twentieth of its board: the same letters, lost in several ways. Each shows
    # about half of the area once.
    for take in range(args.takes):
        tier = pick.choices(list(TIERS), list(TIERS.values()))[0]
        photo = camera.photograph(pictures["grainy"], scale, tier, seed + take * 10 ** 7)
        yield from crops(photo, truth, pictures["ink"], scale, 12 if scale == 4 else 32, pick,
                         pictures.get("glyphs"))


def real_pair(path, pick, longest=2560, min_shrink=1):
    """Photo, truth and ink of a real photo: at most `longest` px as truth, half of it through an
    encoder.

    The truth keeps its own noise, much of which the reduction, by `min_shrink` at least, has
    averaged away.
    """
    image = cv2.imread(path)[..., ::-1]
    side = min(1 / min_shrink, longest / max(image.shape[:2]))
    width, height = (int(round(length * side / 4)) * 4 for length in image.shape[1::-1])
    truth = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    method = pick.choice((camera.RESAMPLING[0], camera.RESAMPLING[1], camera.RESAMPLING[4]))
    photo = camera.downscale(truth.astype(np.float32) / 255, 2, method)
    photo = np.round(photo.clip(0, 1) * 255).astype(np.uint8)
    photo = camera.jpeg(photo, pick.choices((80, 72, 87), (55, 25, 20))[0])
    grey = truth.mean(-1)
    ink = (np.abs(grey - cv2.blur(grey, (41, 41))) > 22).astype(np.float32)
    return photo, truth, ink


def real(path, seed, count=32):
    """Patches of a real photo."""
    pick = random.Random(seed)
    yield from crops(*real_pair(path, pick), 2, count, pick)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=(2, 4), required=True, help="enlargement")
    parser.add_argument("--out", required=True, help="folder for the shard")
    parser.add_argument("--minutes", type=float, default=8, help="stop after this long")
    parser.add_argument("--boards", type=int, default=10 ** 6, help="stop after so many boards")
    parser.add_argument("--seed", type=int, default=1000, help="seed of the first board")
    parser.add_argument("--strokes", help="folder of single-line fonts (optional)")
    parser.add_argument("--formulas", help="folder of formulas.py (optional)")
    parser.add_argument("--photos", help="folder of real photos with SOURCES.csv (optional)")
    parser.add_argument("--takes", type=int, default=4, help="photos of each drawn board")
    parser.add_argument("--photo-share", type=float, default=0.12,
                        help="share of real photos among the sources (x2)")
    parser.add_argument("--backdrop-share", type=float, default=0.15,
                        help="share of drawn boards that are written on real ones")
    parser.add_argument("--tilt-share", type=float, default=0.3,
                        help="share of drawn boards that are seen from the side")
    parser.add_argument("--glyphs", action="store_true",
                        help="note which letter stands where; no real pairs then")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    os.makedirs(args.out, exist_ok=True)
    found = free_photos(args.photos) if args.scale == 2 and not args.glyphs else []
    choose = random.Random(args.seed)
    print(f"seeds from {args.seed}, {len(found)} real photos", flush=True)
    started, patches, made = time.time(), 0, 0
    with contextlib.ExitStack() as files:
        photos, truths, glyphs = (
            files.enter_context(open(os.path.join(args.out, name), "wb")) if wanted else None
            for name, wanted in (("photo.u8", True), ("truth.u8", True),
                                 ("glyphs.u8", args.glyphs)))
        while made < args.boards and time.time() - started < args.minutes * 60:
            seed = args.seed + made
            if found and choose.random() < args.photo_share:
                source = real(choose.choice(found), seed)
            else:
                source = drawn(seed, args.scale, args)
            made += 1
            try:
                source = list(source)
            except OSError as error:
                # FreeType gives up on a few signs in large sizes ("raster overflow").
                print(f"board {seed} is left out: {error}", flush=True)
                continue
            for photo, truth in source:
                photos.write(np.ascontiguousarray(photo).tobytes())
                truths.write(np.ascontiguousarray(truth[..., :4]).tobytes())
                if glyphs:
                    glyphs.write(np.ascontiguousarray(truth[..., 4]).tobytes())
                patches += 1
            if made % 25 == 0:
                print(f"{made} boards, {patches} patches, {time.time() - started:.0f} s",
                      flush=True)
    with open(os.path.join(args.out, "shard.json"), "w", encoding="utf-8") as notes:
        json.dump({"scale": args.scale, "patch": PATCH, "count": patches, "boards": made,
                   "seed": args.seed, "strokes": bool(args.strokes), "photos": len(found),
                   "formulas": bool(args.formulas), "backdrops": args.backdrop_share,
                   "tilted": args.tilt_share},
                  notes, indent=2)
    print(f"{made} boards, {patches} patches -> {args.out}")


if __name__ == "__main__":
    main()
