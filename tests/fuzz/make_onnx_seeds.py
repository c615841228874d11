"""Writes small valid models for onnx_fuzz to begin from: every operator case, in more than one opset."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cases.case import make_model
from cases.op_cases import ALL

X = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 4])
LARGEST = 4096  # bytes of a seed: larger ones are slow to change


def chain(
    opset: int, *nodes: onnx.NodeProto, constants: dict[str, np.ndarray] | None = None
) -> onnx.ModelProto:
    """Nodes on x that end in y."""
    tensors = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", [X], [onnx.ValueInfoProto(name="y")], tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def changed_operators() -> list[onnx.ModelProto]:
    """What the reader rewrites."""
    node = helper.make_node
    dense = {"w": np.ones((4, 3), np.float32), "b": np.ones(3, np.float32)}
    return [
        chain(9, node("Clip", ["x"], ["y"], min=0.0, max=6.0)),
        chain(9, node("Softmax", ["x"], ["y"], axis=1)),
        chain(9, node("ReduceSum", ["x"], ["y"], axes=[1], keepdims=0)),
        chain(9, node("Slice", ["x"], ["y"], starts=[1], ends=[3], axes=[1])),
        chain(9, node("Unsqueeze", ["x"], ["h"], axes=[1]), node("LogSoftmax", ["h"], ["y"])),
        chain(9, node("Split", ["x"], ["y", "z"], axis=1)),
        chain(9, node("Dropout", ["x"], ["y", "m"], ratio=0.5)),
        chain(24, node("Swish", ["x"], ["y"], alpha=0.5)),
        chain(
            13, node("Constant", [], ["c"], value_floats=[1.0, 2.0, 3.0, 4.0]), node("Add", ["x", "c"], ["y"])
        ),
        chain(
            15,
            node("ArgMax", ["x"], ["i"], axis=1),
            node(
                "LabelEncoder",
                ["i"],
                ["y"],
                domain="ai.onnx.ml",
                classes_strings=["a", "b"],
                default_string="?",
            ),
        ),
        chain(13, node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])),
        chain(13, node("Gemm", ["x", "w", "b"], ["h"]), node("Relu", ["h"], ["y"]), constants=dense),
        chain(13, node("Shape", ["x"], ["s"]), node("Reshape", ["x", "s"], ["h"]), node("Neg", ["h"], ["y"])),
    ]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, model in enumerate([*changed_operators(), *(make_model(case) for case in ALL)]):
        model.graph.ClearField("value_info")
        model.producer_name = ""
        content = model.SerializeToString()
        if len(content) <= LARGEST:
            (folder / f"{i}.onnx").write_bytes(content)


if __name__ == "__main__":
    main()
