"""Reads line crops with Tesseract, plainly and patiently, and counts letter errors.

Used by score.py. Try it:  /usr/bin/python3 training/reader.py line.png
"""
import argparse
import collections
import concurrent.futures
import os
import subprocess
import tempfile

import cv2
import numpy as np

COMMAND = ["--oem", "1", "--psm", "7", "-l", "rus+eng"]
LETTER = 24  # px: the x-height that the patient reader brings every line to
# Letters that look the same in both alphabets: no reader can tell them apart on a board.
SAME = str.maketrans("abcehkmoptxyё3", "авсенкмортхуез")


def plain(luma, line):
    """The line's box as it is, with a margin."""
    left, top, right, bottom = line["box"]
    margin = max(4, (bottom - top) // 5)
    return luma[max(0, top - margin):bottom + margin, max(0, left - margin):right + margin]


def patient(luma, line, scale, letter=LETTER):
    """The line evened out, dark on light, at full contrast and in one letter size."""
    left, top, right, bottom = line["box"]
    height = line["x_height"] * scale
    wide = int(4 * height)
    area = luma[max(0, top - wide):bottom + wide, max(0, left - wide):right + wide]
    ground = cv2.blur(cv2.medianBlur(area.clip(0, 255).astype(np.uint8),
                                     min(255, int(2.5 * height) * 2 + 1)),
                      (int(2 * height) * 2 + 1,) * 2).astype(np.float32)
    even = area - ground
    # Trim back to the box, a little wider than the ink.
    up, side, margin = min(top, wide), min(left, wide), max(3, int(0.5 * height))
    even = even[max(0, up - margin):up + bottom - top + margin,
                max(0, side - margin):side + right - left + margin]
    low, high = np.quantile(even, (0.01, 0.99))
    if high + low > 0:
        even, low, high = -even, -high, -low
    even = ((even - low) / max(1, min(0, high) - low)).clip(0, 1) * 255
    factor = letter / height
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    even = cv2.resize(even.astype(np.float32), None, fx=factor, fy=factor, interpolation=method)
    return cv2.copyMakeBorder(even.clip(0, 255), 12, 12, 16, 16, cv2.BORDER_CONSTANT, value=255)


def read(crops, threads=2):
    """The text of every crop; one Tesseract per thread reads a whole list of files."""
    with tempfile.TemporaryDirectory() as folder:
        def run(part):
            listing = os.path.join(folder, f"list-{part}.txt")
            with open(listing, "w", encoding="utf-8") as file:
                for index in range(part, len(crops), threads):
                    path = os.path.join(folder, f"{index}.png")
                    cv2.imwrite(path, np.round(crops[index]).clip(0, 255).astype(np.uint8))
                    file.write(path + "\n")
            done = subprocess.run(["tesseract", listing, "stdout", *COMMAND], check=True,
                                  capture_output=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
            return done.stdout.decode("utf-8", "replace").split("\f")

        threads = max(1, min(threads, len(crops)))
        texts = [""] * len(crops)
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for part, pages in enumerate(pool.map(run, range(threads))):
                for index, page in zip(range(part, len(crops), threads), pages):
                    texts[index] = " ".join(page.split())
        return texts


def fold(text):
    """Text without case and without the difference of look-alike letters."""
    return " ".join(text.lower().translate(SAME).split())


def distance(one, two):
    """Levenshtein distance."""
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(two, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1,
                                           previous + (letter != other))
    return row[-1]


def error_rate(texts, lines):
    """Letter errors per true letter; a line counts as wholly wrong at most."""
    wrong = total = 0
    for text, line in zip(texts, lines):
        true = fold(line["text"])
        wrong += min(len(true), distance(fold(text), true))
        total += len(true)
    return wrong / max(1, total)


def words(texts, bicubic, truth, lines):
    """Words read, recovered (read in the truth, not in bicubic) and harmed (read in bicubic,
    not here)."""
    count = collections.Counter()
    for text, base, best, line in zip(texts, bicubic, truth, lines):
        here, there, ideal = (collections.Counter(fold(part).split())
                              for part in (text, base, best))
        for word, times in collections.Counter(fold(line["text"]).split()).items():
            got, had, can = (min(times, part[word]) for part in (here, there, ideal))
            count["all"] += times
            count["read"] += got
            count["recoverable"] += max(0, can - had)
            count["recovered"] += max(0, min(got, can) - had)
            count["harmable"] += had
            count["harmed"] += max(0, had - got)
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", help="a picture of one line")
    print(*read([cv2.imread(parser.parse_args().picture, 0).astype(np.float32)], 1))
