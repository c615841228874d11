"""One hostile file, and the pieces they are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

ML = "ai.onnx.ml"


@dataclass
class Attack:
    """A file as bytes, or as a path where other files lie beside it, and what must be said of it."""

    name: str
    content: bytes | Path
    error: str | None  # None: harmless, so it is read (a model: and compiled), in bounded time and memory
    words: str = ""  # in the message
    kind: str = "onnx"  # or "safetensors"; or "package", a folder
    digest: str | None = None  # a package's, where the victim knows it


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, outputs, **attributes)


def proto(
    *nodes: onnx.NodeProto,
    output: str = "y",
    shape: Sequence[int | str] = ("N", 4),
    constants: dict[str, Any] | None = None,
    opset: int = 21,
) -> onnx.ModelProto:
    """Nodes on x, float32 of that shape. Constants are arrays or tensors."""
    tensors = [
        value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(np.asarray(value), name)
        for name, value in (constants or {}).items()
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "g", [x], [onnx.ValueInfoProto(name=output)], tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, 4)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def model(*nodes: onnx.NodeProto, **parts: Any) -> bytes:
    return proto(*nodes, **parts).SerializeToString()


def raw_tensor(name: str, kind: int, dims: Sequence[int], **data: Any) -> onnx.TensorProto:
    """A TensorProto that need not make sense."""
    tensor = onnx.TensorProto(name=name, data_type=kind, **data)
    tensor.dims.extend(dims)
    return tensor


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def in_graph(fields: bytes) -> bytes:
    """A model whose graph is those fields, for what protobuf's own classes would not write."""
    return b"\x08\x08" + field(7, field(2, b"g") + fields) + field(8, b"\x10\x15")


def safetensors(header: Any, buffer: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file of a header, bytes or what JSON makes of it, that need not make sense."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + buffer


def entry(dtype: Any, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
