"""Which fonts write the training boards, and which are kept for the evaluation alone.

List what is installed:  /usr/bin/python3 training/fonts.py
Install:                 npm install --prefix training
"""
import functools
import glob
import os

from fontTools.ttLib import TTFont
from PIL import ImageFont

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "node_modules", "@expo-google-fonts")

# Never drawn in training: a network is judged on letters of fonts that it has not seen.
# Print-like with Cyrillic: pangolin, balsamiq-sans, ubuntu, pt-sans. Latin: comic-neue.
# Their sisters (PT Mono, PT Serif, Ubuntu Mono, ...) share their letters: they are not installed.
HELD_OUT = ("pangolin", "balsamiq-sans", "ubuntu", "pt-sans", "comic-neue")
# Signs that the writing fonts lack (sums, integrals, Greek); no letters are taken from it.
SYMBOLS = "noto-sans-math"
# Drawn more often: these come nearest to a hand on a board.
HANDS = ("amatic-sc", "bad-script", "caveat", "kalam", "marck-script", "neucha", "gochi-hand",
         "patrick-hand", "playpen-sans", "shantell-sans", "indie-flower", "mansalva", "comforter",
         "hachi-maru-pop", "klee-one", "yusei-magic", "pacifico", "great-vibes", "gabriela",
         "architects-daughter", "coming-soon", "nothing-you-could-do", "reenie-beanie",
         "shadows-into-light", "schoolbell", "handlee", "zeyada", "sue-ellen-francisco")
HAND_SHARE = 6
WEIGHTS = ("300Light", "400Regular", "500Medium", "600SemiBold", "700Bold")
PROBE = {"ru": "жфщъыьэюяЖФЩЭЮЯ", "en": "abgkqwxyzABGQRW0123456789"}


def files(family):
    """The upright weights of one family."""
    found = sorted(glob.glob(os.path.join(FOLDER, family, "*", "*.ttf")))
    return [path for path in found if path.split("_")[-1][:-4] in WEIGHTS]


@functools.lru_cache(maxsize=None)
def covered(path):
    """The characters a font file can draw."""
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def can_write(path, text):
    """Whether a font file has every letter of a text."""
    return all(ord(letter) in covered(path) or letter == " " for letter in text)


@functools.lru_cache(maxsize=None)
def catalogue(held_out):
    """{"ru": [paths], "en": [paths]} of the training fonts, or of the held-out ones."""
    result = {"ru": [], "en": []}
    for family in sorted(os.listdir(FOLDER)):
        if family == SYMBOLS or (family in HELD_OUT) != held_out:
            continue
        for path in files(family):
            for language, probe in PROBE.items():
                if can_write(path, probe):
                    result[language] += [path] * (HAND_SHARE if family in HANDS else 1)
    return result


@functools.lru_cache(maxsize=512)
def load(path, size):
    """A font at a size in pixels."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=None)
def x_height(path):
    """Height of the letter x as a part of the font's size."""
    box = load(path, 400).getbbox("x", anchor="ls")
    return -box[1] / 400


def symbols():
    """The file for signs."""
    return files(SYMBOLS)[0]


if __name__ == "__main__":
    for kept in (False, True):
        for language, paths in catalogue(kept).items():
            families = sorted({path.split(os.sep)[-3] for path in paths})
            print("held out" if kept else "training", language, len(families), *families)
