"""Ten bytes that claim a gigabyte, and small encodings of large memory. Paid for before allocating."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onnx import TensorProto

from attacks.attack import Attack, field, in_graph, model, node, raw_tensor, varint

GIGABYTE = 2**30


def attacks(folder: Path) -> Iterator[Attack]:
    yield Attack(
        "a field's length", b"\x08\x08\x3a" + varint(GIGABYTE), "FormatError", "not a whole ONNX model"
    )
    yield Attack("2**64 - 1", b"\x08\x08\x3a" + varint(2**64 - 1), "FormatError", "not a whole ONNX model")
    yield Attack("an endless varint", b"\x08" + b"\xff" * 20, "FormatError", "not a whole ONNX model")
    yield Attack(
        "inside a graph", in_graph(b"\x0a" + varint(GIGABYTE)), "FormatError", "not a whole ONNX model"
    )
    identity = node("Identity", ["w"], ["y"])
    for kind, data in (
        (TensorProto.FLOAT, {"float_data": [1.0]}),
        (TensorProto.INT64, {"int64_data": [1]}),
        (TensorProto.BOOL, {"int32_data": [1]}),
        (TensorProto.DOUBLE, {"double_data": [1.0]}),
        (TensorProto.STRING, {"string_data": [b"a"]}),
        (TensorProto.FLOAT, {"raw_data": b"abcd"}),
    ):
        content = model(identity, constants={"w": raw_tensor("w", kind, [GIGABYTE], **data)})
        yield Attack(
            f"{data}", content, "FormatError", f"expected {GIGABYTE}" if "raw_data" not in data else "bytes"
        )
    # 2 bytes of file for 32 of memory, each
    names = field(1, field(4, b"Concat") + b"\x0a\x00" * 40_000_000)
    yield Attack("80 MB of empty names", in_graph(names), "Unsupported", "more than 2000000 names")
