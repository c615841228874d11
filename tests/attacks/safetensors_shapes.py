"""Shapes whose product overflows or is not what the bytes hold, and types that are none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, entry, safetensors

Weights = partial(Attack, kind="safetensors")
DATA = bytes(11)


def attacks(folder: Path) -> Iterator[Attack]:
    cases = {
        "overflow to 0": (entry("U8", [2**32, 2**32], 0, 0), "below 2^63"),
        "overflow to 11": (entry("U8", [11, 2**32, 2**32], 0, 11), "below 2^63"),
        "overflow by the item": (entry("F64", [2**61], 0, 0), "below 2^63"),
        "empty and huge": (entry("U8", [0, 2**62, 2], 0, 0), "below 2^63"),
        "2^64": (entry("U8", [2**64], 0, 11), "integers from 0"),
        "negative": (entry("U8", [-11], 0, 11), "integers from 0"),
        "17 axes": (entry("U8", [11] + [1] * 16, 0, 11), "16 integers at most"),
        "true": (entry("U8", [True, 11], 0, 11), "integers at most"),
        "text": (entry("U8", ["11"], 0, 11), "integers at most"),
        "no list": (entry("U8", 11, 0, 11), "integers at most"),
        "too few bytes": (entry("F32", [3], 0, 11), "12 bytes for"),
        "unknown type": (entry("F80", [11], 0, 11), "a dtype of"),
        "lower case": (entry("u8", [11], 0, 11), "a dtype of"),
        "type as a number": (entry(8, [11], 0, 11), "a dtype of"),
        "type as a list": (entry(["U8"], [11], 0, 11), "a dtype of"),
        "more fields": ({**entry("U8", [11], 0, 11), "stride": [1]}, "dtype, shape and data_offsets"),
        "fewer fields": ({"dtype": "U8", "shape": [11]}, "dtype, shape and data_offsets"),
        "no object": ([1, 2], "dtype, shape and data_offsets"),
    }
    for name, (item, words) in cases.items():
        yield Weights(name, safetensors({"a": item}, DATA), "FormatError", words)
    yield Weights("a bool of 7", safetensors({"a": entry("BOOL", [1], 0, 1)}, b"\x07"), "FormatError", "BOOL")
    for kind in ("BF16", "F8_E5M2", "F4"):
        yield Weights(kind, safetensors({"a": entry(kind, [2], 0, 4)}, bytes(4)), "Unsupported", kind)
