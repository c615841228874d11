"""Axes, indices and sizes that lie outside. Checked against the shapes, where they are known, on reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from attacks.attack import ML, Attack, model, node

LARGE = (5, 2**31, 2**63 - 1, -(2**63), -6)
BATCH_VALUE = -(2**63) + 7  # stands for the number of rows inside the engine


def attacks(folder: Path) -> Iterator[Attack]:
    def attack(
        name: str, op: Any, error: str | None = "FormatError", words: str = "", **parts: Any
    ) -> Attack:
        return Attack(name, model(op, **parts), error, words)

    for axis in LARGE:
        for op in ("Softmax", "Flatten", "Concat", "ArgMax", "Split", "LayerNormalization"):
            inputs = ["x", "w"] if op == "LayerNormalization" else ["x"]
            op_node = node(op, inputs, ["y"], axis=axis)
            yield attack(f"{op} {axis}", op_node, words="y'", constants={"w": np.ones(4, np.float32)})
        yield attack(f"old Softmax {axis}", node("Softmax", ["x"], ["y"], axis=axis), words="axis", opset=9)
        for op in ("Squeeze", "Unsqueeze", "ReduceSum"):
            yield attack(f"{op} {axis}", node(op, ["x", "a"], ["y"]), words="y'", constants={"a": [axis]})
        yield attack(f"Transpose {axis}", node("Transpose", ["x"], ["y"], perm=[0, axis]), words="y'")
        yield attack(f"Slice axis {axis}", node("Slice", ["x", "s", "e", "a"], ["y"]), words="y'",
                     constants={"s": [0], "e": [1], "a": [axis]})  # fmt: skip
        yield attack(
            f"Gather {axis}", node("Gather", ["x", "i"], ["y"], axis=1), words="y'", constants={"i": [axis]}
        )
        yield attack(f"features {axis}", node("ArrayFeatureExtractor", ["x", "i"], ["y"], domain=ML), words="y'",
                     constants={"i": [axis]})  # fmt: skip
    for sizes in ([5], [2, -1], [-(2**63), 2**63 - 1, 5], [4, 0, 0]):
        outputs = [f"y{i}" if i else "y" for i in range(len(sizes))]
        error = None if sum(sizes) == 4 and min(sizes) >= 0 else "FormatError"
        yield attack(
            f"Split {sizes}", node("Split", ["x", "s"], outputs, axis=1), error, constants={"s": sizes}
        )
    for start, end, step in ((-(2**63), 2**63 - 1, 0), (2**63 - 1, -(2**63), 2**63 - 1), (0, 4, -(2**63))):
        op_node = node("Slice", ["x", "s", "e", "a", "t"], ["y"])
        constants = {"s": [start], "e": [end], "a": [1], "t": [step]}
        error = "FormatError" if step == 0 else None
        yield attack(f"Slice {start}:{end}:{step}", op_node, error, constants=constants)
    for shape in ([BATCH_VALUE, 4], [BATCH_VALUE], [4, BATCH_VALUE]):
        op_node = node("Reshape", ["x", "s"], ["y"])
        yield attack(f"Reshape {shape}", op_node, words="initializer 's'", constants={"s": shape})
    count = node("ConstantOfShape", ["s"], ["y"])
    yield attack("batch as a count", count, words="initializer 's'", constants={"s": [BATCH_VALUE]})
    for shape in ([-1, -1], [-2, 4], [0, 0, 0]):
        error = (
            "FormatError" if len(shape) > 2 else "Unsupported"
        )  # what else spreads rows is refused as such
        yield attack(
            f"Reshape {shape}", node("Reshape", ["x", "s"], ["y"]), error, "y'", constants={"s": shape}
        )
    for axes in (np.array([np.nan]), np.array([1.0]), np.array(["1"], dtype=object), np.array([[1]])):
        for op in ("Unsqueeze", "ReduceSum", "Squeeze"):
            yield attack(
                f"{op} by {axes.tolist()}", node(op, ["x", "a"], ["y"]), words="y'", constants={"a": axes}
            )
