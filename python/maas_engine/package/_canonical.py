"""Canonical JSON (RFC 8785): one text for one document, so that a document has a digest.

Numbers are those of ECMAScript: integers within 2**53, finite floats. The reader takes the canonical text alone, and
counts the brackets before a parser that would go down with them sees them. Messages come without the name of the
file, which the caller knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from maas_engine.errors import FormatError, InvalidArgument

MAX_DEPTH = 32
MAX_BRACKETS = 100_000  # opening ones: each costs memory many times its byte
LARGEST = 2**53 - 1  # the last integer whose neighbours are floats too

# A string, or the rest of a text whose last string has no end: one pass, whatever the text.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_FLOAT = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?")


def canonical(document: Any) -> bytes:
    """Return the one text of a JSON document.

    Parameters
    ----------
    document : dict with str keys, list, tuple, str, int, float, bool or None, nested

    Raises
    ------
    InvalidArgument : NaN, infinity, an integer beyond 2**53, text that is not Unicode, another type, or nesting
        deeper than the reader takes.
    """
    parts: list[str] = []
    _write(document, parts, 0)
    return "".join(parts).encode()


def parse(data: bytes, max_bytes: int) -> Any:
    """Return the document of which ``data`` are the canonical text. Limits come first.

    Raises
    ------
    FormatError : what `read_json` refuses, and another text than ``canonical`` writes of the same document.
    """
    document = read_json(data, max_bytes)
    try:
        text = canonical(document)
    except InvalidArgument as error:
        raise FormatError(str(error)) from None
    if text != data:
        at = next(
            (i for i, (a, b) in enumerate(zip(text, data, strict=False)) if a != b), min(len(text), len(data))
        )
        _fail("canonical JSON (RFC 8785)", f"other text from byte {at} on")
    return document


def read_json(data: bytes, max_bytes: int) -> Any:
    """Return the document of a JSON text that need not be canonical. Limits come first.

    Raises
    ------
    FormatError : too large, too deep, not JSON, a name twice in an object, a number that canonical JSON lacks.
    """
    if len(data) > max_bytes:
        _fail(f"{max_bytes} bytes at most", str(len(data)))
    _check_brackets(data)
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        _fail("JSON in UTF-8", f"byte {data[error.start]:#04x} at {error.start}")
    except json.JSONDecodeError as error:
        _fail("JSON", f"{error.msg} at character {error.pos}")


# --- writing -------------------------------------------------------------------------------------------


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidArgument(f"expected JSON of {MAX_DEPTH} levels at most, got more")
    if value is None or value is True or value is False:
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        parts.append(_text(value))
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            raise InvalidArgument(f"expected integers within 2**53, got {value}: write it as text")
        parts.append(str(int(value)))
    elif isinstance(value, float):
        parts.append(_number(float(value)))
    elif isinstance(value, Mapping):
        _write_object(value, parts, depth)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            parts.append("," if i else "[")
            _write(item, parts, depth + 1)
        parts.append("]" if value else "[]")
    else:
        raise InvalidArgument(f"expected values of JSON, got {type(value).__name__}")


def _write_object(value: Mapping[Any, Any], parts: list[str], depth: int) -> None:
    for name in value:
        if not isinstance(name, str):
            raise InvalidArgument(f"expected names that are text, got {name!r}")
    texts = {name: _text(name) for name in value}
    separator = "{"
    for name in sorted(
        texts, key=lambda name: name.encode("utf-16-be")
    ):  # by UTF-16 units, as ECMAScript sorts
        parts.append(f"{separator}{texts[name]}:")
        separator = ","
        _write(value[name], parts, depth + 1)
    parts.append("}" if texts else "{}")


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"expected text in Unicode, got {value[:60]!a}") from None
    # Python's escapes are the standard's but for DEL, which ensure_ascii=False leaves alone as it must.
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """A double as ECMAScript's Number.prototype.toString writes it: Python finds the same shortest digits."""
    if value - value != 0:
        raise InvalidArgument(f"expected finite numbers, got {value}")
    if value == 0:
        return "0"
    found = _FLOAT.fullmatch(repr(value))
    assert found is not None
    sign, whole, fraction, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
    point = len(whole) + exponent  # digits before the decimal point
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    more = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{more}e{point - 1:+d}"


# --- reading -------------------------------------------------------------------------------------------


def _check_brackets(data: bytes) -> None:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = opened = 0
    for bracket in re.findall(rb"[][{}]", _STRING.sub(b"", data)):
        if bracket in b"[{":
            depth, opened = depth + 1, opened + 1
            if depth > MAX_DEPTH:
                _fail(f"JSON of {MAX_DEPTH} levels at most", "more")
            if opened > MAX_BRACKETS:
                _fail(f"{MAX_BRACKETS} objects and lists at most", "more")
        else:
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _fail("each name once in an object", f"{name[:60]!a} twice")
        found[name] = value
    return found


def _integer(digits: str) -> int | float:
    if len(digits) > 22:
        _fail("numbers as ECMAScript writes them", digits[:40])
    number = int(digits)
    return number if abs(number) <= LARGEST else float(number)  # what canonical text means by so many digits


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        _fail("finite numbers", text[:40])
    return value


def _no_constant(text: str) -> NoReturn:
    _fail("finite numbers", text)


def _fail(expected: str, got: str) -> NoReturn:
    raise FormatError(f"expected {expected}, got {got}")
