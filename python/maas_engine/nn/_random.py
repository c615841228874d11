"""Random numbers for initial weights: addressed by a seed, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core

Doubles = NDArray[np.float64]


def uniform(seed: int, n: int) -> Doubles:
    """Return n numbers of [0, 1)."""
    return _core.random_uniform(seed % 2**64, 0, n)


def normal(seed: int, n: int) -> Doubles:
    """Return n numbers of mean 0 and standard deviation 1."""
    return _core.random_normal(seed % 2**64, 0, n)


def truncated_normal(seed: int, n: int) -> Doubles:
    """Return n numbers of the normal distribution between -2 and 2: others are drawn again."""
    kept = np.empty(0)
    stream = 0
    while len(kept) < n:
        drawn = _core.random_normal(seed % 2**64, stream, n + n // 8 + 8)
        kept = np.concatenate([kept, drawn[np.abs(drawn) <= 2]])
        stream += 1
    return kept[:n]
