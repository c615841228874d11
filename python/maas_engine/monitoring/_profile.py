"""Profiles: what the columns of a model's inputs and outputs look like, as counts that update, merge and are files."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from maas_engine import _core
from maas_engine._conversion import convert, from_python
from maas_engine._files import write_whole
from maas_engine._schema import Field, Schema
from maas_engine._tables import to_arrays
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.model import Model
from maas_engine.monitoring._columns import (
    Array,
    Column,
    ColumnState,
    columns_of,
    is_profiled,
    profiled_fields,
    split,
    start_state,
)
from maas_engine.monitoring._file import read_profile, read_state, write_profile

if TYPE_CHECKING:
    from typing_extensions import Self


class Profile:
    """Counts of every column of a model's inputs and outputs, in bins and categories fixed by a reference.

    No row is kept. Numbers are counted in bins, labels, texts and integers of few values by value; missing values
    (NaN) and those that the reference did not have are counted apart. Profiles of the same model and reference merge
    exactly: the counts, and the bytes of the file, do not depend on how rows were split or ordered.

    Make one by `build`, and others of the same bins by `empty`. Not safe for use by several threads at once.

    Attributes
    ----------
    columns : tuple of Column
        ``of`` ("input" or "output"), ``field`` (the value's name in the model), ``item`` and ``name``.
    skipped : tuple of str
        Inputs and outputs without rows, or of more than 1024 elements a row: not profiled.

    Examples
    --------
    >>> reference = Profile.build(model, X)  # doctest: +SKIP
    >>> live = reference.empty()  # doctest: +SKIP
    >>> live.update(X_today, model.run(X_today))  # doctest: +SKIP
    >>> print(drift(reference, live))  # doctest: +SKIP
    """

    def __init__(self, schema: Schema, labels: Array | None, state: _core.ProfileState) -> None:
        self._schema, self._labels, self._state = schema, labels, state
        self.columns: tuple[Column, ...] = columns_of(schema, labels)
        self._fields = profiled_fields(schema)
        self.skipped = tuple(each.name for each in (*schema.inputs, *schema.outputs) if not is_profiled(each))

    @classmethod
    def build(cls, model: Model, X_reference: Any, bins: int = 20) -> Self:
        """Return the profile of a reference: edges and categories come from it, and it is counted.

        Parameters
        ----------
        model : Model
        X_reference : as ``model.predict`` takes it
            Rows that stand for those to come; the outputs are the model's answers to them.
        bins : int, default 20
            Most bins of a column of numbers; a reference of few rows gets fewer, of 50 rows at least.

        Raises
        ------
        InvalidArgument : no rows, or what ``predict`` raises.
        """
        schema, most = _whole_schema(model.schema), _checked_bins(bins)
        values = _values(model, X_reference)
        batch = [
            column for of, field in profiled_fields(schema) for column in split(values[of, field.name], field)
        ]
        if not all(map(len, batch)):
            raise InvalidArgument("[profile] expected a reference with rows")
        predicted = schema.roles["predict"].name
        states = []
        for each, column in zip(columns_of(schema, model.labels), batch, strict=True):
            is_label = each.of == "output" and each.field == predicted
            states.append(start_state(each, column, most, model.labels if is_label else None))
        state = _core.ProfileState(states)
        state.update(batch)
        return cls(schema, model.labels, state)

    def fits(self, model: Model) -> bool:
        """Tell whether the columns are those of a model: its fields, labels and methods."""
        labels = (None if each is None else each.tolist() for each in (self._labels, model.labels))
        return self._schema == _whole_schema(model.schema) and next(labels) == next(labels)

    def empty(self) -> Self:
        """Return a profile of the same bins and categories with nothing counted, for live rows."""
        return type(self)(self._schema, self._labels, self._state.empty())

    def counted(self, states: Sequence[bytes]) -> Self:
        """Return a profile of the same bins and categories with the counts of others: bytes of a state each.

        Raises
        ------
        FormatError : states of other columns.
        """
        if len(states) != len(self.columns):
            raise FormatError(f"[profile] expected {len(self.columns)} states, got {len(states)}")
        found = [read_state(column, each) for column, each in zip(self.columns, states, strict=True)]
        live = self.empty()
        live._state.merge(_core.ProfileState(found))  # of the same edges, or it says so
        return live

    def update(self, X: Any = None, outputs: Mapping[str, Any] | None = None) -> None:
        """Count a batch.

        Parameters
        ----------
        X : as ``predict`` takes it, or None
        outputs : mapping of str to array, or None
            Answers by the names that ``model.run`` uses, or by method: ``{"predict": labels}``. Outputs that it does
            not name are not counted.

        Raises
        ------
        InvalidArgument : rows that the model does not take, or names and shapes that it does not give; then nothing
            was counted.
        """
        values: dict[tuple[str, str], Any] = {}
        if X is not None:
            arrays = to_arrays(X, self._schema, "profile")
            values = {
                ("input", each.name): array for each, array in zip(self._schema.inputs, arrays, strict=True)
            }
        if outputs is not None and not isinstance(outputs, Mapping):
            raise InvalidArgument(f"[profile] expected outputs by name, got {type(outputs).__name__}")
        for name, value in (outputs or {}).items():
            field = self._output(name)
            values["output", field.name] = _converted(value, field)
        batch: list[Array | None] = []
        for of, field in self._fields:
            given = values.get((of, field.name))
            batch += [None] * field.row_size if given is None else split(given, field)
        rows = {len(column) for column in batch if column is not None}
        if len(rows) > 1:
            raise InvalidArgument(f"[profile] expected as many rows of each, got {sorted(rows)}")
        self._state.update(batch)

    def merge(self, other: Self) -> Self:
        """Add the counts of another profile of the same columns, bins and categories; return this one."""
        if not isinstance(other, Profile):
            raise InvalidArgument(f"[profile] expected a Profile to merge, got {type(other).__name__}")
        self._state.merge(other._state)
        return self

    @property
    def states(self) -> tuple[ColumnState, ...]:
        """Copies of the counts, one a column: ``rows``, ``missing`` and ``counts``; of numbers ``edges``, ``below``
        and ``above``, of categories ``vocabulary`` and ``unseen``."""
        return tuple(self._state.columns)

    @property
    def rows(self) -> int:
        """Rows counted, of the column that has most."""
        return max((state.rows for state in self.states), default=0)

    def to_bytes(self) -> bytes:
        """Return what `to_file` writes; equal counts give equal bytes."""
        return write_profile(self._schema, self._labels, self.states)

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file: the bytes of one state an array. It is whole or not there."""
        write_whole(path, [self.to_bytes()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the profile that `to_bytes` wrote; raises ``FormatError`` for anything else."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidArgument(f"[profile] expected bytes, got {type(data).__name__}")
        schema, labels, states = read_profile(bytes(data))
        return cls(schema, labels, _core.ProfileState(states))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Return the profile of a file; raises ``FormatError`` for other files, ``NotFound`` where there is none."""
        schema, labels, states = read_profile(path)
        return cls(schema, labels, _core.ProfileState(states))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        inputs = sum(each.of == "input" for each in self.columns)
        return f"<Profile of {self.rows} rows: {inputs} inputs, {len(self.columns) - inputs} outputs>"

    def _output(self, name: str) -> Field:
        """The field of an output or of a method's answer."""
        for each in self._schema.outputs:
            if each.name == name:
                return each
        if name in self._schema.roles:
            return self._schema.roles[name]
        known = ", ".join(each.name for each in self._schema.outputs)
        raise InvalidArgument(f"[profile] expected outputs of {known}, got '{name}'")


def _checked_bins(bins: Any) -> int:
    try:
        return operator.index(bins)
    except TypeError:
        raise InvalidArgument(f"[profile] expected a whole number of bins, got {bins!r}") from None


def _converted(value: Any, field: Field) -> Array:
    """An output of the field's kind. float64 may stand for float32: it is counted, not rounded."""
    what = f"[profile] expected output '{field.name}'"
    if hasattr(value, "dtype"):
        array = np.asarray(value)
        wide = array.dtype.kind == "f" and array.dtype.itemsize <= 8 and field.dtype == "float32"
        return convert(array, "float64" if wide else field.dtype, what)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InvalidArgument(f"{what} to have rows of one length: {error}") from None
    return from_python(array, field.dtype, what)


def _whole_schema(schema: Schema) -> Schema:
    """With what methods give among the outputs, also where the graph does not put it out."""
    names = {each.name for each in schema.outputs}
    others = {each.name: each for each in schema.roles.values() if each.name not in names}
    return schema._replace(outputs=(*schema.outputs, *others.values()))


def _values(model: Model, X: Any) -> dict[tuple[str, str], Any]:
    """What goes in and comes out, by "input" or "output" and name."""
    schema = model.schema
    arrays = to_arrays(X, schema, "profile")
    values = {("input", each.name): array for each, array in zip(schema.inputs, arrays, strict=True)}
    values |= {("output", name): value for name, value in model.run(X).items()}
    for role, field in schema.roles.items():
        if ("output", field.name) not in values:
            values["output", field.name] = getattr(model, role)(X)
    return values
