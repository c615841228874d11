"""A disk that is really full: a clear error, nothing half visible, and all goes on once there is room."""

from __future__ import annotations

import contextlib
import hashlib
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import registry_models

from maas_engine.errors import Unavailable
from maas_engine.registry import Registry

MODEL = registry_models.linear(1, features=2_000)


@pytest.mark.parametrize("full", ["store", "database", "cache"])
def test_a_full_disk(tmp_path: Path, small_disk: Path, full: str) -> None:
    places = {name: tmp_path / name for name in ("store", "database", "cache")} | {full: small_disk}
    registry = Registry(
        f"sqlite:///{places['database'] / 'r.db'}", str(places["store"]), cache=places["cache"]
    )
    registry.register("m", registry_models.linear(0))
    fill = small_disk / "fill"
    with open(fill, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    if full == "cache":  # which is done without
        registry.register("m", MODEL)
        registry.load("models:/m/2")
    else:
        with pytest.raises(Unavailable, match=r"No space left|disk is full|disk I/O"):
            registry.register("m", MODEL)
        assert [version.version for version in registry.versions("m")] == [1]
        registry.load("models:/m/1")
        fill.unlink()
        assert registry.register("m", MODEL).version == 2
        registry.load("models:/m/2")
    assert list(places["store"].rglob(".unfinished.*")) == []
    assert registry.audit()
    registry.close()


LIMITED = """
import resource, sys
from maas_engine.errors import Unavailable
from maas_engine.registry._store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Store(sys.argv[1]).put(sys.argv[2], bytes.fromhex(sys.argv[3]))
except Unavailable as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no such limit here")
def test_a_limit_on_files(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(5000)
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED,
            str(tmp_path / "blobs"),
            hashlib.sha256(data).hexdigest(),
            data.hex(),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in found.stdout
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
