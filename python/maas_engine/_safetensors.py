"""safetensors files: arrays by name, read strictly and written whole.

A file is the header's length (8 bytes, little-endian), the header (JSON, then spaces), and the arrays' bytes to the
end of the file. The reader believes nothing: limits come before allocation, the arrays must tile the rest of the
file without hole or overlap, and no name is ever a path.
"""

from __future__ import annotations

import io
import json
import math
import os
import reprlib
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from maas_engine._files import write_whole
from maas_engine.errors import FormatError, InvalidArgument, NotFound, Unsupported

MAX_HEADER = 16 * 2**20  # bytes; the format's own limit is 100,000,000
MAX_TENSORS = 100_000
MAX_RANK = 16
MAX_NAME = 1024  # characters
METADATA = "__metadata__"

_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
    "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
# Types of the format that numpy has none for.
_FOREIGN = ("BF16", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "F6_E2M3", "F6_E3M2")

Array = NDArray[Any]


class Entry(NamedTuple):
    """One array of a file; begin and end count bytes from the end of the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


Check = Callable[[list[Entry], dict[str, str]], None]


def read(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    check: Check | None = None,
    max_header: int = MAX_HEADER,
) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays and the metadata of a file, or of its bytes. Arrays are copies, writable.

    ``check`` sees the entries and the metadata before any array is read, and may raise: a file that claims a
    terabyte is not read only to be refused.

    Raises
    ------
    NotFound : no such file.
    FormatError : not a safetensors file, or a broken one; said before more than its header is read.
    Unsupported : an array of a type that numpy does not have (bfloat16, 8 bits and fewer).
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        view = memoryview(source).cast("B")
        return _read(io.BytesIO(view), len(view), check, max_header)
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):  # opening a pipe would wait for its writer
            _fail("an ordinary file", f"'{os.fspath(source)}', which is none")
        with open(source, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size, check, max_header)
    except FileNotFoundError:
        raise NotFound(f"[safetensors] no file '{os.fspath(source)}'") from None


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays by name, and texts by name as metadata. What was at ``path`` stays until all is on the disk.

    Raises
    ------
    InvalidArgument : a name or a type that the format does not have.
    """
    write_whole(path, _parts(tensors, metadata or {}))


def to_bytes(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the file that ``write`` would write: the same bytes for the same content, in any order."""
    return b"".join(_parts(tensors, metadata or {}))


# --- reading -------------------------------------------------------------------------------------------


def _read(
    file: BinaryIO, size: int, check: Check | None, max_header: int
) -> tuple[dict[str, Array], dict[str, str]]:
    if size < 8:
        _fail("8 bytes at least", f"a file of {size}")
    length = int.from_bytes(_exactly(file, 8), "little")
    if length > max_header:
        _fail(f"a header of {max_header} bytes at most", f"one that claims {length}")
    if length > size - 8:
        _fail(f"a header inside the file of {size} bytes", f"one that claims {length}")
    entries, metadata = _parse_header(_exactly(file, length), size - 8 - length)
    if check is not None:
        check(entries, metadata)
    tensors = {}
    for entry in entries:  # in the order of their bytes
        array = np.empty(entry.shape, entry.dtype)
        if array.size:
            _fill(file, memoryview(array.reshape(-1).view(np.uint8)))
        if entry.dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1:
            _fail("bytes 0 and 1 in a BOOL", f"others in '{_short(entry.name)}'")
        tensors[entry.name] = array.astype(entry.dtype.newbyteorder("="), copy=False)
    return tensors, metadata


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        _fail("a file that does not change while it is read", "one that shrank")
    return data


def _fill(file: BinaryIO, view: memoryview) -> None:
    done = 0
    while done < len(view):
        got = file.readinto(view[done : done + 2**26])  # type: ignore[attr-defined]  # files and BytesIO have it
        if not got:
            _fail("a file that does not change while it is read", "one that shrank")
        done += got


def _parse_header(data: bytes, buffer_size: int) -> tuple[list[Entry], dict[str, str]]:
    """Check a whole header; the entries come in the order of their bytes."""
    document = _parse_json(data)
    metadata = document.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _fail(f"{METADATA} to be texts by name", "something else")
    if len(document) > MAX_TENSORS:
        _fail(f"{MAX_TENSORS} arrays at most", f"{len(document)}")
    entries = sorted(
        (_entry(name, item) for name, item in document.items()), key=lambda entry: (entry.begin, entry.end)
    )
    place = 0
    for entry in entries:
        if entry.begin != place:
            what = "overlaps the one before" if entry.begin < place else "leaves a hole"
            _fail(
                f"arrays without hole or overlap, the next at byte {place}",
                f"'{_short(entry.name)}' at {entry.begin}, which {what}",
            )
        place = entry.end
    if place != buffer_size:
        _fail(f"arrays of {buffer_size} bytes, as the file has after its header", f"{place} bytes of them")
    return entries, metadata


def _parse_json(data: bytes) -> dict[str, Any]:
    if data[:1] != b"{":
        _fail("a header that begins with '{'", repr(bytes(data[:8])))
    # Each container of JSON costs memory many times its two bytes.
    if data.count(b"{") + data.count(b"[") > 4 * MAX_TENSORS:
        _fail(f"{MAX_TENSORS} arrays at most", "a header with more brackets than those need")
    try:
        text = data.decode("utf-8").rstrip(" ")
    except UnicodeDecodeError as error:
        _fail("a header in UTF-8", f"byte {data[error.start]:#04x} at {error.start}")
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
    )
    try:
        document, end = decoder.raw_decode(text)
    except RecursionError:
        _fail("a header of names, types, shapes and offsets", "one nested deeper")
    except json.JSONDecodeError as error:
        _fail("a header in JSON", f"{error.msg} at character {error.pos}")
    if end != len(text):
        _fail("spaces after the header's JSON", repr(text[end : end + 20]))
    assert isinstance(document, dict)  # it begins with '{'
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        _fail("each name once in the header", f"'{_short(twice)}' twice")
    for name, value in pairs:
        for text in (name, value):
            if isinstance(text, str) and not _is_unicode(text):
                _fail("names and texts in Unicode", f"half a surrogate pair in {_short(ascii(text))}")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20 or digits.startswith("-") or int(digits) >= 2**64:
        _fail("integers from 0 to 2^64 - 1 in the header", digits[:40])
    return int(digits)


def _no_number(text: str) -> NoReturn:
    _fail("integers in the header", text[:40])


def _entry(name: str, item: Any) -> Entry:
    shown = _short(name)
    if len(name) > MAX_NAME:
        _fail(f"names of {MAX_NAME} characters at most", f"'{shown}' of {len(name)}")
    if not isinstance(item, dict) or set(item) != {"dtype", "shape", "data_offsets"}:
        _fail(f"dtype, shape and data_offsets of '{shown}'", reprlib.repr(item))
    kind, shape, offsets = item["dtype"], item["shape"], item["data_offsets"]
    if kind in _FOREIGN:
        raise Unsupported(f"[safetensors] '{shown}' is {kind}, a type that numpy does not have")
    if not isinstance(kind, str) or kind not in _DTYPES:
        _fail(f"a dtype of {', '.join(_DTYPES)} for '{shown}'", reprlib.repr(kind))
    if not _integers(shape) or len(shape) > MAX_RANK:
        _fail(f"a shape of {MAX_RANK} integers at most for '{shown}'", reprlib.repr(shape))
    if not _integers(offsets) or len(offsets) != 2:
        _fail(f"two data_offsets for '{shown}'", reprlib.repr(offsets))
    dtype = np.dtype(_DTYPES[kind])
    if math.prod(size for size in shape if size) * dtype.itemsize >= 2**63:
        _fail(f"a shape below 2^63 bytes for '{shown}'", reprlib.repr(shape))
    size = math.prod(shape) * dtype.itemsize
    begin, end = offsets
    if end - begin != size:
        _fail(f"{size} bytes for '{shown}', {kind} {shape}", f"data_offsets {offsets}")
    return Entry(name, dtype, tuple(shape), begin, end)


def _integers(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int for each in value)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]}"


def _fail(expected: str, got: str) -> NoReturn:
    raise FormatError(f"[safetensors] expected {expected}, got {got}")


# --- writing -------------------------------------------------------------------------------------------


def _parts(tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> Iterator[Any]:
    arrays = {name: np.asarray(value) for name, value in tensors.items()}
    for name, array in arrays.items():
        _check_name(name)
        if array.dtype.newbyteorder("<") not in _NAMES:
            raise InvalidArgument(f"[safetensors] a type of the format for '{name}', got {array.dtype}")
        if array.ndim > MAX_RANK:
            raise InvalidArgument(
                f"[safetensors] expected {MAX_RANK} axes of '{name}' at most, got {array.ndim}"
            )
    # The largest items first: every array then begins on a multiple of its item's size.
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    yield _header(names, arrays, metadata)
    for name in names:
        array = np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<"))
        if array.size:
            yield memoryview(array.reshape(-1).view(np.uint8))


def _header(names: list[str], arrays: dict[str, Array], metadata: Mapping[str, str]) -> bytes:
    document: dict[str, Any] = {}
    if metadata:
        for key, value in metadata.items():
            if not isinstance(key, str) or not isinstance(value, str) or not _is_unicode(key + value):
                raise InvalidArgument(f"[safetensors] expected metadata to be texts by name, got {key!r}")
        document[METADATA] = dict(sorted(metadata.items()))
    place = 0
    for name in names:
        array = arrays[name]
        kind = _NAMES[array.dtype.newbyteorder("<")]
        document[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % 64)  # the arrays begin on 64 bytes
    if len(text) > MAX_HEADER or len(names) > MAX_TENSORS:
        raise InvalidArgument(
            f"[safetensors] expected {MAX_TENSORS} arrays and a header of {MAX_HEADER} bytes at most, got "
            f"{len(names)} and {len(text)}"
        )
    return len(text).to_bytes(8, "little") + text


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or name == METADATA or len(name) > MAX_NAME or not _is_unicode(name):
        raise InvalidArgument(
            f"[safetensors] expected names of {MAX_NAME} characters at most, and not {METADATA}, "
            f"got {_short(repr(name))}"
        )
