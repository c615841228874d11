"""Inputs of the operator cases: fixed random numbers, and the ones that break things."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")
INTS = ("int64", "int32")
NUMBERS = (*FLOATS, *INTS)


def rng(*key: Any) -> np.random.Generator:
    """The same numbers for the same key, in every process."""
    return np.random.default_rng([ord(c) for c in repr(key)])


def normal(*shape: int, dtype: str = "float32", key: Any = 0, scale: float = 2.0) -> np.ndarray:
    return (rng(shape, key).normal(size=shape) * scale).astype(dtype)


def positive(*shape: int, dtype: str = "float32", key: Any = 0) -> np.ndarray:
    return np.abs(normal(*shape, dtype=dtype, key=key)) + np.asarray(0.1, dtype)


def integers(*shape: int, dtype: str = "int64", key: Any = 0, low: int = -9, high: int = 10) -> np.ndarray:
    return rng(shape, key).integers(low, high, size=shape).astype(dtype)


def bools(*shape: int, key: Any = 0) -> np.ndarray:
    return rng(shape, key).random(shape) < 0.5


def numbers(*shape: int, dtype: str, key: Any = 0) -> np.ndarray:
    return normal(*shape, dtype=dtype, key=key) if dtype in FLOATS else integers(*shape, dtype=dtype, key=key)


def texts(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=object)


def special(dtype: str = "float32") -> np.ndarray:
    """[10, 2]: NaN, infinities, both zeros, halves, subnormals, numbers near the ends of exp."""
    least = np.finfo(dtype).smallest_subnormal
    largest = np.finfo(dtype).max
    values = [
        np.nan,
        np.inf,
        -np.inf,
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        1e-3,
        -1e-3,
        30.0,
        -30.0,
        90.0,
        -90.0,
    ]
    return np.array([*values, least, -least, largest, -largest], dtype=dtype).reshape(10, 2)


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def scalar(value: Any, dtype: str) -> np.ndarray:
    return np.array(value, dtype=dtype)
