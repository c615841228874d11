"""Weights that were changed. Digests find it; golden rows find it where the digests were changed too; and where these
were as well, only a digest or a signature from elsewhere does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import (
    FILES,
    digest,
    edit,
    harmless,
    record_anew,
    refused,
    reseal,
    small_model,
    small_package,
)


def attacks(folder: Path) -> Iterator[Attack]:
    yield harmless("nothing changed", small_package(folder / "same"))
    for name in FILES:
        path = small_package(folder / f"bit of {name}")
        data = bytearray((path / name).read_bytes())
        data[len(data) // 2] ^= 1
        (path / name).write_bytes(data)
        yield refused(f"a bit of {name}", path, f"[package] '{name}': expected")
        yield refused(f"a bit of {name}, pinned", path, f"[package] '{name}': expected", digest=digest(path))

    path = small_package(folder / "weights")
    known = digest(path)
    other = small_model(1.5000001).to_bytes()
    assert len(other) == (path / "model.onnx").stat().st_size
    (path / "model.onnx").write_bytes(other)
    yield refused("other weights", path, "[package] 'model.onnx': expected sha256")
    reseal(path, "model.onnx")
    yield refused(
        "and the manifest", path, "[package] 'golden.safetensors': expected the recorded bits of run.0"
    )
    yield refused("and the manifest, pinned", path, f"expected the manifest of package {known}", digest=known)
    record_anew(path)
    reseal(path, "golden.safetensors")
    yield harmless("and the golden rows: another package, and whole", path, digest(path))
    yield refused(
        "and the golden rows, pinned", path, f"expected the manifest of package {known}", digest=known
    )

    path = small_package(folder / "numerics")
    (path / "model.onnx").write_bytes(small_model(1.6).to_bytes())
    reseal(path, "model.onnx")
    edit(path, lambda found: found.update(numerics=999))
    words = "[package] 'golden.safetensors': expected the recorded values of run.0 within tolerance"
    yield refused("as if by other arithmetic", path, words)
