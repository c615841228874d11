"""Golden rows: questions a model was asked when it was packed, and the bits it answered.

A safetensors file: ``inputs.0``, ``inputs.1``, ... in the schema's order; ``run.0``, ... the graph's outputs; and what
each method gave, by its name. Text is two arrays, NAME.text (UTF-8, one after the other) and NAME.ends (where each
ends).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core, _safetensors
from maas_engine._schema import Field
from maas_engine.errors import FormatError, InvalidArgument, NumericsWarning
from maas_engine.model import Model
from maas_engine.package._folder import fail
from maas_engine.package._rows import chosen, made
from maas_engine.package._tolerance import close, tied

Array = NDArray[Any]
NAME = "golden.safetensors"


def tier() -> str:
    """Return the tier of this processor: result bits are equal inside one."""
    return "fma" if _core.target_has_fma() else "no_fma"


def build(model: Model, X_reference: Any = None) -> bytes:
    """Return the file: rows of the reference, or made ones, and the model's answers.

    Raises
    ------
    InvalidArgument : rows that the model does not take.
    """
    inputs = made(model) if X_reference is None else chosen(model, X_reference)
    return _file(model, inputs)


def renew(model: Model, data: bytes) -> bytes:
    """Return the file with the same rows, and the answers of now."""
    inputs, _ = _read(model, data)
    return _file(model, inputs)


def answers(model: Model, inputs: list[Array]) -> dict[str, Array]:
    """Return every output (``run.0``, ...) and every method's answer for arrays of the inputs."""
    given = tuple(inputs)
    found = {f"run.{i}": value for i, value in enumerate(model._run("run", given))}
    found.update({role: model._run(role, given) for role in model.schema.roles})
    return {name: np.asarray(value) for name, value in found.items()}


def check(model: Model, data: bytes, numerics: int, recorded_tier: str) -> None:
    """Ask the golden rows again.

    The same bits must come where numerics and tier are those of the file; else values within tolerance, and labels
    that are the same unless two classes tie.

    Raises
    ------
    FormatError : other answers, or a file that does not fit the model.

    Warns
    -----
    NumericsWarning : other bits, within tolerance, of other numerics or another tier.
    """
    inputs, expected = _read(model, data)
    try:
        given = answers(model, inputs)
    except InvalidArgument as error:
        fail(NAME, "rows that the model answers", str(error))
    wrong = [name for name in expected if not _same_bits(given[name], expected[name])]
    if not wrong:
        return
    if (numerics, recorded_tier) == (_core.NUMERICS, tier()):
        name = wrong[0]
        fail(NAME, f"the recorded bits of {name}", _difference(given[name], expected[name]))
    ties = _ties(expected)
    for name in wrong:
        good = _rows_within(given[name], expected[name], ties)
        if not good.all():
            bad = f"others in {np.count_nonzero(~good)} of {len(good)} rows, the first row {np.argmin(good)}"
            fail(NAME, f"the recorded values of {name} within tolerance", bad)
    warnings.warn(
        f"[package] '{NAME}': expected the bits of numerics {numerics} ({recorded_tier}), got values within "
        f"tolerance by numerics {_core.NUMERICS} ({tier()}): `maas-engine package re-golden` records those",
        NumericsWarning,
        stacklevel=2,
    )


# --- comparing -----------------------------------------------------------------------------------------


def _same_bits(given: Array, expected: Array) -> bool:
    if expected.dtype == object:
        return bool(given.tolist() == expected.tolist())
    return np.ascontiguousarray(given).tobytes() == np.ascontiguousarray(expected).tobytes()


def _difference(given: Array, expected: Array) -> str:
    if given.ndim == 0:
        return "others"
    same = [_same_bits(a, b) for a, b in zip(given[:, None], expected[:, None], strict=True)]
    return f"others in {same.count(False)} of {len(same)} rows, the first row {same.index(False)}"


def _ties(expected: dict[str, Array]) -> Array | None:
    """Rows in which some scores tie: those by class, or one of two classes."""
    scores = [a for a in expected.values() if a.dtype.kind == "f" and a.ndim == 2 and a.shape[1] > 1]
    one = expected.get("decision_function")
    if one is not None and one.dtype.kind == "f" and one.ndim == 1:
        scores.append(one)
    rows = {len(a) for a in scores}
    return np.logical_or.reduce([tied(a) for a in scores]) if len(rows) == 1 else None


def _rows_within(given: Array, expected: Array, ties: Array | None) -> Array:
    if expected.dtype.kind == "f":
        return close(given, expected)
    rows = len(expected) if expected.ndim else 1
    good = np.asarray((given == expected).reshape(rows, -1).all(axis=1))
    return good | ties if ties is not None and len(ties) == rows else good


# --- the file ------------------------------------------------------------------------------------------


def _file(model: Model, inputs: list[Array]) -> bytes:
    rows = [len(a) for a, field in zip(inputs, model.schema.inputs, strict=True) if field.batched]
    tensors: dict[str, Array] = {}
    named = {f"inputs.{i}": each for i, each in enumerate(inputs)}
    for name, value in {**named, **answers(model, inputs)}.items():
        if value.dtype.kind in "OU":
            texts = [text.encode() for text in value.ravel().tolist()]
            tensors[f"{name}.text"] = np.frombuffer(b"".join(texts), np.uint8)
            tensors[f"{name}.ends"] = np.cumsum([len(text) for text in texts], dtype=np.int64)
        else:
            tensors[name] = value
    return _safetensors.to_bytes(tensors, {"rows": str(rows[0] if rows else 1)})


def _read(model: Model, data: bytes) -> tuple[list[Array], dict[str, Array]]:
    schema = model.schema
    fields = {f"inputs.{i}": field for i, field in enumerate(schema.inputs)}
    fields.update({f"run.{i}": field for i, field in enumerate(schema.outputs)})
    fields.update(schema.roles)
    try:
        tensors, metadata = _safetensors.read(data)
    except FormatError as error:
        raise FormatError(f"[package] '{NAME}': {error}") from None
    text = metadata.get("rows", "")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        fail(NAME, "a number of rows in its metadata", repr(text[:20]))
    wanted = set()
    for name, field in fields.items():
        wanted |= {f"{name}.text", f"{name}.ends"} if field.dtype == "string" else {name}
    if set(tensors) != wanted:
        fail(
            NAME,
            f"the arrays {', '.join(sorted(wanted))}",
            f"others: {', '.join(sorted(set(tensors) ^ wanted))[:200]}",
        )
    arrays = {name: _array(tensors, name, field, int(text)) for name, field in fields.items()}
    inputs = [arrays.pop(f"inputs.{i}") for i in range(len(schema.inputs))]
    return inputs, arrays


def _array(tensors: dict[str, Array], name: str, field: Field, rows: int) -> Array:
    shape = (rows, *field.row_shape) if field.batched else field.row_shape
    if field.dtype == "string":
        return _texts(tensors[f"{name}.text"], tensors[f"{name}.ends"], name, shape)
    array = tensors[name]
    if array.dtype.name != field.dtype or array.shape != shape:
        fail(NAME, f"{field.dtype} {list(shape)} as {name}", f"{array.dtype.name} {list(array.shape)}")
    return array


def _texts(data: Array, ends: Array, name: str, shape: tuple[int, ...]) -> Array:
    size = int(np.prod(shape))
    if data.dtype != np.uint8 or data.ndim != 1 or ends.dtype != np.int64 or ends.shape != (size,):
        fail(NAME, f"bytes and {size} ends as {name}", "others")
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    if size and (ends[-1] != len(data) or (starts > ends).any() or (ends < 0).any()):
        fail(NAME, f"ends in order, the last one that of the bytes, in {name}", "others")
    whole = data.tobytes()
    try:
        texts = [whole[a:b].decode() for a, b in zip(starts, ends, strict=True)]
    except UnicodeDecodeError:
        fail(NAME, f"text in UTF-8 as {name}", "other bytes")
    array = np.empty(size, dtype=object)
    array[:] = texts
    return array.reshape(shape)
