"""The rows a bootstrap draws from, and what leaving out each of them gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from maas_engine.metrics._checks import Array


class Sample(NamedTuple):
    """Rows to draw from, stratum by stratum; ``strata`` holds how many each has."""

    true: Array
    pred: Array
    other: Array | None
    weight: Array | None
    strata: list[int]


# Values without each row in turn, and how many rows each value stands for: one pair a stratum.
Jackknife = list[tuple[Array, Array]]


def by_sizes(values: Array, sizes: list[int]) -> list[Array]:
    """``values`` in consecutive parts of these sizes."""
    return np.split(values, np.cumsum(sizes)[:-1])


def by_stratum(values: Array, strata: list[int]) -> Jackknife:
    """A value for each row, by strata."""
    return [(part, np.ones(len(part))) for part in by_sizes(values, strata)]
