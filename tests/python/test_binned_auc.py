"""The binned AUC: always within its bound of the exact one, mergeable, of constant size."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas_engine import metrics
from maas_engine.errors import FormatError, InvalidArgument


def scores_of(kind: str, rng: np.random.Generator, truth: Any) -> Any:
    n = len(truth)
    margin = rng.normal(size=n) + truth
    return {
        "margin": margin,
        "probability": 1 / (1 + np.exp(-margin)),
        "ties": margin.round(1),
        "wide": margin * 10.0 ** rng.integers(-30, 30, n),
        "extreme": rng.choice([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 65536.0, 2.0**-32], n),
        "integers": rng.integers(-3, 3, n),
        "float32": margin.astype(np.float32),
    }[kind]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["margin", "probability", "ties", "wide", "extreme", "integers", "float32"]),
    st.sampled_from([(1, None), (16, None), (32768, None), (1, (0, 1)), (7, (-0.5, 0.25)), (5000, (-3, 4))]),
)
def test_the_exact_area_is_within_the_bound(seed: int, kind: str, bins: Any) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, int(rng.integers(2, 400)))
    truth[:2] = 0, 1
    scores = scores_of(kind, rng, truth)
    area, bound = metrics.binned_roc_auc_score(truth, scores, bins=bins[0], range=bins[1])
    assert abs(area - metrics.roc_auc_score(truth, scores)) <= bound <= 1
    state = metrics.BinnedRocAuc(bins=bins[0], range=bins[1])
    state.update(truth, scores)
    assert (state.compute(), state.error_bound()) == (area, bound)


def test_default_bound_is_small() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 1_000_000)
    for kind in ("margin", "probability"):
        scores = scores_of(kind, rng, truth)
        area, bound = metrics.binned_roc_auc_score(truth, scores)
        assert abs(area - metrics.roc_auc_score(truth, scores)) <= bound < 1e-5


def test_merge_bytes_and_order() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 5000)
    scores = scores_of("margin", rng, truth)
    whole = metrics.BinnedRocAuc()
    whole.update(truth, scores)
    parts = []
    for rows in np.array_split(rng.permutation(5000), 4):
        part = metrics.BinnedRocAuc()
        part.update(truth[rows], scores[rows])
        parts.append(metrics.BinnedRocAuc.from_bytes(part.to_bytes()))
    merged = metrics.BinnedRocAuc()
    for part in reversed(parts):
        merged.merge(part)
    assert merged.to_bytes() == whole.to_bytes()
    assert merged.compute() == whole.compute()
    doubled = whole.compute()
    whole.merge(whole)
    assert whole.compute() == doubled


def test_labels_of_any_kind() -> None:
    names, scores = ["no", "yes", "yes", "no"], [0.1, 0.4, 0.8, 0.3]
    assert metrics.binned_roc_auc_score(names, scores)[0] == 1
    state = metrics.BinnedRocAuc(pos_label="no")
    state.update(names, scores)
    assert state.compute() == 0
    assert metrics.binned_roc_auc_score([-1, 1, 1, -1], scores)[0] == 1


def test_a_refused_batch_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 5000)
    scores = rng.random(5000)
    for options in ({}, {"bins": 100, "range": (0, 1)}):
        state = metrics.BinnedRocAuc(**options)
        state.update(truth, scores)
        before = state.to_bytes()
        for bad in (np.nan, np.inf, -np.inf):
            spoilt = scores.copy()
            spoilt[4321] = bad
            with pytest.raises(InvalidArgument, match=r"NaN|infinity"):
                state.update(truth, spoilt)
            assert state.to_bytes() == before


def test_bad_options_and_bytes() -> None:
    for options in (
        {"bins": 0},
        {"bins": 3},
        {"bins": 1 << 17},
        {"bins": 2.0},
        {"range": (1, 0)},
        {"range": (0, np.inf)},
        {"range": 1},
        {"range": ("a", "b")},
    ):
        with pytest.raises(InvalidArgument):
            metrics.BinnedRocAuc(**options)
    with pytest.raises(InvalidArgument, match="binary"):
        metrics.binned_roc_auc_score([0, 1, 2], [0.1, 0.2, 0.3])
    state = metrics.BinnedRocAuc(bins=64)
    state.update([0, 1, 1], [0.5, -3.0, 1e30])
    data = state.to_bytes()
    assert metrics.BinnedRocAuc.from_bytes(data).to_bytes() == data
    rng = np.random.default_rng(3)
    for _ in range(300):
        hostile = bytearray(data)
        hostile[rng.integers(len(data))] = rng.integers(256)
        try:
            again = metrics.BinnedRocAuc.from_bytes(bytes(hostile))
        except FormatError:
            continue
        assert again.to_bytes() == bytes(hostile)


def test_one_class_warns() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert np.isnan(metrics.binned_roc_auc_score([1, 1], [0.1, 0.2])).all()
        assert np.isnan(metrics.BinnedRocAuc().compute())
    assert len(caught) == 2
    assert np.isnan(metrics.BinnedRocAuc().error_bound())
