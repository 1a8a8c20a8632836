"""Tests of the tools around the networks: exported graphs, int8, costs, chance, the notebook.

(cd training && /usr/bin/python3 -m unittest test_tools)
"""
import base64
import importlib.util
import json
import os
import tempfile
import unittest

import cv2
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

import chance
import cost
import onnx_graph
import quantise

HERE = os.path.dirname(os.path.abspath(__file__))
NETWORK = os.path.join(HERE, "..", "models", "boardsharp-x2.onnx")
HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None


class Graph(unittest.TestCase):
    def test_gives_what_the_fixture_of_the_export_has(self):
        with open(os.path.join(HERE, "..", "test", "fixtures", "parity-x2.json"),
                  encoding="utf-8") as file:
            fixture = json.load(file)
        image = np.frombuffer(base64.b64decode(fixture["input"]), np.uint8).reshape(
            1, 3, fixture["height"], fixture["width"])
        graph = onnx.load(NETWORK).graph
        values = onnx_graph.run(graph, torch.from_numpy(image.copy()).float() / 255)
        ours = values[graph.output[0].name].numpy().flatten()
        wanted = np.frombuffer(base64.b64decode(fixture["correction"]), "<f4")
        np.testing.assert_allclose(ours, wanted, atol=2e-5)


class Chance(unittest.TestCase):
    """Planted readings: two boards of one line, in the sizes of `chance.SIZES`."""

    def setUp(self):
        self.lines = [{"text": "дом лес", "tier": "mild", "x_height": 4},
                      {"text": "год", "tier": "hard", "x_height": 9}]
        # Bicubic reads "дом" in every size, "лес" in none, "год" in four; the result "лес" in
        # every size, "дом" in one, "год" in four others.
        planted = {"bicubic": [["дом", "год"]] * 4 + [["дом", "гол"]],
                   "result": [["лес", "гол"]] + [["лес", "год"]] * 3 + [["дом лес", "год"]],
                   "truth": [["дом лес", "год"]] * 5}
        self.reads = {(name, size): texts for name, each in planted.items()
                      for size, texts in zip(chance.SIZES, each)}

    def test_pairs_of_sizes_are_compared_and_never_a_size_with_itself(self):
        by_itself = chance.crosswise(self.reads, "bicubic", self.lines)
        # Of 20 pairs the first has "год" in 16, and the second has not in four of these; in four
        # it is the other way round, which is gain by chance.
        np.testing.assert_array_equal(by_itself, [[0, 20, 0, 20], [4, 4, 4, 16]])
        result = chance.crosswise(self.reads, "result", self.lines)
        # "дом" is read in the last size only: in 4 of 20 pairs it is second. "год" is not read in
        # the first, which is second in 4 pairs, one of them with the size bicubic lost it in.
        np.testing.assert_array_equal(result, [[20, 20, 16, 20], [3, 4, 3, 16]])
        more, low, high = chance.more_harmed(result, by_itself, ["a", "b"])
        self.assertAlmostEqual(more, 19 / 36 - 4 / 36)
        # Draws of one board alone are the ends.
        self.assertAlmostEqual(low, 3 / 16 - 4 / 16)
        self.assertAlmostEqual(high, 16 / 20)

    def test_words_that_most_readings_have_and_hardly_any_of_the_result_are_surely_lost(self):
        self.assertEqual(chance.surely(self.reads, "result", self.lines), (1, 2, 1, 1))
        self.assertEqual(chance.surely(self.reads, "bicubic", self.lines), (0, 2, 0, 1))

    def test_letter_errors_are_means_over_the_sizes(self):
        year = [(1, self.lines[1])]
        np.testing.assert_allclose(chance.error_rates(self.reads, ["bicubic", "truth"], year),
                                   [1 / 3 / 5, 0])


class Int8(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = onnx.load(NETWORK)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.photo.png")
            cv2.imwrite(path, np.random.default_rng(1).integers(0, 256, (120, 120, 3), np.uint8))
            cls.ranges = quantise.ranges(cls.network.graph, [path])

    def test_weights_are_within_half_a_step(self):
        made = quantise.static(self.network, self.ranges, stream=True)
        new = {item.name: numpy_helper.to_array(item) for item in made.graph.initializer}
        rounded = 0
        for item in self.network.graph.initializer:
            if f"{item.name}.int8" not in new:
                continue
            rounded += 1
            step = new[f"{item.name}.scales"][:, None, None, None]
            back = new[f"{item.name}.int8"] * step
            self.assertLess(np.abs(back - numpy_helper.to_array(item)).max() / step.max(), 0.51)
        convolutions = sum(node.op_type == "Conv" for node in self.network.graph.node)
        self.assertEqual(rounded, convolutions - 2)

    def test_head_and_tail_stay_as_they_are(self):
        for made in (quantise.static(self.network, self.ranges, stream=False),
                     quantise.dynamic(self.network)):
            convolutions = [node for node in made.graph.node
                            if node.op_type in ("Conv", "ConvInteger")]
            old = [node for node in self.network.graph.node if node.op_type == "Conv"]
            for new, before in ((convolutions[0], old[0]), (convolutions[-1], old[-1])):
                self.assertEqual(new.input[1:], before.input[1:])
            self.assertEqual(made.graph.output[0].name, self.network.graph.output[0].name)


class Cost(unittest.TestCase):
    def test_real_esrgan_has_its_published_size(self):
        count = sum(weights.numel() for weights in cost.RealESRGAN().parameters())
        self.assertEqual(count, 16_697_987)

    def test_shapes_come_out(self):
        image = torch.rand(1, 3, 16, 16)
        with torch.no_grad():
            for network, side in ((cost.Swin2SR(2, stages=1), 32), (cost.Swin2SR(4, stages=1), 64),
                                  (cost.Swin2SR(4, nearest=True, stages=1), 64),
                                  (cost.RealESRGAN(blocks=1), 64)):
                self.assertEqual(tuple(network(image).shape), (1, 3, side, side))

    def test_a_convolution_is_counted_by_hand(self):
        # 2 operations for each of 3 x 9 weights of 8 outputs at every pixel.
        self.assertAlmostEqual(cost.gigaflops(nn.Conv2d(3, 8, 3, padding=1)), 0.432)


class Notebook(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(HERE, "walkthrough.ipynb"), encoding="utf-8") as file:
            text = file.read()
        self.size, self.cells = len(text), json.loads(text)["cells"]

    def test_is_small_and_was_executed(self):
        self.assertLess(self.size, 1_500_000)
        code = [cell for cell in self.cells if cell["cell_type"] == "code"]
        self.assertEqual([cell["execution_count"] for cell in code],
                         list(range(1, len(code) + 1)))
        outputs = [output for cell in code for output in cell["outputs"]]
        self.assertFalse([output for output in outputs if output["output_type"] == "error"])
        self.assertGreater(sum("image/png" in output.get("data", {}) for output in outputs), 5)

    @unittest.skipUnless(HAS_MATPLOTLIB, "python3-matplotlib is not installed")
    def test_its_cells_run(self):
        import matplotlib
        matplotlib.use("Agg")
        names = {}
        before = os.getcwd()
        os.chdir(HERE)
        try:
            for cell in self.cells:
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), "walkthrough.ipynb", "exec"), names)
        finally:
            os.chdir(before)
        self.assertGreaterEqual(len(names["curves"]), 5)
        self.assertEqual(set(names["reads"]), {"bicubic", "network", "truth"})


if __name__ == "__main__":
    unittest.main()
