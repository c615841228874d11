"""Every file of a package, cut at every length; and the golden rows cut with a manifest that agrees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import FILES, harmless, refused, reseal, small_package


def attacks(folder: Path) -> Iterator[Attack]:
    path = small_package(folder / "p")
    for name in FILES:
        data = (path / name).read_bytes()
        for length in range(len(data)):
            (path / name).write_bytes(data[:length])
            yield refused(f"{name} cut to {length}", path, f"[package] '{name}': expected")
        (path / name).write_bytes(data)
        yield harmless(f"{name} whole", path)
    data = (path / "golden.safetensors").read_bytes()
    for length in range(len(data)):
        (path / "golden.safetensors").write_bytes(data[:length])
        reseal(path, "golden.safetensors")
        yield refused(f"golden rows cut to {length}, as said", path, "[package] 'golden.safetensors': ")
