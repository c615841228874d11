"""A model cut at every byte. Every length is compared with the bytes left, and a model needs all its parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.attack import Attack, model, node


def attacks(folder: Path) -> Iterator[Attack]:
    whole = model(
        node("Clip", ["x"], ["h"], min=0.0, name="clip"),
        node("Gemm", ["h", "w"], ["y"], transB=1),
        constants={"w": np.ones((2, 4), np.float32), "t": np.array(["a", "b"], dtype=object)},
        opset=9,
    )
    end = whole.rindex(b"ai.onnx.ml") - 4  # from here on only an import is missing that nothing needs
    for size in range(end):
        yield Attack(f"{size} bytes", whole[:size], "FormatError")
    yield Attack("a byte more", whole + b"\x0a", "FormatError", "field 1 of a ModelProto")
