"""Golden rows: which are kept, and that other answers than theirs are found out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_models import classifier, linear, mixed, rows

import maas_engine
from maas_engine import _core, _safetensors
from maas_engine.errors import FormatError, InvalidArgument, NumericsWarning
from maas_engine.graph import ML_DOMAIN, GraphBuilder
from maas_engine.package import Policy, _golden, _rows, encrypt, open_package, re_golden
from maas_engine.package._tolerance import close, tied

HERE = (_core.NUMERICS, _golden.tier())
OTHERS = [
    (_core.NUMERICS + 1, _golden.tier()),
    (_core.NUMERICS, "no_fma" if _golden.tier() == "fma" else "fma"),
]


def test_rows_of_a_reference_hold_its_extremes_and_missing_values() -> None:
    X = rows(5000)
    X[1234, 7], X[17, 3], X[4321, 19] = np.nan, 100.0, -100.0
    (kept,) = _rows.chosen(linear(), X)
    assert len(kept) <= _rows.MAX_ROWS
    assert np.isnan(kept[:, 7]).any()
    assert_array_equal(np.nanmin(kept, axis=0), np.nanmin(X, axis=0))
    assert_array_equal(np.nanmax(kept, axis=0), np.nanmax(X, axis=0))
    of_reference = {row.tobytes() for row in X}
    assert all(row.tobytes() in of_reference for row in kept)


def test_rows_of_a_reference_hold_each_category() -> None:
    n = 3000
    cities = np.array(["Oslo", "Łódź"] * (n // 2), dtype=object)
    cities[2718] = "Ürümqi"
    counts = np.arange(n) % 7
    counts[1001] = 10**15
    X = {"age": np.linspace(0.0, 1.0, n), "height": np.zeros(n, np.float32), "city": cities, "count": counts}
    _, _, city, count = _rows.chosen(mixed(), X)
    assert set(city.ravel()) == {"Oslo", "Łódź", "Ürümqi"}
    assert set(count.ravel().tolist()) == {0, 1, 2, 3, 4, 5, 6, 10**15}


@pytest.mark.parametrize("frame", ["pandas", "polars", "arrow", "dicts"])
def test_a_reference_comes_as_predict_takes_it(frame: str) -> None:
    columns: dict[str, Any] = {
        "count": [2, 3],
        "age": [31.0, 40.0],
        "height": [1.5, 1.75],
        "city": ["Oslo", "Łódź"],
    }
    if frame == "dicts":
        X: Any = [{name: values[i] for name, values in columns.items()} for i in range(2)]
    elif frame == "arrow":
        X = pytest.importorskip("pyarrow").table(columns)
    else:
        X = pytest.importorskip(frame).DataFrame(columns)
    if frame == "pandas":
        X["height"] = X["height"].astype(np.float32)
    elif frame == "polars":
        X = X.with_columns(X["height"].cast(pytest.importorskip("polars").Float32))
    elif frame == "arrow":
        pa = pytest.importorskip("pyarrow")
        X = X.set_column(2, "height", X["height"].cast(pa.float32()))
    age, height, city, count = _rows.chosen(mixed(), X)
    assert_array_equal(age.ravel(), columns["age"])
    assert_array_equal(height.ravel(), columns["height"])
    assert city.ravel().tolist() == columns["city"]
    assert_array_equal(count.ravel(), columns["count"])


def test_made_rows_know_the_categories_of_the_graph() -> None:
    _, height, city, _ = _rows.made(mixed())
    assert set(city.ravel()) == {"Oslo", "Łódź"}
    assert np.isnan(height).any()
    assert len(np.unique(height)) > 20


def test_made_rows_are_of_the_categories_of_their_own_column() -> None:
    builder = GraphBuilder("columns")
    names = {"city": ["Oslo", "Łódź"], "colour": ["red", "green", "blue"]}
    encoded = [
        builder.add(
            "OneHotEncoder",
            builder.input(name, str, (None, 1)),
            domain=ML_DOMAIN,
            cats_strings=texts,
            zeros=0,
        )
        for name, texts in names.items()
    ]
    builder.output(*encoded)
    made = _rows.made(maas_engine.Model(builder.build()))
    for column, texts in zip(made, names.values(), strict=True):
        assert column.shape == (32, 1)
        assert set(column.ravel()) == set(texts)


def test_made_rows_of_integers_mix_them() -> None:
    builder = GraphBuilder("tables")
    x = builder.input("X", np.int64, (None, 8))
    builder.output(builder.add("Gather", builder.constant(np.array([1.5, 2.5])), x))
    (kept,) = _rows.made(maas_engine.Model(builder.build()))  # 2 and 3 are no rows of the table
    assert set(kept.ravel().tolist()) == {0, 1}
    builder = GraphBuilder("free")
    builder.output(builder.add("Mul", builder.input("X", np.int64, (None, 8)), builder.constant(np.int64(3))))
    (kept,) = _rows.made(maas_engine.Model(builder.build()))
    assert len(np.unique(kept, axis=0)) >= 10


@pytest.mark.parametrize("reference", [False, True], ids=["made", "reference"])
@pytest.mark.parametrize(("features", "most"), [(1000, 128), (50_000, 41), (4_000_000, 1)])
def test_wide_rows_are_fewer(features: int, most: int, reference: bool) -> None:
    builder = GraphBuilder("wide")
    x = builder.input("X", np.float32, (None, features))
    builder.output(builder.add("ReduceSum", x, builder.constant(np.array([1])), keepdims=0))
    model = maas_engine.Model(builder.build())
    data = _golden.build(
        model, np.zeros((200 if most > 1 else 3, features), np.float32) if reference else None
    )
    assert len(data) < 17 * 2**20
    ((kept,), _) = _golden._read(model, data)
    expected = min(most, 128 if reference else 32)
    assert expected - 2 <= len(kept) <= expected  # extremes and spread may share a row


def picky() -> maas_engine.Model:
    """Takes whole numbers of 0 to 2 as rows of a table, and finds no answer for others."""
    builder = GraphBuilder("picky")
    x = builder.input("X", np.int64, (None,))
    builder.output(builder.add("Gather", builder.constant(np.array([1.5, 2.5, 3.5])), x))
    return maas_engine.Model(builder.build())


def test_made_rows_are_those_that_the_model_answers() -> None:
    (kept,) = _rows.made(picky())
    assert set(kept.tolist()) == {0, 1, 2}
    builder = GraphBuilder("pickier")
    x = builder.input("X", str, (None, 1))
    builder.output(
        builder.add("OneHotEncoder", x, domain=ML_DOMAIN, cats_strings=["a"], zeros=0),
        builder.add("OneHotEncoder", x, domain=ML_DOMAIN, cats_strings=["b"], zeros=0),
    )
    with pytest.raises(InvalidArgument, match="expected X_reference: the model answers none"):
        _rows.made(maas_engine.Model(builder.build()))


@pytest.mark.parametrize(
    "model", [linear(), linear(np.float64), classifier(["a", "b", "Ω"]), classifier([3, 1, 2]), mixed(), picky()],
    ids=["float32", "float64", "texts", "integers", "mixed", "picky"],
)  # fmt: skip
class TestCheck:
    def test_its_own_answers_pass(self, model: maas_engine.Model) -> None:
        _golden.check(model, _golden.build(model), *HERE)

    def test_every_changed_bit_is_found(self, model: maas_engine.Model) -> None:
        data = _golden.build(model)
        tensors, metadata = _safetensors.read(data)
        found = 0
        for name in tensors:
            array = tensors[name].copy()
            flat = array.reshape(-1).view(np.uint8)
            for byte in np.linspace(0, len(flat) - 1, 5).astype(int):
                flat[byte] ^= 1
                changed = _safetensors.to_bytes({**tensors, name: array}, metadata)
                if name.startswith("inputs") and _same_answers(model, changed):
                    flat[byte] ^= 1  # a question that is asked otherwise and answered alike
                    continue
                with pytest.raises(
                    (FormatError, InvalidArgument), match=r"^\[package\] 'golden.safetensors'"
                ):
                    _golden.check(model, changed, *HERE)
                flat[byte] ^= 1
                found += 1
        assert found > len(tensors)

    @pytest.mark.parametrize("other", OTHERS, ids=["numerics", "tier"])
    def test_other_numerics_pass_with_the_same_bits(
        self, model: maas_engine.Model, other: tuple[int, str]
    ) -> None:
        _golden.check(model, _golden.build(model), *other)


def _same_answers(model: maas_engine.Model, data: bytes) -> bool:
    try:
        inputs, expected = _golden._read(model, data)
        given = _golden.answers(model, inputs)
    except (FormatError, InvalidArgument):
        return False
    return all(_golden._same_bits(given[name], expected[name]) for name in expected)


def shifted(model: maas_engine.Model, name: str, by: float) -> bytes:
    """The golden file with one recorded value moved, relative to the largest of its row."""
    tensors, metadata = _safetensors.read(_golden.build(model))
    array = tensors[name]
    row = array.reshape(len(array), -1)[5]
    row[0] += by * np.abs(row).max()
    return _safetensors.to_bytes(tensors, metadata)


@pytest.mark.parametrize("other", OTHERS, ids=["numerics", "tier"])
@pytest.mark.parametrize(("dtype", "small", "large"), [(np.float32, 2e-5, 1e-3), (np.float64, 5e-11, 1e-8)])
def test_other_arithmetic_may_differ_within_tolerance(
    other: tuple[int, str], dtype: Any, small: float, large: float
) -> None:
    model = linear(dtype)
    with pytest.raises(
        FormatError, match=r"the recorded bits of run\.0, got others in 1 of 32 rows, the first row 5"
    ):
        _golden.check(model, shifted(model, "run.0", small), *HERE)
    with pytest.warns(NumericsWarning, match="maas-engine package re-golden"):
        _golden.check(model, shifted(model, "run.0", small), *other)
    words = "the recorded values of run.0 within tolerance, got others in 1 of 32 rows, the first row 5"
    with pytest.raises(FormatError, match=words):
        _golden.check(model, shifted(model, "run.0", large), *other)


def test_other_labels_are_taken_only_where_classes_tie() -> None:
    scores = np.array([[0.5, 0.5, 0.0], [0.4, 0.4 + 1e-6, 0.2], [0.2, 0.3, 0.5]], np.float32)
    assert tied(scores).tolist() == [True, True, False]
    assert tied(scores.astype(np.float64)).tolist() == [True, False, False]
    assert tied(np.array([0.0, -1e-10, 1e-9])).tolist() == [True, True, False]
    one = {"label": np.array([0, 1]), "decision_function": np.array([1e-11, 1.0])}
    assert _golden._rows_within(np.array([1, 0]), one["label"], _golden._ties(one)).tolist() == [True, False]
    given = {"label": np.array(["a", "a", "a"]), "p": scores}
    expected = {"label": np.array(["b", "b", "c"], dtype=object), "p": scores}
    ties = _golden._ties(expected)
    assert _golden._rows_within(given["label"], expected["label"], ties).tolist() == [True, True, False]


def test_tolerance() -> None:
    nan, inf = np.nan, np.inf
    a = np.array([[1.0, nan], [1.0, inf], [1.0, nan], [1.0, -inf], [100.0, 1e-9]])
    b = np.array([[1.0, nan], [1.0, inf], [1.0, 1.0], [1.0, inf], [100.0, 0.0]])
    assert close(a, b).tolist() == [True, True, False, False, True]
    p = np.array([0.5, 0.25, 0.0], np.float32)
    assert close(p + np.float32(5e-6), p).all()  # probabilities: 1e-5
    assert not close(p + np.float32(3e-4), p).any()
    assert close(np.float64(2.0), np.float64(2.0)).tolist() == [True]


def pretend(monkeypatch: pytest.MonkeyPatch, numerics: int) -> None:
    monkeypatch.setattr(_core, "NUMERICS", numerics)


def test_re_golden_records_what_is_answered_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = linear(np.float64)
    monkeypatch.setattr(_golden, "build", lambda model, X: shifted_by(model, 1e-12))
    monkeypatch.setattr(_golden, "check", lambda *_: None)
    with monkeypatch.context() as context:
        pretend(context, _core.NUMERICS + 1)
        old = model.package(tmp_path / "old", lineage={"data": "x"})
    monkeypatch.undo()
    with pytest.warns(NumericsWarning, match="re-golden"):
        open_package(tmp_path / "old", Policy())
    new = re_golden(tmp_path / "old", tmp_path / "new", Policy())
    assert open_package(tmp_path / "new", Policy()) == new  # and no warning
    assert new.manifest.lineage == {"data": "x", "re_golden": old.digest}
    assert (new.manifest.numerics, new.manifest.tier) == HERE
    assert new.manifest.files["model.onnx"] == old.manifest.files["model.onnx"]
    assert new.manifest.files["golden.safetensors"] != old.manifest.files["golden.safetensors"]
    same = {"created", "lineage", "numerics", "files"}
    assert replace(new.manifest, **{key: getattr(old.manifest, key) for key in same}) == old.manifest
    with pytest.raises(InvalidArgument, match="a folder that is not there yet"):
        re_golden(tmp_path / "old", tmp_path / "new", Policy())


def test_re_golden_lays_nothing_open(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    linear().package(tmp_path / "p")
    encrypt(tmp_path / "p", bytes(32))
    with pytest.raises(InvalidArgument, match="a package that is not encrypted: decrypt it first"):
        re_golden(tmp_path / "p", tmp_path / "q", Policy(master_key=bytes(32)))
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_file_that_answers_otherwise_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = (
        linear(),
        linear().to_bytes().replace(np.float32(0.5).tobytes(), np.float32(0.25).tobytes()),
    )
    assert other != model.to_bytes()
    monkeypatch.setattr(maas_engine.Model, "to_bytes", lambda _: other)
    with pytest.raises(FormatError, match=r"the recorded bits of run\.0"):
        model.package(tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def shifted_by(model: maas_engine.Model, by: float) -> bytes:
    tensors, metadata = _safetensors.read(_golden.renew(model, _golden._file(model, _rows.made(model))))
    for name in ("run.0", "predict"):
        tensors[name] = tensors[name] * (1 + by)
    return _safetensors.to_bytes(tensors, metadata)


@pytest.mark.skipif("sse4" not in _core.supported_targets(), reason="no second tier on this machine")
def test_a_package_opens_on_another_tier(tmp_path: Path) -> None:
    classifier(["a", "b", "c"]).package(tmp_path / "p", X_reference=rows(200))
    program = """
import sys, warnings
from maas_engine.package import Policy, open_package, re_golden
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    open_package(sys.argv[1], Policy())
print(*(each.category.__name__ for each in caught))
re_golden(sys.argv[1], sys.argv[2], Policy())
warnings.simplefilter("error")
print(open_package(sys.argv[2], Policy()).manifest.tier)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "p"), str(tmp_path / "q")],
        env={**os.environ, "MAAS_TARGET": "sse4"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["NumericsWarning", "no_fma"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run.0": None}, "the arrays .*, got others: run.0"),
        ({"more": np.zeros(1)}, "the arrays .*, got others: more"),
        ({"run.0": np.zeros((32, 1), np.float32)}, r"float32 \[32\] as run.0, got float32 \[32, 1\]"),
        ({"run.0": np.zeros(32)}, r"float32 \[32\] as run.0, got float64 \[32\]"),
        ({"inputs.0": np.zeros((31, 20), np.float32)}, r"float32 \[32, 20\] as inputs.0"),
    ],
    ids=range(5),
)
def test_files_that_do_not_fit(change: dict[str, Any], words: str) -> None:
    model = linear()
    tensors, metadata = _safetensors.read(_golden.build(model))
    tensors.update(change)
    data = _safetensors.to_bytes(
        {name: array for name, array in tensors.items() if array is not None}, metadata
    )
    with pytest.raises(FormatError, match=words):
        _golden.check(model, data, *HERE)


@pytest.mark.parametrize("rows", [None, "", "0", "-1", "1e2", "٣٢", "9" * 7, "33"])
def test_numbers_of_rows_that_do_not_fit(rows: str | None) -> None:
    model = linear()
    tensors, _ = _safetensors.read(_golden.build(model))
    data = _safetensors.to_bytes(tensors, {} if rows is None else {"rows": rows})
    with pytest.raises(FormatError, match=r"\[package\] 'golden.safetensors': expected"):
        _golden.check(model, data, *HERE)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (b"ab", [1]),
        (b"ab", [1, 3]),
        (b"ab", [2, 1]),
        (b"ab", [-1, 2]),
        (b"\xffb", [1, 2]),
        (b"ab", [[1, 2]]),
        (b"ab", [3, 2]),
    ],
    ids=range(7),
)
def test_texts_that_do_not_fit(text: bytes, ends: Any) -> None:
    data, cuts = np.frombuffer(text, np.uint8), np.array(ends, np.int64)
    with pytest.raises(FormatError, match=r"'golden\.safetensors'"):
        _golden._texts(data, cuts, "predict", (2,))
    good = _golden._texts(np.frombuffer("aΩ".encode(), np.uint8), np.array([1, 3]), "predict", (2,))
    assert good.tolist() == ["a", "Ω"]
