"""Tables in: files, streams and frames become the same arrays; bad ones get one line that says what and where."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet
from sklearn.datasets import load_diabetes

from maas_engine.data import dataset, infer_task, read_table, to_arrow
from maas_engine.errors import FormatError, InvalidArgument, NotFound
from maas_engine.linear_model import Ridge


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [1.5, 2.0, None, 4.0],
            "rooms": [1, 2, 3, 4],
            "town": ["Ulm", None, "Bonn", "Ulm"],
            "sold": [True, False, True, True],
            "when": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
            "price": [10.0, 20.0, 30.0, 40.0],
        }
    )


def text(content: str | bytes, path: Path, **options: Any) -> Any:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, **options)


EXPECTED = np.array(
    [
        [1.5, 1, 1, 1, 1577836800],
        [2.0, 2, np.nan, 0, 1577923200],
        [np.nan, 3, 0, 1, 1578009600],
        [4.0, 4, 1, 1, 1578096000],
    ]
)


def test_every_way_in_gives_the_same_arrays(frame: pd.DataFrame, tmp_path: Path) -> None:
    table = pa.Table.from_pandas(frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    parquet.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    with pa.ipc.new_stream(tmp_path / "t.bin", table.schema) as stream:
        stream.write_table(table)
    files = [
        read_table(tmp_path / f"t.{end}") for end in ("csv", "tsv", "csv.gz", "parquet", "feather", "bin")
    ]
    streams = [
        read_table(io.BytesIO((tmp_path / f"t.{end}").read_bytes()))
        for end in ("csv", "parquet", "feather", "bin")
    ]
    categorical = frame.assign(town=frame["town"].astype("category"))
    for source in (
        *files,
        *streams,
        frame,
        categorical,
        pl.from_pandas(frame),
        pl.from_pandas(categorical),
        table,
    ):
        data = dataset(source, "price")
        np.testing.assert_array_equal(data.X, EXPECTED)
        np.testing.assert_array_equal(data.y, frame["price"])
        assert data.names == ["size", "rooms", "town", "sold", "when"]
        assert data.categories == {"town": ["Bonn", "Ulm"]}


def test_a_pandas_index_is_no_column(frame: pd.DataFrame) -> None:
    assert to_arrow(frame.set_index(pd.Index([7, 8, 9, 5]))).column_names == list(frame.columns)


def test_estimators_take_frames_and_arrow_tables() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    expected = Ridge().fit(X.to_numpy(), y.to_numpy()).coef_
    for form in (X, pl.from_pandas(X), pa.Table.from_pandas(X)):
        model = Ridge().fit(form, y)
        np.testing.assert_array_equal(model.coef_, expected)
        assert list(model.feature_names_in_) == list(X.columns)


def test_a_type_guessed_too_narrow_widens(tmp_path: Path) -> None:
    many = "1,2\n" * 400_000  # the guess is made from the first megabyte
    table = text("a,b\n" + many + "1.5,x\n", tmp_path / "t.csv")
    assert [str(kind) for kind in table.schema.types] == ["double", "string"]
    assert table["a"][-1].as_py() == 1.5


@pytest.mark.parametrize(
    ("content", "options", "line"),
    [
        ("", {}, "is empty"),
        ("\n \n", {}, "is empty"),
        ("a,b\n", {}, "has 2 columns but no rows"),
        ("a,b,a\n1,2,3\n", {}, r"2 columns named 'a' \(columns 1, 3\)"),
        ("a,b\n1,2\n3\n", {}, "row 3 has 1 fields, expected 2: '3'"),
        ("a,b\n1,2\n3,4,5\n", {}, "row 3 has 3 fields, expected 2"),
        ("a,b\n" + "1,2\n" * 500_000 + "3\n", {}, "row 500002 has 1 fields"),
        (b"a,b\n1,x\n1,caf\xe9\n", {}, "column 'b', row 3: byte 0xe9 is not utf-8"),
        (b"a,caf\xe9\n1,2\n", {}, "row 1, byte 6: 0xe9 is not utf-8"),
        ("a,b\n1,2\n".encode("utf-16"), {}, "is UTF-16 text, not utf-8"),
        ("a,b\n1,2\n", {"encoding": "utf-16"}, "is not utf-16"),
        ("a,b\n1,2\n", {"encoding": "klingon"}, "unknown encoding 'klingon'"),
        ("a,b\n1,2\n", {"format": "xls"}, "unknown format 'xls'"),
        ("a,b\n1,2\n", {"format": "parquet"}, "is not a readable parquet file"),
        (b"PAR1 and then nothing", {"format": "parquet"}, "is not a readable parquet file"),
        (
            ",".join(f"c{i}" for i in range(1_000_000)) + "\n",
            {},
            "has 1000000 columns: expected at most 100000",
        ),
    ],
)
def test_bad_files_say_what_and_where(
    content: str | bytes, options: dict[str, str], line: str, tmp_path: Path
) -> None:
    with pytest.raises((FormatError, InvalidArgument), match=line) as error:
        text(content, tmp_path / "t.csv", **options)
    assert "\n" not in str(error.value)
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises((FormatError, InvalidArgument), match=line):
        read_table(io.BytesIO(raw), **options)


def test_other_encodings(tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16", "utf-8-sig"):
        table = text("a,b\n1,café\n".encode(encoding), tmp_path / "t.csv", encoding=encoding)
        assert table["b"].to_pylist() == ["café"]


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidArgument, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"a": [1.0], "b": [2.0]}, "no column 'y': the columns are 'a', 'b'"),
        ({"a": pa.nulls(2), "y": [1, 2]}, "column 'a' has no values at all"),
        ({"a": pa.array([None, None], pa.float64()), "y": [1, 2]}, "column 'a' has no values at all"),
        ({"y": [1, 2]}, "no columns are left"),
        ({"a": [1.0, float("inf")], "y": [1, 2]}, "column 'a': the value in data row 2 is infinite"),
        ({"a": [[1], [2]], "y": [1, 2]}, "column 'a' holds list"),
        ({"a": [1, 2, 3], "y": [1, None, 2]}, "target 'y' is missing in 1 rows, first in data row 2"),
        ({"a": [1, 2], "y": [1.0, float("nan")]}, "target 'y' is not finite in data row 2"),
    ],
)
def test_bad_tables_say_what_and_where(columns: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidArgument, match=line):
        dataset(pa.table(columns), "y")


def test_repeated_names_in_a_frame() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(FormatError, match="2 columns named 'a'"):
        dataset(table)


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.array(["a", "b"], dtype=object), "classification"),
        (np.array([True, False]), "classification"),
        (np.arange(100) % 3, "classification"),
        (np.arange(100), "regression"),
        (np.array([0.5, 1.0]), "regression"),
        (np.array([0.0, 1.0, 1.0]), "classification"),
    ],
)
def test_task(y: Any, task: str) -> None:
    assert infer_task(y) == task
