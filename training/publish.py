"""Writes a folder that can be published on Hugging Face as it is: networks, config, model card.

Refresh the figures:  /usr/bin/python3 training/publish.py figures REPORT.json REPORT.json …
                      (each a report.json of `boardsharp evaluate`, one for each scale)
Write the folder:     /usr/bin/python3 training/publish.py folder --out /tmp/huggingface
Publish it:           huggingface-cli upload OWNER/boardsharp /tmp/huggingface
"""
import argparse
import hashlib
import json
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "models")
FIGURES = os.path.join(HERE, "figures.json")
TITLES = {"truth": "the true board", "bicubic-again": "bicubic, read again"}
ROWS = (("psnr", "PSNR, dB", "{:.2f}"), ("textPsnr", "PSNR on text, dB", "{:.2f}"),
        ("ssim", "SSIM", "{:.3f}"), ("cer", "letter errors", "{:.1%}"),
        ("recovered", "words recovered", "{}"), ("harmed", "words harmed", "{}"))


def from_report(report):
    """What the card shows of one evaluation: {"boards", "lines", "methods": {name: figures}}."""
    methods = {}
    for method in report["methods"]:
        cells = method["cells"]["patient"]
        letters = next((cell for cell in cells if cell["name"] == "all"), None)
        if letters is None:
            raise SystemExit("this evaluation read no letters: install Tesseract, run it again")
        counts = letters["counts"]
        picture = method["name"] != "truth"
        methods[method["name"]] = {
            "psnr": method["psnr"] if picture else None,
            "textPsnr": method["textPsnr"] if picture else None,
            "ssim": method["ssim"] if picture else None,
            "cer": letters["cer"],
            "recovered": f"{counts['recovered']} of {counts['recoverable']}",
            "harmed": f"{counts['harmed']} of {counts['harmable']}"}
    return {"boards": report["boards"], "lines": report["lines"], "reader": report["reader"],
            "methods": methods}


def networks():
    """{name: entry} of the catalogue's networks that lie beside it, checked against their hash."""
    with open(os.path.join(MODELS, "catalogue.json"), encoding="utf-8") as file:
        models = json.load(file)["models"]
    ours = {name: entry for name, entry in models.items() if "repository" not in entry["source"]}
    for name, entry in ours.items():
        with open(os.path.join(MODELS, entry["source"]["file"]), "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != entry["sha256"]:
                raise SystemExit(f"{name}: its file is not the one that the catalogue describes; "
                                 "run scripts/refresh-catalogue.ts")
    return ours


def metadata(ours, figures):
    """The card's YAML: JSON is YAML, so values are written as JSON, one key a line."""
    results = []
    for scale, about in sorted(figures["scales"].items()):
        for name, values in about["methods"].items():
            if name not in ours:
                continue
            results.append({
                "name": name,
                "results": [{
                    "task": {"type": "image-to-image", "name": f"Super-resolution x{scale}"},
                    "dataset": {"type": "synthetic", "name": "Boardsharp evaluation boards "
                                f"({about['boards']}, fonts not used in training)"},
                    "metrics": [{"type": kind, "value": round(values[key], 4), "name": title}
                                for kind, key, title in
                                (("psnr", "psnr", "PSNR (Y)"), ("ssim", "ssim", "SSIM (Y)"),
                                 ("cer", "cer", "Letter errors, patient reader"))]}]})
    values = {
        "license": "apache-2.0", "library_name": "onnx", "pipeline_tag": "image-to-image",
        "language": ["ru", "en"], "metrics": ["psnr", "ssim", "cer"],
        "tags": ["super-resolution", "image-upscaling", "blackboard", "whiteboard",
                 "handwriting", "document-image", "onnx", "onnxruntime"],
        "model-index": results}
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def table(about):
    """One scale's figures as Markdown."""
    head = ["| | " + " | ".join(title for _, title, _ in ROWS) + " |",
            "|---" * (len(ROWS) + 1) + "|"]
    rows = []
    for name, values in about["methods"].items():
        cells = [pattern.format(values[key]) if values.get(key) is not None else "–"
                 for key, _, pattern in ROWS]
        rows.append(f"| {TITLES.get(name, name)} | " + " | ".join(cells) + " |")
    return "\n".join(head + rows)


def card(ours, figures):
    """README.md of the folder."""
    files = ["| network | enlarges by | parameters | file | licence |", "|---|---|---|---|---|"]
    for name, entry in ours.items():
        files.append(f"| `{name}` | {entry['scale']} | {entry['parameters']:,} | "
                     f"`{entry['source']['file']}`, {entry['bytes'] / 1e6:.1f} MB | "
                     f"{entry['licence']} |")
    scales = [f"### x{scale}\n\n{about['boards']} boards, {about['lines']} lines, read by "
              f"{about['reader']}.\n\n{table(about)}"
              for scale, about in sorted(figures["scales"].items())]
    with open(os.path.join(HERE, "model-card.md"), encoding="utf-8") as file:
        text = file.read()
    parts = {"FILES": "\n".join(files), "FIGURES": "\n\n".join(scales),
             "MEASURED": figures["measured"]}
    for key, value in parts.items():
        text = text.replace("{" + key + "}", value)
    return metadata(ours, figures) + "\n\n" + text


def write_folder(out, figures):
    """README.md, config.json and the networks; refuses figures of other files than there are."""
    ours = networks()
    for name, sha256 in figures["files"].items():
        if name in ours and ours[name]["sha256"] != sha256:
            raise SystemExit(f"{name} changed since its figures were measured: evaluate it again, "
                             "then run publish.py figures")
    missing = [name for name in ours if not any(name in about["methods"]
                                                for about in figures["scales"].values())]
    if missing:
        raise SystemExit(f"no figures of {', '.join(missing)}: evaluate, then publish.py figures")
    os.makedirs(out, exist_ok=True)
    for entry in ours.values():
        file = entry["source"]["file"]
        shutil.copyfile(os.path.join(MODELS, file), os.path.join(out, file))
    shutil.copyfile(os.path.join(HERE, "..", "LICENSE"), os.path.join(out, "LICENSE"))
    with open(os.path.join(out, "config.json"), "w", encoding="utf-8") as file:
        json.dump({"model_type": "boardsharp", "networks": ours}, file, indent=1)
        file.write("\n")
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write(card(ours, figures))
    return sorted(os.listdir(out))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("figures", help="take figures.json from reports")
    refresh.add_argument("reports", nargs="+", help="report.json of boardsharp evaluate")
    refresh.add_argument("--measured", required=True, help="when and how, for the card")
    write = commands.add_parser("folder", help="write the folder")
    write.add_argument("--out", required=True, help="folder to write")
    args = parser.parse_args()
    if args.command == "folder":
        with open(FIGURES, encoding="utf-8") as file:
            print(*write_folder(args.out, json.load(file)), sep="\n")
        return
    scales = {}
    for path in args.reports:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        scales[str(report["scale"])] = from_report(report)
    files = {name: entry["sha256"] for name, entry in networks().items()}
    with open(FIGURES, "w", encoding="utf-8") as file:
        json.dump({"measured": args.measured, "files": files, "scales": scales}, file, indent=1,
                  ensure_ascii=False)
        file.write("\n")
    print(f"x{', x'.join(scales)} -> {FIGURES}")


if __name__ == "__main__":
    main()
