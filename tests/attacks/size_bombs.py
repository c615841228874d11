"""Few bytes that compute much: repeated, expanded, doubled. Shapes are bounded, constants folded to a limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.attack import Attack, model, node

ONE = np.ones(1, np.float32)


def attacks(folder: Path) -> Iterator[Attack]:
    for sizes in ([2**40], [2**31, 2**31], [2**62, 4, 4], [-5], [1] * 17):
        content = model(node("ConstantOfShape", ["s"], ["y"]), constants={"s": sizes})
        yield Attack(f"ConstantOfShape {sizes}", content, "FormatError", "ConstantOfShape 'y'")
        content = model(node("Expand", ["w", "s"], ["y"]), constants={"s": sizes, "w": ONE})
        yield Attack(f"Expand {sizes}", content, "FormatError", "Expand 'y'")
    for repeats in ([2**40], [2**62], [-1]):
        content = model(node("Tile", ["w", "r"], ["y"]), constants={"r": repeats, "w": ONE})
        yield Attack(f"Tile {repeats}", content, "FormatError", "Tile 'y'")
    doubled = [node("Concat", ["w" if i == 0 else f"v{i - 1}"] * 2, [f"v{i}"], axis=0) for i in range(40)]
    yield Attack(
        "doubled 40 times", model(*doubled, output="v39", constants={"w": ONE}), "FormatError", "2^31"
    )
    tiled = [node("Tile", ["w" if i == 0 else f"v{i - 1}", "r"], [f"v{i}"]) for i in range(20)]
    content = model(*tiled, output="v19", constants={"w": ONE, "r": [1000]})
    yield Attack("repeated 20 times", content, "FormatError", "2^31")
    # Just below the limit of a shape: 8 GB if it were ever computed.
    large = [2**31 - 1]
    sums = [
        node("ConstantOfShape", ["s"], ["h"]),
        node("ReduceSum", ["h"], ["t"], keepdims=0),
        node("Add", ["x", "t"], ["y"]),
    ]
    yield Attack(
        "8 GB that are folded", model(*sums, constants={"s": large}), "Unsupported", "a constant result of"
    )
    kept = model(node("ConstantOfShape", ["s"], ["y"]), constants={"s": large})
    yield Attack("8 GB given out", kept, "Unsupported", "a constant result of")
    wide = [node("Expand", ["x", "s"], ["h"]), node("ReduceSum", ["h", "a"], ["y"])]
    content = model(*wide, constants={"s": [1, 2**28, 4], "a": [1]}, shape=("N", 1, 4))
    yield Attack("4 GB a row", content, "Unsupported", "of scratch")
    many = [node("ConstantOfShape", ["s"], [f"c{i}"]) for i in range(500)]
    content = model(*many, node("Sum", [f"c{i}" for i in range(500)], ["y"]), constants={"s": [2**22]})
    yield Attack("500 of 16 MB", content, "Unsupported", "a constant result of")
