"""Frames, dicts, lists and arrays as the inputs of a model.

Columns go by name where the model knows names: a missing one is an error, others are dropped, the order does not
matter. `_conversion` says which types may become which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maas_engine._arrow_text import offsets_and_bytes, pandas_text, text_or_none
from maas_engine._conversion import convert, from_python
from maas_engine._schema import Field, Schema
from maas_engine.errors import InvalidArgument

Array = NDArray[Any]
# Text columns of Arrow stay so: offsets, and the bytes they cut.
Input: TypeAlias = Array | tuple[Array, Array]


class Columns(NamedTuple):
    """A table by columns. ``typed`` is False where the values are Python's own."""

    names: Sequence[Any]
    get: Callable[[Any], Array]
    typed: bool = True
    one_row: bool = False
    text: Callable[[Any], Any] | None = None  # the column as Arrow data, or None where it is not text


def to_arrays(X: Any, schema: Schema, method: str) -> tuple[Input, ...]:
    """Return one array an input, of its type and shape, in the schema's order.

    Parameters
    ----------
    X : array_like, frame, mapping or sequence of mappings
    schema : Schema
    method : str
        For messages.

    Raises
    ------
    InvalidArgument : what was expected and what came, columns by name.
    """
    expected = f"[{method}] expected"
    X = _one_block(X, schema)
    columns = _columns_of(X, schema, expected)
    if columns is not None:
        return _from_columns(columns, schema, expected)
    if isinstance(X, Mapping):
        return tuple(
            _shaped(_converted(_by_name(X, each, expected), each, expected), each, expected)
            for each in schema.inputs
        )
    if len(schema.inputs) == 1:
        only = schema.inputs[0]
        return (_shaped(_converted(X, only, expected), only, expected),)
    return _from_columns(_matrix_columns(X, schema, expected), schema, expected, by_position=True)


# --- what X is ---------------------------------------------------------------------------------------


def _columns_of(X: Any, schema: Schema, expected: str) -> Columns | None:
    """X as columns, or None if it is an array, a list of rows, or a mapping of whole inputs."""
    if hasattr(X, "to_dict") and getattr(X, "ndim", 0) == 1:  # a pandas Series: one row by its labels
        X = X.to_dict()
    if hasattr(X, "column_names") or (hasattr(X, "__arrow_c_stream__") and not hasattr(X, "columns")):
        return _arrow_columns(X, expected)
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return Columns(
            list(X.columns),
            lambda name: pandas_column(X[name], name, expected),
            text=lambda name: pandas_text(X[name]),
        )
    if hasattr(X, "get_column") and hasattr(X, "columns"):
        return Columns(list(X.columns), lambda name: np.asarray(X.get_column(name).to_numpy()))
    if isinstance(X, Mapping):
        return None if schema.columns is None else _mapping_columns(X, schema.columns)
    if isinstance(X, (list, tuple)) and len(X) > 0 and all(isinstance(row, Mapping) for row in X):
        if schema.columns is None:
            raise InvalidArgument(f"{expected} arrays: the columns of this model have no names")
        return _row_columns(X, schema.columns, expected)
    return None


def _one_block(X: Any, schema: Schema) -> Any:
    """The array behind a pandas frame of one type whose columns are the model's, in order; else X itself."""
    if not hasattr(X, "iloc") or not hasattr(X, "columns") or len(schema.inputs) != 1:
        return X
    types = set(X.dtypes)
    if len(types) != 1 or not isinstance(next(iter(types)), np.dtype):
        return X
    return X.to_numpy() if schema.columns is None or list(X.columns) == list(schema.columns) else X


def _arrow_columns(X: Any, expected: str) -> Columns:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise InvalidArgument(f"{expected} pyarrow for Arrow data: pip install pyarrow") from error
    table = pa.table(X)

    def column(name: str) -> Array:
        values = table.column(name)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if values.null_count == 0 and (
            pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        ):
            return _arrow_texts(values)
        return np.asarray(values.to_numpy())

    return Columns(table.column_names, column, text=lambda name: text_or_none(table.column(name)))


def _arrow_texts(values: Any) -> Array:
    """Arrow's text without nulls as objects; equal texts share one, which costs less than an object each."""
    encoded = values.dictionary_encode()
    if hasattr(encoded, "combine_chunks"):
        encoded = encoded.combine_chunks()
    texts = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False))
    return np.asarray(texts.take(encoded.indices.to_numpy(zero_copy_only=False)))


def pandas_column(series: Any, name: Any, expected: str) -> Array:
    """Return a column of a pandas frame as numpy has it; missing values of nullable integers are None."""
    if series.ndim != 1:
        raise InvalidArgument(f"{expected} columns of different names, got '{name}' twice")
    if isinstance(series.dtype, np.dtype):
        return np.asarray(series.to_numpy())
    if series.dtype.kind in "biuf":  # nullable
        if not series.isna().any():
            return np.asarray(series.to_numpy(dtype=getattr(series.dtype, "numpy_dtype", None)))
        if series.dtype.kind == "f":
            return np.asarray(series.to_numpy(dtype=series.dtype.numpy_dtype, na_value=np.nan))
        return np.asarray(series.to_numpy(dtype=object, na_value=None))
    if getattr(series.dtype, "storage", "") == "pyarrow" and hasattr(series.array, "__arrow_array__"):
        values = series.array.__arrow_array__()
        if values.null_count == 0:
            return _arrow_texts(values)
    return np.asarray(series)


def _mapping_columns(X: Mapping[Any, Any], names: Sequence[str]) -> Columns:
    used = [X[name] for name in names if name in X]
    one_row = not any(_is_column(value) for value in used)
    if one_row or not all(hasattr(value, "dtype") for value in used):
        return Columns(list(X), lambda name: _untyped(X[name]), typed=False, one_row=one_row)
    return Columns(list(X), lambda name: np.asarray(X[name]))


def _row_columns(rows: Sequence[Mapping[Any, Any]], names: Sequence[str], expected: str) -> Columns:
    for number, row in enumerate(rows):
        missing = [name for name in names if name not in row]
        if missing:
            raise InvalidArgument(f"{expected} {_listed(missing)}, missing from row {number}")
    return Columns(names, lambda name: _untyped([row[name] for row in rows]), typed=False)


def _matrix_columns(X: Any, schema: Schema, expected: str) -> Columns:
    """The columns of a matrix for a model of one input a column."""
    if schema.columns is None:
        names = ", ".join(repr(each.name) for each in schema.inputs)
        raise InvalidArgument(f"{expected} a dict of arrays {names}, got {type(X).__name__}")
    typed = hasattr(X, "dtype")
    matrix = np.asarray(X) if typed else _untyped(X, objects=True)
    width = len(schema.columns)
    if matrix.ndim not in (1, 2) or matrix.shape[-1] != width:
        raise InvalidArgument(f"{expected} {width} columns, got {_got(matrix)}")
    return Columns(range(width), lambda i: matrix[..., i], typed, one_row=matrix.ndim == 1)


# --- columns to inputs -------------------------------------------------------------------------------


def _from_columns(
    columns: Columns, schema: Schema, expected: str, by_position: bool = False
) -> tuple[Input, ...]:
    wanted: Sequence[Any]
    if schema.columns is None or by_position:
        wanted = columns.names
        width = sum(each.row_size for each in schema.inputs)
        if len(schema.inputs) > 1 and schema.columns is None:
            raise InvalidArgument(f"{expected} a dict of arrays, one an input")
        if len(wanted) != width:
            raise InvalidArgument(f"{expected} {width} features, got {len(wanted)}")
    else:
        wanted = schema.columns
        known = set(columns.names)
        missing = [name for name in wanted if name not in known]
        if missing:
            raise InvalidArgument(f"{expected} {_listed(missing)}, got {_listed(list(columns.names))}")
    if len(schema.inputs) == 1:
        return (_side_by_side(columns, wanted, schema.inputs[0], expected),)
    return tuple(
        _one_input(columns, name, each, expected) for name, each in zip(wanted, schema.inputs, strict=True)
    )


def _one_input(columns: Columns, name: Any, to: Field, expected: str) -> Input:
    if to.dtype == "string" and columns.text is not None:
        text = columns.text(name)
        if text is not None:
            return offsets_and_bytes(text, f"{expected} column {name!r}")
    column = _one_column(columns, name, to, expected)
    return column.reshape(to.row_shape if columns.one_row else (-1, *to.row_shape))


def _one_column(columns: Columns, name: Any, to: Field, expected: str) -> Array:
    values = columns.get(name)
    if values.ndim == 2 and values.shape[1] == 1:  # as other runtimes are fed
        values = values[:, 0]
    if values.ndim != (0 if columns.one_row else 1):
        raise InvalidArgument(f"{expected} column {name!r} to hold one value a row, got shape {values.shape}")
    what = f"{expected} column {name!r}"
    return convert(values, to.dtype, what) if columns.typed else from_python(values, to.dtype, what)


def _side_by_side(columns: Columns, wanted: Sequence[Any], to: Field, expected: str) -> Array:
    text = to.dtype == "string"
    out: Array | None = None
    for j, name in enumerate(wanted):
        column = _one_column(columns, name, to, expected)
        if out is None:  # by columns: each is written, and read again, in one go
            shape = (*column.shape, len(wanted))
            out = np.empty(shape, object) if text else np.empty(shape, to.dtype, order="F")
        if column.shape != out.shape[:-1]:
            raise InvalidArgument(
                f"{expected} columns of one length, got {len(out)} and {len(column)} values"
            )
        out[..., j] = column
    if out is None:
        raise InvalidArgument(f"{expected} at least one column")
    return out.reshape(to.row_shape if columns.one_row else (-1, *to.row_shape))


# --- arrays to inputs --------------------------------------------------------------------------------


def _by_name(X: Mapping[Any, Any], to: Field, expected: str) -> Any:
    if to.name not in X:
        raise InvalidArgument(f"{expected} input '{to.name}', got {_listed(list(X))}")
    return X[to.name]


def _converted(X: Any, to: Field, expected: str) -> Array:
    if X is None or isinstance(X, (str, bytes)) or hasattr(X, "tocsr"):
        raise InvalidArgument(f"{expected} an array, a frame, a dict or a list, got {type(X).__name__}")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise InvalidArgument(f"{expected} arrays without a mask: X.filled(np.nan)")
    what = f"{expected} X"
    if isinstance(X, (list, tuple, int, float)):
        return from_python(_untyped(X, objects=to.dtype == "string"), to.dtype, what)
    return convert(np.asarray(X), to.dtype, what)


def _shaped(array: Array, to: Field, expected: str) -> Array:
    rank = len(to.row_shape)
    row = array.shape[array.ndim - rank :]
    fits = array.ndim in ((rank, rank + 1) if to.batched else (rank,)) and row == to.row_shape
    if not fits:
        if rank == 1 and to.batched and array.ndim in (1, 2):
            raise InvalidArgument(f"{expected} {to.row_size} features, got {_got(array)}")
        raise InvalidArgument(f"{expected} an array of {to}, got shape {array.shape}")
    return np.ascontiguousarray(array) if rank > 1 and not array.flags.c_contiguous else array


def _untyped(X: Any, objects: bool = False) -> Array:
    """What numpy makes of Python values, as objects where they are not all numbers."""
    try:
        array = np.array(X, dtype=object) if objects else np.asarray(X)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(f"[predict] expected rows of one length: {error}") from error
    return array if objects or array.dtype.kind in "biuf" else np.array(X, dtype=object)


def _is_column(value: Any) -> bool:
    if isinstance(value, (str, bytes)) or value is None:
        return False
    return getattr(value, "ndim", 1 if hasattr(value, "__len__") else 0) > 0


def _got(array: Array) -> str:
    return str(array.shape[-1]) if array.ndim in (1, 2) else f"shape {array.shape}"


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"column{'s' if len(names) != 1 else ''} {shown}{more}"
