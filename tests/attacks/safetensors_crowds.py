"""Few bytes of header that would fill the memory: empty containers, many arrays, long names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, entry, safetensors

Weights = partial(Attack, kind="safetensors")


def attacks(folder: Path) -> Iterator[Attack]:
    cases = {
        "empty lists": (b'{"a":[' + b"[]," * 5_000_000 + b"0]}", "more brackets"),
        "empty objects": (b'{"a":[' + b"{}," * 5_000_000 + b"0]}", "more brackets"),
        "zeros": (b'{"a":[' + b"0," * 8_000_000 + b"0]}", "dtype, shape"),
        "texts": (b'{"a":[' + b'"",' * 5_000_000 + b"0]}", "dtype, shape"),
        "a long name": (b'{"' + b"n" * 10_000_000 + b'":{}}', "1024 characters"),
    }
    for name, (header, words) in cases.items():
        yield Weights(name, safetensors(header), "FormatError", words)
    many = {f"t{i}": entry("U8", [0], 0, 0) for i in range(100_001)}
    yield Weights("100,001 arrays", safetensors(many), "FormatError", "100000 arrays at most")
    paths = {name: entry("U8", [0], 0, 0) for name in ("../../etc/passwd", "/dev/null", "a\0b", "")}
    yield Weights("names are no paths", safetensors(paths), None)
