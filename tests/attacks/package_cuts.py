"""Every file of a package, cut at lengths all over it; golden rows and profile also with a manifest that agrees.

A length that the manifest does not give is one comparison whatever it is, so some do; where the manifest agrees,
the reader of the file meets every one of the first, where its structure is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import FILES, harmless, refused, reseal, small_package

STRUCTURE = 256  # bytes at the beginning that are cut one by one
STEP = 13


def lengths(size: int) -> list[int]:
    return [*range(min(STRUCTURE, size)), *range(STRUCTURE, size - 1, STEP), size - 1]


def attacks(folder: Path) -> Iterator[Attack]:
    path = small_package(folder / "p")
    for name in FILES:
        data = (path / name).read_bytes()
        for length in (*range(0, len(data), STEP), len(data) - 1):
            (path / name).write_bytes(data[:length])
            yield refused(f"{name} cut to {length}", path, f"[package] '{name}': expected")
        (path / name).write_bytes(data)
        yield harmless(f"{name} whole", path)
    for name in ("golden.safetensors", "profile.safetensors"):
        data = (path / name).read_bytes()
        for length in lengths(len(data)):
            (path / name).write_bytes(data[:length])
            reseal(path, name)
            yield refused(f"{name} cut to {length}, as said", path, f"[package] '{name}': ")
        (path / name).write_bytes(data)
        reseal(path, name)
