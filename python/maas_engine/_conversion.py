"""Values of one type as those of another, by MLflow's rule: the same kind, and nothing is lost.

Arrays and columns have a type, and it must widen: float32 to float64, small integers to float64. Larger integers
may become floats where every value stays exact. Python's own numbers have none, and convert.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import InvalidArgument

Array = NDArray[Any]


def convert(values: Array, dtype: str, what: str) -> Array:
    """Return typed values as ``dtype``, native and of the same shape; text as an array of new references.

    ``what`` names them in the error: "[predict] expected column 'age' to be float32, got ...".

    Raises
    ------
    InvalidArgument : another kind, or a type that would lose digits.
    """
    if dtype == "string":
        return _texts(values, what)
    target, kind = np.dtype(dtype), values.dtype.kind
    if kind == "O":
        return from_python(values, dtype, what)
    if _widens(values.dtype, target) or (kind in "iu" and target.kind == "f" and _is_exact(values, target)):
        return values.astype(target, copy=False)
    raise _refusal(values, target, what)


def from_python(values: Array, dtype: str, what: str) -> Array:
    """Return an array of objects, or of what numpy made of a list, as ``dtype``; None is a missing float.

    Raises
    ------
    InvalidArgument : text among numbers, numbers among text, fractions or missing values among integers.
    """
    if dtype == "string":
        return _texts(values, what)
    target = np.dtype(dtype)
    kind = values.dtype.kind
    if kind == "O":
        types = {type(value) for value in values.flat}
        if any(issubclass(each, (str, bytes)) for each in types):
            raise InvalidArgument(f"{what} to be {dtype}, got text")
        exact = target.kind != "f" and all(issubclass(each, (int, np.integer, np.bool_)) for each in types)
        try:
            values = values.astype(object if exact else np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgument(f"{what} to be {dtype}, got {_names(types)}") from error
    elif kind not in "biuf":
        raise InvalidArgument(f"{what} to be {dtype}, got {_kind_name(values)}")
    return _rounded(values, target, what)


def _rounded(values: Array, target: np.dtype[Any], what: str) -> Array:
    """Numbers without a type of their own: to the nearest float, or to integers and bools that they equal."""
    if target.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(target)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise _missing(target, what)
    low, high = (0, 1) if target.kind == "b" else (np.iinfo(target).min, np.iinfo(target).max)
    whole = values if values.dtype.kind != "f" else np.trunc(values)
    # float(high) rounds up to the first number that is too large.
    fits = (values <= high if values.dtype.kind != "f" or target.itemsize < 8 else values < float(high)) & (
        values >= low
    )
    if not np.all(fits & (whole == values)):
        raise InvalidArgument(f"{what} to be {target.name}, got numbers that are not")
    return values.astype(target)


def _widens(given: np.dtype[Any], target: np.dtype[Any]) -> bool:
    if given.kind in "iu" and given.itemsize == 8 and target.kind == "f":
        return False  # numpy calls it safe
    return given.kind in "biuf" and np.can_cast(given, target, "safe")


def _is_exact(values: Array, target: np.dtype[Any]) -> bool:
    limit = 2 ** (np.finfo(target).nmant + 1)
    return values.size == 0 or bool(-limit <= values.min() and values.max() <= limit)


def _texts(values: Array, what: str) -> Array:
    if values.dtype.kind in "UT":
        return np.asarray(values.astype(object), order="C")
    if values.dtype.kind == "O":
        items = values.ravel().tolist()
        if all(issubclass(each, str) for each in set(map(type, items))):
            return np.array(values, dtype=object, order="C")
        others = [value for value in items if not isinstance(value, str)]
        name, missing = type(others[0]).__name__, any(map(_is_missing, others))
    else:
        name, missing = _kind_name(values), values.dtype.kind == "f" and bool(np.isnan(values).any())
    raise missing_text(what) if missing else InvalidArgument(f"{what} to be text, got {name}")


def missing_text(what: str) -> InvalidArgument:
    """Return the error of a text column with missing values."""
    hint = "fill them with the text that stands for them in the model"
    return InvalidArgument(f"{what} to be text, got missing values: {hint}")


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, float) and value != value


def _refusal(values: Array, target: np.dtype[Any], what: str) -> InvalidArgument:
    name = _kind_name(values)
    if values.dtype.kind == "f" and target.kind == "f":
        return InvalidArgument(
            f"{what} to be {target.name}, got {name}, which would lose digits: X.astype(np.{target.name}) if it may"
        )
    if values.dtype.kind == "f" and target.kind == "i" and np.isnan(values).any():
        return _missing(target, what)
    if values.dtype.kind in "iu" and target.kind == "f":
        bits = np.finfo(target).nmant + 1
        return InvalidArgument(
            f"{what} to be {target.name}, got {name} beyond 2**{bits}, which it would round"
        )
    return InvalidArgument(f"{what} to be {target.name}, got {name}")


def _missing(target: np.dtype[Any], what: str) -> InvalidArgument:
    return InvalidArgument(
        f"{what} to be {target.name}, got missing values (NaN), which integers have not: fill them, or declare the "
        "input float64 when the model is made"
    )


def _kind_name(values: Array) -> str:
    return {"U": "text", "T": "text", "S": "bytes", "O": "objects"}.get(values.dtype.kind, str(values.dtype))


def _names(types: set[type]) -> str:
    return ", ".join(sorted(each.__name__ for each in types))
