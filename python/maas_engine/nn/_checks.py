"""Checks of single numbers that users give."""

from __future__ import annotations

import math
import operator
from typing import Any

from maas_engine.errors import InvalidArgument


def whole_number(value: Any, name: str, where: str, least: int = 1) -> int:
    """Return a whole number of at least ``least``; integers of any type will do, floats will not.

    Raises
    ------
    InvalidArgument : it is something else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise InvalidArgument(
            f"[{where}] expected {name} to be a whole number from {least} on, got {value!r}"
        )
    return number


def number(value: Any, name: str, where: str) -> float:
    """Return a number as a float; text will not do.

    Raises
    ------
    InvalidArgument : it is something else.
    """
    if not isinstance(value, (str, bytes)):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    raise InvalidArgument(f"[{where}] expected {name} to be a number, got {value!r}")


def not_negative(value: Any, name: str, where: str) -> float:
    """Return a finite number of at least 0.

    Raises
    ------
    InvalidArgument : it is something else.
    """
    found = number(value, name, where)
    if not 0 <= found < math.inf:
        raise InvalidArgument(f"[{where}] expected {name} to be finite and at least 0, got {found}")
    return found


def positive(value: Any, name: str, where: str) -> float:
    """Return a finite number above 0.

    Raises
    ------
    InvalidArgument : it is something else.
    """
    found = number(value, name, where)
    if not 0 < found < math.inf:
        raise InvalidArgument(f"[{where}] expected {name} to be finite and above 0, got {found}")
    return found


def check_rate(value: Any, name: str, where: str) -> float:
    """Return a number of [0, 1).

    Raises
    ------
    InvalidArgument : it is something else.
    """
    rate = number(value, name, where)
    if not 0 <= rate < 1:
        raise InvalidArgument(f"[{where}] expected 0 <= {name} < 1, got {value!r}")
    return rate
