"""Changes for faults to interrupt, each run in a process of its own; and what must hold afterwards."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import registry_models
from sqlalchemy import select, update

import maas_engine
from maas_engine import _faults
from maas_engine.errors import MaasError, PermissionDenied
from maas_engine.package import (
    Policy,
    decrypt,
    encrypt,
    generate_signing_key,
    open_package,
    rotate,
    sign,
    verify_signature,
)
from maas_engine.registry import GateFailed, MetricThreshold, Registry
from maas_engine.registry import _tables as t

KEYS = (b"a" * 32, b"b" * 32)
ROOT = Path(maas_engine.__file__).parent
REFUSED = 3  # exit code of a child whose change ended in an error


class Place(NamedTuple):
    """A folder with packages, and a registry."""

    folder: Path
    url: str
    store: str

    def open(self) -> Registry:
        return Registry(self.url, self.store, cache=self.folder / "cache", actor="ann", policy=Policy())


def points() -> set[str]:
    """The names of all points in the source: each call gives one in full."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", None) == "point"
                and path.name != "_faults.py"
            ):
                (argument,) = node.args
                assert isinstance(argument, ast.Constant), f"{path}: a point's name, written in full"
                found.add(argument.value)
    return found


GATES = [MetricThreshold("auc", ">=", 0.85)]


# --- the changes ------------------------------------------------------------------------------------------


def prepare(place: Place) -> None:
    """Two versions and an alias that moved, garbage, and packages to work on."""
    folder = place.folder
    for seed in range(4):
        registry_models.linear(seed).package(folder / f"package{seed}")
    registry = place.open()
    registry.register("m", folder / "package0", metrics={"auc": 0.8})
    registry.register("m", folder / "package1", metrics={"auc": 0.9})
    registry.register("old", folder / "package2")
    registry.register("other", folder / "package1")
    registry.set_alias("m", "champion", 2)
    registry.set_alias("m", "champion", 1)
    registry.protect_alias("m", "guarded", GATES)
    registry.register("m", folder / "package2")
    registry.delete_version("m", 3)
    registry.delete_model("old")  # package2 is garbage now
    end_leases(registry)
    registry.close()
    for name in ("sealed", "opened"):
        shutil.copytree(folder / "package0", folder / name)
    encrypt(folder / "sealed", KEYS[0])
    generate_signing_key(folder / "key")


def _registry(change: Callable[[Registry, Path], object]) -> Callable[[Place], None]:
    def run(place: Place) -> None:
        registry = place.open()
        try:
            change(registry, place.folder)
        finally:
            registry.close()

    return run


def _collect(registry: Registry, folder: Path) -> None:
    registry.collect_garbage(grace=0)


SCENARIOS: dict[str, Callable[[Place], None]] = {
    "register a new model": _registry(lambda r, folder: r.register("new", folder / "package3")),
    "register a version": _registry(lambda r, folder: r.register("m", folder / "package3")),
    "register what is there": _registry(lambda r, folder: r.register("m", folder / "package0")),
    "register what is garbage": _registry(lambda r, folder: r.register("m", folder / "package2")),
    "register a model object": _registry(lambda r, folder: r.register("m", registry_models.linear(3))),
    "set an alias": _registry(lambda r, folder: r.set_alias("m", "new", 1)),
    "delete an alias": _registry(lambda r, folder: r.delete_alias("m", "champion")),
    "protect an alias": _registry(lambda r, folder: r.protect_alias("m", "champion", GATES)),
    "unprotect an alias": _registry(lambda r, folder: r.unprotect_alias("m", "guarded")),
    "roll back": _registry(lambda r, folder: r.rollback("m", "champion")),
    "annotate": _registry(lambda r, folder: r.set_tag("m", "key", "value", version=1)),
    "delete a version": _registry(lambda r, folder: r.delete_version("m", 2)),
    "delete a model": _registry(lambda r, folder: r.delete_model("other")),
    "collect garbage": _registry(_collect),
    "promote": _registry(lambda r, folder: r.promote("m", 2, gates=GATES)),
    "be refused": _registry(lambda r, folder: _refuse(r)),
    "load": _registry(lambda r, folder: r.load("models:/m@champion")),
    "package": lambda place: _package(place.folder / "new"),
    "encrypt": lambda place: encrypt(place.folder / "opened", KEYS[1]),
    "decrypt": lambda place: decrypt(place.folder / "sealed", KEYS[0]),
    "rotate": lambda place: rotate(place.folder / "sealed", *KEYS),
    "sign": lambda place: sign(place.folder / "opened", place.folder / "key"),
}


OF_PACKAGES = ("package", "encrypt", "decrypt", "rotate", "sign")  # have no registry
OF_STORES = ("register a version", "register what is garbage", "collect garbage", "load")


def _package(folder: Path) -> None:
    registry_models.linear(5).package(folder)


def _refuse(registry: Registry) -> None:
    with contextlib.suppress(GateFailed):
        registry.promote("m", 2, gates=[MetricThreshold("auc", ">=", 0.99)])


# --- in the child -----------------------------------------------------------------------------------------


def run(name: str, place: Place, fault: str, environment: Mapping[str, str]) -> None:
    """Do a change with a fault; where it ends in an error, say which, and do it again without."""
    os.environ.update(environment)
    os.environ[_faults.VARIABLE] = fault
    try:
        SCENARIOS[name](place)
    except (MaasError, OSError) as error:
        del os.environ[_faults.VARIABLE]
        (place.folder / "error").write_text(f"{type(error).__name__}: {error}")
        sys.exit(REFUSED)


def trace(name: str, place: Place, environment: Mapping[str, str]) -> None:
    """Do a change and write down the points that it passes, in the file ``passed``."""
    os.environ.update(environment)
    passed: list[str] = []
    _faults._passed_points = passed  # type: ignore[attr-defined]
    _faults.point.__code__ = _record.__code__  # also where it was imported by name
    SCENARIOS[name](place)
    (place.folder / "passed").write_text("\n".join(passed))


def _record(name: str) -> None:
    _passed_points.append(name)  # type: ignore[name-defined]  # noqa: F821


# --- what must hold ---------------------------------------------------------------------------------------


def end_leases(registry: Registry) -> None:
    with registry.database.write() as connection:
        connection.execute(update(t.blobs).values(lease=0))


def state(place: Place) -> dict[str, Any]:
    """What a user sees: models, versions, aliases, tags, and packages. Every version loads, every package opens."""
    # Others are packed by a change itself, at another time each time.
    known = {open_package(place.folder / f"package{seed}").digest: seed for seed in range(4)}
    registry = place.open()
    try:
        assert registry.audit(), registry.audit().problems
        seen: dict[str, Any] = {}
        for model in registry.models():
            versions = registry.versions(model.name)
            rows = [(v.version, known.get(v.digest), v.tags, v.metrics) for v in versions]
            seen[model.name] = (model.aliases, registry.protections(model.name), model.tags, rows)
            for version in versions:
                shutil.rmtree(place.folder / "cache", ignore_errors=True)
                registry.load(version.uri).predict(np.ones((1, 3)))
    finally:
        registry.close()
    for path in sorted(place.folder.iterdir()):
        if (path / "manifest.json").exists() and not path.name.startswith("."):
            seen[path.name] = _package_state(path, known)
    return seen


def _package_state(path: Path, known: Mapping[str, int]) -> tuple[int | None, bool, bool, list[int]]:
    """What it holds, whether it is encrypted and signed, and which keys open it."""
    opens = []
    for number, key in enumerate(KEYS):
        with contextlib.suppress(PermissionDenied):
            package = open_package(path, Policy(master_key=key))
            opens.append(number)
    assert opens, f"{path} opens with no key"
    signed = (path / "model.sig").exists()
    if signed:
        verify_signature(path, Policy(public_key=path.parent / "key.pub"))
    return known.get(package.digest), package.encrypted, signed, opens


def settle(place: Place) -> None:
    """A collection long after leaves exactly what versions refer to, and nothing half done."""
    registry = place.open()
    try:
        end_leases(registry)
        if "://" not in place.store:
            for path in Path(place.store).rglob(".unfinished.*"):
                os.utime(path, (0, 0))
        report = registry.collect_garbage(grace=0)
        assert report.missing == ()
        with registry.database.read() as connection:
            referenced = set(connection.execute(select(t.files.c.sha256)).scalars())
            rows = set(connection.execute(select(t.blobs.c.sha256)).scalars())
        assert {blob.sha256 for blob in registry.store.list()} == referenced == rows
        if "://" not in place.store:
            assert list(Path(place.store).rglob(".unfinished.*")) == []
        assert registry.audit(), registry.audit().problems
    finally:
        registry.close()
