"""Tests of what the boards are made of: evaluation boards that stay, formulas, real boards, tilt.

(cd training && /usr/bin/python3 -m unittest test_data)
"""
import csv
import hashlib
import itertools
import json
import os
import random
import tempfile
import unittest

import cv2
import numpy as np

import backdrops
import boards
import dataset
import formulas
import perspective
import score

# What the published figures were measured on: texts and letter heights (hash), mean of the truth,
# deviation of the grainy picture. They change only together with every published figure.
PUBLISHED = {
    (2, 9000): ("white", 66, "75c323c36b6f", 0.614, 0.139),
    (2, 9001): ("white", 0, "cb6269eef3c4", 0.711, 0.051),
    (4, 9000): ("white", 19, "0a0c970c0539", 0.612, 0.094),
}


class EvaluationBoards(unittest.TestCase):
    def test_are_those_that_figures_were_published_for(self):
        for (scale, seed), (kind, lines, wanted, mean, deviation) in PUBLISHED.items():
            width, height = {2: (640, 480), 4: (352, 264)}[scale]
            board, pictures = boards.make(seed, width * scale, height * scale, scale,
                                          held_out=True)
            told = json.dumps([board.kind, [(line["text"], line["x_height"])
                                            for line in board.lines]], ensure_ascii=False)
            self.assertEqual((board.kind, len(board.lines)), (kind, lines))
            self.assertEqual(hashlib.sha256(told.encode()).hexdigest()[:12], wanted)
            self.assertAlmostEqual(float(pictures["clean"].mean()), mean, delta=0.003)
            self.assertAlmostEqual(float(pictures["grainy"].std()), deviation, delta=0.003)

    def test_every_kind_is_photographed_in_every_tier(self):
        met = [score.circumstances(index) for index in range(48)]
        self.assertEqual(set(met), set(itertools.product(score.TIERS, score.KINDS)))
        # Figures were published for the first 24.
        self.assertEqual(met[:4], [("typical", "white"), ("mild", "white"),
                                   ("typical", "green"), ("hard", "green")])
        self.assertEqual(met[20:24:3], [("typical", "white"), ("hard", "brown")])


class Formulas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        formulas.draw(cls.folder.name, 12, seed=3)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_formula_is_drawn_at_its_height(self):
        paths = formulas.listing(self.folder.name)
        self.assertEqual(len(paths), 12)
        for path in paths:
            half, whole = formulas.mask(path, 8, 0), formulas.mask(path, 16, 0)
            self.assertGreater(whole.max(), 0.9)
            self.assertAlmostEqual(whole.shape[1] / half.shape[1], 2, delta=0.2)

    def test_the_same_seed_invents_the_same(self):
        one, two, other = ([formulas.formula(random.Random(seed)) for _ in range(5)]
                           for seed in (1, 1, 2))
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    def test_mathjax_draws_an_x_as_high_as_promised(self):
        with tempfile.TemporaryDirectory() as folder:
            unchanged = formulas.formula
            try:
                formulas.formula = lambda rng: "x"
                formulas.draw(folder, 1, seed=1)
            finally:
                formulas.formula = unchanged
            rows = (formulas.mask(formulas.listing(folder)[0], 20, 0) > 0.5).any(1).nonzero()[0]
        # The round letter x of this font overshoots its line by a few hundredths.
        self.assertAlmostEqual(rows[-1] - rows[0] + 1, 20 * 3, delta=4)

    def test_boards_carry_them(self):
        written = [boards.Board(seed, 900, 700, 2, formula_folder=self.folder.name)
                   for seed in (1, 2)]
        for board in written:
            board.formulas(0, 0, 900, 700)
            self.assertGreater(max(layer.max() for layer in board.layers), 0.2)


class RealBoards(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        rng = np.random.default_rng(4)
        image = np.full((2400, 3400, 3), 190, np.uint8) + rng.integers(0, 12, (2400, 3400, 1),
                                                                       np.uint8)
        for x in range(0, 1400, 40):
            cv2.line(image, (x, 100), (x + 30, 900), (40, 40, 40), 8)
        rows = [("free.png", "MIT", "a/b"), ("closed.png", "CC-BY-SA-4.0", "a/b")]
        with open(os.path.join(self.folder, "SOURCES.csv"), "w", encoding="utf-8") as table:
            out = csv.writer(table)
            out.writerow(("file", "licence", "repo", "width", "height"))
            for name, licence, repo in rows:
                out.writerow((name, licence, repo, 3400, 2400))
        cv2.imwrite(os.path.join(self.folder, "free.png"), image)

    def test_only_free_photos_are_used(self):
        found = backdrops.free_photos(self.folder)
        self.assertEqual([os.path.basename(path) for path in found], ["free.png"])

    def test_truth_is_the_photo_with_ink_and_without_its_grain(self):
        board, pictures = boards.make(6, 1024, 768, 2, photo_folder=self.folder)
        self.assertEqual(board.kind, "white")
        bare = cv2.dilate(pictures["ink"], np.ones((9, 9))) < 0.02
        grain = [(picture - cv2.blur(picture, (5, 5)))[bare].std()
                 for picture in (pictures["clean"], pictures["grainy"])]
        self.assertLess(grain[0], 0.7 * grain[1])
        self.assertAlmostEqual(float(pictures["clean"][bare].mean()), 195.5 / 255, delta=0.02)
        self.assertTrue(board.lines)
        for line in board.lines:
            left, top, right, bottom = line["box"]
            self.assertGreater(pictures["ink"][top:bottom, left:right].max(), 0.2)

    def test_a_folder_without_a_large_photo_gives_a_drawn_board(self):
        board, _ = boards.make(6, 4000, 3000, 2, photo_folder=self.folder)
        self.assertIsNone(board.backdrop)


class RealPairs(unittest.TestCase):
    def test_photo_and_truth_lie_exactly_on_each_other(self):
        board, pictures = boards.make(4, 1024, 768, 2)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "board.png")
            cv2.imwrite(path, np.round(pictures["clean"][..., ::-1] * 255).astype(np.uint8))
            photo, truth, ink = dataset.real_pair(path, random.Random(1))
        self.assertEqual((photo.shape, truth.shape), ((384, 512, 3), (768, 1024, 3)))
        left, top, right, bottom = board.lines[0]["box"]
        self.assertGreater(ink[top:bottom, left:right].mean(), 0.02)
        enlarged = cv2.resize(photo, (1024, 768), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        errors = {(x, y): np.abs(np.roll(enlarged, (y, x), (0, 1)) - truth)[8:-8, 8:-8].mean()
                  for x in (-1, 0, 1) for y in (-1, 0, 1)}
        self.assertEqual(min(errors, key=errors.get), (0, 0))


class Tilt(unittest.TestCase):
    def test_all_pictures_move_alike_and_boxes_with_them(self):
        ink = np.zeros((300, 400), np.float32)
        ink[140:150, 180:220] = 1
        pictures = {"ink": ink, "clean": np.repeat(ink[..., None], 3, 2)}
        line = {"text": "a", "box": [180, 140, 220, 150]}
        for seed in range(10):
            moved, lines = perspective.tilt(pictures, [line], 0.08, seed)
            np.testing.assert_allclose(moved["ink"], moved["clean"][..., 0], atol=1e-6)
            rows, columns = (moved["ink"] > 0.5).nonzero()
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(lines[0]["box"], box, atol=2)

    def test_the_same_seed_tilts_alike(self):
        one, two = (boards.make(9, 512, 384, 2, tilt=0.06) for _ in range(2))
        self.assertTrue((one[1]["grainy"] == two[1]["grainy"]).all())
        self.assertEqual(one[0].lines, two[0].lines)
        flat = boards.make(9, 512, 384, 2)[1]
        self.assertFalse((one[1]["grainy"] == flat["grainy"]).all())


if __name__ == "__main__":
    unittest.main()
