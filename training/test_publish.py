"""Tests of the folder for Hugging Face: what it says is what was measured, what it holds is ours.

(cd training && /usr/bin/python3 -m unittest test_publish)
"""
import copy
import hashlib
import json
import os
import tempfile
import unittest

import publish


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.ours = publish.networks()
        cell = {"name": "all", "cer": 0.1234, "counts": {"recovered": 7, "recoverable": 9,
                                                         "harmed": 2, "harmable": 31}}
        names = ["bicubic", *self.ours, "truth"]
        report = {"boards": 5, "lines": 40, "reader": "tesseract 5", "methods": [
            {"name": name, "psnr": 31.415, "textPsnr": 27.18, "ssim": 0.9123,
             "cells": {"patient": [cell]}} for name in names]}
        self.figures = {"measured": "Measured by a test.", "scales": {"2": publish.from_report(
            report)}, "files": {name: entry["sha256"] for name, entry in self.ours.items()}}

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def test_holds_every_network_of_ours_and_its_description(self):
        publish.write_folder(self.folder, self.figures)
        config = json.loads(self.read("config.json"))
        self.assertEqual(config["networks"], self.ours)
        for entry in self.ours.values():
            digest = hashlib.sha256(self.read(entry["source"]["file"])).hexdigest()
            self.assertEqual(digest, entry["sha256"])

    def test_the_repositorys_own_figures_are_of_its_files(self):
        with open(publish.FIGURES, encoding="utf-8") as file:
            publish.write_folder(self.folder, json.load(file))

    def test_the_card_has_the_figures_and_nothing_left_to_fill_in(self):
        publish.write_folder(self.folder, self.figures)
        text = self.read("README.md").decode()
        start, metadata, body = text.split("---\n", 2)
        self.assertEqual(start, "")
        values = {}
        for line in metadata.strip().split("\n"):
            key, value = line.split(": ", 1)
            values[key] = json.loads(value)
        self.assertEqual(values["license"], "apache-2.0")
        measured = {result["name"]: result["results"][0]["metrics"][0]["value"]
                    for result in values["model-index"]}
        self.assertEqual(measured, {name: 31.415 for name in self.ours})
        for name in self.ours:
            self.assertIn(f"| {name} | 31.41 | 27.18 | 0.912 | 12.3% | 7 of 9 | 2 of 31 |", body)
        self.assertIn("| the true board | – | – | – | 12.3%", body)
        self.assertIn("Measured by a test.", body)
        self.assertNotRegex(body, r"\{[A-Z]+\}")

    def test_figures_of_other_files_are_refused(self):
        wrong = copy.deepcopy(self.figures)
        name = next(iter(self.ours))
        wrong["files"][name] = "0" * 64
        with self.assertRaisesRegex(SystemExit, f"{name} changed since"):
            publish.write_folder(self.folder, wrong)
        del self.figures["scales"]["2"]["methods"][name]
        with self.assertRaisesRegex(SystemExit, f"no figures of {name}"):
            publish.write_folder(self.folder, self.figures)

    def test_a_report_without_letters_is_refused(self):
        report = {"boards": 1, "lines": 0, "reader": None, "methods": [
            {"name": "bicubic", "psnr": 1, "textPsnr": 1, "ssim": 1, "cells": {"patient": []}}]}
        with self.assertRaisesRegex(SystemExit, "Tesseract"):
            publish.from_report(report)


if __name__ == "__main__":
    unittest.main()
