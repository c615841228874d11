"""Distances of counts against scipy, the bound of the binned Kolmogorov-Smirnov distance, and what levels claim."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, ks_2samp
from small_models import classifier, linear, mixed

from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.monitoring import Profile, drift
from maas_engine.monitoring._distances import (
    chance_level,
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
)

COUNTS = st.lists(st.tuples(st.integers(0, 2**50), st.integers(0, 2**50)), min_size=1, max_size=30)


def pair(counts: Any) -> tuple[Any, Any]:
    p, q = np.array(counts, np.float64).T
    return p, q


@settings(max_examples=200, deadline=None)
@given(COUNTS)
def test_jensen_shannon_is_scipys(counts: Any) -> None:
    p, q = pair(counts)
    distance = jensen_shannon_distance(p, q)
    if not p.sum() or not q.sum():
        assert math.isnan(distance)
        return
    assert 0 <= distance <= 1
    # The square: near 0 the root makes much of what is rounded, and scipy's may then be NaN.
    assert distance**2 == pytest.approx(np.nan_to_num(jensenshannon(p, q, base=2)) ** 2, abs=1e-14)
    assert distance == pytest.approx(jensen_shannon_distance(q, p), abs=1e-7)


@settings(max_examples=200, deadline=None)
@given(COUNTS)
def test_stability_index_is_its_formula(counts: Any) -> None:
    p, q = pair(counts)
    psi = population_stability_index(p, q)
    if not p.sum() or not q.sum():
        assert math.isnan(psi)
        return
    bins = [(a + 0.5, b + 0.5) for a, b in zip(p, q, strict=True) if a + b > 0]
    n, m = math.fsum(a for a, _ in bins), math.fsum(b for _, b in bins)
    expected = math.fsum((b / m - a / n) * math.log((b / m) / (a / n)) for a, b in bins)
    assert psi == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert psi >= -1e-12
    assert math.isfinite(psi)


def test_distances_of_equal_and_of_disjoint_counts() -> None:
    p, q = np.array([10.0, 20.0, 0.0, 0.0]), np.array([0.0, 0.0, 7.0, 0.0])
    assert jensen_shannon_distance(p, q) == 1
    assert jensen_shannon_distance(p, 3 * p) == pytest.approx(0, abs=1e-8)
    assert population_stability_index(p, p) == 0
    assert population_stability_index(1000 * p, 1000 * q) > 10
    assert kolmogorov_smirnov(p, q)[0] == 1
    assert kolmogorov_smirnov(p, 3 * p)[0] == 0
    assert kolmogorov_smirnov(np.zeros(4), p)[0] != 0  # NaN


def column(values: Any, dtype: Any = np.float64) -> Any:
    return np.asarray(values, dtype).reshape(-1, 1)


@pytest.mark.parametrize("bins", [2, 5, 20])
@pytest.mark.parametrize("seed", range(15))
def test_exact_kolmogorov_smirnov_lies_within_the_bound(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    draws: list[Any] = [
        lambda n: rng.normal(rng.normal(), 1, n),
        lambda n: rng.pareto(1.0, n),
        lambda n: rng.integers(0, 9, n) / 2,
        lambda n: rng.normal(0, 1, n).round(1),
        lambda n: rng.normal(rng.normal(0, 9), 1, n),
    ]
    a, b = draws[seed % 5](rng.integers(1, 3000)), draws[seed % 5](rng.integers(1, 3000))
    model = linear(np.float64, features=1)
    reference = Profile.build(model, column(a), bins=bins)
    live = reference.empty()
    live.update(column(b))
    found = drift(reference, live)[0]
    exact = ks_2samp(a, b).statistic
    assert found.ks is not None
    assert found.ks_error is not None
    assert found.ks - 1e-12 <= exact <= found.ks + found.ks_error + 1e-12
    assert found.ks_error <= 1


def test_the_bound_is_met() -> None:
    """Rows at the very left of a bin whose other rows lie right of them."""
    values = column([0.0, *[1.0] * 99, *np.linspace(2, 3, 100)])
    reference = Profile.build(linear(np.float64, features=1), values, bins=2)
    found = drift(reference, live_of(reference, column(np.zeros(200))))[0]
    exact = ks_2samp(values[:, 0], np.zeros(200)).statistic
    assert (found.ks, found.ks_error) == (0.5, 0.5)
    assert exact == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("bins", [2, 3, 10, 22, 100])
def test_chance_is_a_quantile(bins: int) -> None:
    exact = (1 / 900 + 1 / 400) * chi2.ppf(0.999, bins - 1)
    assert chance_level(bins, 900, 400) == pytest.approx(exact, rel=0.04)


def test_equal_distributions_rarely_exceed_chance() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(20, 5.0))
    over = 0
    for _ in range(3000):
        p, q = rng.multinomial(1000, shares), rng.multinomial(600, shares)
        over += population_stability_index(p, q) > chance_level(20, 1000, 600)
    assert over <= 12  # 3 expected


def live_of(reference: Profile, X: Any) -> Profile:
    live = reference.empty()
    live.update(X)
    return live


def test_levels() -> None:
    rng = np.random.default_rng(1)
    reference = Profile.build(linear(np.float64, features=1), column(rng.normal(size=20_000)))
    levels = {}
    for shift in (0.0, 0.05, 0.4, 1.0):
        for n in (20, 2000):
            found = drift(reference, live_of(reference, column(rng.normal(shift, 1, n))))
            levels[shift, n] = found[0].level
    assert [levels[shift, 2000] for shift in (0.0, 0.05, 0.4, 1.0)] == ["none", "none", "moderate", "major"]
    assert [levels[shift, 20] for shift in (0.0, 0.05, 0.4)] == [None] * 3
    # So large a change shows in few rows.
    far = drift(reference, live_of(reference, column(rng.normal(9, 1, 40))))
    assert (far[0].level, far.level) == ("major", "major")
    assert drift(reference, reference.empty()).level is None
    assert drift(reference, reference).level == "none"


def test_missing_and_unseen_shares() -> None:
    rng = np.random.default_rng(2)

    def rows(n: int, missing: float, cities: list[str]) -> dict[str, Any]:
        height = rng.normal(1.7, 0.1, n)
        height[: int(missing * n)] = np.nan
        age, count = rng.uniform(20, 60, n), rng.integers(0, 3, n)
        return {
            "age": age,
            "height": height.astype(np.float32),
            "city": rng.choice(cities, n),
            "count": count,
        }

    reference = Profile.build(mixed(), rows(2000, 0.1, ["Oslo", "Rome"]))
    changed = rows(1000, 0.4, ["Oslo", "Rome", "Paris", "Bonn"])
    changed["age"][:300] = 99
    changed["count"][:100] = 7
    found = drift(reference, live_of(reference, changed))
    assert (found["height"].missing, found["height"].missing_change) == pytest.approx((0.4, 0.3))
    assert found["city"].unseen == pytest.approx(0.5, abs=0.1)
    assert found["age"].unseen_change == pytest.approx(0.3, abs=0.01)
    assert found["count"].unseen == 0.1
    assert [found[name].level for name in ("age", "height", "city", "count")] == ["major"] * 4
    assert (found["city"].ks, found["city"].ks_error) == (None, None)


def test_a_table_that_reads() -> None:
    model = classifier(["no", "maybe", "yes"])
    X = np.random.default_rng(3).normal(size=(5000, 20)).astype(np.float32)
    reference = Profile.build(model, X)
    live = reference.empty()
    live.update(
        X[:1000] + np.r_[np.ones(1), np.zeros(19)].astype(np.float32), {"predict": model.predict(X[:1000])}
    )
    found = drift(reference, live)
    assert len(found) == len(list(found)) == len(reference.columns) == 27
    assert found.level == found["X[0]"].level == "major"
    assert found["label"].level == "none"
    lines = repr(found).splitlines()
    assert lines[0].split() == ["column", "of", "rows", "level", "psi", "js", "ks", "missing", "unseen"]
    assert lines[1].split()[:4] == ["X[0]", "input", "1000", "major"]
    assert len(lines) == 28
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["level"] == "major"
    assert plain["columns"][0]["psi"] == found[0].psi
    assert plain["columns"][-1]["psi"] is None  # no rows came
    with pytest.raises(NotFound, match="no column 'age'"):
        found["age"]


def test_profiles_of_other_columns_or_bins_do_not_compare() -> None:
    X = np.random.default_rng(4).normal(size=(500, 20)).astype(np.float32)
    model = linear()
    reference = Profile.build(model, X)
    with pytest.raises(InvalidArgument, match="same columns"):
        drift(reference, Profile.build(classifier([1, 2, 3]), X))
    with pytest.raises(InvalidArgument, match="expected profiles, got str"):
        drift(reference, "live")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"same bins, got others for 'X\[0\]'"):
        drift(reference, Profile.build(model, X + 1))
