"""A name that two things have. Every name is defined once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import numpy_helper

from attacks.attack import Attack, field, model, node, proto


def attacks(folder: Path) -> Iterator[Attack]:
    relu = node("Relu", ["x"], ["y"])
    zeros = np.zeros(4, np.float32)
    yield Attack("two nodes", model(relu, relu), "FormatError", "'y' is defined before")
    yield Attack(
        "one node", model(node("Split", ["x"], ["y", "y"], axis=1, num_outputs=2)), "FormatError", "'y'"
    )
    yield Attack("a node and an initializer", model(relu, constants={"y": zeros}), "FormatError", "'y'")
    yield Attack("a node and the input", model(node("Relu", ["x"], ["x"]), output="x"), "FormatError", "'x'")
    constant = node("Constant", [], ["c"], value_int=1)
    yield Attack("two Constants", model(constant, constant, relu), "FormatError", "'c' a second time")
    twice = proto(relu)
    twice.graph.initializer.extend([numpy_helper.from_array(zeros, "w")] * 2)
    yield Attack("two initializers", twice.SerializeToString(), "FormatError", "'w'] is given twice")
    twice = proto(relu)
    twice.graph.input.append(twice.graph.input[0])
    yield Attack("two inputs", twice.SerializeToString(), "FormatError", "'x'")
    twice = proto(relu)
    twice.graph.output.append(twice.graph.output[0])
    yield Attack("two outputs", twice.SerializeToString(), "FormatError", "output 'y'")
    twice = proto(node("Elu", ["x"], ["y"], alpha=0.5))
    twice.graph.node[0].attribute.append(twice.graph.node[0].attribute[0])
    yield Attack(
        "two attributes", twice.SerializeToString(), "FormatError", "attribute 'alpha'] is given twice"
    )
    yield Attack("two graphs", model(relu) + field(7, b""), "FormatError", "two graphs")
    yield Attack("two opsets", model(relu) + field(8, b"\x10\x14"), "FormatError", "two opsets")
    zips = [
        node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]),
        node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]),
    ]
    yield Attack("two ZipMaps", model(*zips), "FormatError", "'y'")
    clips = [node("Clip", ["x"], ["y"], min=0.0), node("Clip", ["x"], ["y"], max=0.0)]
    yield Attack("two old Clips", model(*clips, opset=9), "FormatError", "'y' a second time")
