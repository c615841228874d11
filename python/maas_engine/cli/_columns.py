"""A table's columns as the arrays a model's inputs ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.data import dataset, numbers, texts, to_arrow
from maas_engine.errors import InvalidArgument
from maas_engine.model import Model

Array = NDArray[Any]


def feeds(model: Model, frame: Any) -> dict[str, Array]:
    """Return an array for each input of the model, from the columns it names.

    Parameters
    ----------
    model : its inputs are columns of their own, or one matrix whose columns are named by the metadata or,
        without names, taken in the table's order
    frame : what :func:`maas_engine.data.to_arrow` takes; a table read from text has no types of its own, so
        numbers become what the model asks for, float32 included

    Raises
    ------
    InvalidArgument : a column is missing or holds something else; a number of columns that does not fit.
    """
    return feeds_of(model.graph.inputs, _feature_names(model), frame)


def feeds_of(
    inputs: Sequence[tuple[str, str, tuple[int | None, ...]]], named: Sequence[str] | None, frame: Any
) -> dict[str, Array]:
    """`feeds` of a model's inputs and the names of their columns, wherever the model is."""
    table = to_arrow(frame)
    if len(inputs) == 1 and len(inputs[0][2]) == 2 and inputs[0][2][1] != 1:
        name, dtype, (_, width) = inputs[0]
        columns = [_column(table, column, dtype)[:, 0] for column in _names(named, table, width or 0)]
        return {name: np.column_stack(columns)}
    out = {}
    for name, dtype, shape in inputs:
        if shape not in ((None, 1), (None,)):
            raise InvalidArgument(
                f"input {name!r} of the model has shape {list(shape)}: a table has one value a column"
            )
        column = _column(table, name, dtype)
        out[name] = column if len(shape) == 2 else column[:, 0]
    return out


def columns(model: Model, frame: Any) -> dict[str, Array]:
    """Return every column of a table, shape (n_rows,), of the type that the model asks for, or else of its own.

    For two models on the same rows, of which each takes what it needs by name.
    """
    table = to_arrow(frame)
    inputs = model.graph.inputs
    matrix = inputs[0][1] if len(inputs) == 1 and len(inputs[0][2]) == 2 and inputs[0][2][1] != 1 else None
    wanted = {name: dtype for name, dtype, _ in inputs} if matrix is None else {}
    out = {}
    for name in table.column_names:
        dtype = wanted.get(name, matrix)
        if dtype is None:
            given = dataset(table.select([name])).categories
            dtype = "string" if name in given else "float64"
        out[name] = _column(table, name, dtype)[:, 0]
    return out


def _feature_names(model: Model) -> list[str] | None:
    named: list[str] | None = json.loads(model.metadata.get("maas_engine.feature_names", "null"))
    return named


def _names(named: Sequence[str] | None, table: Any, width: int) -> list[str]:
    if named is not None:
        return list(named)
    if table.num_columns != width:
        raise InvalidArgument(
            f"the model takes {width} columns without names, the table has {table.num_columns}: leave the others out "
            "with --drop"
        )
    return list(table.column_names)


def _column(table: Any, name: str, dtype: str) -> Array:
    """One column, shape (n_rows, 1)."""
    if name not in table.column_names:
        raise InvalidArgument(f"no column {name!r}, which the model needs")
    if dtype == "string":
        return texts(table[name])[:, None]
    values = numbers(table[name], name)
    if dtype in ("float32", "float64"):
        return values.astype(dtype)[:, None]
    whole = values.astype(dtype)
    if not np.array_equal(whole, values):
        raise InvalidArgument(f"column {name!r}: the model takes whole numbers ({dtype}), none missing")
    return whole[:, None]
