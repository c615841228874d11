"""More nodes, constants or attributes than any model has. Counted, and refused or read in linear time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack, field, in_graph, model, node


def attacks(folder: Path) -> Iterator[Attack]:
    relu = field(1, field(1, b"x") + field(2, b"y") + field(4, b"Relu"))
    yield Attack("a million nodes", in_graph(relu * 1_000_000), "Unsupported", "more than 100000 nodes")
    constants = b"".join(field(5, b"\x08\x00\x10\x01" + field(8, b"%d" % i)) for i in range(300_000))
    yield Attack("300,000 constants", in_graph(constants), "FormatError", "output")
    attributes = b"".join(field(5, field(1, b"%d" % i) + b"\x18\x01\xa0\x01\x02") for i in range(200_000))
    owner = field(1, field(1, b"x") + field(2, b"y") + field(4, b"Relu") + attributes)
    yield Attack("200,000 attributes", in_graph(owner + field(12, field(1, b"y"))), "FormatError")
    chain = [node("Neg", ["x" if i == 0 else f"v{i - 1}"], [f"v{i}"]) for i in range(10_000)]
    yield Attack("a chain of 10,000", model(*chain, output="v9999"), None)
    old = [node("Clip", ["x" if i == 0 else f"v{i - 1}"], [f"v{i}"], min=0.0) for i in range(5_000)]
    yield Attack("5,000 old nodes", model(*old, output="v4999", opset=9), None)
    wide = [node("Sum", ["x"] * 20_000, ["y"])]
    yield Attack("20,000 inputs", model(*wide), None)
    maps = [
        node("ZipMap", ["x"], [f"z{i}"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])
        for i in range(5_000)
    ]
    yield Attack("5,000 ZipMaps", model(*maps, output="z0"), None)
    masks = [node("Dropout", ["x"], [f"y{i}", f"m{i}"]) for i in range(5_000)]
    yield Attack("5,000 masks", model(*masks, output="y0"), None)
