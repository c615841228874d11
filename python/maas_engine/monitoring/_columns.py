"""The columns of a model's inputs and outputs, and the counts that a reference starts for each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core
from maas_engine._schema import Field, Schema
from maas_engine.errors import InvalidArgument

MAX_COLUMNS = 1024  # of one input or output; pixels and embeddings say nothing one by one
MAX_CATEGORIES = 100  # of a text or integer column, the most frequent; labels are all kept
MAX_LABELS = 65_536
MAX_TEXT = 4096  # bytes of a category
MAX_BINS = 1024
ROWS_A_BIN = 50  # of a reference, at least: shares of fewer are mostly chance

Array = NDArray[Any]
ColumnState: TypeAlias = "_core.HistogramState | _core.CategoryState"


class Column(NamedTuple):
    """One element of the rows of an input or an output."""

    of: str  # "input" or "output"
    field: str
    item: int  # of the row, in row-major order
    name: str

    @property
    def config(self) -> str:
        """What its state says of itself."""
        return json.dumps(self._asdict(), sort_keys=True)


def columns_of(schema: Schema, labels: Array | None) -> tuple[Column, ...]:
    """Return the columns in their order: inputs, then outputs.

    Inputs have their feature's name; the columns of one output end in the class, or in their number.
    """
    found = []
    for each in schema.inputs:
        found += _columns("input", each, schema.feature_names)
    for each in schema.outputs:
        names: tuple[str, ...] | None = None
        if labels is not None and each.row_size == len(labels):
            names = tuple(f"{each.name}[{label}]" for label in labels)
        found += _columns("output", each, names)
    return tuple(found)


def is_profiled(field: Field) -> bool:
    """Whether the field has rows, and few enough columns to count."""
    return field.batched and 0 < field.row_size <= MAX_COLUMNS


def _columns(of: str, field: Field, names: Sequence[str] | None) -> list[Column]:
    if not is_profiled(field):
        return []
    if names is None:
        numbered = tuple(f"{field.name}[{item}]" for item in range(field.row_size))
        names = (field.name,) if field.row_size == 1 else numbered
    return [Column(of, field.name, item, name) for item, name in enumerate(names)]


def profiled_fields(schema: Schema) -> tuple[tuple[str, Field], ...]:
    """Return the fields that columns come from, in the columns' order, each with "input" or "output"."""
    pairs = [("input", each) for each in schema.inputs] + [("output", each) for each in schema.outputs]
    return tuple((of, each) for of, each in pairs if is_profiled(each))


def split(values: Any, field: Field) -> list[Array]:
    """Return the columns of what a run takes or gives, a row without its batch axis included.

    Numbers are not copied where numpy can do without; text comes as objects.

    Raises
    ------
    InvalidArgument : another shape than the field's.
    """
    if isinstance(values, tuple):  # Arrow's text: offsets, and the bytes they cut
        offsets, data = values
        text, cuts = data.tobytes(), offsets.tolist()
        values = np.array([text[a:b].decode() for a, b in pairwise(cuts)], dtype=object)
        return [values]
    array = np.asarray(values)
    if array.dtype.kind in "UT":
        array = array.astype(object)
    if array.ndim == len(field.row_shape):
        array = array[None]
    if array.ndim != len(field.shape) or array.shape[1:] != field.row_shape:
        raise InvalidArgument(f"[profile] expected rows of {field}, got shape {array.shape}")
    if array.ndim == 1:
        return [array]
    rows = array if array.ndim == 2 else array.reshape(len(array), field.row_size)
    return [rows[:, item] for item in range(field.row_size)]


def start_state(column: Column, values: Array, bins: int, labels: Array | None = None) -> ColumnState:
    """Return an empty state that fits the values of a reference.

    Text, booleans, labels, and integers of few distinct values are categories; other numbers get bins.
    """
    if labels is not None and len(labels) <= MAX_LABELS and labels.dtype.itemsize <= MAX_TEXT:
        return _core.CategoryState(column.config, sorted(labels.tolist()))
    if values.dtype.kind == "O":
        return _core.CategoryState(column.config, _frequent(values.tolist()))
    if values.dtype.kind == "b":
        return _core.CategoryState(column.config, [0, 1])
    if values.dtype.kind in "iu" and _is_few(distinct := np.unique(values), bins):
        return _core.CategoryState(column.config, distinct.tolist())
    return _core.HistogramState(column.config, bin_edges(values, bins))


def bin_edges(values: Array, bins: int) -> list[float]:
    """Return edges for the finite values of a reference.

    Few distinct values get a bin each, cut half-way between neighbours; more get bins of about equal counts, cut at
    quantiles that are values of the reference, those that fall together merged. A value far more frequent than one
    bin's share so has its bin nearly to itself. The outer edges are the least and the largest value; those of few
    distinct values lie beyond them by half the distance to the neighbour, of a single one by a thousandth. Bins at
    quantiles are no more than hold 50 values each, but two at least.

    Raises
    ------
    InvalidArgument : fewer than one bin, or too many.
    """
    if not 1 <= bins <= MAX_BINS:
        raise InvalidArgument(f"[profile] expected 1 to {MAX_BINS} bins, got {bins}")
    numbers = np.asarray(values, np.float64)
    numbers = np.sort(numbers[np.isfinite(numbers)]) + 0.0  # one zero
    if not numbers.size:
        numbers = np.zeros(1)
    distinct = numbers[np.r_[True, numbers[1:] != numbers[:-1]]]
    if len(distinct) <= bins:
        return list(_edges_around(distinct).tolist())
    bins = min(bins, max(2, len(numbers) // ROWS_A_BIN))
    # The value below which k / bins of them lie.
    cuts = numbers[(np.arange(1, bins) * len(numbers)) // bins]
    edges = np.unique(np.r_[numbers[0], cuts, numbers[-1]])
    return list(edges.tolist())


def _edges_around(distinct: Array) -> Array:
    """Edges of one bin a value."""
    least, most = distinct[0], distinct[-1]
    limit = np.finfo(np.float64).max
    with np.errstate(over="ignore"):  # what overflows is cut to the limit
        if len(distinct) == 1:
            half = abs(least) / 1000 if least else 1 / 1000
            low, high = least - half, most + half
        else:
            low = least - (distinct[1] / 2 - least / 2)
            high = most + (most / 2 - distinct[-2] / 2)
        low = max(min(low, np.nextafter(least, -np.inf)), -limit)
        high = min(max(high, np.nextafter(most, np.inf)), limit)
    between = distinct[:-1] / 2 + distinct[1:] / 2
    between = np.where(between > distinct[:-1], np.minimum(between, distinct[1:]), distinct[1:])
    edges = np.r_[low, between, high] + 0.0
    return np.unique(edges)


def _is_few(distinct: Array, bins: int) -> bool:
    return len(distinct) <= bins and bool(np.all(np.abs(distinct.astype(np.float64)) < 2.0**63))


def _frequent(texts: list[Any]) -> list[str]:
    counted = Counter(texts)
    try:
        known = {text: count for text, count in counted.items() if len(text.encode()) <= MAX_TEXT}
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"[profile] expected text in Unicode, got {error.object!r:.80}") from None
    most = sorted(known.items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]
    return sorted(text for text, _ in most)
