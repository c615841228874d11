"""Names that are long, alike, or made to be like the ones that the reader makes. Work stays linear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack, model, node


def attacks(folder: Path) -> Iterator[Attack]:
    relu = node("Relu", ["x"], ["y"])
    relu.name = "n" * 5000
    yield Attack(
        "a node's name", model(relu), "Unsupported", "a node's name of 5000 bytes is longer than the 4096"
    )
    yield Attack(
        "an operator's", model(node("R" * 5000, ["x"], ["y"])), "Unsupported", "an operator's name of 5000"
    )
    yield Attack(
        "a value's", model(node("Relu", ["x"], ["y" * 5000]), output="y"), "Unsupported", "a value's name"
    )
    stem = "ä" * 2000
    alike = [node("Neg", ["x" if i == 0 else f"{stem}{i - 1}"], [f"{stem}{i}"]) for i in range(2_000)]
    yield Attack("2,000 alike", model(*alike, output=f"{stem}1999"), None)
    # Messages cut long names: also between the bytes of a letter.
    for extra in ("", "a"):
        unknown = node("Ü" * 1500, ["x"], [extra + stem])
        yield Attack(f"cut{extra}", model(unknown, output=extra + stem), "Unsupported", "is not one that")
        lost = node("Relu", ["nothing"], [extra + stem])
        yield Attack(f"cut text{extra}", model(lost, output=extra + stem), "FormatError", "nothing")
    mimics = [node("Clip", ["x"], ["upgraded" + "_" * i], min=0.0) for i in range(3_000)]
    yield Attack("as the reader's own", model(*mimics, output="upgraded_", opset=9), None)
    for name in ("\n\x1b[31mred", "a\0b", "%s%n", "../x", " "):
        yield Attack(repr(name), model(node("Relu", ["x"], [name]), output=name), None)
    yield Attack("none", model(node("Relu", ["x"], [""]), output=""), "FormatError")
