"""Edges that a reference gives: finite, rising, and every value of it inside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maas_engine.errors import InvalidArgument
from maas_engine.monitoring._columns import bin_edges

RNG = np.random.default_rng(5)
LARGEST = np.finfo(np.float64).max


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=5000),
        RNG.normal(size=5000).astype(np.float32),
        np.repeat([0.0, 1.0, 5.0], [3000, 10, 400]),
        np.r_[np.zeros(3000), RNG.random(2000)],
        np.r_[np.full(3000, 9.0), RNG.random(2000)],
        np.r_[np.full(3000, 0.5), RNG.random(2000), [np.inf, -np.inf, np.nan]],
        np.array([-LARGEST, LARGEST]),
        np.array([0.0, 5e-324, 1e-323]),
        np.array([-0.0, 0.0]),
        np.array([LARGEST]),
        np.array([-LARGEST]),
        np.array([5e-324]),
        np.array([7.0]),
        np.array([np.nan, np.inf]),
        np.array([]),
        np.arange(-3000, 3000),
        RNG.choice([-LARGEST, 0.0, LARGEST], 900),
    ],
)
@pytest.mark.parametrize("bins", [1, 2, 20, 1000])
def test_edges_hold_the_reference(values: Any, bins: int) -> None:
    edges = np.array(bin_edges(values, bins))
    assert np.all(np.isfinite(edges))
    assert np.all(edges[1:] > edges[:-1])
    assert not np.signbit(edges[edges == 0]).any()
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    assert 2 <= len(edges) <= bins + 1
    if len(finite):
        assert edges[0] <= finite.min()
        assert finite.max() <= edges[-1]
    distinct = np.unique(finite)
    if 1 <= len(distinct) <= bins:  # a bin each
        counts = np.searchsorted(edges[1:-1], distinct, "right")
        assert counts.tolist() == list(range(len(distinct)))


def test_bins_of_a_reference_hold_about_the_same() -> None:
    values = RNG.normal(size=10_000)
    counts = np.histogram(values, bin_edges(values, 20))[0]
    assert len(counts) == 20
    assert counts.min() >= 499
    assert len(bin_edges(values[:150], 20)) == 4  # 50 rows each
    for bins in (0, -1, 1025):
        with pytest.raises(InvalidArgument, match="bins"):
            bin_edges(values, bins)


def test_a_spike_has_a_bin_nearly_to_itself() -> None:
    values = np.r_[np.full(3000, 0.5), RNG.random(2000)]
    edges = np.array(bin_edges(values, 20))
    counts = np.histogram(values, edges)[0]
    assert edges[counts.argmax()] == 0.5
    assert 3000 <= counts.max() <= 3250
