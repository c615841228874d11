"""An Arrow table as the arrays a model is fitted on: numbers, category codes, and the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.data._read import pyarrow, to_arrow
from maas_engine.errors import InvalidArgument

MOST_CLASSES = 20  # whole numbers with more distinct values are quantities, not labels


@dataclass(frozen=True)
class Dataset:
    """Rows ready for a model.

    Attributes
    ----------
    X : float64, shape (n_rows, n_columns), column-major; missing values are NaN
    y : float64, int64 or labels (object), shape (n_rows,); empty where no target was named
    names : of the columns of X
    categories : by name, the sorted values of each column of text, which X holds as positions in this list
    target : name of y
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    names: list[str]
    categories: dict[str, list[str]] = field(default_factory=dict)
    target: str = ""


def dataset(frame: Any, target: str | None = None, *, drop: Sequence[str] = ()) -> Dataset:
    """Split a table into features and target.

    Parameters
    ----------
    frame : what :func:`to_arrow` takes
    target : name of the column to predict
    drop : names of columns to leave out

    Raises
    ------
    InvalidArgument : no such column, a column of X without any value or of a type that is no number, text,
        truth value or time; an infinite value; a target with missing values; no columns left.

    Notes
    -----
    Truth values become 0 and 1, dates and times seconds since 1970.
    """
    table = to_arrow(frame)
    for name in (*drop, *([] if target is None else [target])):
        if name not in table.column_names:
            raise InvalidArgument(f"no column {name!r}: {_some(table.column_names)}")
    names = [name for name in table.column_names if name != target and name not in drop]
    if not names:
        raise InvalidArgument("no columns are left to predict from")
    X = np.empty((table.num_rows, len(names)), order="F")
    categories: dict[str, list[str]] = {}
    for j, name in enumerate(names):
        X[:, j], values = _numbers(table[name], name)
        if values is not None:
            categories[name] = values
    y = np.empty(0) if target is None else _target(table[target], target)
    return Dataset(X, y, names, categories, target or "")


def infer_task(y: NDArray[Any]) -> str:
    """Return 'classification' for text, truth values and up to 20 distinct whole numbers, else 'regression'."""
    if y.dtype.kind in "OUb":
        return "classification"
    if y.dtype.kind == "f" and not np.all(np.floor(y) == y):
        return "regression"
    return "classification" if len(np.unique(y)) <= MOST_CLASSES else "regression"


def numbers(column: Any, name: str) -> NDArray[np.float64]:
    """Return a column (a pyarrow ChunkedArray) as float64, shape (n_rows,), NaN where missing.

    Raises
    ------
    InvalidArgument : neither numbers, truth values, dates nor text that reads as numbers.
    """
    pa = pyarrow()
    column = _plain(column)
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    if _is_text(column.type):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise InvalidArgument(f"column {name!r} holds text, expected numbers: {error}") from None
    return _as_float(column, name)


def texts(column: Any) -> NDArray[Any]:
    """Return a column (a pyarrow ChunkedArray) as text, shape (n_rows,) of str, "" where missing."""
    plain = _plain(column).cast(pyarrow().large_string())
    return np.array(["" if value is None else value for value in plain.to_pylist()], dtype=object)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"the columns are {shown}{more}"


def _numbers(column: Any, name: str) -> tuple[NDArray[np.float64], list[str] | None]:
    """A column as numbers; for text, positions in the sorted list of its values and that list."""
    if column.null_count == len(column):
        raise InvalidArgument(f"column {name!r} has no values at all: drop it")
    column = _plain(column)
    if _is_text(column.type):
        return _codes(column)
    values = _as_float(column, name)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise InvalidArgument(f"column {name!r}: the value in data row {infinite[0] + 1} is infinite")
    return values, None


def _plain(column: Any) -> Any:
    """Categories spelled out, and the newer string layouts as the one all functions know."""
    pa = pyarrow()
    if pa.types.is_dictionary(column.type):
        decoded = [
            (
                chunk.dictionary.cast(pa.large_string())
                if _is_text(chunk.dictionary.type)
                else chunk.dictionary
            ).take(chunk.indices)
            for chunk in column.chunks
        ]
        column = pa.chunked_array(decoded)
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _is_text(kind: Any) -> bool:
    types = pyarrow().types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _as_float(column: Any, name: str) -> NDArray[np.float64]:
    pa = pyarrow()
    types = pa.types
    kind = column.type
    if types.is_date(kind) or types.is_timestamp(kind):
        zone = kind.tz if types.is_timestamp(kind) else None
        micro = column.cast(pa.timestamp("us", tz=zone)).cast(pa.int64())
        return _float_array(micro) / 1e6
    if (
        types.is_time(kind)
        or types.is_duration(kind)
        or not (
            types.is_integer(kind)
            or types.is_floating(kind)
            or types.is_decimal(kind)
            or types.is_boolean(kind)
        )
    ):
        raise InvalidArgument(f"column {name!r} holds {kind}: expected numbers, text or dates; drop it")
    return _float_array(column)


def _float_array(column: Any) -> NDArray[np.float64]:
    pa = pyarrow()
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if not pa.types.is_float64(kind):
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _codes(column: Any) -> tuple[NDArray[np.float64], list[str]]:
    encoded = column.combine_chunks().dictionary_encode()
    if hasattr(encoded, "combine_chunks"):  # a chunked array of one dictionary
        encoded = encoded.combine_chunks()
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), dtype=np.float64)
    rank[order] = np.arange(len(values))
    indices = encoded.indices
    missing = np.asarray(indices.is_null())
    codes = rank[np.where(missing, 0, np.asarray(indices.fill_null(0)))]
    codes[missing] = np.nan
    return codes, [values[k] for k in order]


def _target(column: Any, name: str) -> NDArray[Any]:
    pa = pyarrow()
    if column.null_count:
        first = int(np.flatnonzero(np.asarray(column.combine_chunks().is_null()))[0]) + 1
        raise InvalidArgument(
            f"target {name!r} is missing in {column.null_count} rows, first in data row {first}: remove them"
        )
    column = _plain(column)
    kind = column.type
    if _is_text(kind):
        return np.asarray(column.to_pylist(), dtype=object)
    if pa.types.is_boolean(kind):
        return np.asarray(column.to_pylist(), dtype=bool)
    if pa.types.is_integer(kind):
        return np.asarray(column.to_numpy(), dtype=np.int64)
    y = _as_float(column, name)
    if not np.isfinite(y).all():
        first = int(np.flatnonzero(~np.isfinite(y))[0]) + 1
        raise InvalidArgument(f"target {name!r} is not finite in data row {first}")
    return y
