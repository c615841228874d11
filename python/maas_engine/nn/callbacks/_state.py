"""Reading the state of a callback that came out of a file."""

from __future__ import annotations

from typing import Any

from maas_engine.errors import FormatError


def integer(state: dict[str, Any], name: str) -> int:
    """Return a number of epochs, or of bytes."""
    value = state.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise FormatError(f"[callbacks] expected {name} to be a whole number, got {value!r:.60}")
    return value


def optional_integer(state: dict[str, Any], name: str) -> int | None:
    return None if state.get(name) is None else integer(state, name)


def optional_number(state: dict[str, Any], name: str) -> float | None:
    """Return a number, or None."""
    value = state.get(name)
    if value is not None and type(value) not in (int, float):
        raise FormatError(f"[callbacks] expected {name} to be a number, got {value!r:.60}")
    return value


def numbers(value: Any, name: str) -> list[float]:
    """Return a list of numbers."""
    if not isinstance(value, list) or not all(type(each) in (int, float) for each in value):
        raise FormatError(f"[callbacks] expected {name} to be numbers, got {value!r:.60}")
    return list(value)


def texts(state: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts."""
    value = state.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise FormatError(f"[callbacks] expected {name} to be texts, got {value!r:.60}")
    return list(value)


def like(value: Any, arrays: list[Any], name: str) -> list[Any] | None:
    """Return a list of arrays of the same shapes as others, or None."""
    if value is None:
        return None
    if not isinstance(value, list) or [getattr(each, "shape", None) for each in value] != [
        each.shape for each in arrays
    ]:
        raise FormatError(f"[callbacks] expected {name} to be arrays as the model's weights")
    return value
