"""Arrays as the tensors that travel: numbers as they lie in memory, texts each behind its length."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import FormatError, Unsupported

# The protocol's datatype, numpy's type (None: text) and its number in a raw frame.
TYPES: dict[str, tuple[str | None, int]] = {
    "BOOL": ("bool", 1),
    "UINT8": ("uint8", 2),
    "UINT16": ("uint16", 3),
    "UINT32": ("uint32", 4),
    "UINT64": ("uint64", 5),
    "INT8": ("int8", 6),
    "INT16": ("int16", 7),
    "INT32": ("int32", 8),
    "INT64": ("int64", 9),
    "FP32": ("float32", 11),
    "FP64": ("float64", 12),
    "BYTES": (None, 13),
}
NUMBERED = {number: name for name, (_, number) in TYPES.items()}
_OF_DTYPE = {dtype: name for name, (dtype, _) in TYPES.items() if dtype is not None}


class Tensor(NamedTuple):
    """One value on the wire; ``data`` is what follows its head."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


def dtype_of(datatype: str) -> str:
    """The engine's name of a datatype.

    Raises
    ------
    Unsupported : one that the engine has not.
    """
    if datatype not in TYPES:
        raise Unsupported(f"[client] expected a model of known datatypes, got {datatype[:20]!r}")
    return TYPES[datatype][0] or "string"


def pack(
    name: str, values: NDArray[Any] | tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, ...]
) -> Tensor:
    """Return a numpy array, or Arrow's offsets and bytes, as a tensor of that shape."""
    if isinstance(values, tuple):
        return Tensor(name, "BYTES", shape, _pack_cut(*values))
    if values.dtype.kind == "O":
        return Tensor(name, "BYTES", shape, _pack_texts(values))
    packed = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return Tensor(name, _OF_DTYPE[values.dtype.name], shape, packed.reshape(-1).view(np.uint8).data)


def _pack_texts(values: NDArray[Any]) -> bytes:
    parts: list[bytes] = []
    for text in values.ravel().tolist():
        encoded = text.encode(
            "utf-8", "surrogatepass"
        )  # the server refuses lone surrogates with its own words
        parts += (len(encoded).to_bytes(4, "little"), encoded)
    return b"".join(parts)


def _pack_cut(offsets: NDArray[Any], data: NDArray[Any]) -> bytes:
    """Each text behind its length, without an object a text."""
    sizes = np.diff(offsets)
    at = offsets[:-1] - offsets[0] + 4 * np.arange(len(sizes))  # where each length goes
    places = (at[:, None] + np.arange(4)).ravel()
    out = np.empty(int(offsets[-1] - offsets[0]) + 4 * len(sizes), np.uint8)
    out[places] = sizes.astype("<u4").view(np.uint8)
    rest = np.ones(len(out), bool)
    rest[places] = False
    out[rest] = data[offsets[0] : offsets[-1]]
    return out.tobytes()


def unpack(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor as an array of its own memory; texts as objects.

    Raises
    ------
    FormatError : bytes that are not what shape and datatype say.
    """
    dtype, _ = TYPES[tensor.datatype]
    count = 1
    for dim in tensor.shape:
        count *= dim
    if dtype is None:
        return _texts(tensor.data, count).reshape(tensor.shape)
    kind = np.dtype(dtype).newbyteorder("<")
    if len(tensor.data) != count * kind.itemsize:
        raise FormatError(
            f"[client] expected {count} values of {tensor.datatype}, got {len(tensor.data)} bytes"
        )
    # A copy: aligned, writable and free of the answer it came in.
    return np.frombuffer(tensor.data, kind).astype(dtype).reshape(tensor.shape)


def _texts(data: bytes | memoryview, count: int) -> NDArray[Any]:
    found: list[str] = []
    at, end = 0, len(data)
    while at + 4 <= end and len(found) < count:
        size = int.from_bytes(data[at : at + 4], "little")
        if size > end - at - 4:
            break
        try:
            found.append(str(data[at + 4 : at + 4 + size], "utf-8"))
        except UnicodeDecodeError:
            raise FormatError("[client] expected texts in UTF-8") from None
        at += 4 + size
    if len(found) != count or at != end:
        raise FormatError(f"[client] expected {count} texts, got others")
    out = np.empty(count, object)
    out[:] = found
    return out
