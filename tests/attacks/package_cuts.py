"""Every file of a package, cut at every length; golden rows and profile also with a manifest that agrees."""

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
    for name in ("golden.safetensors", "profile.safetensors"):
        data = (path / name).read_bytes()
        for length in range(len(data)):
            (path / name).write_bytes(data[:length])
            reseal(path, name)
            yield refused(f"{name} cut to {length}, as said", path, f"[package] '{name}': ")
        (path / name).write_bytes(data)
        reseal(path, name)
