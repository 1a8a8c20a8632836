"""Writes a checkpoint's averaged weights as ONNX (fp32), with a fixture to check other runtimes.

/usr/bin/python3 training/export_onnx.py training/checkpoints/boardsharp-x2.pt \\
    --out models/boardsharp-x2.onnx --fixture test/fixtures/parity-x2.json
The same with --turned makes the network of --out boardsharp-x2-quality.onnx, and with --second
training/checkpoints/boardsharp-x4-second.pt too that of boardsharp-x4-quality.onnx.
"""
import argparse
import base64
import json
import os

import numpy as np
import onnx
import torch

import model

ALLOWED = {"Conv", "Relu", "Add", "DepthToSpace"}
# Mirroring, once before and once after each of the four.
TURNING = {"Slice", "Div", "Constant"}
WIDTH, HEIGHT = 16, 12


def fixture(network, name):
    """A small picture and the correction that PyTorch computes for it."""
    picture = np.random.default_rng(20261123).integers(0, 256, (3, HEIGHT, WIDTH), np.uint8)
    # Half of it smooth, as boards are; random pixels alone say little about small sums.
    picture[:, :, :8] = np.linspace(40, 220, 8).astype(np.uint8)
    with torch.no_grad():
        correction = network(torch.from_numpy(picture)[None].float() / 255)[0].numpy()
    return {"model": name, "width": WIDTH, "height": HEIGHT,
            "input": base64.b64encode(picture.tobytes()).decode(),
            "correction": base64.b64encode(correction.astype("<f4").tobytes()).decode()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", help="checkpoint of train.py")
    parser.add_argument("--out", required=True, help="ONNX file to write")
    parser.add_argument("--exit", metavar="SCALE:BLOCKS",
                        help="which network of a trunk with several")
    parser.add_argument("--turned", action="store_true",
                        help="the mean over four mirror images, for four times the time")
    parser.add_argument("--second", metavar="CHECKPOINT",
                        help="with --turned: two mirror images each of both networks")
    parser.add_argument("--fixture", help="JSON with an input and its correction")
    parser.add_argument("--small", help="checkpoint to write without the optimizer's state")
    args = parser.parse_args()
    torch.set_num_threads(1)
    leave = tuple(map(int, args.exit.split(":"))) if args.exit else None
    network, checkpoint = model.load(args.checkpoint, leave)
    whole, allowed = network, ALLOWED
    if args.turned:
        second = model.load(args.second)[0] if args.second else None
        whole, allowed = model.Turned(network, second).eval(), ALLOWED | TURNING
    torch.onnx.export(
        whole, torch.rand(1, 3, 32, 48), args.out, opset_version=13,
        input_names=["input"], output_names=["correction"], do_constant_folding=True,
        keep_initializers_as_inputs=False,
        # A GPU is given several tiles at once.
        dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"},
                      "correction": {0: "batch", 2: "outHeight", 3: "outWidth"}})
    graph = onnx.load(args.out)
    onnx.checker.check_model(graph, full_check=True)
    used = {node.op_type for node in graph.graph.node}
    if not used <= allowed:
        raise SystemExit(f"the graph holds {sorted(used - allowed)}; only {sorted(allowed)} are "
                         "kept in ONNX Runtime's fast layout")
    name = os.path.basename(args.out)[:-len(".onnx")]
    if args.fixture:
        with open(args.fixture, "w", encoding="utf-8") as file:
            json.dump(fixture(whole, name), file, indent=2)
            file.write("\n")
    if args.small:
        notes = {key: checkpoint[key] for key in ("step", "minutes", "arguments")
                 if key in checkpoint}
        torch.save({"settings": network.settings, "ema": network.state_dict(), **notes},
                   args.small)
    print(f"{args.out}: step {checkpoint['step']}, {len(graph.graph.node)} nodes, "
          f"{os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
