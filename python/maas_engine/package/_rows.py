"""Which rows a model is asked again whenever its package is opened: of a reference, or made from its schema."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, pairwise, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine._schema import Field
from maas_engine._tables import to_arrays
from maas_engine.errors import InvalidArgument
from maas_engine.model import Model

Array = NDArray[Any]

MAX_ROWS = 128  # of a reference; three quarters of them for the extremes, the rest spread evenly
MADE_ROWS = 32  # without one
MAX_BYTES = 8 * 2**20  # of all rows, with their answers; wide ones are fewer, at least one
TEXT_BYTES = 32  # taken as a text's length
MAX_CATEGORIES = 64  # a column with more is no category


def chosen(model: Model, X_reference: Any) -> list[Array]:
    """Return rows of a reference, one array an input: extremes, missing values, each category, and a spread.

    Raises
    ------
    InvalidArgument : the reference does not fit the model, or has no rows.
    """
    fields = model.schema.inputs
    arrays = [_plain(each, field) for each, field in zip(_arrays(model, X_reference), fields, strict=True)]
    batched = [array for array, field in zip(arrays, fields, strict=True) if field.batched]
    if not batched:
        return arrays
    rows = len(batched[0])
    if rows == 0 or any(len(array) != rows for array in batched):
        raise InvalidArgument("[package] expected X_reference to have rows, as many in every input")
    kept = _pick(batched, rows, _most(model, MAX_ROWS))
    return [array[kept] if field.batched else array for array, field in zip(arrays, fields, strict=True)]


def made(model: Model) -> list[Array]:
    """Return rows made from the schema, one array an input; only such as the model answers.

    Raises
    ------
    InvalidArgument : it answers none of them.
    """
    fields = model.schema.inputs
    draws = np.random.RandomState(0)  # whose numbers numpy keeps for ever
    most = _most(model, MADE_ROWS)
    arrays = [_made(field, _known_values(model, field), draws, most) for field in fields]
    if _answers(model, arrays) or not any(field.batched for field in fields):
        return arrays
    good = [
        i
        for i in range(most)
        if _answers(
            model, [a[i : i + 1] if field.batched else a for a, field in zip(arrays, fields, strict=True)]
        )
    ]
    if not good:
        raise InvalidArgument(
            "[package] expected X_reference: the model answers none of the rows made from its schema"
        )
    return [array[good] if field.batched else array for array, field in zip(arrays, fields, strict=True)]


def _most(model: Model, rows: int) -> int:
    """So many rows, or as many as stay below the limit of bytes."""
    schema = model.schema
    size = 0
    for field in (*schema.inputs, *schema.outputs, *schema.roles.values()):
        item = TEXT_BYTES if field.dtype == "string" else np.dtype(field.dtype).itemsize
        size += field.row_size * item if field.batched else 0
    return max(1, min(rows, MAX_BYTES // max(1, size)))


# --- of a reference ------------------------------------------------------------------------------------


def _arrays(model: Model, X: Any) -> tuple[Any, ...]:
    return to_arrays(X, model.schema, "package")


def _plain(values: Any, field: Field) -> Array:
    """An input as an array with its rows; Arrow's text as objects."""
    if isinstance(values, tuple):
        cuts, data = values
        texts = [data[a:b].tobytes().decode() for a, b in pairwise(cuts)]
        values = np.array(texts, dtype=object)
    return np.asarray(values).reshape((-1, *field.row_shape) if field.batched else field.row_shape)


def _pick(arrays: list[Array], rows: int, most: int) -> list[int]:
    """Rows with NaN or infinity; the first candidates of the columns, then the second ones, ...; then a spread."""
    tables = [array.reshape(rows, -1) for array in arrays]
    kept: dict[int, None] = {}
    for table in tables:
        if table.dtype.kind == "f":
            odd = np.flatnonzero(~np.isfinite(table).all(axis=1))
            kept.update(dict.fromkeys(odd[_spread(len(odd), most // 8)].tolist()))
    columns = [(table, j) for table in tables for j in _spread(table.shape[1], most)]
    columns = [columns[i] for i in _spread(len(columns), most)]
    rounds = zip_longest(*(_candidates(table[:, j]) for table, j in columns))
    for i in chain.from_iterable(rounds):
        if len(kept) >= most * 3 // 4:
            break
        if i is not None:
            kept[i] = None
    kept.update(dict.fromkeys(_spread(rows, most - len(kept)).tolist()))
    return sorted(kept)


def _spread(count: int, most: int) -> NDArray[np.intp]:
    """At most so many of 0 ... count - 1, at even distances, both ends among them."""
    return np.linspace(0, max(0, count - 1), min(count, most)).astype(np.intp)


def _candidates(column: Array) -> Iterator[int]:
    if column.dtype.kind == "f":
        missing = np.isnan(column)
        yield int(np.argmin(np.where(missing, np.inf, column)))
        yield int(np.argmax(np.where(missing, -np.inf, column)))
        return
    if column.dtype.kind in "iu":
        yield int(np.argmin(column))
        yield int(np.argmax(column))
    first: dict[Any, int] = {}
    for i, value in enumerate(column.tolist()):
        if value not in first:
            first[value] = i
            if len(first) > MAX_CATEGORIES:
                break
    yield from list(first.values())[:MAX_CATEGORIES]


# --- from the schema -----------------------------------------------------------------------------------


def _made(field: Field, known: list[Any], draws: np.random.RandomState, rows: int) -> Array:
    shape = (rows, *field.row_shape) if field.batched else field.row_shape
    if field.dtype == "string":
        return _listed(known or ["", "a", "Ωμέγα"], shape, np.dtype(object))
    dtype = np.dtype(field.dtype)
    if dtype.kind == "f":
        values = draws.standard_normal(shape)
        if field.batched and rows > 4:
            each_row = (-1, *[1] * len(field.row_shape))
            values *= np.resize([0.01, 1.0, 1.0, 30.0], rows).reshape(each_row)
            values[:4] = np.array([0.0, 1.0, -1.0, np.nan]).reshape(each_row)
        return np.asarray(values, dtype)
    if dtype.kind == "b":
        return np.asarray(draws.random_sample(shape) < 0.5)
    return _listed(known or [0, 1, 2, 3], shape, dtype)


def _listed(values: list[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Rows of the first value, of the second, ...; and then rows that mix them."""
    rows = shape[0] if shape else 1
    i, j = np.ogrid[:rows, : math.prod(shape[1:])]
    table = np.empty(len(values), dtype)
    table[:] = values
    return np.asarray(table[(i + j * (i // len(values))) % len(values)].reshape(shape))


def _known_values(model: Model, field: Field) -> list[Any]:
    """The categories that nodes list, those that read the field if any do: texts for inputs of text, else integers."""
    wanted = str if field.dtype == "string" else int
    near: dict[Any, None] = {}
    found: dict[Any, None] = {}
    for node in model.graph.nodes:
        for key, value in node.attributes.items():
            if key.startswith(("cats_", "keys_")) and isinstance(value, (list, tuple)):
                items = dict.fromkeys(item for item in value if type(item) is wanted)
                found.update(items)
                if field.name in node.inputs:
                    near.update(items)
    return list(near or found)


def _answers(model: Model, arrays: list[Array]) -> bool:
    try:
        model._run("run", tuple(arrays))
        for role in model.schema.roles:
            model._run(role, tuple(arrays))
    except InvalidArgument:
        return False
    return True
