"""Garbage collection: what no version needs goes, what one needs never does."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registry_models
from sqlalchemy import select, update

from maas_engine.errors import Conflict, InvalidArgument, NotFound, Overloaded, Unavailable
from maas_engine.registry import Registry, _blobs, _events, _garbage
from maas_engine.registry import _tables as t


def stored(registry: Registry) -> set[str]:
    return {blob.sha256 for blob in registry.store.list()}


def referenced(registry: Registry) -> set[str]:
    with registry.database.read() as connection:
        return set(connection.execute(select(t.files.c.sha256)).scalars())


def rows(registry: Registry) -> set[str]:
    with registry.database.read() as connection:
        return set(connection.execute(select(t.blobs.c.sha256)).scalars())


def end_leases(registry: Registry) -> None:
    with registry.database.write() as connection:
        connection.execute(update(t.blobs).values(lease=0))


def put(registry: Registry, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    registry.store.put(digest, data)
    return digest


def test_nothing_to_collect(registry: Registry) -> None:
    report = registry.collect_garbage(grace=0)
    assert report == _garbage.GarbageReport((), 0, 0, (), False)
    registry.register("m", registry_models.linear())
    end_leases(registry)
    before = registry.audit()
    assert registry.collect_garbage(grace=0) == report
    assert registry.audit() == before  # no event for nothing
    registry.load("models:/m/1")


def test_only_what_no_version_needs_goes(registry: Registry, tmp_path: Path) -> None:
    model = registry_models.linear(1)
    model.package(tmp_path / "package")
    for name in ("a", "b"):  # share every file
        registry.register(name, tmp_path / "package")
    registry.register("a", registry_models.linear(2))
    end_leases(registry)
    registry.delete_version("a", 1)
    assert registry.collect_garbage(grace=0).blobs == ()
    registry.delete_version("a", 2)
    wanted = referenced(registry)
    garbage = rows(registry) - wanted
    assert garbage
    size = sum(blob.size for blob in registry.store.list() if blob.sha256 in garbage)
    for dry_run in (True, False):
        report = registry.collect_garbage(grace=0, dry_run=dry_run)
        assert report == _garbage.GarbageReport(tuple(sorted(garbage)), size, 0, (), dry_run)
        assert stored(registry) == (wanted | garbage if dry_run else wanted)
    assert rows(registry) == wanted
    registry.load("models:/b/1")
    (event,) = [event for event in registry.history() if event.action == "garbage.collect"]
    assert event.detail == {"blobs": len(garbage), "size": size}
    assert registry.audit().whole


def test_what_an_upload_has_claimed_stays(small_registry: Registry) -> None:
    registry = small_registry
    digest = put(registry, b"on its way")
    with registry.database.write() as connection:
        _blobs.claim(connection, {digest: 10})
    assert registry.collect_garbage(grace=0).blobs == ()
    end_leases(registry)
    assert registry.collect_garbage(grace=0).blobs == (digest,)
    assert not registry.store.exists(digest)


def test_grace_counts_from_the_claim(small_registry: Registry) -> None:
    registry = small_registry
    digest = put(registry, b"a")
    with registry.database.write() as connection:
        _blobs.claim(connection, {digest: 1})
        lease = _events.now() - 500 * 10**6  # so that the claim was made 500 seconds and a lease ago
        connection.execute(update(t.blobs).values(lease=lease))
    os.utime(next(path for path in Path(str(registry.store)).rglob("*") if path.is_file()), (0, 0))
    assert registry.collect_garbage(grace=_garbage.LEASE + 600).blobs == ()
    assert registry.collect_garbage(grace=_garbage.LEASE + 400).blobs == (digest,)


def test_files_without_a_row_go_after_the_grace(small_registry: Registry) -> None:
    registry = small_registry
    digest = put(registry, b"stray")
    assert registry.collect_garbage(grace=60).blobs == ()
    assert registry.collect_garbage(grace=0, dry_run=True).blobs == (digest,)
    report = registry.collect_garbage(grace=0)
    assert (report.blobs, report.size) == ((digest,), 5)
    assert stored(registry) == set()
    assert [event.detail for event in registry.history()] == [{"blobs": 1, "size": 5}]


def test_unfinished_uploads_go_when_none_can_be_running(small_registry: Registry) -> None:
    registry = small_registry
    folder = Path(str(registry.store)) / "ab"
    folder.mkdir(parents=True)
    for name, age in (("old", _garbage.LEASE + 60), ("new", 60)):
        path = folder / f".unfinished.{name}"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    assert registry.collect_garbage(grace=0, dry_run=True).uploads == 1
    assert registry.collect_garbage(grace=0).uploads == 1
    assert [path.name for path in folder.iterdir()] == [".unfinished.new"]


def test_missing_files_are_named_and_brought_back_by_registering_again(
    registry: Registry, tmp_path: Path
) -> None:
    model = registry_models.linear(3)
    model.package(tmp_path / "package")
    registry.register("m", tmp_path / "package")
    lost = sorted(stored(registry))[:2]
    registry.store.delete(*lost)
    for dry_run in (True, False):
        assert registry.collect_garbage(grace=0, dry_run=dry_run).missing == tuple(lost)
    registry.register("m", tmp_path / "package")
    assert registry.collect_garbage(grace=0).missing == ()
    X = np.ones((2, 3))
    assert np.array_equal(registry.load("models:/m/1").predict(X), model.predict(X))


@pytest.mark.parametrize("grace", [-1, float("nan"), float("inf")])
def test_the_grace_is_checked(small_registry: Registry, grace: float) -> None:
    with pytest.raises(InvalidArgument, match="grace"):
        small_registry.collect_garbage(grace=grace)


def test_many_batches(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = small_registry
    monkeypatch.setattr(_garbage, "_BATCH", 7)
    claimed = {put(registry, f"{i}".encode()): len(f"{i}") for i in range(30)}
    strays = {put(registry, f"stray {i}".encode()) for i in range(20)}
    with registry.database.write() as connection:
        _blobs.claim(connection, claimed)
    end_leases(registry)
    assert set(registry.collect_garbage(grace=0, dry_run=True).blobs) == set(claimed) | strays
    report = registry.collect_garbage(grace=0)
    assert set(report.blobs) == set(claimed) | strays
    assert stored(registry) == rows(registry) == set()
    assert sum(event.detail["blobs"] for event in registry.history()) == 50


def test_the_store_goes_down_in_the_middle(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.register("m", registry_models.linear(1))
    registry.register("m", registry_models.linear(2))
    end_leases(registry)
    registry.delete_version("m", 1)
    audit = registry.audit()
    delete_some = registry.store.delete

    def fail(*digests: str) -> None:
        delete_some(digests[0])
        raise Unavailable("[registry] the store is gone")

    with monkeypatch.context() as patch:
        patch.setattr(registry.store, "delete", fail)
        with pytest.raises(Unavailable):
            registry.collect_garbage(grace=0)
    assert registry.audit() == audit
    registry.register("n", registry_models.linear(1))  # the same files: all must be there again
    end_leases(registry)
    registry.load("models:/n/1")
    registry.collect_garbage(grace=0)
    assert stored(registry) == referenced(registry)


def test_a_claim_between_marking_and_removing_wins(
    small_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = small_registry
    registry.register("m", registry_models.linear(1))
    end_leases(registry)
    registry.delete_version("m", 1)
    points = []

    def register(name: str) -> None:
        points.append(name)
        if name == "gc.marked":
            with monkeypatch.context() as patch:
                patch.setattr(_garbage, "point", points.append)
                registry.register("n", registry_models.linear(1))

    monkeypatch.setattr(_garbage, "point", register)
    report = registry.collect_garbage(grace=0)
    wanted = referenced(registry)
    assert not wanted & set(report.blobs)
    assert wanted <= stored(registry)
    registry.load("models:/n/1")
    assert "gc.marked" in points


# --- many processes ---------------------------------------------------------------------------------------


def _churn(url: str, folder: Path, seed: int, errors: Any) -> None:
    """Register, delete, collect and load, with leases so short that uploads are collected under way."""
    try:
        _blobs.LEASE = 0.2  # type: ignore[assignment]
        _garbage.LEASE = 0.3  # type: ignore[assignment]  # later, for files are as old as the system's clock ticks
        registry = Registry(url, str(folder / "blobs"), cache=folder / f"cache{seed}", actor=f"p{seed}")
        draw = random.Random(seed)
        for _ in range(20):
            name = draw.choice("ab")
            action = draw.choice(["register", "register", "delete", "delete", "collect"])
            try:
                if action == "register":  # few models, so that processes fight for the same files
                    registry.register(name, folder / f"package{draw.randrange(3)}")
                elif action == "delete":
                    registry.delete_version(name, draw.choice(registry.versions(name)).version)
                else:
                    registry.collect_garbage(grace=0)
            except (NotFound, IndexError, Conflict, Overloaded):
                pass
        registry.close()
    except BaseException as error:
        errors.put(f"{type(error).__name__}: {error}")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_never_a_referenced_file(database_url: str, tmp_path: Path) -> None:
    for seed in range(3):
        registry_models.linear(seed).package(tmp_path / f"package{seed}")
    registry = Registry(database_url, str(tmp_path / "blobs"), cache=tmp_path / "cache")
    for name in ("a", "b"):
        registry.register(name, tmp_path / "package0")
    end_leases(registry)
    registry.close()
    context = multiprocessing.get_context("fork")
    errors = context.SimpleQueue()
    processes = [
        context.Process(target=_churn, args=(database_url, tmp_path, seed, errors)) for seed in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert errors.empty(), errors.get()
    assert registry.collect_garbage(grace=0).missing == ()
    for name in ("a", "b"):
        for version in registry.versions(name):
            registry.load(f"models:/{name}/{version.version}")
    assert registry.audit().whole
    with registry.database.read() as connection:
        actions = set(connection.execute(select(t.events.c.action)).scalars())
    assert {"version.register", "version.delete"} <= actions  # it did happen
    end_leases(registry)
    registry.collect_garbage(grace=0)
    assert stored(registry) == referenced(registry) == rows(registry)
    for name in ("a", "b"):
        for version in registry.versions(name):
            registry.delete_version(name, version.version)
    registry.collect_garbage(grace=0)
    assert stored(registry) == rows(registry) == set()
    registry.close()
