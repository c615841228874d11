"""The file of a profile: safetensors with one array of bytes a column, named by its number.

The metadata ``maas_engine.profile`` are JSON: ``version`` (1), the fields of ``inputs`` and ``outputs`` (name, type,
shape), ``feature_names``, ``roles`` and ``labels``. Each array is the byte form of a HistogramState or CategoryState,
whose configuration says which column it counts. There is one file of each profile: what is read writes the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from maas_engine import _core, _safetensors
from maas_engine._schema import DTYPES, ROLES, Field, Schema
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.monitoring._columns import Array, Column, ColumnState, columns_of, profiled_fields

VERSION = 1
MAX_STATES = 256 * 2**20  # bytes
_KEY = "maas_engine.profile"


def write_profile(schema: Schema, labels: Array | None, states: Sequence[ColumnState]) -> bytes:
    """Return the bytes of the file."""
    arrays = {_name(k): np.frombuffer(state.to_bytes(), np.uint8) for k, state in enumerate(states)}
    return _safetensors.to_bytes(arrays, {_KEY: _document(schema, labels)})


def read_profile(
    source: str | os.PathLike[str] | bytes,
) -> tuple[Schema, Array | None, list[ColumnState]]:
    """Return the schema, the labels and the states of a file or of its bytes.

    Raises
    ------
    FormatError : not such a file.
    NotFound : no file.
    """
    found: list[tuple[Schema, Array | None, tuple[Column, ...]]] = []

    def check(entries: list[_safetensors.Entry], metadata: dict[str, str]) -> None:
        schema, labels = _parse(metadata)
        many = sum(field.row_size for _, field in profiled_fields(schema))
        if many != len(entries):  # said before a billion columns are made
            _fail(f"{many} columns, as its fields have", f"{len(entries)}")
        columns = columns_of(schema, labels)
        if {each.name for each in entries} != {_name(k) for k in range(len(columns))}:
            _fail("columns by number", "others")
        if any(each.dtype != np.uint8 or len(each.shape) != 1 for each in entries):
            _fail("columns of bytes", "others")
        if sum(each.end - each.begin for each in entries) > MAX_STATES:
            _fail(f"at most {MAX_STATES} bytes of counts", "more")
        found.append((schema, labels, columns))

    arrays, _ = _safetensors.read(source, check)
    schema, labels, columns = found[0]
    states = [read_state(each, arrays[_name(k)].tobytes()) for k, each in enumerate(columns)]
    return schema, labels, states


def _name(column: int) -> str:
    return f"{column:05d}"


def _document(schema: Schema, labels: Array | None) -> str:
    document = {
        "version": VERSION,
        "inputs": schema.inputs,
        "outputs": schema.outputs,
        "feature_names": schema.feature_names,
        "roles": {role: field.name for role, field in schema.roles.items()},
        "labels": None if labels is None else labels.tolist(),
    }
    return json.dumps(document, sort_keys=True)


def _parse(metadata: dict[str, str]) -> tuple[Schema, Array | None]:
    text = metadata.get(_KEY)
    if text is None or len(metadata) != 1:
        _fail("a profile", "another file")
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            _fail(f"version {VERSION}", repr(document["version"])[:40])
        inputs, outputs = (tuple(map(_field, document[key])) for key in ("inputs", "outputs"))
        by_name = {each.name: each for each in outputs}
        roles = {role: by_name[document["roles"][role]] for role in ROLES if role in document["roles"]}
        names = None if document["feature_names"] is None else tuple(map(_text, document["feature_names"]))
        schema = Schema(inputs, outputs, names, roles)
        labels = None if document["labels"] is None else np.array(document["labels"])
        if labels is not None and (labels.ndim != 1 or labels.dtype.kind not in "iU"):
            _fail("labels that are integers or text", "others")
        same = _document(schema, labels) == text
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"[profile] expected the fields of a model: {error}") from None
    if not same:
        _fail("its description in its one form", "another")
    if names is not None and (len(inputs) != 1 or inputs[0].row_size != len(names)):
        _fail("one input of as many features as have names", f"{len(names)} names")
    for fields in (inputs, outputs):
        if len({each.name for each in fields}) != len(fields):
            _fail("fields of different names", "one twice")
    return schema, labels


def _field(item: Any) -> Field:
    name, dtype, shape = item
    if (
        dtype not in DTYPES
        or len(shape) > _safetensors.MAX_RANK + 1
        or not all(
            (type(dim) is int and 0 <= dim < 2**31) or (dim is None and axis == 0)
            for axis, dim in enumerate(shape)
        )
    ):
        raise InvalidArgument(f"a field of {str(item)[:80]}")
    return Field(_text(name), dtype, tuple(shape))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(f"a name of {str(value)[:80]}")
    return value


def read_state(column: Column, data: bytes) -> ColumnState:
    """Return the counts of a column; raises FormatError for bytes that are not."""
    kind = int.from_bytes(data[4:6], "little")
    core = _core.HistogramState if kind == _core.HistogramState.TYPE_ID else _core.CategoryState
    try:
        state: ColumnState = core.from_bytes(data)
        if isinstance(state, _core.CategoryState):
            state.vocabulary  # noqa: B018
    except UnicodeDecodeError:
        _fail("names and categories in UTF-8", f"others for '{column.name}'")
    if state.config != column.config:
        _fail(f"the counts of '{column.name}'", "those of another column")
    return state


def _fail(expected: str, got: str) -> NoReturn:
    raise FormatError(f"[profile] expected {expected}, got {got}")
