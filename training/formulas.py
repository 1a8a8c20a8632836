"""Formulas as TeX sets them: invents them, has MathJax draw them, and hands them out as masks.

Draw a library:  /usr/bin/python3 training/formulas.py --count 600 --seed 1 --out /tmp/formulas
(needs `npm ci` in the project and `npm ci --prefix training`)
"""
import argparse
import functools
import glob
import json
import os
import random
import subprocess

import cv2
import numpy as np

from letters import OVERSAMPLING

HERE = os.path.dirname(os.path.abspath(__file__))
X_HEIGHT = 48  # of the library's pictures, in pixels
GREEK = (r"\alpha \beta \gamma \delta \varepsilon \theta \lambda \mu \pi \rho \sigma \tau \varphi"
         r" \psi \omega \Delta \Sigma \Omega \Phi").split()
RELATIONS = r"= = = < > \le \ge \approx \ne \sim \equiv \to \Rightarrow \in \subset".split()
OPERATORS = r"+ + - - \cdot \times \pm / \cup \cap \circ".split()
FUNCTIONS = r"\sin \cos \tan \ln \log \exp \max \min \det \arctan".split()
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIKLMNPQRSTUVWXYZ"


def atom(rng):
    """A variable, a Greek letter, a number, now and then with a dot, a bar or an arrow."""
    pick = rng.random()
    if pick < 0.5:
        text = rng.choice(LETTERS)
        return rng.choice((r"\vec{%s}", r"\bar{%s}", r"\hat{%s}", r"\dot{%s}", r"\mathbb{R}")
                          ).replace("%s", text) if rng.random() < 0.08 else text
    if pick < 0.66:
        return rng.choice(GREEK)
    if pick < 0.9:
        return str(rng.randrange(0, 30))
    return f"{rng.randrange(100)}{rng.choice(('.', '{,}'))}{rng.randrange(100)}"


def term(rng, depth):
    """One operand: an atom, or a construction around smaller ones."""
    if depth <= 0:
        return atom(rng)

    def part(less=1):
        return expression(rng, depth - less)

    return rng.choice((
        lambda: atom(rng), lambda: atom(rng),
        lambda: "%s^{%s}" % (atom(rng), term(rng, depth - 2)),
        lambda: "%s_{%s}" % (atom(rng), term(rng, 0)),
        lambda: "%s_{%s}^{%s}" % (atom(rng), term(rng, 0), term(rng, 0)),
        lambda: r"\frac{%s}{%s}" % (part(), part()),
        lambda: r"\sqrt{%s}" % part(),
        lambda: r"\sqrt[%d]{%s}" % (rng.randrange(3, 9), part()),
        lambda: r"\left(%s\right)" % part(),
        lambda: r"\left|%s\right|" % part(),
        lambda: r"%s\left(%s\right)" % (rng.choice(FUNCTIONS), part()),
        lambda: r"%s(%s)" % (rng.choice("fghFPuv"), atom(rng)),
        lambda: r"\frac{d %s}{d %s}" % (atom(rng), rng.choice("xyt")),
        lambda: r"\frac{\partial %s}{\partial %s}" % (rng.choice("fuvz"), rng.choice("xyzt")),
        lambda: r"\int_{%s}^{%s} %s\,d%s" % (atom(rng), atom(rng), part(), rng.choice("xyt")),
        lambda: r"\sum_{%s=%d}^{%s} %s" % (rng.choice("ijkn"), rng.randrange(3),
                                           rng.choice(("n", "N", r"\infty")), part()),
        lambda: r"\prod_{k=1}^{%s} %s" % (atom(rng), part()),
        lambda: r"\lim_{%s\to %s} %s" % (rng.choice("xnt"),
                                         rng.choice(("0", r"\infty", "a")), part()),
        lambda: r"\binom{%s}{%s}" % (atom(rng), atom(rng)),
        lambda: matrix(rng)))()


def matrix(rng):
    """A small matrix or system of equations."""
    rows, columns = rng.randrange(2, 4), rng.randrange(1, 4)
    body = r" \\ ".join(" & ".join(atom(rng) for _ in range(columns)) for _ in range(rows))
    kind = rng.choice(("pmatrix", "pmatrix", "vmatrix", "bmatrix", "cases"))
    if kind == "cases":
        body = r" \\ ".join(f"{atom(rng)}{rng.choice('+-')}{atom(rng)} = {atom(rng)}"
                            for _ in range(rows))
    return r"\begin{%s} %s \end{%s}" % (kind, body, kind)


def expression(rng, depth):
    """Terms with operators between them."""
    count = 1 if depth <= 0 else rng.choice((1, 1, 2, 2, 3))
    parts = [term(rng, depth)]
    for _ in range(count - 1):
        parts += [rng.choice(OPERATORS), term(rng, depth - 1)]
    return " ".join(parts)


def formula(rng):
    """One formula in TeX; half of them say that something equals something."""
    sides = [expression(rng, rng.choice((1, 1, 1, 2, 2, 3)))
             for _ in range(rng.choice((1, 2, 2, 3)))]
    text = sides[0]
    for side in sides[1:]:
        text += f" {rng.choice(RELATIONS)} {side}"
    return text


def draw(folder, count, seed):
    """Writes the library: 00000.png, … and formulas.json with its TeX."""
    rng = random.Random(seed)
    tex = [formula(rng) for _ in range(count)]
    os.makedirs(folder, exist_ok=True)
    subprocess.run([os.path.join(HERE, "..", "node_modules", ".bin", "node"),
                    os.path.join(HERE, "tex-to-png.mjs"), folder, str(X_HEIGHT)],
                   input="\n".join(tex), encoding="utf-8", check=True)
    with open(os.path.join(folder, "formulas.json"), "w", encoding="utf-8") as notes:
        json.dump({"x_height": X_HEIGHT, "seed": seed, "tex": tex}, notes, indent=1)


@functools.lru_cache(maxsize=None)
def listing(folder):
    """The drawn formulas of a folder; empty without one."""
    return sorted(glob.glob(os.path.join(folder, "*.png"))) if folder else []


def mask(path, height, bold):
    """One formula with x-height `height` px as an oversampled float mask 0..1 (letters.py), `bold`
    px added around its strokes: TeX's are thinner than any chalk."""
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    share = height * OVERSAMPLING / X_HEIGHT
    picture = cv2.resize(picture, None, fx=share, fy=share,
                         interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
    pad = int(bold * OVERSAMPLING) + 2
    picture = cv2.copyMakeBorder(picture.clip(0, 1), pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    if bold * OVERSAMPLING < 0.5:
        return picture
    size = 2 * int(round(bold * OVERSAMPLING)) + 1
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(picture, pen)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=600, help="formulas")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    parser.add_argument("--out", required=True, help="folder for the library")
    args = parser.parse_args()
    draw(args.out, args.count, args.seed)
    print(f"{args.count} formulas -> {args.out}")
