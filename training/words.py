"""Invents what stands on a board: words, numbers, random letters and formulas.

Try it:  /usr/bin/python3 training/words.py --seed 1 --count 20
"""
import argparse
import functools
import random
import string

HUNSPELL = {"ru": "/usr/share/hunspell/ru_RU.dic", "en": "/usr/share/hunspell/en_US.dic"}
LETTERS = {"ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "en": string.ascii_lowercase}
GREEK = "αβγδεθλμπρσφψωΔΣΩ"
OPERATORS = ["=", "+", "-", "<", ">", "≤", "≥", "≈", "≠", "·", "→"]
FUNCTIONS = ["sin", "cos", "ln", "log", "lim", "exp", "max", "det"]


@functools.lru_cache(maxsize=None)
def dictionary(language):
    """Plain words of the hunspell list: affix flags cut off, names left out."""
    words = []
    with open(HUNSPELL[language], encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            word = line.split("/")[0].strip()
            if word.isalpha() and word.islower() and 2 <= len(word) <= 13:
                words.append(word)
    return words


def word(rng, language):
    """One word, now and then with a capital, in capitals, or with a punctuation mark."""
    text = rng.choice(dictionary(language))
    style = rng.random()
    if style < 0.15:
        text = text.capitalize()
    elif style < 0.22:
        text = text.upper()
    if rng.random() < 0.12:
        text += rng.choice(".,:;!?")
    return text


def number(rng):
    """A number, a date, a percentage, a time."""
    pick = rng.randrange(6)
    if pick == 0:
        return str(rng.randrange(10))
    if pick == 1:
        return str(rng.randrange(10, 10000))
    if pick == 2:
        return f"{rng.randrange(100)}{rng.choice('.,')}{rng.randrange(1000)}"
    if pick == 3:
        return f"{rng.randrange(1, 31)}.{rng.randrange(1, 13):02d}.{rng.randrange(1980, 2030)}"
    if pick == 4:
        return f"{rng.randrange(101)}%"
    return f"{rng.randrange(24)}:{rng.randrange(60):02d}"


def letters(rng, language):
    """Letters in no order: no language can be learnt from them."""
    alphabet = LETTERS[language] + LETTERS[language].upper() + string.digits
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(2, 9)))


def line(rng, language, width):
    """A line of at most `width` characters that reads like a board."""
    parts = []
    while True:
        pick = rng.random()
        if pick < 0.68:
            part = word(rng, language)
        elif pick < 0.82:
            part = number(rng)
        else:
            part = letters(rng, language)
        if parts and len(" ".join(parts + [part])) > width:
            return " ".join(parts)
        parts.append(part[:width])


def formula(rng, depth=0):
    """A formula as nested tuples: ("text", s), ("row", [...]), ("over", top, bottom),
    ("script", base, upper or None, lower or None), ("limits", sign, upper, lower)."""
    if depth == 0:
        row = []
        for index in range(rng.randrange(2, 5)):
            if index:
                row.append(("text", rng.choice(OPERATORS)))
            row.append(formula(rng, 1))
        return ("row", row)
    pick = rng.random()
    if depth > 2 or pick < 0.3:
        return ("text", atom(rng))
    if pick < 0.6:
        upper = formula(rng, 3) if rng.random() < 0.7 else None
        lower = formula(rng, 3) if upper is None or rng.random() < 0.3 else None
        return ("script", ("text", atom(rng)), upper, lower)
    if pick < 0.78:
        return ("over", formula(rng, depth + 1), formula(rng, depth + 1))
    if pick < 0.88:
        inner = formula(rng, depth + 1)
        return ("row", [("text", rng.choice(FUNCTIONS) + "("), inner, ("text", ")")])
    limits = ("limits", rng.choice("∑∫∏"), ("text", atom(rng)), ("text", atom(rng)))
    return ("row", [limits, formula(rng, depth + 1)])


def atom(rng):
    """A variable, a Greek letter or a number."""
    pick = rng.random()
    if pick < 0.5:
        return rng.choice("abcdefghkmnpqrstuvwxyzABCEFGHNPRSTVX")
    if pick < 0.7:
        return rng.choice(GREEK)
    return str(rng.randrange(0, 30))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    parser.add_argument("--count", type=int, default=10, help="lines per language")
    args = parser.parse_args()
    generator = random.Random(args.seed)
    for name in ("ru", "en"):
        for _ in range(args.count):
            print(line(generator, name, 32))
    print(formula(generator))
