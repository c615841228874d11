"""Packages of 1 MB and 100 MB of weights that do not compress: what signing, encrypting and opening them costs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas_engine
from maas_engine.graph import GraphBuilder

pytest.importorskip("pytest_benchmark")
pytest.importorskip("model_signing")

from maas_engine.package import (
    MasterKey,
    Policy,
    encrypt,
    generate_signing_key,
    open_package,
    rotate,
    sign,
    verify_signature,
)

KEYS = [MasterKey(bytes(32)), MasterKey(bytes([1]) * 32)]


@pytest.fixture(scope="module", params=[1, 100], ids=lambda megabytes: f"{megabytes}MB")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signing key, a signed package, a plain one, and one both encrypted and signed."""
    root, rows = tmp_path_factory.mktemp("packages"), request.param * 2**20 // 4 // 64
    builder = GraphBuilder("large")
    x = builder.input("X", np.float32, (None, rows))
    weights = np.random.default_rng(0).standard_normal((rows, 64), dtype=np.float32)
    builder.output(builder.add("MatMul", x, builder.constant(weights)))
    reference = np.ones((2, rows), np.float32)
    maas_engine.Model(builder.build()).package(root / "plain", X_reference=reference)
    generate_signing_key(root / "key")
    for name in ("signed", "both"):
        shutil.copytree(root / "plain", root / name)
    encrypt(root / "both", KEYS[0])
    for name in ("signed", "both"):
        sign(root / name, root / "key")
    return root


def test_open(benchmark: Any, made: Path) -> None:
    benchmark(open_package, made / "plain", Policy())


def test_open_signed(benchmark: Any, made: Path) -> None:
    benchmark(open_package, made / "signed", Policy(public_key=made / "key.pub"))


def test_open_signed_and_encrypted(benchmark: Any, made: Path) -> None:
    benchmark(open_package, made / "both", Policy(public_key=made / "key.pub", master_key=KEYS[0]))


def test_sign(benchmark: Any, made: Path) -> None:
    benchmark(sign, made / "signed", made / "key")


def test_verify_signature(benchmark: Any, made: Path) -> None:
    benchmark(verify_signature, made / "signed", Policy(public_key=made / "key.pub"))


def test_encrypt(benchmark: Any, made: Path, tmp_path: Path) -> None:
    def fresh() -> None:
        shutil.rmtree(tmp_path / "p", ignore_errors=True)
        shutil.copytree(made / "plain", tmp_path / "p")

    benchmark.pedantic(lambda: encrypt(tmp_path / "p", KEYS[0]), setup=fresh, rounds=5)


def test_rotate(benchmark: Any, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "both", tmp_path / "p")
    keys = list(KEYS)

    def back_and_forth() -> None:
        rotate(tmp_path / "p", *keys)
        keys.reverse()

    benchmark(back_and_forth)
