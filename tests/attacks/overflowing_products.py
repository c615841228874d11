"""Shapes whose product wraps around to what the data has. Products are checked for overflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import TensorProto

from attacks.attack import Attack, model, node, raw_tensor


def attacks(folder: Path) -> Iterator[Attack]:
    identity = node("Identity", ["w"], ["y"])
    for dims in ([2**32, 2**32], [2**62, 4], [2**33, 2**31, 1], [2**62, 2**62, 0], [2**61]):
        for kind in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING):
            content = model(identity, constants={"w": raw_tensor("w", kind, dims)})
            yield Attack(f"{dims} of {kind}", content, "FormatError", "initializer 'w'")
    for sizes in ([2**32, 2**32], [2**62, 4], [-1, 2**62, 8]):
        reshape = node("Reshape", ["w", "s"], ["y"])
        content = model(reshape, constants={"s": sizes, "w": np.ones(4, np.float32)})
        yield Attack(f"Reshape to {sizes}", content, "FormatError", "Reshape 'y'")
