"""The digest of rows and their targets, so that a history can name what a gate was judged on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np


def digest_of(X: Any, y: Any) -> str:
    """sha256 of rows and targets, hexadecimal: the same for the same names, types, values and order.

    Arrays and frames count alike whatever their layout in memory; a frame counts column by column.
    """
    state = hashlib.sha256()
    for name, values in (*_columns(X), ("y", y)):
        array = np.asarray(values)
        plain = array.dtype.kind in "biufcmM"
        head = [name, array.dtype.newbyteorder("<").str if plain else "text", list(array.shape)]
        body = _bytes(array) if plain else _json(array.tolist())
        for part in (_json(head), body):
            state.update(len(part).to_bytes(8, "little") + part)
    return state.hexdigest()


def _columns(X: Any) -> Iterator[tuple[str, Any]]:
    names = list(X) if isinstance(X, dict) else getattr(X, "column_names", getattr(X, "columns", None))
    if names is None:
        yield "X", X
    else:
        yield from ((str(name), X[name]) for name in names)


def _bytes(array: Any) -> bytes:
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).tobytes()


def _json(value: Any) -> bytes:
    return json.dumps(value, default=str, separators=(",", ":")).encode()
