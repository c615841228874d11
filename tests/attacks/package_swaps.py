"""Files of one package in another one's folder, and older files or manifests beside newer ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import FILES, LISTED, digest, harmless, refused, small_package


def attacks(folder: Path) -> Iterator[Attack]:
    old, new = small_package(folder / "old", 1.5), small_package(folder / "new", 2.5)
    for name in LISTED:
        path = shutil.copytree(new, folder / f"old {name}")
        shutil.copy(old / name, path / name)
        yield refused(f"old {name}", path, f"[package] '{name}': expected sha256")
    path = shutil.copytree(new, folder / "old manifest")
    shutil.copy(old / "manifest.json", path / "manifest.json")
    yield refused("an old manifest", path, "': expected sha256")
    yield refused(
        "an old manifest, pinned", path, "'manifest.json': expected the manifest", digest=digest(new)
    )
    path = shutil.copytree(new, folder / "names")
    (path / "model.onnx").rename(path / "x")
    (path / "golden.safetensors").rename(path / "model.onnx")
    (path / "x").rename(path / "golden.safetensors")
    yield refused("names exchanged", path, "bytes, got")
    path = shutil.copytree(new, folder / "all but the golden rows")
    for name in FILES:
        if name != "golden.safetensors":
            shutil.copy(old / name, path / name)
    yield refused("all but the golden rows", path, "[package] 'golden.safetensors': expected sha256")
    yield harmless("the old package whole", old)
    yield refused(
        "the old package whole, pinned", old, "expected the manifest of package", digest=digest(new)
    )
