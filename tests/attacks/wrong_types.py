"""Data, attributes and fields of other types or lengths than they say. Nothing is converted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from attacks.attack import Attack, field, in_graph, model, node, proto, raw_tensor


def attacks(folder: Path) -> Iterator[Attack]:
    identity = node("Identity", ["w"], ["y"])
    for kind, words in (
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.BFLOAT16, "bfloat16"),
        (TensorProto.UINT8, "uint8"),
        (TensorProto.COMPLEX64, "complex64"),
        (TensorProto.INT4, "int4"),
    ):
        content = model(identity, constants={"w": raw_tensor("w", kind, [1], raw_data=b"ab")})
        yield Attack(words, content, "Unsupported", f"[initializer 'w'] has type {words}")
    for name, tensor in {
        "no type": raw_tensor("w", 0, [1], raw_data=b"abcd"),
        "three bytes": raw_tensor("w", TensorProto.FLOAT, [1], raw_data=b"abc"),
        "five bytes": raw_tensor("w", TensorProto.FLOAT, [1], raw_data=b"abcde"),
        "no bytes": raw_tensor("w", TensorProto.FLOAT, [1]),
        "int64_data of floats": raw_tensor("w", TensorProto.FLOAT, [1], int64_data=[1]),
        "float_data of doubles": raw_tensor("w", TensorProto.DOUBLE, [1], float_data=[1]),
        "both": raw_tensor("w", TensorProto.FLOAT, [1], float_data=[1], raw_data=b"abcd"),
        "bools of 2": raw_tensor("w", TensorProto.BOOL, [1], raw_data=b"\2"),
        "bools of 255": raw_tensor("w", TensorProto.BOOL, [1], int32_data=[255]),
        "strings as raw data": raw_tensor("w", TensorProto.STRING, [1], raw_data=b"a"),
        "text that is none": raw_tensor("w", TensorProto.STRING, [1], string_data=[b"\xff\xfe"]),
    }.items():
        yield Attack(name, model(identity, constants={"w": tensor}), "FormatError", "initializer 'w'")
    yield Attack("a number for a name", in_graph(b"\x10\x01"), "FormatError", "wrong wire type")
    yield Attack("text for a node", in_graph(field(1, b"hello world")), "FormatError")
    yield Attack("a group", in_graph(b"\x0b\x0c"), "FormatError", "not a whole ONNX model")
    yield Attack("field 0", in_graph(b"\x00\x00"), "FormatError", "not a whole ONNX model")
    yield Attack("a name that is no text", in_graph(field(2, b"\xc0\x80")), "FormatError", "not UTF-8")
    for attributes in ({"axis": 1.5}, {"axis": "1"}, {"axis": [1]}):
        content = model(node("Softmax", ["x"], ["y"], **attributes))
        yield Attack(f"{attributes}", content, "FormatError", "attribute 'axis'")
        content = model(node("Softmax", ["x"], ["y"], **attributes), opset=9)
        yield Attack(f"old {attributes}", content, "FormatError", "attribute 'axis'")
    text = np.array(["a"] * 4, dtype=object)
    yield Attack(
        "text added", model(node("Add", ["x", "w"], ["y"]), constants={"w": text}), "FormatError", "Add 'y'"
    )
    declared = proto(node("Relu", ["x"], ["y"]))
    declared.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("y", TensorProto.INT64, ["N", 4]))
    yield Attack(
        "another output",
        declared.SerializeToString(),
        "FormatError",
        "declared int64 and computed as float32",
    )
