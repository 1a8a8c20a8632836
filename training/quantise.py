"""Makes int8 networks out of fp32 ones, to see whether they are faster and read as well.

/usr/bin/python3 training/quantise.py models/boardsharp-x2.onnx --out /tmp/int8 --photos SET
writes NAME.static.onnx (QDQ), NAME.static-stream.onnx (residual sums in int8 too) and
NAME.dynamic.onnx; `node bench/networks.ts` measures them. Head and tail stay fp32: they see colours
and the correction. SET is a folder of score.py.
"""
import argparse
import glob
import os
import random

import cv2
import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from onnx_graph import attributes, run

PATCHES, SIDE = 24, 96
QUANTILE = 0.9999  # of a tensor's values that int8 must hold; rarer ones are cut off


def ranges(graph, photos):
    """{tensor: (low, high)} over patches of photos."""
    pick, found = random.Random(1), {}
    for index in range(PATCHES):
        photo = cv2.imread(photos[index % len(photos)])[..., ::-1].astype(np.float32) / 255
        top, left = (pick.randrange(size - SIDE + 1) for size in photo.shape[:2])
        part = photo[top:top + SIDE, left:left + SIDE]
        image = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1)))[None]
        with torch.no_grad():
            for name, value in run(graph, image).items():
                low, high = np.quantile(value.numpy(), (1 - QUANTILE, QUANTILE))
                before = found.get(name, (0, 0))
                found[name] = (min(before[0], float(low)), max(before[1], float(high)))
    return found


class Writer:
    """Nodes and weights of the new graph."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, given, output, **about):
        self.nodes.append(helper.make_node(kind, given, [output], **about))
        return output

    def rounded(self, name, low, high):
        """The tensor through uint8 and back; answers with the new tensor's name and scale."""
        scale = max(high - low, 1e-6) / 255
        zero = int(np.clip(round(-low / scale), 0, 255))
        pair = [self.constant(f"{name}.scale", np.float32(scale)),
                self.constant(f"{name}.zero", np.uint8(zero))]
        self.node("QuantizeLinear", [name, *pair], f"{name}.q")
        return self.node("DequantizeLinear", [f"{name}.q", *pair], f"{name}.dq"), scale

    def int8_weights(self, name, weights):
        """Weights rounded to int8, each output channel by itself; answers with their scales."""
        scales = np.abs(weights).max((1, 2, 3)).clip(1e-8) / 127
        rounded = np.round(weights / scales[:, None, None, None]).astype(np.int8)
        self.constant(f"{name}.int8", rounded)
        return scales.astype(np.float32)


def inner(graph):
    """Outputs of the convolutions between the first and the last."""
    return {node.output[0] for node in [n for n in graph.node if n.op_type == "Conv"][1:-1]}


def static(model, found, stream):
    """QDQ around every inner convolution; with `stream` around the residual sums too."""
    graph, writer = model.graph, Writer()
    kept = {item.name: item for item in graph.initializer}
    quantised, follows, dq = inner(graph), {}, {}
    for node in graph.node:
        for name in node.input:
            follows.setdefault(name, []).append(node.op_type)

    def through_int8(name):
        if name not in dq:
            dq[name] = writer.rounded(name, *found[name])
        return dq[name]

    for node in graph.node:
        output = node.output[0]
        if output in quantised:
            source, scale = through_int8(node.input[0])
            weights = numpy_helper.to_array(kept[node.input[1]])
            scales = writer.int8_weights(node.input[1], weights)
            zeros = writer.constant(f"{node.input[1]}.zeros", np.zeros(len(scales), np.int8))
            name = writer.constant(f"{node.input[1]}.scales", scales)
            weight = writer.node("DequantizeLinear", [f"{node.input[1]}.int8", name, zeros],
                                 f"{node.input[1]}.dq", axis=0)
            bias = numpy_helper.to_array(kept[node.input[2]])
            steps = (scale * scales).astype(np.float32)
            writer.constant(f"{node.input[2]}.int32", np.round(bias / steps).astype(np.int32))
            pair = [writer.constant(f"{node.input[2]}.scales", steps),
                    writer.constant(f"{node.input[2]}.zeros", np.zeros(len(steps), np.int32))]
            bias = writer.node("DequantizeLinear", [f"{node.input[2]}.int32", *pair],
                               f"{node.input[2]}.dq", axis=0)
            writer.node("Conv", [source, weight, bias], output, **attributes(node))
            if follows.get(output) != ["Relu"]:
                through_int8(output)
            continue
        if node.op_type == "Add":
            names = [dq[name][0] if name in dq and (stream or name in quantised) else name
                     for name in node.input]
        else:
            names = [name for name in node.input]
        writer.node(node.op_type, names, output, **attributes(node))
        if node.op_type == "Relu" or (stream and node.op_type == "Add"):
            if output in found and "Conv" in follows.get(output, []):
                through_int8(output)
    return finish(model, writer)


def dynamic(model):
    """Ranges taken anew from each tile: DynamicQuantizeLinear and ConvInteger."""
    graph, writer = model.graph, Writer()
    kept = {item.name: item for item in graph.initializer}
    quantised = inner(graph)
    for node in graph.node:
        output = node.output[0]
        if output not in quantised:
            writer.node(node.op_type, list(node.input), output, **attributes(node))
            continue
        source = node.input[0]
        names = [f"{output}.{part}" for part in ("x", "scale", "zero")]
        writer.nodes.append(helper.make_node("DynamicQuantizeLinear", [source], names))
        weights = numpy_helper.to_array(kept[node.input[1]])
        scales = writer.int8_weights(node.input[1], weights).reshape(1, -1, 1, 1)
        zero = writer.constant(f"{output}.w0", np.int8(0))
        writer.node("ConvInteger", [names[0], f"{node.input[1]}.int8", names[2], zero],
                    f"{output}.sums", **attributes(node))
        writer.node("Cast", [f"{output}.sums"], f"{output}.float", to=onnx.TensorProto.FLOAT)
        writer.constant(f"{output}.ws", scales)
        writer.node("Mul", [names[1], f"{output}.ws"], f"{output}.step")
        writer.node("Mul", [f"{output}.float", f"{output}.step"], f"{output}.scaled")
        bias = numpy_helper.to_array(kept[node.input[2]]).reshape(1, -1, 1, 1)
        writer.node("Add", [f"{output}.scaled", writer.constant(f"{output}.bias", bias)], output)
    return finish(model, writer)


def finish(model, writer):
    """A model with the old one's input and output."""
    used = {name for node in writer.nodes for name in node.input}
    rest = [item for item in model.graph.initializer if item.name in used]
    graph = helper.make_graph(writer.nodes, model.graph.name, model.graph.input,
                              model.graph.output, [*rest, *writer.weights])
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    result.ir_version = model.ir_version
    onnx.checker.check_model(result)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", help="ONNX file")
    parser.add_argument("--out", required=True, help="folder for the int8 networks")
    parser.add_argument("--photos", required=True, help="folder with *.photo.jpg (score.py)")
    args = parser.parse_args()
    model = onnx.load(args.network)
    found = ranges(model.graph, sorted(glob.glob(os.path.join(args.photos, "*.photo.jpg"))))
    os.makedirs(args.out, exist_ok=True)
    name = os.path.basename(args.network)[:-len(".onnx")]
    for kind, made in (("static", static(model, found, False)),
                       ("static-stream", static(model, found, True)), ("dynamic", dynamic(model))):
        onnx.save(made, os.path.join(args.out, f"{name}.{kind}.onnx"))
    print(f"{name}.static, .static-stream, .dynamic -> {args.out}")


if __name__ == "__main__":
    main()
