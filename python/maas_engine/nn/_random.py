"""Random numbers for initial weights: addressed by a seed, the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core

Doubles = NDArray[np.float64]


def uniform(seed: int, n: int) -> Doubles:
    """Return n numbers of [0, 1)."""
    return _draw("random_uniform", seed, 0, n)


def normal(seed: int, n: int) -> Doubles:
    """Return n numbers of mean 0 and standard deviation 1."""
    return _draw("random_normal", seed, 0, n)


def truncated_normal(seed: int, n: int) -> Doubles:
    """Return n numbers of the normal distribution between -2 and 2: others are drawn again."""
    kept = np.empty(0)
    stream = 0
    while len(kept) < n:
        drawn = _draw("random_normal", seed, stream, n + n // 8 + 8)
        kept = np.concatenate([kept, drawn[np.abs(drawn) <= 2]])
        stream += 1
    return kept[:n]


def _draw(name: str, seed: int, stream: int, n: int) -> Doubles:
    seed %= 2**64
    engine: Any = getattr(_core, name, None)
    if engine is not None:
        numbers: Doubles = engine(seed, stream, n)
        return numbers
    generator = np.random.Generator(np.random.Philox(key=[seed, stream]))
    return generator.random(n) if name == "random_uniform" else generator.standard_normal(n)
