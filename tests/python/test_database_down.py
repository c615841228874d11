"""SQLite that does not answer, or lies: what was loaded before still loads, nothing is written elsewhere.

PostgreSQL's turn is in test_registry_database.
"""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import registry_models
from sqlalchemy import update

from maas_engine.errors import FormatError, Overloaded, Unavailable
from maas_engine.registry import Registry, _database
from maas_engine.registry import _tables as t


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _replaced(path: Path) -> Iterator[None]:
    os.rename(path, path.with_name("moved"))
    path.mkdir()
    yield
    path.rmdir()
    os.rename(path.with_name("moved"), path)


@pytest.mark.parametrize("down", [_locked, _replaced])
def test_cached_packages_still_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, down: Callable[[Path], contextmanager[None]]
) -> None:
    monkeypatch.setattr(_database, "WAIT", 0.1)
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as registry:
        for seed in (1, 2):
            registry.register("m", registry_models.linear(seed))
        registry.set_alias("m", "champion", 1)
        registry.register("m", registry_models.linear(3))
        for uri in ("models:/m@champion", "models:/m/latest"):
            registry.load(uri)
    with (
        down(tmp_path / "registry" / "registry.db"),
        Registry(tmp_path / "registry", cache=tmp_path / "cache") as again,
    ):
        for uri, seed in (("models:/m@champion", 1), ("models:/m/latest", 3)):
            with pytest.warns(UserWarning, match=rf"{uri} is version {seed}, as of \d+ seconds ago"):
                assert again.load(uri).to_bytes() == registry_models.linear(seed).to_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for number in (1, 3):  # known by the aliases that meant them; they never mean another
                model = again.load(f"models:/m/{number}")
                assert model.to_bytes() == registry_models.linear(number).to_bytes()
        with pytest.raises((Unavailable, Overloaded)):
            again.load("models:/m/2")  # which was never loaded
        with pytest.raises((Unavailable, Overloaded)):
            again.register("m", registry_models.linear(4))
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as again:
        assert [version.version for version in again.versions("m")] == [3, 2, 1]


def test_a_tampered_copy_does_not_load_either(tmp_path: Path) -> None:
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as registry:
        registry.register("m", registry_models.linear(1))
        digest = registry.package("models:/m/1").digest
    path = tmp_path / "cache" / "packages" / digest / "model.onnx"
    path.write_bytes(registry_models.linear(2).to_bytes())
    with (
        _replaced(tmp_path / "registry" / "registry.db"),
        Registry(tmp_path / "registry", cache=tmp_path / "cache") as again,
        pytest.warns(UserWarning, match=r"cache was changed .*'model.onnx'"),
        pytest.raises(Unavailable),
    ):
        again.load("models:/m/1")
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as again:
        assert again.load("models:/m/1").to_bytes() == registry_models.linear(1).to_bytes()


def test_copies_of_two_packages_swapped(tmp_path: Path) -> None:
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as registry:
        digests = []
        for seed in (1, 2):
            registry.register("m", registry_models.linear(seed))
            digests.append(registry.package(f"models:/m/{seed}").digest)
        one, two = (tmp_path / "cache" / "packages" / digest for digest in digests)
        os.rename(one, one.with_name(".swap"))
        os.rename(two, one)
        os.rename(one.with_name(".swap"), two)
        for seed in (1, 2):
            with pytest.warns(UserWarning, match="cache was changed"):
                assert (
                    registry.load(f"models:/m/{seed}").to_bytes() == registry_models.linear(seed).to_bytes()
                )


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "..", "a/b", "a\\b", ""])
def test_a_file_named_out_of_its_folder_in_the_database(tmp_path: Path, name: str) -> None:
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as registry:
        registry.register("m", registry_models.linear(1))
        with registry.database.write() as connection:
            rows = update(t.files).where(t.files.c.path == "model.onnx")
            connection.execute(rows.values(path=name.replace("/escaped", str(tmp_path / "escaped"))))
        with pytest.raises(FormatError, match="plain name"):
            registry.load("models:/m/1")
        assert not registry.audit()
    assert {path.name for path in tmp_path.iterdir()} == {"registry", "cache"}
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_digest_that_is_a_path_in_the_database(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with Registry(tmp_path / "registry", cache=tmp_path / "cache") as registry:
        registry.register("m", registry_models.linear(1))
        with registry.database.write() as connection:
            connection.execute(update(t.versions).values(digest="../../precious"))
        with pytest.raises(FormatError, match="digest"):
            registry.load("models:/m/1")
    assert (tmp_path / "precious").is_dir()
