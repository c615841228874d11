"""Weights cut at every byte, or a byte longer: the header says how long a file is, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, entry, safetensors

Weights = partial(Attack, kind="safetensors")
WHOLE = {"a": entry("F32", [2], 0, 8), "b": entry("U8", [3], 8, 11)}
DATA = bytes(11)


def attacks(folder: Path) -> Iterator[Attack]:
    whole = safetensors(WHOLE, DATA)
    for size in range(len(whole)):
        yield Weights(f"{size} bytes", whole[:size], "FormatError")
    yield Weights("a byte more", whole + b"x", "FormatError", "12 bytes")
    yield Weights("whole", whole, None)
