"""Arrays that overlap, leave room for other content, or lie outside: they must tile the file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, entry, safetensors

Weights = partial(Attack, kind="safetensors")
WHOLE = {"a": entry("F32", [2], 0, 8), "b": entry("U8", [3], 8, 11)}
DATA = bytes(11)


def attacks(folder: Path) -> Iterator[Attack]:
    cases = {
        "hole at the start": ({"a": entry("U8", [3], 8, 11)}, "leaves a hole"),
        "hole": ({"a": entry("U8", [3], 0, 3), "b": entry("U8", [3], 8, 11)}, "leaves a hole"),
        "hole at the end": ({"a": entry("U8", [3], 0, 3)}, "11 bytes"),
        "overlap": ({"a": entry("U8", [8], 0, 8), "b": entry("U8", [4], 7, 11)}, "overlaps"),
        "twice": ({"a": entry("U8", [11], 0, 11), "b": entry("U8", [11], 0, 11)}, "overlaps"),
        "outside": ({"a": entry("U8", [11], 0, 11), "b": entry("U8", [9], 11, 20)}, "20 bytes"),
        "far outside": ({"a": entry("U8", [11], 2**63, 2**63 + 11)}, "leaves a hole"),
        "backwards": ({"a": entry("U8", [11], 11, 0)}, "11 bytes for"),
        "a negative": ({"a": entry("U8", [11], -11, 0)}, "integers from 0"),
        "one": ({"a": {"dtype": "U8", "shape": [11], "data_offsets": [11]}}, "two data_offsets"),
        "three": ({"a": {"dtype": "U8", "shape": [11], "data_offsets": [0, 11, 11]}}, "two data_offsets"),
    }
    for name, (header, words) in cases.items():
        yield Weights(name, safetensors(header, DATA), "FormatError", words)
    empty = {"e": entry("F32", [0, 5], 8, 8), "f": entry("F32", [0], 11, 11), **WHOLE}
    yield Weights("empty arrays between", safetensors(empty, DATA), None)
