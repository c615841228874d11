"""Model: what goes in, what comes out, files, copies and hostile arguments."""

from __future__ import annotations

import array
import contextlib
import copy
import gc
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import BIAS, COEF, classifier, linear, mixed, rows

import maas_engine
from maas_engine.errors import FormatError, InvalidArgument, MaasError, MissingMethod, NotFound
from maas_engine.graph import GraphBuilder


def expected(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return X.astype(np.float64) @ COEF[:, 0] + BIAS[0]


# --- results -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000])
def test_rows_give_one_result_each(dtype: Any, n: int) -> None:
    X = rows(n, dtype=dtype)
    y = linear(dtype).predict(X)
    assert (y.shape, y.dtype) == ((n,), dtype)
    np.testing.assert_allclose(y, expected(X), rtol=1e-4, atol=1e-5)


def test_one_row_gives_one_result_without_the_batch_axis() -> None:
    X = rows(3)
    regressor, classes = linear(), classifier(["a", "b", "ccc"])
    assert regressor.predict(X[1]) == regressor.predict(X)[1]
    assert type(regressor.predict(X[1])) is np.float32
    assert type(classes.predict(X[1])) is np.str_
    assert classes.predict(X[1]) == classes.predict(X)[1]
    assert classes.predict_proba(X[1]).shape == (3,)


@pytest.mark.parametrize("labels", [["no", "maybe", "ja, żółw"], [3, 5, -(2**40)]])
def test_classifier(labels: list[Any]) -> None:
    model, X = classifier(labels), rows(50)
    scores = X @ COEF.astype(np.float32) + BIAS.astype(np.float32)
    y = model.predict(X)
    assert y.dtype == np.array(labels).dtype  # the same for every batch
    np.testing.assert_array_equal(y, np.array(labels)[scores.argmax(axis=1)])
    np.testing.assert_array_equal(model.labels, labels)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-4, atol=1e-5)
    assert set(model.run(X)) == {"label", "probabilities"}
    np.testing.assert_array_equal(model.run(X)["probabilities"], probabilities)


def test_nan_passes() -> None:
    X = rows(2)
    X[1, 3] = np.nan
    y = linear().predict(X)
    assert not np.isnan(y[0])
    assert np.isnan(y[1])


# --- what a model says of itself ---------------------------------------------------------------------


def test_schema_and_words() -> None:
    model = classifier(["a", "b", "c"])
    schema = model.schema
    assert [str(each) for each in schema.inputs] == ["X: float32 [N, 20]"]
    assert [each.name for each in schema.outputs] == ["label", "probabilities"]
    assert {role: each.name for role, each in schema.roles.items()} == {
        "predict": "label",
        "predict_proba": "probabilities",
        "decision_function": "scores",
    }
    assert "X: float32 [N, 20]" in repr(model)
    assert "LinearClassifier" in model.describe()
    assert model.discrepancy is None
    assert model.to("cpu") is model


def test_a_graph_without_metadata_is_read_by_its_outputs() -> None:
    graph = classifier(["a", "b", "c"]).graph
    plain = maas_engine.Model(graph.with_metadata({}))
    assert plain.schema.roles["predict"].name == "label"
    assert plain.schema.roles["predict_proba"].name == "probabilities"
    np.testing.assert_array_equal(plain.labels, ["a", "b", "c"])  # of the node they come from
    assert not hasattr(plain, "decision_function")
    assert plain.predict(rows(5)).dtype.kind == "U"


def test_methods_that_a_model_does_not_offer() -> None:
    model = linear()
    assert isinstance(model, maas_engine.Model)
    for name in ("predict_proba", "decision_function"):
        assert not hasattr(model, name)
        with pytest.raises(MissingMethod, match=name):
            getattr(model, name)

    class Mine(maas_engine.Model):
        pass

    with pytest.raises(InvalidArgument, match="predict_proba"):
        Mine(model.graph).predict_proba(rows(2))


@pytest.mark.parametrize(
    "metadata",
    [
        {"predict": "nowhere"},
        {"labels": "{}"},
        {"labels": "[1, 'a']"},
        {"labels": '[1, "a"]'},
        {"labels": "[" * 10_000},
        {"feature_names": '["a"]'},
        {"feature_names": "[1]"},
    ],
)
def test_metadata_that_do_not_fit(metadata: dict[str, str]) -> None:
    with pytest.raises(FormatError, match=r"\[load\]"):
        linear(**metadata)


# --- hostile arguments -------------------------------------------------------------------------------


class Subclass(np.ndarray[Any, Any]):
    pass


def memory_map(X: np.ndarray[Any, Any], tmp_path: Path) -> np.ndarray[Any, Any]:
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def unaligned(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    raw = np.zeros(X.nbytes + 1, np.uint8)
    out = raw[1:].view(X.dtype).reshape(X.shape)
    out[...] = X
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_layout_gives_the_same_bits(dtype: Any, tmp_path: Path) -> None:
    model, X = linear(dtype), rows(37, dtype=dtype)
    y = model.predict(X)
    wide = np.zeros((74, 40), dtype)
    wide[::2, 1::2] = X
    read_only = X.copy()
    read_only.setflags(write=False)
    others = {
        "fortran": np.asfortranarray(X),
        "strided": wide[::2, 1::2],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
        "memory-mapped": memory_map(X, tmp_path),
        "unaligned": unaligned(X),
        "big-endian": X.astype(X.dtype.newbyteorder(">")),
        "subclass": X.view(Subclass),
        "memoryview": memoryview(X),
        "objects": X.astype(object),
        "list": X.tolist(),
        "broadcast": np.broadcast_to(X, (2, *X.shape))[1],
    }
    for name, other in others.items():
        assert model.predict(other).tobytes() == y.tobytes(), name
    for i in (0, 36):
        assert model.predict(X[i]).tobytes() == y[i].tobytes()
        assert model.predict(np.asfortranarray(X)[i]).tobytes() == y[i].tobytes()
        assert (
            model.predict(array.array("fd"[dtype is np.float64], X[i].tolist())).tobytes() == y[i].tobytes()
        )


@pytest.mark.parametrize(
    "narrow", [np.float32, np.float16, np.bool_, np.int8, np.uint16, np.int32, np.uint32]
)
def test_narrower_types_widen(narrow: Any) -> None:
    model, X = (
        linear(np.float64),
        (rows(5) * 10 > 3 if narrow is np.bool_ else np.abs(rows(5)) * 10).astype(narrow),
    )
    np.testing.assert_array_equal(model.predict(X), model.predict(X.astype(np.float64)))


def test_large_integers_become_floats_where_they_stay_exact() -> None:
    X = np.full((2, 20), 2**53)
    np.testing.assert_array_equal(
        linear(np.float64).predict(X), linear(np.float64).predict(X.astype(np.float64))
    )
    with pytest.raises(InvalidArgument, match=r"expected X to be float64, got int64 beyond 2\*\*53"):
        linear(np.float64).predict(X + 1)
    with pytest.raises(InvalidArgument, match=r"expected X to be float32, got int64 beyond 2\*\*24"):
        linear().predict(X)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (rows(3, 19), r"\[predict\] expected 20 features, got 19"),
        (rows(3, 21)[0], r"\[predict\] expected 20 features, got 21"),
        (np.zeros((2, 3, 20), np.float32), r"\[predict\] .*X: float32 \[N, 20\], got shape \(2, 3, 20\)"),
        (np.float32(1), r"got shape \(\)"),
        (rows(3).astype(np.float64), r"float32, got float64, .*astype\(np.float32\)"),
        (rows(3).astype(np.complex64), "got complex64"),
        (rows(3).astype(str), "got text"),
        (np.array([["a"] * 20], object), "got text"),
        (np.array([[object()] * 20], object), "got object"),
        (np.array([["2020-01-01"] * 20], "M8[D]"), "got datetime64"),
        ([[1.0] * 20, [1.0]], "rows of one length"),
        ([], "expected 20 features"),
        (None, "got NoneType"),
        ("text", "got str"),
        (b"bytes", "got bytes"),
        ({}, "expected"),
        (3.0, "got shape"),
    ],
)
def test_rows_that_do_not_fit(X: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        linear().predict(X)


def test_a_sparse_matrix_is_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InvalidArgument, match="got csr_"):
        linear().predict(sparse.csr_array(rows(3)))


def test_a_masked_array_is_refused_while_values_are_masked() -> None:
    X = np.ma.MaskedArray(rows(3))
    assert linear().predict(X).shape == (3,)
    X[0, 0] = np.ma.masked
    with pytest.raises(InvalidArgument, match="mask"):
        linear().predict(X)


def test_predict_takes_one_argument() -> None:
    with pytest.raises(TypeError):
        linear().predict()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        linear().predict_into(rows(1))  # type: ignore[call-arg]


# --- errors of a run ---------------------------------------------------------------------------------


def test_a_run_names_the_step_that_finds_no_answer() -> None:
    builder = GraphBuilder()
    x = builder.input("X", np.int64, (None,))
    table = builder.constant(np.array([1.0, 2.0]))
    builder.output(builder.add("Gather", table, x, name="look_up"))
    model = maas_engine.Model(builder.build())
    np.testing.assert_array_equal(model.predict(np.array([1, 0, -1])), [2, 1, 2])
    with pytest.raises(InvalidArgument, match="Gather 'look_up'"):
        model.predict(np.array([0, 2]))
    np.testing.assert_array_equal(model.predict([0]), [1])  # and goes on


# --- files and copies --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [linear, mixed, lambda: classifier(["a", "b", "ccc"])])
def test_files_and_copies_keep_everything(make: Any, tmp_path: Path) -> None:
    model = make()
    model.save(tmp_path / "model.onnx")
    data = model.to_bytes()
    assert (tmp_path / "model.onnx").read_bytes() == data
    assert model.to_bytes() == data
    others = [
        maas_engine.load(tmp_path / "model.onnx"),
        maas_engine.load(str(tmp_path / "model.onnx")),
        maas_engine.load(data),
        maas_engine.Model.load(bytearray(data)),
        pickle.loads(pickle.dumps(model)),
    ]
    X: Any = rows(4)
    if len(model.schema.inputs) > 1:
        X = {"age": [1.0, 2.0], "height": [0.5, 1.5], "city": ["Oslo", "Rome"], "count": [1, 2]}
    for other in others:
        assert type(other) is type(model)
        assert other.predict(X).tobytes() == model.predict(X).tobytes()
        assert str(other.schema) == str(model.schema)
        assert other.to_bytes() == data
    assert copy.copy(model) is model
    assert copy.deepcopy(model) is model
    assert maas_engine.load(data).metadata["maas_engine.numerics"].isdigit()


def test_save_replaces_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    linear(features=3).save(path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            linear().save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.onnx"]
    os.symlink(path, tmp_path / "link.onnx")
    linear().save(tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink()
    assert path.read_bytes() != before


def test_load_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        maas_engine.load(tmp_path / "missing.onnx")
    with pytest.raises(MaasError):
        maas_engine.load(b"not a model")
    with pytest.raises(InvalidArgument, match="got int"):
        maas_engine.load(3)  # type: ignore[arg-type]


# --- references --------------------------------------------------------------------------------------


def test_nothing_leaks() -> None:
    model, X, row = classifier(["a", "b", "ccc"]), rows(5), {"a": 1.0}
    linear_model, named = linear(), linear(features=1, feature_names='["a"]')
    out = np.empty((5,), np.float32)

    def calls() -> None:
        model.predict(X), model.predict(X[0]), model.predict_proba(X), model.run(X), model.predict(X.tolist())
        linear_model.predict_into(X, out), named.predict(row), named.predict([row, row])
        for bad in (X[:, :3], None, {"b": 1}):
            with contextlib.suppress(InvalidArgument):
                named.predict(bad)

    def counts() -> list[int]:
        return [sys.getrefcount(each) for each in (X, X.dtype, out, row, model, row["a"])]

    growth = []
    for _ in range(4):  # the least of some: caches elsewhere grow now and then
        before, blocks = counts(), sys.getallocatedblocks()
        for _ in range(200):
            calls()
        gc.collect()
        assert all(now - then < 50 for now, then in zip(counts(), before, strict=True))
        growth.append(sys.getallocatedblocks() - blocks)
    assert min(growth) < 50


def test_models_go_when_no_one_holds_them() -> None:
    import weakref

    model = linear()
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None

    class Mine(maas_engine.Model):
        pass

    mine = Mine(linear().graph)
    mine.itself = mine  # type: ignore[attr-defined]
    reference = weakref.ref(mine)
    del mine
    gc.collect()
    assert reference() is None
