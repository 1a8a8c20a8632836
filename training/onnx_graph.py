"""Runs an exported network by PyTorch, tensor by tensor: Debian has no ONNX Runtime for Python.

Used by quantise.py for the ranges of its tensors, and by the notebook for its pictures.
"""
import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional

import model


def attributes(node):
    """An ONNX node's attributes as plain values."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def run(graph, image):
    """Every tensor of the graph for one image, by PyTorch: Conv, Relu, Add, DepthToSpace."""
    values = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
              for item in graph.initializer}
    values[graph.input[0].name] = image
    for node in graph.node:
        given, about = [values[name] for name in node.input if name], attributes(node)
        if node.op_type == "Conv":
            pads = about.get("pads", [0, 0, 0, 0])
            result = functional.conv2d(given[0], given[1], given[2] if len(given) > 2 else None,
                                       about.get("strides", 1), pads[:2])
        elif node.op_type == "Relu":
            result = torch.relu(given[0])
        elif node.op_type == "Add":
            result = given[0] + given[1]
        elif node.op_type == "DepthToSpace":
            result = functional.pixel_shuffle(given[0], about["blocksize"])
        else:
            raise SystemExit(f"{node.op_type} is not known here")
        values[node.output[0]] = result
    return values


def upscale(path, photo, scale, share=0.5):
    """A photo (float RGB 0..1, even sides) enlarged by a published network as the engine does
    where letters are small, before its gate: bicubic plus a share of the correction."""
    graph = onnx.load(path).graph
    image = torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))[None].float()
    with torch.no_grad():
        correction = run(graph, image)[graph.output[0].name]
        result = (model.bicubic(image, scale) + share * correction).clamp(0, 1)
    return result[0].permute(1, 2, 0).numpy()
