"""Packages: what is written is what opens, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks.packages import reseal
from small_models import classifier, linear, mixed, rows

import maas_engine
from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound
from maas_engine.monitoring import Profile
from maas_engine.package import Policy, digest, open_package, read_manifest


def same_bits(a: Any, b: Any) -> bool:
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("labels", [["a", "b", "Ω"], [3, 1, 2]], ids=["text", "integers"])
def test_a_package_gives_the_model_back(tmp_path: Path, labels: list[Any]) -> None:
    model = classifier(labels)
    package = model.package(
        tmp_path / "p",
        X_reference=rows(50),
        name="credit",
        metrics={"auc": np.float64(0.75)},
        parameters={"C": np.float32(0.5), "solver": "lbfgs", "classes": np.arange(3), "penalty": None},
        lineage={"data": "sha256:00"},
        description="Who pays back.",
    )
    opened = open_package(tmp_path / "p", Policy())
    assert opened == package
    assert opened.manifest.name == "credit"
    assert opened.manifest.metrics == {"auc": 0.75}
    assert opened.manifest.parameters == {"C": 0.5, "solver": "lbfgs", "classes": [0, 1, 2], "penalty": None}
    assert opened.manifest.labels == labels
    assert (opened.encrypted, opened.signed) == (False, False)
    loaded = maas_engine.load(tmp_path / "p")
    X = rows(20)
    for role in model.schema.roles:
        assert same_bits(getattr(loaded, role)(X), getattr(model, role)(X)), role


def test_the_digest_is_the_sha256_of_the_manifest_file(tmp_path: Path) -> None:
    package = linear().package(tmp_path / "p")
    data = (tmp_path / "p" / "manifest.json").read_bytes()
    assert package.digest == hashlib.sha256(data).hexdigest()
    assert package.digest == digest(read_manifest(data)) == package.manifest.digest
    for name, path in package.files().items():
        if name != "manifest.json":
            entry = package.manifest.files[name]
            assert entry == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert sorted(package.files()) == sorted(path.name for path in (tmp_path / "p").iterdir())


def test_a_model_of_mixed_columns_is_packed_with_and_without_a_reference(tmp_path: Path) -> None:
    X = {"age": [31.0, np.nan], "height": [1.5, 1.75], "city": ["Oslo", "Łódź"], "count": [2, 3]}
    model = mixed()
    model.package(tmp_path / "with", X_reference=X)
    model.package(tmp_path / "without")
    for name in ("with", "without"):
        assert same_bits(maas_engine.load(str(tmp_path / name)).predict(X), model.predict(X))


def test_the_profile_of_the_reference_comes_along(tmp_path: Path) -> None:
    model, X = classifier(["a", "b", "c"]), rows(500)
    written = model.package(tmp_path / "p", X_reference=X)
    opened = open_package(tmp_path / "p", Policy())
    expected = Profile.build(model, X).to_bytes()
    for package in (written, opened):
        profile = package.profile()
        assert profile is not None
        assert profile.to_bytes() == expected == (tmp_path / "p" / "profile.safetensors").read_bytes()
        profile.update(X)
        again = package.profile()
        assert again is not None
        assert again.to_bytes() == expected  # nobody else's counts
    assert linear().package(tmp_path / "q").profile() is None


@pytest.mark.parametrize("other", ["model", "labels", "bytes"])
def test_a_profile_of_another_model_is_refused(tmp_path: Path, other: str) -> None:
    classifier(["a", "b", "c"]).package(tmp_path / "p", X_reference=rows(50))
    data = b"{}"
    if other == "model":
        data = Profile.build(linear(), rows(50)).to_bytes()
    elif other == "labels":
        data = Profile.build(classifier(["a", "b", "x"]), rows(50)).to_bytes()
    (tmp_path / "p" / "profile.safetensors").write_bytes(data)
    with pytest.raises(FormatError, match=r"\[package\] 'profile.safetensors': expected"):
        open_package(tmp_path / "p", Policy())
    reseal(tmp_path / "p", "profile.safetensors")
    words = (
        "safetensors"
        if other == "bytes"
        else "expected the columns of model.onnx, got those of another model"
    )
    with pytest.raises(FormatError, match=rf"^\[package\] 'profile.safetensors': .*{words}"):
        open_package(tmp_path / "p", Policy())


def test_a_folder_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with pytest.raises(InvalidArgument, match=r"\[package\] '.*p': expected a folder that is not there yet"):
        linear().package(tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    assert list((tmp_path / "p").iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 255, "Ω" * 127, "a b", "-p", "p/", "./p", "\n"], ids=ascii)
def test_folders_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    package = linear().package(name)
    assert package.path == tmp_path / name
    assert len(list(tmp_path.iterdir())) == 1
    assert same_bits(maas_engine.load(name).predict(rows(3)), linear().predict(rows(3)))


def test_a_reference_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="features"):
        linear().package(tmp_path / "p", X_reference=rows(5, 7))
    with pytest.raises(InvalidArgument, match="a finite number as metric 'auc'"):
        linear().package(tmp_path / "p", metrics={"auc": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"metrics": {"auc": "high"}}, "a number as metric 'auc', got 'high'"),
        ({"metrics": {"": 1}}, "text of 1 to 256 characters as each name in metrics"),
        ({"parameters": {"model": linear}}, "parameter 'model': expected values of JSON, got function"),
        ({"parameters": {"missing": float("nan")}}, "parameter 'missing': expected finite numbers, got nan"),
        ({"parameters": {"seed": 2**60}}, "parameter 'seed': expected integers within"),
        ({"parameters": {"text": "\ud800"}}, "parameter 'text': expected text in Unicode"),
        ({"lineage": {"data": 1}}, r"'manifest.json': expected text .* as lineage\['data'\], got 1"),
        (
            {"description": "x" * 100_001},
            "'manifest.json': expected text of 0 to 100000 characters as description",
        ),
        ({"name": ""}, "'manifest.json': expected text of 1 to 256 characters as name"),
        ({"name": "\udfff"}, "'manifest.json': expected text in Unicode"),
        ({"parameters": {"x": "x" * 2**22}}, "'manifest.json': expected 4194304 bytes at most"),
    ],
    ids=range(11),
)
def test_what_a_manifest_cannot_say(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"^\[package\] .*{words}"):
        linear().package(tmp_path / "p", **given)
    assert list(tmp_path.iterdir()) == []


def test_models_of_other_libraries_are_packed_without_a_reference(tmp_path: Path) -> None:
    paths = sorted((Path(__file__).resolve().parents[1] / "golden" / "onnx").rglob("*.onnx"))
    assert len(paths) > 100
    for path in paths[::3]:
        try:
            model = maas_engine.load(path)
        except MaasError:
            continue
        package = model.package(tmp_path / str(path.relative_to(path.parents[1])).replace("/", "-"))
        assert open_package(package.path, Policy()) == package, path
    assert len(list(tmp_path.iterdir())) > 30


def test_a_uri_is_the_registrys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = pytest.importorskip("maas_engine.registry")
    for key in ("MAAS_REGISTRY", "MAAS_CACHE"):
        monkeypatch.setenv(key, str(tmp_path / key))
    model = classifier(["a", "b", "c"])
    with contextlib.closing(registry.Registry()) as opened:
        opened.register("credit", model)
    loaded = maas_engine.load("models:/credit/1")
    assert same_bits(loaded.predict(rows(9)), model.predict(rows(9)))
    with pytest.raises(NotFound, match="credit"):
        maas_engine.load("models:/credit/2")
    with pytest.raises(MaasError):
        maas_engine.load("models:credit")


def test_the_digest_pins_the_package(tmp_path: Path) -> None:
    first = linear().package(tmp_path / "first", description="1")
    second = linear().package(tmp_path / "second", description="2")
    assert open_package(tmp_path / "first", digest=first.digest) == first
    with pytest.raises(FormatError, match=r"\[package\] 'manifest.json': expected the manifest of package"):
        open_package(tmp_path / "first", digest=second.digest)


def test_what_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        open_package(tmp_path / "none")
    with pytest.raises(NotFound, match=r"'manifest.json'"):
        maas_engine.load(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FormatError, match="a package's folder"):
        open_package(tmp_path / "file")
