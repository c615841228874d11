"""Frames, dicts and lists into models: by name, by MLflow's rules for types, one row as a dict."""

from __future__ import annotations

import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from small_models import linear, mixed, rows

import maas_engine
from maas_engine.errors import InvalidArgument
from maas_engine.graph import GraphBuilder

TABLE = {
    "age": [31.5, 20.0, float("nan")],
    "height": [1.5, 2.0, 0.25],
    "city": ["Oslo", "Łódź", "nowhere"],
    "count": [3, -1, 0],
}
ANSWERS = [31.5 + 15 + 100 + 3000, 20.0 + 20 - 1000, float("nan")]


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    types = {"age": np.float64, "height": np.float32, "city": object, "count": np.int64}
    return {name: np.array(values, types[name]) for name, values in TABLE.items()}


def table_rows() -> list[dict[str, Any]]:
    return [{name: values[i] for name, values in TABLE.items()} for i in range(3)]


def frame(kind: str, columns: dict[str, Any]) -> Any:
    library = pytest.importorskip({"arrow": "pyarrow", "batch": "pyarrow"}.get(kind, kind))
    if kind == "pandas":
        return library.DataFrame(columns)
    if kind == "polars":
        return library.DataFrame(columns)
    columns = {
        name: values.tolist() if values.dtype == object else values for name, values in columns.items()
    }
    return library.table(columns) if kind == "arrow" else library.RecordBatch.from_pydict(columns)


FRAMES = ["pandas", "polars", "arrow", "batch"]


# --- by name -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_go_by_name(kind: str) -> None:
    columns = arrays()
    shuffled = {"extra": np.arange(3), **{name: columns[name] for name in ("city", "count", "height", "age")}}
    np.testing.assert_array_equal(mixed().predict(frame(kind, columns)), ANSWERS)
    np.testing.assert_array_equal(mixed().predict(frame(kind, shuffled)), ANSWERS)
    assert mixed().predict(frame(kind, {name: column[:0] for name, column in columns.items()})).shape == (0,)


def test_dicts_and_rows_go_by_name() -> None:
    model = mixed()
    np.testing.assert_array_equal(model.predict(TABLE), ANSWERS)
    np.testing.assert_array_equal(model.predict(arrays()), ANSWERS)
    np.testing.assert_array_equal(model.predict(table_rows()), ANSWERS)
    np.testing.assert_array_equal(model.predict([OrderedDict(row) for row in table_rows()]), ANSWERS)
    np.testing.assert_array_equal(model.predict([{"extra": [], **row} for row in table_rows()]), ANSWERS)
    matrix = [[TABLE[name][i] for name in TABLE] for i in range(3)]
    np.testing.assert_array_equal(model.predict(matrix), ANSWERS)
    np.testing.assert_array_equal(model.predict(np.array(matrix, object)), ANSWERS)
    np.testing.assert_array_equal(model.run(TABLE)["variable"], ANSWERS)


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_a_dict_of_plain_values_is_one_row(kind: Any) -> None:
    model = mixed()
    for row, answer in zip(table_rows(), ANSWERS, strict=True):
        got = model.predict(kind(row))
        assert isinstance(got, np.float64)
        np.testing.assert_equal(got, answer)
    np.testing.assert_equal(model.predict(kind({**table_rows()[0], "age": None})), np.nan)
    numpys = {
        "age": np.float32(31.5),
        "height": np.float64(1.5),
        "city": np.str_("Oslo"),
        "count": np.int8(3),
    }
    assert model.predict(kind(numpys)) == ANSWERS[0]
    assert model.predict(kind({**numpys, "age": 31, "count": True})) == 31 + 15 + 100 + 1000
    assert model.predict(kind({**numpys, "count": 3.0})) == ANSWERS[0]
    assert model.predict(kind({**numpys, "count": np.bool_(False)})) == 31.5 + 15 + 100


def test_a_pandas_series_is_one_row_by_its_labels() -> None:
    pandas = pytest.importorskip("pandas")
    assert mixed().predict(pandas.Series(table_rows()[0])) == ANSWERS[0]


@pytest.mark.parametrize("kind", ["dict", "row", "rows", *FRAMES])
def test_a_missing_column_is_named(kind: str) -> None:
    columns = arrays()
    del columns["count"], columns["age"]
    X: Any = columns
    if kind in ("row", "rows"):
        X = {"height": 1.0, "city": "Oslo"}
        X = [X] if kind == "rows" else X
    elif kind != "dict":
        X = frame(kind, columns)
    with pytest.raises(InvalidArgument, match=r"\[predict\] expected columns 'age', 'count'"):
        mixed().predict(X)


def test_feature_names_are_columns_of_the_one_input() -> None:
    names = [f"f{i}" for i in range(20)]
    model, X = linear(feature_names=json.dumps(names)), rows(6)
    y = model.predict(X)
    columns = {name: X[:, i] for i, name in enumerate(names)}
    backwards = dict(reversed(columns.items()))
    for kind in FRAMES:
        assert model.predict(frame(kind, columns)).tobytes() == y.tobytes()
        assert model.predict(frame(kind, backwards)).tobytes() == y.tobytes()
    assert model.predict(columns).tobytes() == y.tobytes()
    plain = [{name: float(values[i]) for name, values in backwards.items()} for i in range(6)]
    assert model.predict(plain).tobytes() == y.tobytes()
    assert model.predict(plain[2]) == y[2]
    with pytest.raises(InvalidArgument, match="expected column 'f3', got"):
        model.predict({name: value for name, value in plain[0].items() if name != "f3"})
    with pytest.raises(InvalidArgument, match="expected column 'f7', missing from row 1"):
        model.predict([plain[0], {name: value for name, value in plain[1].items() if name != "f7"}])


def test_without_names_frames_go_by_position() -> None:
    X = rows(6)
    for kind in FRAMES:
        columns = {f"c{i}": X[:, i] for i in range(20)}
        assert linear().predict(frame(kind, columns)).tobytes() == linear().predict(X).tobytes()
        with pytest.raises(InvalidArgument, match="expected 20 features, got 19"):
            linear().predict(frame(kind, dict(list(columns.items())[1:])))
    with pytest.raises(InvalidArgument, match="no names"):
        linear().predict([{"a": 1.0}])


def test_inputs_of_several_columns_go_by_their_own_names() -> None:
    builder = GraphBuilder()
    a, b = builder.input("a", np.float64, (None, 2)), builder.input("b", np.float64, (None, 2, 3))
    builder.output(builder.add("Add", builder.add("Gather", b, builder.constant(np.array(1)), axis=2), a))
    model = maas_engine.Model(builder.build())
    A, B = np.arange(8.0).reshape(4, 2), np.arange(24.0).reshape(4, 2, 3)
    np.testing.assert_array_equal(model.predict({"b": B, "a": A}), A + B[:, :, 1])
    np.testing.assert_array_equal(
        model.predict({"b": B.transpose(2, 1, 0).copy().transpose(2, 1, 0), "a": A.tolist()}),
        A + B[:, :, 1],
    )
    with pytest.raises(InvalidArgument, match="number of rows, got 4 and 3"):
        model.predict({"a": A, "b": B[:3]})
    with pytest.raises(InvalidArgument, match="input 'b', got"):
        model.predict({"a": A})
    with pytest.raises(InvalidArgument, match="a dict of arrays"):
        model.predict(A)


# --- types -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (
            "height",
            np.array([1.0, 2.0, 3.0]),
            r"column 'height' to be float32, got float64, .*astype\(np.float32\)",
        ),
        ("count", np.array([1.0, np.nan, 2.0]), "column 'count' to be int64, got missing values .*float64"),
        ("count", np.array([1.0, 2.0, 3.0]), "column 'count' to be int64, got float64"),
        ("count", np.array([1, 2, 3], np.uint64), "column 'count' to be int64, got uint64"),
        ("age", np.array([1, 2**53 + 1, 3]), r"column 'age' to be float64, got int64 beyond 2\*\*53"),
        ("age", np.array(["a", "b", "c"], object), "column 'age' to be float64, got text"),
        ("city", np.array([1, 2, 3]), "column 'city' to be text, got int64"),
        ("city", np.array(["a", None, "b"], object), "column 'city' to be text, got missing values"),
    ],
)
@pytest.mark.parametrize("kind", ["dict", *FRAMES])
def test_types_that_would_lose_something_are_refused(kind: str, column: str, values: Any, words: str) -> None:
    columns = {**arrays(), column: values}
    with pytest.raises(InvalidArgument, match=words):
        mixed().predict(columns if kind == "dict" else frame(kind, columns))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("count", 3.5, "column 'count' to be int64, got numbers that are not"),
        ("count", float("nan"), "got missing values"),
        ("count", None, "got"),
        ("count", 2**63, "got"),
        ("count", "3", "got text"),
        ("age", "31", "column 'age' to be float64, got text"),
        ("age", 10**400, "got"),
        ("age", 1j, "got"),
        ("city", 3, "column 'city' to be text, got int"),
        ("city", None, "got missing values"),
        ("city", float("nan"), "got missing values"),
        ("city", "\ud800", "surrogates"),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_plain_values_that_do_not_fit(column: str, value: Any, words: str, many: bool) -> None:
    row = {**table_rows()[0], column: value}
    with pytest.raises((InvalidArgument, UnicodeError), match=words):
        mixed().predict([row, row] if many else row)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.int64, np.bool_, np.uint8])
def test_types_that_widen(dtype: Any) -> None:
    columns = {**arrays(), "age": np.array([1, 0, 1], dtype), "count": np.array([1, 0, 1], np.int16)}
    answers = [1 + 15 + 100 + 1000, 20.0, 1 + 2.5 + 1000]
    np.testing.assert_array_equal(mixed().predict(columns), answers)
    for kind in FRAMES if dtype is not np.float16 else ["pandas"]:
        np.testing.assert_array_equal(mixed().predict(frame(kind, columns)), answers)


def test_extension_types_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    base = frame("pandas", arrays())
    whole = base.assign(
        age=pandas.array([1, None, 3], "Int64"),
        height=pandas.array([1.0, 2.0, 3.0], "Float32"),
        city=pandas.Categorical(["Oslo", "x", "Oslo"]),
        count=pandas.array([1, 2, 3], "Int32"),
    )
    answers = [1 + 10 + 100 + 1000, np.nan, 3 + 30 + 100 + 3000]
    np.testing.assert_array_equal(mixed().predict(whole), answers)
    np.testing.assert_array_equal(mixed().predict(whole.assign(city=whole.city.astype("string"))), answers)
    with pytest.raises(InvalidArgument, match="column 'count' to be int64, got missing values"):
        mixed().predict(whole.assign(count=pandas.array([1, None, 3], "Int64")))
    with pytest.raises(InvalidArgument, match="'age' twice"):
        mixed().predict(pandas.concat([base, base[["age"]]], axis=1))


def test_columns_of_different_lengths() -> None:
    with pytest.raises(InvalidArgument, match="number of rows"):
        mixed().predict({**arrays(), "age": np.zeros(2)})
    model = linear(features=2, feature_names='["a", "b"]')
    with pytest.raises(InvalidArgument, match="one length"):
        model.predict({"a": [1.0, 2.0], "b": [1.0]})
    with pytest.raises(InvalidArgument, match="one value a row"):
        model.predict({"a": [[1.0, 2.0]], "b": [[1.0, 2.0]]})


def test_columns_as_other_runtimes_are_fed() -> None:
    feeds = {name: values[:, None] for name, values in arrays().items()}
    np.testing.assert_array_equal(mixed().predict(feeds), mixed().predict(arrays()))


# --- one row is the same bits as many ----------------------------------------------------------------


def test_rows_as_dicts_have_the_bits_of_frames() -> None:
    n = 300  # more than fits the small path
    draws = np.random.default_rng(3)
    columns = {
        "age": draws.normal(size=n),
        "height": draws.normal(size=n).astype(np.float32),
        "city": draws.choice(np.array(["Oslo", "Łódź", "x" * 100], object), n),
        "count": draws.integers(-5, 5, n),
    }
    model, y = mixed(), mixed().predict(columns)
    plain = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert model.predict(plain).tobytes() == y.tobytes()
    assert np.array([model.predict(row) for row in plain]).tobytes() == y.tobytes()


@pytest.mark.parametrize("kind", ["string", "large_string", "dictionary", "sliced", "chunked", "empty"])
def test_text_in_arrows_memory(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    texts = ["x", "Oslo", "", "Łódź", "Oslo"]
    column = pa.array(texts, pa.string() if kind == "string" else pa.large_string())
    if kind == "dictionary":
        column = column.dictionary_encode()
    if kind == "sliced":
        column = pa.array(["before", *texts, "after"]).slice(1, 5)
    if kind == "chunked":
        column = pa.chunked_array([texts[:2], [], texts[2:]])
    numbers = {"age": np.zeros(5), "height": np.zeros(5, np.float32), "count": np.zeros(5, np.int64)}
    table = pa.table({**numbers, "city": column})
    if kind == "empty":
        table = table.slice(2, 0)
    np.testing.assert_array_equal(mixed().predict(table), [0, 100, 0, 0, 100][: len(table)])


@pytest.mark.parametrize(
    ("offsets", "data"),
    [
        ([0, 5], b"four"),
        ([3, 1], b"four"),
        ([-1, 2], b"four"),
        ([], b"four"),
        ([0, 2**62], b"four"),
    ],
)
def test_offsets_out_of_bounds_are_refused(offsets: list[int], data: bytes) -> None:
    number, height, count = np.zeros((1, 1)), np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int64)
    text = np.array(offsets, np.int64), np.frombuffer(data, np.uint8)
    with pytest.raises((InvalidArgument, TypeError), match="offsets"):
        mixed()._run("predict", (number, height, text, count))
