"""Tests of the recogniser: which letter stands where, what it reads, what it teaches.

(cd training && /usr/bin/python3 -m unittest test_recogniser)
"""
import argparse
import contextlib
import io
import os
import sys
import tempfile
import unittest
from unittest import mock

import cv2
import numpy as np
import torch

import boards
import dataset
import model
import reader
import recogniser
import train
import train_recogniser

HERE = os.path.dirname(os.path.abspath(__file__))
PUBLISHED = os.path.join(HERE, "checkpoints", "recogniser.pt")


def run(module, *arguments):
    """A script's main with these arguments; what it prints."""
    printed = io.StringIO()
    with mock.patch.object(sys, "argv", ["", *map(str, arguments)]), \
            contextlib.redirect_stdout(printed):
        module.main()
    return printed.getvalue()


class Numbers(unittest.TestCase):
    def test_change_nothing_on_the_board(self):
        for settings in ({}, {"held_out": True}, {"tilt": 0.06}):
            plain, numbered = (boards.make(9, 512, 384, 2, number=number, **settings)[1]
                               for number in (None, recogniser.number))
            for name, picture in plain.items():
                self.assertTrue((picture == numbered[name]).all(), (name, settings))
            self.assertGreater((numbered["glyphs"] > 0).mean(), 0.01)

    def test_stand_where_the_letters_do(self):
        self.assertLess(self.misread(held_out=True), 0.01)

    def test_bend_and_tilt_with_the_letters(self):
        # Hands that run together, and strokes without numbers between them, cost a few.
        self.assertLess(self.misread(tilt=0.06), 0.08)

    def misread(self, **settings):
        """Letter errors of lines as their numbers tell them, from left to right."""
        wrong = total = 0
        for seed in (11, 12):
            board, pictures = boards.make(seed, 1024, 768, 2, number=recogniser.number, **settings)
            self.assertTrue((board.glyphs == pictures["glyphs"]).all())
            for line in board.lines:
                left, top, right, bottom = line["box"]
                glyphs = pictures["glyphs"][top:bottom, left:right]
                marks = cv2.connectedComponents((glyphs > 0).astype(np.uint8), connectivity=4)[1]
                places = {}
                for mark in range(1, marks.max() + 1):
                    rows, columns = (marks == mark).nonzero()
                    if len(rows) > 2:
                        places[columns.mean()] = glyphs[rows[0], columns[0]]
                found = "".join(chr(200 + places[x]) for x in sorted(places))
                wanted = "".join(chr(200 + recogniser.number(letter)) for letter in line["text"]
                                 if recogniser.number(letter))
                wrong, total = wrong + reader.distance(found, wanted), total + len(wanted)
        self.assertGreater(total, 200)
        return wrong / total

    def test_look_alikes_are_one_class_and_signs_have_none(self):
        self.assertEqual(recogniser.number("A"), recogniser.number("а"))
        self.assertNotEqual(recogniser.number("ш"), recogniser.number("щ"))
        self.assertEqual(recogniser.number("∑"), 0)
        self.assertEqual(recogniser.number(" "), 0)


class Teaching(unittest.TestCase):
    def test_from_boards_to_a_loss(self):
        with tempfile.TemporaryDirectory() as folder:
            shard, made = os.path.join(folder, "shard"), os.path.join(folder, "recogniser.pt")
            run(dataset, "--scale", 2, "--glyphs", "--boards", 1, "--takes", 1, "--seed", 5,
                "--out", shard)
            letters = train_recogniser.Letters(shard)
            _, truth, cells = letters.batch(4, 48, np.random.default_rng(1))
            self.assertEqual(tuple(truth.shape), (4, 3, 96, 96))
            self.assertEqual(tuple(cells.shape), (4, 48, 48))
            self.assertGreater(int((cells > 0).sum()), 20)
            said = run(train_recogniser, "train", "--shards", shard, "--minutes", 0.01,
                       "--batch", 4, "--width", 8, "--out", made,
                       "--network", os.path.join(HERE, "checkpoints", "boardsharp-x2.pt"))
            self.assertIn("cells right", said)
            run(train_recogniser, "train", "--shards", shard, "--minutes", 0.01, "--batch", 4,
                "--start", made, "--out", made,
                "--network", os.path.join(HERE, "checkpoints", "boardsharp-x2.pt"))
            self.assertEqual(recogniser.load(made).width, 8, "goes on from the one there is")
            said = run(train, "--exits", "2:1", "--channels", 16, "--shards", shard, "--valid",
                       shard, "--minutes", 0.01, "--batch", 4, "--recogniser", made,
                       "--out", os.path.join(folder, "network.pt"))
            self.assertIn("psnr", said)
            said = run(train_recogniser, "read", "--recogniser", made, "--count", 1, "--threads", 1)
            self.assertIn("| typical |", said)

    def test_a_network_answers_for_what_is_read_otherwise(self):
        args = argparse.Namespace(device="cpu", no_bf16=True, ink=3, epsilon=0.2, gradient=0.1,
                                  reading=0.5)
        network = model.Exits([(2, 1)], 16)
        photo, truth = torch.rand(2, 3, 48, 48), torch.rand(2, 3, 96, 96)
        given = (photo, truth, torch.ones(2, 1, 96, 96), 2, args)
        plain, read = (float(train.loss_at(network, recognising, *given)[0])
                       for recognising in (None, recogniser.load(PUBLISHED)))
        self.assertGreater(read, plain + 1e-3)


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(3)
        cls.network = recogniser.load(PUBLISHED)
        cls.board, cls.pictures = boards.make(23, 640, 480, 2, held_out=True, kind="white",
                                              number=recogniser.number)
        cls.truth = torch.from_numpy(cls.pictures["clean"]).permute(2, 0, 1)[None]
        cls.ink = torch.from_numpy((cls.pictures["ink"] > 0.1).astype(np.float32))[None, None]

    def test_reads_most_letters_of_fonts_it_never_saw(self):
        marks, classes, _ = train_recogniser.letters_of(self.board)
        with torch.no_grad():
            scores = train_recogniser.scores_of(self.network, model.luma(self.truth)[:, None])
        answers = train_recogniser.answers_of(scores, marks, len(classes))
        there = (answers > 0) & (np.arange(len(answers)) > 0)
        self.assertGreater(there.sum(), 50)
        self.assertGreater((answers == classes)[there].mean(), 0.6)

    def test_tells_the_truth_from_what_reads_otherwise(self):
        soft = recogniser.soften(self.truth.flatten(0, 1)[:, None], 1.3)[:, 0][None]
        mirrored = torch.flip(self.truth, [3])
        same, softer, other = (float(recogniser.disagreement(self.network, picture, self.truth,
                                                             self.ink, 2))
                               for picture in (self.truth, soft, mirrored))
        self.assertLess(same, 1e-5)
        self.assertLess(same, softer)
        self.assertLess(softer, other)

    def test_teaches_both_scales(self):
        for scale in (2, 4):
            truth = torch.nn.functional.interpolate(self.truth, scale_factor=scale // 2)
            ink = torch.nn.functional.interpolate(self.ink, scale_factor=scale // 2)
            result = (truth * 0.5 + 0.2 * torch.rand_like(truth)).requires_grad_(True)
            recogniser.disagreement(self.network, result, truth, ink, scale).backward()
            self.assertGreater(float(result.grad.abs().max()), 0)
            self.assertIsNone(next(self.network.parameters()).grad)


if __name__ == "__main__":
    unittest.main()
