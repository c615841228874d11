"""Models and versions: registering, reading, writing on them, deleting. On SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from registry_models import linear
from sqlalchemy import event

import maas_engine
from maas_engine.errors import Conflict, FormatError, InvalidArgument, NotFound, PermissionDenied, Unavailable
from maas_engine.package import Policy, encrypt, generate_master_key, generate_signing_key, sign, write
from maas_engine.registry import Registry, _blobs
from maas_engine.registry._cache import Cache

ROWS = np.array([[1.0, 2.0, 3.0]])


def test_a_registered_model_is_loaded_with_the_same_bits(registry: Registry) -> None:
    model = linear(1)
    version = registry.register("credit", model)
    assert (version.name, version.version, version.uri) == ("credit", 1, "models:/credit/1")
    loaded = registry.load("models:/credit/1")
    assert loaded.predict(ROWS).tobytes() == model.predict(ROWS).tobytes()


def test_a_version_tells_what_was_registered(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    package = write(
        linear(2),
        folder,
        metrics={"auc": 0.5, "loss": 2.0},
        description="the package's",
        lineage={"code": "abc"},
    )
    before = datetime.datetime.now(datetime.timezone.utc)
    version = registry.register(
        "credit", folder, tags={"team": "risk"}, metrics={"auc": 0.75}, reason="weekly"
    )
    assert version.digest == package.digest
    assert version.manifest == package.manifest
    assert version.description == "the package's"
    assert version.tags == {"team": "risk"}
    assert version.metrics == {"auc": 0.75, "loss": 2.0}
    assert version.aliases == ()
    assert version.parent is None
    assert version.created_by == "ann"
    assert datetime.timedelta(0) <= version.created - before < datetime.timedelta(minutes=1)
    assert version.created.tzinfo is datetime.timezone.utc
    assert set(version.files) == set(package.files())
    assert version.files["model.onnx"] == package.manifest.files["model.onnx"]
    assert version == registry.get_version("credit", 1) == registry.get_version("credit", "1")
    assert "models:/credit/1" in repr(version)
    assert "auc=0.75" in repr(version)
    assert registry.history("credit")[-1].reason == "weekly"


def test_every_kind_of_source(registry: Registry, tmp_path: Path) -> None:
    model = linear(3)
    package = write(model, tmp_path / "package")
    model.save(tmp_path / "model.onnx")
    assert registry.register("a", package).digest == package.digest
    assert registry.register("a", str(tmp_path / "package")).digest == package.digest
    assert registry.register("a", tmp_path / "model.onnx").version == 3
    assert registry.register("a", model).version == 4
    expected = model.predict(ROWS).tobytes()
    assert {registry.load(f"models:/a/{n}").predict(ROWS).tobytes() for n in (1, 2, 3, 4)} == {expected}
    with pytest.raises(InvalidArgument, match="expected a package"):
        registry.register("a", 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="X_reference"):
        registry.register("a", package, X_reference=ROWS)
    with pytest.raises((OSError, NotFound)):
        registry.register("a", tmp_path / "absent")


def test_a_package_that_was_changed_is_not_registered(registry: Registry, tmp_path: Path) -> None:
    package = write(linear(4), tmp_path / "package")
    path = package.path / "model.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for source in (package, package.path):
        with pytest.raises(FormatError, match=r"model\.onnx"):
            registry.register("credit", source)
    assert registry.models() == []
    assert registry.history() == []


def test_numbers_count_up_and_are_never_given_again(registry: Registry) -> None:
    assert [registry.register("a", linear(seed)).version for seed in range(3)] == [1, 2, 3]
    registry.delete_version("a", 3)
    assert registry.register("a", linear(3)).version == 4
    assert [version.version for version in registry.versions("a")] == [4, 2, 1]
    registry.delete_model("a")
    assert registry.models() == []
    assert registry.register("a", linear(4)).version == 5
    assert registry.get_model("a").latest == 5


def test_latest_is_the_newest_number(registry: Registry) -> None:
    registry.create_model("a", description="empty")
    with pytest.raises(NotFound, match="expected a version of 'a'"):
        registry.get_version("a")
    registry.register("a", linear(0))
    registry.register("a", linear(1))
    assert registry.get_version("a").version == registry.resolve("models:/a/latest").version == 2
    registry.delete_version("a", 2)
    assert registry.get_version("a").version == 1


def test_models_tell_their_aliases_and_tags(registry: Registry) -> None:
    registry.create_model("b", description="second", tags={"team": "risk"})
    registry.register("a", linear(0))
    registry.set_alias("a", "champion", 1)
    first, second = registry.models()
    assert (first.name, first.aliases, first.latest, first.created_by) == ("a", {"champion": 1}, 1, "ann")
    assert (second.name, second.tags, second.latest, second.description) == (
        "b",
        {"team": "risk"},
        None,
        "second",
    )
    with pytest.raises(Conflict, match="registered"):
        registry.create_model("a")
    with pytest.raises(NotFound, match="registered model"):
        registry.get_model("c")


def test_tags_descriptions_and_metrics(registry: Registry) -> None:
    registry.register("a", linear(0), tags={"x": "1"})
    registry.set_tag("a", "x", "2", version=1)
    registry.set_tag("a", "y", "", version=1)
    registry.set_tag("a", "owner", "ann")
    registry.set_description("a", "a model")
    registry.set_description("a", "a version", version=1)
    registry.add_metrics("a", 1, {"auc": 1, "loss": 0.1})
    registry.add_metrics("a", 1, {"auc": -0.0})
    version, model = registry.get_version("a"), registry.get_model("a")
    assert version.tags == {"x": "2", "y": ""}
    assert version.description == "a version"
    assert {key: str(value) for key, value in version.metrics.items()} == {"auc": "0.0", "loss": "0.1"}
    assert (model.tags, model.description) == ({"owner": "ann"}, "a model")
    registry.delete_tag("a", "x", version=1)
    registry.delete_tag("a", "owner")
    assert registry.get_version("a").tags == {"y": ""}
    assert registry.get_model("a").tags == {}
    events = len(registry.history())
    with pytest.raises(NotFound, match="tag"):
        registry.delete_tag("a", "x", version=1)
    with pytest.raises(NotFound, match="version 2"):
        registry.set_tag("a", "x", "1", version=2)
    assert len(registry.history()) == events  # what failed left no trace
    assert registry.audit()


def test_a_version_in_use_is_not_deleted(registry: Registry) -> None:
    first = registry.register("a", linear(0))
    child = registry.register("b", linear(1), parent=first)
    assert child.parent == "models:/a/1"
    registry.register("a", linear(2), parent=1)
    registry.register("a", linear(3), parent="models:/a/2")
    registry.set_alias("a", "champion", 3)
    with pytest.raises(Conflict, match=r"'champion'"):
        registry.delete_version("a", 3)
    with pytest.raises(Conflict, match="made from it"):
        registry.delete_version("a", 1)
    with pytest.raises(Conflict, match="aliases"):
        registry.delete_model("a")
    registry.delete_alias("a", "champion")
    with pytest.raises(Conflict, match="'b'"):
        registry.delete_model("a")
    registry.delete_model("b")
    registry.delete_model("a")  # with versions made from each other
    assert registry.models() == []
    assert registry.audit()
    with pytest.raises(NotFound):
        registry.register("c", linear(0), parent=first)
    with pytest.raises(InvalidArgument, match="by its number"):
        registry.register("c", linear(0), parent="models:/a@champion")
    assert registry.models() == []


def test_statements_do_not_grow_with_what_there_is(small_registry: Registry, tmp_path: Path) -> None:
    registry, statements = small_registry, [0]
    package = write(linear(0), tmp_path / "package")
    registry.register("a", package)

    def count(*_: Any) -> None:
        statements[0] += 1

    event.listen(registry.database._open(), "before_cursor_execute", count)

    def cost(use: Callable[[], object]) -> int:
        statements[0] = 0
        use()
        return statements[0]

    def costs() -> list[int]:
        return [
            cost(lambda: registry.register("a", package, tags={"a": "b"}, metrics={"auc": 0.5})),
            cost(lambda: registry.set_alias("a", "champion", registry.get_version("a").version)),
            cost(lambda: registry.resolve("models:/a@champion")),
            cost(lambda: registry.versions("a")),
            cost(registry.models),
        ]

    first = costs()
    for n in range(10):
        registry.register("a", package)
        registry.register(f"b{n}", package)
    assert costs() == first
    # BEGIN counts: register is two transactions, of which the second alone is flushed to the disk.
    assert first <= [17, 15, 6, 7, 5]


def test_an_upload_swept_away_after_its_lease_begins_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_all, calls = registry.store.put_all, 0

    def swept(blobs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != 2:
            monkeypatch.setattr(_blobs, "LEASE", 3600)
            raise Unavailable("[registry] no use of the store")
        return put_all(blobs)

    monkeypatch.setattr(registry.store, "put_all", swept)
    monkeypatch.setattr(_blobs, "LEASE", 0)
    assert registry.register("a", linear(0)).version == 1
    assert calls == 2
    with pytest.raises(Unavailable):  # within its lease the store is to blame
        registry.register("a", linear(1))
    assert calls == 3


def test_what_register_returns_is_what_the_database_has(registry: Registry, tmp_path: Path) -> None:
    package = write(linear(0), tmp_path / "package", metrics={"b": 1}, description="first")
    parent = registry.register("z", linear(1))
    for version in (
        parent,
        registry.register("a", package, tags={"y": "1", "x": "2"}, metrics={"auc": 0.5}, parent=parent),
        registry.register("a", package),
    ):
        found = registry.get_version(version.name, version.version)
        assert version == found
        assert version.manifest == found.manifest


def test_only_the_claim_of_an_upload_may_be_lost_in_a_power_cut(tmp_path: Path) -> None:
    with Registry(tmp_path, cache=tmp_path / "cache", policy=Policy()) as registry:
        levels = []

        def note(connection: Any) -> None:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

        event.listen(registry.database._open(), "commit", note)
        registry.register("a", linear(0))
        registry.set_alias("a", "champion", 1)
        normal, full = 1, 2
        assert levels == [normal, full, full]


def test_a_registry_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20 é;'x"
    with Registry(folder, cache=tmp_path / "cache", policy=Policy()) as registry:
        registry.register("a", linear(0))
        assert registry.load("models:/a/1").to_bytes() == linear(0).to_bytes()
        assert "blobs" in repr(registry)
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "registry.db"]


def test_load_by_uri_finds_the_registry_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setenv("MAAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MAAS_ACTOR", "pipeline 7")
    with Registry() as registry:
        assert registry.register("credit", linear(5)).created_by == "pipeline 7"
        registry.set_alias("credit", "champion", 1)
    assert maas_engine.load("models:/credit@champion").to_bytes() == linear(5).to_bytes()


def test_the_policy_counts_when_registering_and_when_loading(tmp_path: Path) -> None:
    key, other = (generate_signing_key(tmp_path / name) for name in ("key.pem", "other.pem"))
    write(linear(0), tmp_path / "unsigned")
    write(linear(0), tmp_path / "signed")
    sign(tmp_path / "signed", tmp_path / "key.pem")

    def opened(policy: Policy) -> Registry:
        return Registry(tmp_path / "registry", cache=tmp_path / "cache", policy=policy)

    with opened(Policy(public_key=key)) as registry:
        with pytest.raises(PermissionDenied, match=r"model\.sig"):
            registry.register("a", tmp_path / "unsigned")
        with pytest.raises(PermissionDenied, match=r"model\.sig"):
            registry.register("a", linear(0))
        assert registry.models() == []
        version = registry.register("a", tmp_path / "signed")
        assert "model.sig" in version.files
        assert registry.package("models:/a/1").signed
    with opened(Policy()) as registry:
        unsigned = registry.register("a", tmp_path / "unsigned")  # the same manifest, so the same digest
        assert unsigned.digest == version.digest
        assert not registry.package("models:/a/2").signed
    with opened(Policy(public_key=key)) as registry:
        assert registry.package("models:/a/1").signed  # though the cache may hold the other's files
        registry.cache = Cache(tmp_path / "another", 2**30)
        with pytest.raises(PermissionDenied):
            registry.load("models:/a/2")
    with opened(Policy(public_key=other)) as registry, pytest.raises(PermissionDenied):
        registry.load("models:/a/1")


def test_an_encrypted_package_is_kept_encrypted(tmp_path: Path) -> None:
    key = generate_master_key(tmp_path / "master.key")
    write(linear(0), tmp_path / "package", metrics={"auc": 0.5})
    encrypt(tmp_path / "package", key)
    with Registry(tmp_path / "registry", cache=tmp_path / "cache", policy=Policy(master_key=key)) as registry:
        version = registry.register("a", tmp_path / "package")
        assert {"model.onnx.enc", "encryption.json"} <= set(version.files)
        assert version.metrics == {"auc": 0.5}  # the manifest stays readable
        assert registry.load("models:/a/1").to_bytes() == linear(0).to_bytes()
        assert registry.audit()
    with Registry(tmp_path / "registry", cache=tmp_path / "cache", policy=Policy()) as registry:
        with pytest.raises(PermissionDenied):
            registry.load("models:/a/1")
        assert registry.get_version("a").digest == version.digest


def test_versions_can_be_pickled(small_registry: Registry) -> None:
    version = small_registry.register("a", linear(0), tags={"a": "b"})
    assert pickle.loads(pickle.dumps(version)) == version


def test_an_upload_that_outlives_its_lease_begins_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_all, calls = registry.store.put_all, 0

    def slow(blobs: Any) -> Any:
        nonlocal calls
        calls += 1
        sizes = put_all(blobs)
        if calls == 1:  # meanwhile the lease is over, and a collection takes what was put
            assert len(registry.collect_garbage(grace=0.0).blobs) == len(blobs)
            monkeypatch.setattr(_blobs, "LEASE", 3600)
        return sizes

    monkeypatch.setattr(_blobs, "LEASE", 0)
    monkeypatch.setattr(registry.store, "put_all", slow)
    version = registry.register("a", linear(0))
    assert (version.version, calls) == (1, 2)
    assert registry.load(version.uri).to_bytes() == linear(0).to_bytes()
    monkeypatch.setattr(_blobs, "LEASE", 0)
    with pytest.raises(Conflict, match="longer than its lease"):
        registry.register("a", linear(1))
    assert [each.version for each in registry.versions("a")] == [1]
    assert registry.audit()
