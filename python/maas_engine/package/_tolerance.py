"""How far values may be from those of another arithmetic: the engine's promise beside other runtimes and processors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# Absolute, and relative to the largest value of the row.
TOLERANCES = {"float32": (1e-6, 1e-4), "float64": (1e-10, 1e-10)}
PROBABILITY = 1e-5  # absolute, float32: another sigmoid may be coarse


def close(given: Array, expected: Array) -> Array:
    """Return, for each row, whether all its values are within tolerance. NaN is close to NaN alone."""
    absolute, relative = TOLERANCES[expected.dtype.name]
    rows = len(expected) if expected.ndim else 1
    a, b = (each.reshape(rows, -1).astype(np.float64) for each in (given, expected))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(a - b)
        error[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
        largest = np.max(np.abs(np.where(np.isfinite(b), b, 0)), axis=1, initial=0.0, keepdims=True)
        allowed = absolute + relative * largest
        if expected.dtype == np.float32 and np.all((b >= 0) & (b <= 1)):
            allowed = np.maximum(allowed, PROBABILITY)
        return np.asarray((error <= allowed).all(axis=1))


TIE = {"float32": 2 * PROBABILITY, "float64": 2e-10}


def tied(scores: Array) -> Array:
    """Return, for each row of scores, whether they are so close that either label may win.

    Scores by class tie where the two best do; one score a row (of two classes) where it is near 0.
    """
    limit = TIE[scores.dtype.name]
    if scores.ndim == 1:
        return np.asarray(np.abs(scores) <= limit)
    best = np.sort(scores.astype(np.float64), axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0] <= limit)
