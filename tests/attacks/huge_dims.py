"""Dimensions that are negative, or of which a few claim all memory. Compared with the data before allocating."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onnx import TensorProto

from attacks.attack import Attack, model, node, raw_tensor

FLOAT = TensorProto.FLOAT


def attacks(folder: Path) -> Iterator[Attack]:
    add = node("Add", ["x", "w"], ["y"])
    for dims, words in (
        ([-1], "negative dimension"),
        ([4, -(2**63)], "negative dimension"),
        ([2**40], "expected 4398046511104 bytes of raw data, got 16"),
        ([1] * 17, "more than 16 dimensions"),
        ([0, 2**62], "expected dimensions of 0 to 2^31"),
    ):
        data = b"" if 0 in dims else bytes(16)
        content = model(add, constants={"w": raw_tensor("w", FLOAT, dims, raw_data=data)})
        yield Attack(f"{dims}", content, "Unsupported" if len(dims) > 16 else "FormatError", words)
    for shape in (["N", 2**40], ["N", 2**20, 2**20], ["N", 2**62, 2**62, 4]):
        yield Attack(f"input {shape}", model(node("Relu", ["x"], ["y"]), shape=shape), "FormatError", "2^31")
    many = ["N", *[1] * 40]
    yield Attack("rank 41", model(node("Relu", ["x"], ["y"]), shape=many), "Unsupported", "more than 16 dim")
    yield Attack(
        "no fixed size", model(node("Relu", ["x"], ["y"]), shape=["N", "M"]), "Unsupported", "no fixed size"
    )
