"""Models and versions: registering, reading, writing on them, deleting. On SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from registry_models import linear

from maas_engine.errors import Conflict, FormatError, InvalidArgument, NotFound
from maas_engine.package import write
from maas_engine.registry import Registry

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
