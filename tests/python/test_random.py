"""Random numbers addressed by (seed, stream): the distributions, and the same bits everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import maas_engine
from maas_engine import _core

N = 100_000


@pytest.mark.parametrize("stream", [0, 5, 2**40])
def test_uniform_numbers_fill_the_unit_interval(stream: int) -> None:
    x = _core.random_uniform(11, stream, N)
    assert x.min() >= 0
    assert x.max() < 1
    assert stats.kstest(x, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("stream", [0, 5, 2**40])
def test_normal_numbers_follow_the_normal_distribution(stream: int) -> None:
    x = _core.random_normal(11, stream, N)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert (
        stats.kstest(
            np.abs(x[np.abs(x) > 1.5]),
            lambda v: (stats.norm.cdf(v) - stats.norm.cdf(1.5)) / stats.norm.sf(1.5),
        ).pvalue
        > 1e-3
    )
    assert abs(stats.skew(x)) < 0.05
    assert abs(stats.kurtosis(x)) < 0.08
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.02


def test_permutations_hold_every_row_once() -> None:
    for n in (0, 1, 2, 1000):
        rows = _core.random_permutation(3, 4, n)
        assert rows.dtype == np.uint32
        assert np.array_equal(np.sort(rows), np.arange(n))


def test_numbers_follow_from_seed_and_stream_alone() -> None:
    for draw in (_core.random_uniform, _core.random_normal, _core.random_permutation):
        numbers = draw(1, 2, 20_000)
        threads = maas_engine.get_num_threads()
        try:
            maas_engine.set_num_threads(3)
            assert draw(1, 2, 20_000).tobytes() == numbers.tobytes()
        finally:
            maas_engine.set_num_threads(threads)
        assert not np.array_equal(draw(1, 3, 20_000), numbers)
        assert not np.array_equal(draw(2, 2, 20_000), numbers)
    # The beginning does not depend on how many are drawn.
    assert np.array_equal(_core.random_normal(1, 2, 7), _core.random_normal(1, 2, 20_000)[:7])
