"""Nodes that read their own results. Nodes come in order: each reads what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack, model, node


def attacks(folder: Path) -> Iterator[Attack]:
    yield Attack("itself", model(node("Relu", ["y"], ["y"])), "FormatError", "cycle")
    pair = [node("Add", ["x", "y"], ["h"]), node("Relu", ["h"], ["y"])]
    yield Attack("each other", model(*pair), "FormatError", "cycle")
    ring = [node("Neg", [f"v{(i + 1) % 20_000}"], [f"v{i}"]) for i in range(20_000)]
    yield Attack("a ring of 20,000", model(*ring, output="v0"), "FormatError", "cycle")
    backwards = [node("Neg", [f"v{i + 1}"], [f"v{i}"]) for i in range(20_000)]
    backwards.append(node("Neg", ["x"], ["v20000"]))
    yield Attack("backwards", model(*backwards, output="v0"), "FormatError", "made later")
    zipped = node("ZipMap", ["y"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])
    yield Attack("a ZipMap of itself", model(zipped), "FormatError")
    yield Attack(
        "nothing", model(node("Relu", ["nothing"], ["y"])), "FormatError", "'nothing', which no node"
    )
