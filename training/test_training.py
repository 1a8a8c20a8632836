"""Tests of the training code.

(cd training && /usr/bin/python3 -m unittest)
"""
import unittest

import numpy as np
import torch

import boards
import camera
import model
import words


def reference_bicubic(image, scale):
    """Keys a = -0.5 written out pixel by pixel, for one band."""
    height, width = image.shape
    result = np.zeros((height * scale, width * scale))
    for y in range(height * scale):
        for x in range(width * scale):
            centre_y, centre_x = (y + 0.5) / scale - 0.5, (x + 0.5) / scale - 0.5
            for row in range(int(np.floor(centre_y)) - 1, int(np.floor(centre_y)) + 3):
                for column in range(int(np.floor(centre_x)) - 1, int(np.floor(centre_x)) + 3):
                    value = image[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
                    result[y, x] += (value * model.keys(centre_y - row)
                                     * model.keys(centre_x - column))
    return result


class Base(unittest.TestCase):
    def test_equals_the_reference(self):
        image = np.random.default_rng(1).random((7, 9))
        for scale in (2, 4):
            ours = model.bicubic(torch.from_numpy(image)[None, None].float(), scale)[0, 0]
            np.testing.assert_allclose(ours, reference_bicubic(image, scale), atol=2e-6)

    def test_keeps_a_flat_picture(self):
        flat = torch.full((1, 3, 6, 8), 0.3)
        self.assertLess(float((model.bicubic(flat, 4) - 0.3).abs().max()), 1e-6)


class Network(unittest.TestCase):
    def test_without_a_tail_it_is_bicubic(self):
        network = model.BoardNet(2, 48)
        torch.nn.init.zeros_(network.tail.weight)
        image = torch.rand(1, 3, 12, 16) * 0.5 + 0.25
        ours = model.upscale(network, image)
        self.assertLess(float((ours - model.bicubic(image, 2).clamp(0, 1)).abs().max()), 1e-6)

    def test_output_size(self):
        for scale in (2, 4):
            shape = tuple(model.BoardNet(scale)(torch.rand(1, 3, 10, 14)).shape)
            self.assertEqual(shape, (1, 3, 10 * scale, 14 * scale))

    def test_receptive_radius(self):
        for scale in (2, 4):
            self.assertLessEqual(model.receptive_radius(model.BoardNet(scale)), 32)

    def test_initialisation_is_alive(self):
        torch.manual_seed(1)
        network = model.BoardNet(2)
        features = network.body(torch.relu(network.head(torch.rand(1, 3, 24, 24))))
        self.assertGreater(float(features.std()), 0.1)


class Trunk(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        self.given = model.BoardNet(4, 16, 2)
        self.trunk = model.Exits([(2, 2), (4, 2), (4, 3)], 16)
        self.trunk.begin_with(self.given)
        self.image = torch.rand(1, 3, 12, 16)

    def test_begins_as_the_network_it_is_given(self):
        wanted, found = self.given(self.image), self.trunk(self.image, (2, 4))
        for pair, expected in (((4, 2), wanted), ((4, 3), wanted),
                               ((2, 2), torch.nn.functional.avg_pool2d(wanted, 2))):
            self.assertLess(float((found[pair] - expected).abs().max()), 1e-6, pair)

    def test_begins_as_an_x2_network_too(self):
        given, trunk = model.BoardNet(2, 16, 2), model.Exits([(2, 2)], 16)
        trunk.begin_with(given)
        found = trunk(self.image, (2,))[2, 2]
        self.assertLess(float((found - given(self.image)).abs().max()), 1e-6)

    def test_an_exit_taken_out_says_the_same(self):
        torch.nn.init.normal_(self.trunk.body[2].second.weight)
        found = self.trunk(self.image, (2, 4))
        for pair in self.trunk.exits:
            alone = self.trunk.part(*pair)(self.image)
            self.assertLess(float((found[pair] - alone).abs().max()), 1e-5, pair)

    def test_every_exit_teaches_the_trunk(self):
        for pair in self.trunk.exits:
            self.trunk.zero_grad()
            self.trunk(self.image, (pair[0],))[pair].square().mean().backward()
            self.assertGreater(float(self.trunk.head.weight.grad.abs().max()), 0, pair)

    def test_what_is_turned_turns_with_its_picture(self):
        turned = model.Turned(self.given)
        mirrored = torch.flip(turned(torch.flip(self.image, [3])), [3])
        self.assertLess(float((turned(self.image) - mirrored).abs().max()), 1e-5)
        self.assertGreater(float((turned(self.image) - self.given(self.image)).abs().max()), 1e-4)

    def test_two_networks_are_each_asked_twice(self):
        other = model.BoardNet(self.given.scale).eval()
        torch.nn.init.normal_(other.tail.weight, std=0.02)
        both = model.Turned(self.given, other)(self.image)
        total = 0
        for network in (self.given, other):
            for axes in ([2], [3]):
                total = total + torch.flip(network(torch.flip(self.image, axes)), axes)
        self.assertLess(float((both - total / 4).abs().max()), 1e-5)
        self.assertGreater(float((both - model.Turned(self.given)(self.image)).abs().max()), 1e-4)


class Camera(unittest.TestCase):
    def setUp(self):
        self.board = boards.make(5, 512, 384, 4)[1]

    def test_same_seed_same_photo(self):
        for tier in camera.TIERS:
            one, two, other = (camera.photograph(self.board["grainy"], 4, tier, seed)
                               for seed in (3, 3, 4))
            self.assertTrue((one == two).all())
            self.assertFalse((one == other).all())

    def test_without_losses_it_is_area_downscaling(self):
        photo = camera.photograph(self.board["clean"], 4, None, 1)
        expected = self.board["clean"].reshape(96, 4, 128, 4, 3).mean((1, 3))
        self.assertLess(np.abs(photo / 255 - expected).max(), 0.51 / 255)

    def test_photo_lies_on_the_truth(self):
        # The shift at which the enlarged photo fits the truth best must be none: half a
        # pixel costs 10 dB.
        small = self.board["clean"].reshape(96, 4, 128, 4, 3).mean((1, 3, 4))
        for tier in camera.TIERS:
            total = np.zeros(2)
            for seed in range(12):
                photo = camera.photograph(self.board["clean"], 4, tier, seed).mean(-1) / 255
                for axis in (0, 1):
                    slope = np.gradient(small, axis=axis)
                    error = photo - small
                    total[axis] += (slope * (error - error.mean())).sum() / (slope ** 2).sum()
            self.assertLess(np.abs(total / 12).max(), 0.05, tier)

    def test_every_resampling_is_centred(self):
        ramp = np.tile(np.linspace(0, 1, 128, dtype=np.float32)[:, None, None], (1, 128, 3))
        exact = camera.downscale(ramp, 4)
        for method in camera.RESAMPLING:
            other = camera.downscale(ramp, 4, method)
            self.assertLess(np.abs(other - exact)[6:-6].max(), 1e-4)


class Boards(unittest.TestCase):
    def test_same_seed_same_board(self):
        one, two = (boards.make(9, 512, 384, 4) for _ in range(2))
        self.assertEqual(one[0].lines, two[0].lines)
        self.assertTrue((one[1]["grainy"] == two[1]["grainy"]).all())

    def test_lines_lie_in_their_boxes(self):
        board, pictures = boards.make(11, 1024, 768, 4, held_out=True)
        self.assertTrue(board.lines)
        for line in board.lines:
            left, top, right, bottom = line["box"]
            self.assertGreater(pictures["ink"][top:bottom, left:right].max(), 0.2, line)

    def test_words_are_written_by_both_languages(self):
        for language in words.LETTERS:
            self.assertGreater(len(words.dictionary(language)), 10000)


if __name__ == "__main__":
    unittest.main()
