"""LinearRegression and Ridge against scikit-learn, and against exact arithmetic where doubles are not enough."""

from __future__ import annotations

import itertools
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.linear_model as reference
from sklearn import datasets
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine import _core
from maas_engine.linear_model import LinearRegression, Ridge

TABLES = ["diabetes", "breast_cancer", "digits", "wine"]


def table(name):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y.astype(np.float64)


def relative(a, b):
    """Largest difference in units of the largest true value."""
    return np.max(np.abs(np.asarray(a, np.float64) - b)) / np.max(np.abs(b))


def exact_least_squares(X, y, weights=None, alpha=0):
    """Coefficients and intercept in rational arithmetic: no rounding at all."""
    rows = [[Fraction(float(v)) for v in row] for row in X]
    target = [Fraction(float(v)) for v in y]
    w = [Fraction(1)] * len(rows) if weights is None else [Fraction(float(v)) for v in weights]
    total, d = sum(w), len(rows[0])
    mean = [sum(wi * row[j] for wi, row in zip(w, rows, strict=True)) / total for j in range(d)]
    y_mean = sum(wi * t for wi, t in zip(w, target, strict=True)) / total
    centred = [[v - m for v, m in zip(row, mean, strict=True)] for row in rows]
    a = [
        [
            sum(wi * r[i] * r[j] for wi, r in zip(w, centred, strict=True)) + (alpha if i == j else 0)
            for j in range(d)
        ]
        + [sum(wi * r[i] * (t - y_mean) for wi, r, t in zip(w, centred, target, strict=True))]
        for i in range(d)
    ]
    for i in range(d):
        pivot = next(k for k in range(i, d) if a[k][i] != 0)
        a[i], a[pivot] = a[pivot], a[i]
        a[i] = [v / a[i][i] for v in a[i]]
        for k in range(d):
            if k != i:
                a[k] = [u - a[k][i] * v for u, v in zip(a[k], a[i], strict=True)]
    coef = [row[d] for row in a]
    intercept = y_mean - sum(c * m for c, m in zip(coef, mean, strict=True))
    return np.array([float(c) for c in coef]), float(intercept)


@parametrize_with_checks(
    [
        LinearRegression(),
        LinearRegression(solver="svd"),
        LinearRegression(solver="lbfgs"),
        Ridge(),
        Ridge(solver="svd"),
        Ridge(alpha=[0.5]),
    ]
)
def test_estimator_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("solver", ["auto", "svd"])
@pytest.mark.parametrize("name", TABLES)
def test_real_tables_agree_with_scikit_learn(name, solver, intercept):
    X, y = table(name)
    ours = LinearRegression(fit_intercept=intercept, solver=solver, tol=1e-10).fit(X, y)
    theirs = reference.LinearRegression(fit_intercept=intercept, tol=1e-10).fit(X, y)
    assert relative(ours.coef_, theirs.coef_) < 1e-6
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-6, abs=1e-12)
    assert ours.rank_ == theirs.rank_
    assert relative(ours.singular_, theirs.singular_) < 1e-10
    ridge = Ridge(2.0, fit_intercept=intercept, solver=solver).fit(X, y)
    theirs = reference.Ridge(2.0, fit_intercept=intercept, solver="svd").fit(X, y)
    assert relative(ridge.coef_, theirs.coef_) < 1e-6
    assert relative(ridge.predict(X), theirs.predict(X)) < 1e-9


@pytest.mark.parametrize("name", TABLES)
def test_defaults_agree_with_scikit_learn(name):
    X, y = table(name)
    ours, theirs = LinearRegression().fit(X, y), reference.LinearRegression().fit(X, y)
    assert relative(ours.coef_, theirs.coef_) < 1e-6
    assert ours.rank_ == theirs.rank_


@pytest.mark.parametrize("name", TABLES)
def test_float32_is_as_accurate_as_its_data(name):
    X, y = table(name)
    X = X.astype(np.float32)
    truth = reference.LinearRegression(tol=1e-10).fit(X.astype(np.float64), y)
    ours = LinearRegression(tol=1e-10).fit(X, y)
    assert ours.coef_.dtype == np.float32
    assert relative(ours.coef_, truth.coef_) < 2e-7
    assert relative(ours.predict(X), truth.predict(X.astype(np.float64))) < 2e-5


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("columns", [150, 300])
@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.9999])
def test_wide_float32_is_accurate(rng, columns, correlation, intercept):
    """Its products are summed in float32; one step in double restores what that loses."""
    X = rng.normal(size=(3000, columns)) + 3
    X = (np.sqrt(1 - correlation**2) * X + correlation * X[:, :1]).astype(np.float32)
    y = (X @ rng.normal(size=(columns, 2)) + rng.normal(size=(3000, 2))).astype(np.float32)
    w = rng.uniform(size=3000)
    wide = X.astype(np.float64), y.astype(np.float64), w
    for ours, theirs in (
        (LinearRegression(tol=1e-9), reference.LinearRegression(tol=1e-9)),
        (Ridge(5.0), reference.Ridge(5.0)),
    ):
        ours.set_params(fit_intercept=intercept).fit(X, y, w)
        theirs.set_params(fit_intercept=intercept).fit(*wide)
        assert relative(ours.coef_, theirs.coef_) < 2e-7
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5, atol=1e-5)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_condition_of_1e8_against_exact_arithmetic(rng):
    base = rng.normal(size=(60, 4))
    X = np.column_stack([base, base[:, 0] + 1e-8 * rng.normal(size=60)])
    y = base @ [1.0, -2.0, 3.0, 0.5] + 0.1 * rng.normal(size=60)
    coef, intercept = exact_least_squares(X, y)
    ours = LinearRegression(tol=1e-12).fit(X, y)
    assert ours.rank_ == 5
    # The problem itself amplifies a rounding of X by its condition times the size of the solution.
    assert relative(ours.coef_, coef) < 1e-6
    assert ours.intercept_ == pytest.approx(intercept, rel=1e-6)
    alpha = 1e-10
    coef, _ = exact_least_squares(X, y, alpha=Fraction(alpha))
    assert relative(Ridge(alpha).fit(X, y).coef_, coef) < 1e-6


def test_default_tolerance_drops_like_scikit_learn_but_says_so(rng):
    base = rng.normal(size=(60, 4))
    X = np.column_stack([base, base[:, 0] + 1e-8 * rng.normal(size=60)])
    y = base.sum(axis=1)
    with pytest.warns(np.exceptions.RankWarning, match="rank-4"):
        ours = LinearRegression().fit(X, y)
    theirs = reference.LinearRegression().fit(X, y)
    assert ours.rank_ == theirs.rank_ == 4
    assert relative(ours.coef_, theirs.coef_) < 1e-6


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_offset_of_1e6_loses_nothing(rng, scale):
    X = rng.integers(-8, 9, size=(50, 3)) / 16 + np.array([1e6, -1e6, 0.0])
    X[:, 2] *= scale
    y = X @ [2.0, -1.0, 0.25] + rng.integers(0, 5, size=50) / 8
    weights = rng.integers(0, 4, size=50).astype(float)
    for w in (None, weights):
        coef, intercept = exact_least_squares(X, y, w)
        ours = LinearRegression(tol=1e-10).fit(X, y, sample_weight=w)
        np.testing.assert_allclose(ours.coef_, coef, rtol=1e-9)
        assert ours.intercept_ == pytest.approx(intercept, rel=1e-9)


def test_collinear_columns_share_the_least_norm(rng):
    X = rng.normal(size=(80, 5))
    X = np.column_stack([X, X[:, 0] + X[:, 1], 3 * X[:, 2]])
    y = rng.normal(size=(80, 2))
    ours, theirs = LinearRegression().fit(X, y), reference.LinearRegression().fit(X, y)
    assert ours.rank_ == theirs.rank_ == 5
    assert relative(ours.coef_, theirs.coef_) < 1e-6
    assert ours.coef_.shape == (2, 7)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 + 0.1, -7e-20])
def test_constant_column_gets_no_slope(rng, constant):
    X = rng.normal(size=(70, 4))
    X[:, 2] = constant
    y = rng.normal(size=70)
    ours, theirs = LinearRegression().fit(X, y), reference.LinearRegression().fit(np.delete(X, 2, axis=1), y)
    assert ours.coef_[2] == 0
    assert relative(np.delete(ours.coef_, 2), theirs.coef_) < 1e-6
    assert ours.rank_ == 3
    assert Ridge().fit(X, y).coef_[2] == pytest.approx(0, abs=1e-15)


def test_only_constant_columns(rng):
    y = rng.normal(size=30)
    for estimator in (LinearRegression(), Ridge(), Ridge(alpha=0)):
        fitted = estimator.fit(np.full((30, 3), 0.1), y)
        np.testing.assert_allclose(fitted.coef_, 0, atol=1e-15)
        assert fitted.intercept_ == pytest.approx(y.mean())


@pytest.mark.parametrize("shape", [(5, 20), (30, 300), (90, 400), (1, 3), (3, 3), (2, 1)])
def test_fewer_rows_than_columns(rng, shape):
    X, y = rng.normal(size=shape) + 5, rng.normal(size=shape[0])
    w = rng.uniform(0.5, 2, size=shape[0])
    for kwargs in ({}, {"fit_intercept": False}):
        ours = LinearRegression(**kwargs).fit(X, y, w)
        theirs = reference.LinearRegression(**kwargs).fit(X, y, w)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-12)
        assert ours.rank_ == theirs.rank_
        np.testing.assert_allclose(ours.singular_, theirs.singular_, atol=1e-10 * theirs.singular_[0])
        for alpha in (0.0, 1e-3, 1.0):
            ours = Ridge(alpha, **kwargs).fit(X, y, w)
            theirs = reference.Ridge(max(alpha, 1e-13), solver="svd", **kwargs).fit(X, y, w)
            np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)


def test_alpha_for_each_target(rng):
    X, y = rng.normal(size=(50, 6)), rng.normal(size=(50, 3))
    alpha = np.array([0.1, 1.0, 10.0])
    for solver in ("auto", "svd"):
        ours, theirs = Ridge(alpha, solver=solver).fit(X, y), reference.Ridge(alpha).fit(X, y)
        assert relative(ours.coef_, theirs.coef_) < 1e-9
    with pytest.raises(ValueError, match="Number of targets and number of penalties"):
        Ridge([1.0, 2.0]).fit(X, y)
    with pytest.raises(ValueError, match="not negative"):
        Ridge([-1.0, 2.0, 1.0]).fit(X, y)


def test_attributes_have_scikit_learns_shapes(rng):
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    for dtype, target, intercept in itertools.product(
        (np.float32, np.float64), (y, y[:, None], np.column_stack([y, y])), (True, False)
    ):
        ours = LinearRegression(fit_intercept=intercept).fit(X.astype(dtype), target)
        theirs = reference.LinearRegression(fit_intercept=intercept).fit(X.astype(dtype), target)
        for name in ("coef_", "intercept_", "singular_"):
            a, b = getattr(ours, name), getattr(theirs, name)
            assert np.shape(a) == np.shape(b), name
            assert np.asarray(a).dtype == np.asarray(b).dtype, name
        assert ours.predict(X.astype(dtype)).shape == theirs.predict(X.astype(dtype)).shape
    with pytest.raises(AttributeError, match="after fit"):
        _ = LinearRegression().singular_


def layouts(X):
    wide = np.zeros((2 * X.shape[0], X.shape[1] + 3), X.dtype)
    wide[::2, 1:-2] = X
    unaligned = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(X.dtype).reshape(X.shape)
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "strided": wide[::2, 1:-2],
        "reversed": X[::-1].copy()[::-1],
        "unaligned": unaligned,
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("estimator", "shape"),
    [
        (LinearRegression(), (5000, 7)),
        (LinearRegression(), (900, 140)),
        (LinearRegression(), (600, 300)),
        (LinearRegression(), (40, 70)),
        (LinearRegression(), (80, 300)),
        (LinearRegression(solver="svd"), (2000, 7)),
        (LinearRegression(solver="svd"), (300, 70)),
        (Ridge(0.1), (5000, 7)),
        (Ridge(0.1), (40, 70)),
    ],
)
def test_same_bits_for_threads_targets_and_layouts(rng, estimator, dtype, shape):
    X = (rng.normal(size=shape) + 10).astype(dtype)
    y = rng.normal(size=shape[0]).astype(dtype)
    w = rng.uniform(size=shape[0])
    expected = clone(estimator).fit(X, y, w)
    best = _core.active_target()
    try:
        for target in _core.supported_targets():
            _core.set_target(target)
            if target.startswith("sse"):
                continue  # no fused multiply-add: its own tier
            for threads, (name, same) in itertools.product((1, 2, 4), layouts(X).items()):
                with maas_engine.num_threads(threads):
                    fitted = clone(estimator).fit(same, y, w)
                np.testing.assert_array_equal(
                    fitted.coef_, expected.coef_, err_msg=f"{target} {threads} {name}"
                )
                assert fitted.intercept_ == expected.intercept_
    finally:
        _core.set_target(best)


def test_weights_equal_repeated_rows(rng):
    X, y, w = rng.normal(size=(60, 4)), rng.normal(size=60), rng.integers(0, 4, size=60)
    for estimator in (LinearRegression(), LinearRegression(solver="svd"), Ridge()):
        weighted = clone(estimator).fit(X, y, sample_weight=w)
        repeated = clone(estimator).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-10)
        assert weighted.intercept_ == pytest.approx(repeated.intercept_)


def test_read_only_memory_map(rng, tmp_path):
    X = rng.normal(size=(500, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    y = X.sum(axis=1)
    np.testing.assert_array_equal(LinearRegression().fit(mapped, y).coef_, LinearRegression().fit(X, y).coef_)


@pytest.mark.parametrize("estimator", [LinearRegression(), Ridge(), Ridge(solver="svd")])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_is_named(rng, estimator, value):
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    bad = X.copy()
    bad[299, 3] = value
    kind = "NaN" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=f"Input X contains {kind}"):
        estimator.fit(bad, y)
    bad_y = y.copy()
    bad_y[7] = value
    with pytest.raises(ValueError, match=f"Input y contains {kind}"):
        estimator.fit(X, bad_y)
    weights = np.ones(300)
    weights[5] = value
    with pytest.raises(ValueError, match=f"Input sample_weight contains {kind}"):
        estimator.fit(X, y, weights)
    fitted = estimator.fit(X, y)
    with pytest.raises(ValueError, match=f"Input X contains {kind}"):
        fitted.predict(bad)


def test_bad_input_is_refused(rng):
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    with pytest.raises(ValueError, match="non-zero"):
        LinearRegression().fit(X, y, np.zeros(30))
    with pytest.raises(ValueError, match="Negative values"):
        Ridge().fit(X, y, -np.ones(30))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LinearRegression().fit(X, y[:-1])
    with pytest.raises(ValueError, match="positive=False"):
        LinearRegression(positive=True).fit(X, y)
    with pytest.raises(ValueError, match="positive=False"):
        Ridge(positive=True).fit(X, y)
    with pytest.raises(ValueError, match="one of auto, cholesky"):
        Ridge(solver="lsqr").fit(X, y)
    with pytest.raises(ValueError, match="solver"):
        LinearRegression(solver="magic").fit(X, y)
    with pytest.raises(ValueError, match="Complex"):
        LinearRegression().fit(X, y + 1j)
    with pytest.raises(ValueError, match="overflow"):
        LinearRegression().fit(X * 1e300, y)
    with pytest.raises(ValueError, match="underflow"):
        LinearRegression().fit(X * 1e-300, y)


def test_pipelines_searches_and_frames():
    X, y = datasets.load_diabetes(return_X_y=True, as_frame=True)
    for estimator in (LinearRegression(), Ridge()):
        pipeline = make_pipeline(StandardScaler(), clone(estimator))
        theirs = make_pipeline(StandardScaler(), getattr(reference, type(estimator).__name__)())
        np.testing.assert_allclose(cross_val_score(pipeline, X, y), cross_val_score(theirs, X, y), rtol=1e-9)
        fitted = clone(estimator).fit(X, y)
        assert list(fitted.feature_names_in_) == list(X.columns)
        np.testing.assert_array_equal(
            fitted.predict(X), clone(estimator).fit(X.to_numpy(), y).predict(X.to_numpy())
        )
        from_polars = clone(estimator).fit(pl.from_pandas(X), pl.from_pandas(y))
        np.testing.assert_array_equal(from_polars.coef_, fitted.coef_)
        assert list(from_polars.feature_names_in_) == list(X.columns)
        framed = make_pipeline(StandardScaler().set_output(transform="pandas"), clone(estimator)).fit(X, y)
        assert list(framed[-1].feature_names_in_) == list(X.columns)
        assert isinstance(X, pd.DataFrame)
    search = GridSearchCV(Ridge(), {"alpha": [1e-3, 1e-1, 10.0]}).fit(X, y)
    theirs = GridSearchCV(reference.Ridge(), {"alpha": [1e-3, 1e-1, 10.0]}).fit(X, y)
    assert search.best_params_ == theirs.best_params_


def test_integers_and_lists_are_accepted():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = LinearRegression().fit([[0, 0], [1, 1], [2, 3], [4, 4]], [0, 1, 2, 3])
    assert fitted.coef_.dtype == np.float64
