"""Small packages, and the tools of someone who may write into their folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import maas_engine
from attacks.attack import Attack
from maas_engine.graph import GraphBuilder
from maas_engine.package import _golden
from maas_engine.package._canonical import canonical

LISTED = ("model.onnx", "golden.safetensors", "profile.safetensors", "card.cdx.json")
FILES = (*LISTED, "manifest.json")


def small_model(weight: float = 1.5) -> maas_engine.Model:
    builder = GraphBuilder("g")
    x = builder.input("X", np.float32, (None, 1))
    builder.output(builder.add("Mul", x, builder.constant(np.array([weight], np.float32))))
    return maas_engine.Model(builder.build())


def small_package(path: Path, weight: float = 1.5) -> Path:
    X = np.arange(-2.0, 3.0, dtype=np.float32).reshape(-1, 1)
    small_model(weight).package(path, name="small", X_reference=X)
    return path


def digest(path: Path) -> str:
    return hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()


def document(path: Path) -> dict[str, Any]:
    found = json.loads((path / "manifest.json").read_bytes())
    assert isinstance(found, dict)
    return found


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest, in its canonical form."""
    found = document(path)
    change(found)
    (path / "manifest.json").write_bytes(canonical(found))


def reseal(path: Path, *names: str) -> None:
    """Make the manifest tell the digests of the files that lie there."""
    for name in names:
        data = (path / name).read_bytes()
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        edit(path, lambda found, name=name, entry=entry: found["files"].update({name: entry}))  # type: ignore[misc]


def record_anew(path: Path) -> None:
    """Make the golden rows those of the model that lies there."""
    model = maas_engine.Model.load((path / "model.onnx").read_bytes())
    (path / _golden.NAME).write_bytes(_golden.build(model))


def refused(
    name: str, path: Path, words: str, error: str = "FormatError", digest: str | None = None
) -> Attack:
    return Attack(name, path, error, words, "package", digest)


def harmless(name: str, path: Path, digest: str | None = None) -> Attack:
    return Attack(name, path, None, "", "package", digest)
