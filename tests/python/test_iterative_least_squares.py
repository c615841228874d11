"""The gd, adam, lbfgs and sgd solvers of LinearRegression and Ridge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import _core
from maas_engine.linear_model import LinearRegression, Ridge


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize(
    "solver", [{"solver": "gd"}, {"solver": "gd", "nesterov": False, "momentum": 0.5}, {"solver": "lbfgs"}]
)
def test_iterative_solvers_reach_the_direct_solution(rng, solver, alpha, intercept):
    X, y = rng.normal(size=(200, 5)) + 3, rng.normal(size=(200, 2))
    w = rng.uniform(size=200)
    estimator = Ridge(alpha, tol=1e-10) if alpha else LinearRegression(tol=1e-10)
    estimator.set_params(fit_intercept=intercept)
    direct = clone(estimator).fit(X, y, w)
    fitted = clone(estimator).set_params(max_iter=5000, **solver).fit(X, y, w)
    np.testing.assert_allclose(fitted.coef_, direct.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fitted.intercept_, direct.intercept_, rtol=1e-6, atol=1e-8)
    assert fitted.n_iter_ >= 1
    assert len(fitted.loss_curve_) == 2
    assert fitted.loss_curve_[0][-1] <= fitted.loss_curve_[0][0]


def test_adam_comes_near(rng):
    X = rng.normal(size=(200, 3))
    fitted = LinearRegression(solver="adam", max_iter=3000, tol=1e-4).fit(X, X @ [1.0, 2.0, 3.0] + 1)
    np.testing.assert_allclose(fitted.coef_, [1, 2, 3], rtol=1e-3)


def test_warm_start_goes_on(rng):
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    model = LinearRegression(solver="gd", tol=1e-8, max_iter=500, warm_start=True).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ < first
    assert len(model.loss_curve_) <= first


def test_divergence_names_the_learning_rate(rng):
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    with pytest.warns(ConvergenceWarning, match="learning_rate=50"):
        model = LinearRegression(solver="gd", learning_rate=50.0, max_iter=10_000).fit(X, y)
    assert np.isfinite(model.coef_).all()
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        Ridge(solver="gd", max_iter=2, tol=1e-12).fit(X, y)


BATCHES = [
    {"solver": "sgd"},
    {"solver": "sgd", "nesterov": False, "momentum": 0.5, "learning_rate": 0.05, "batch_size": 64},
    {"solver": "adam", "batch_size": 32},
]


@pytest.fixture
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def objective(model, X, y, alpha):
    return float(np.sum((model.predict(X) - y) ** 2) + alpha * np.sum(model.coef_**2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [0.0, 5.0, 50.0])
@pytest.mark.parametrize("options", BATCHES)
def test_batches_come_within_a_percent_of_the_optimum(diabetes, options, alpha, dtype):
    X, y = diabetes[0].astype(dtype), diabetes[1]
    estimator = Ridge(alpha) if alpha else LinearRegression()
    exact = clone(estimator).fit(X, y)
    model = clone(estimator).set_params(random_state=0, **options).fit(X, y)
    assert objective(exact, X, y, alpha) * (1 - 1e-6) <= objective(model, X, y, alpha)
    assert objective(model, X, y, alpha) < 1.01 * objective(exact, X, y, alpha)
    assert np.std(model.predict(X) - exact.predict(X)) < 0.1 * np.std(y)
    assert model.coef_.dtype == dtype
    assert model.solver_ == options["solver"]
    assert len(model.loss_curve_) == model.n_iter_


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, [20.0, 200.0]])
def test_one_batch_of_all_rows_reaches_the_direct_solution(rng, alpha, intercept):
    X, y = rng.normal(size=(200, 4)) + 0.5, rng.normal(3, 1, size=(200, 2))
    w = rng.uniform(0.1, 2, size=200)
    estimator = LinearRegression() if alpha == 0 else Ridge(alpha)
    estimator.set_params(fit_intercept=intercept)
    direct = clone(estimator).fit(X, y, w)
    steps = {"solver": "sgd", "batch_size": 200, "momentum": 0.0, "learning_rate": 0.2, "tol": 1e-13}
    model = clone(estimator).set_params(max_iter=5000, **steps).fit(X, y, w)
    np.testing.assert_allclose(model.coef_, direct.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, direct.intercept_, rtol=1e-4, atol=1e-5)
    assert len(model.loss_curve_) == 2
    assert model.n_iter_ == max(map(len, model.loss_curve_))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", BATCHES)
def test_batches_give_the_same_bits_everywhere(diabetes, options, dtype):
    X, y = diabetes[0].astype(dtype), np.column_stack([diabetes[1], diabetes[0][:, 0]])
    model = Ridge(random_state=3, **options)
    expected = model.fit(X, y).coef_.tobytes()
    variants = [(np.asfortranarray(X), y), (np.repeat(X, 2, axis=1)[:, ::2], np.asfortranarray(y))]
    best = _core.active_target()
    try:
        for target in _core.supported_targets():
            if target.startswith("sse"):
                continue  # no FMA: bits of their own
            _core.set_target(target)
            for threads in (1, 2, 4):
                with maas_engine.num_threads(threads):
                    assert model.fit(X, y).coef_.tobytes() == expected
            for rows, targets in variants:
                assert model.fit(rows, targets).coef_.tobytes() == expected
    finally:
        _core.set_target(best)


def test_targets_are_fitted_as_if_alone(diabetes):
    X, y = diabetes[0], np.column_stack([diabetes[1], diabetes[0][:, 0]])
    both = LinearRegression(solver="sgd", random_state=0).fit(X, y)
    for k in range(2):
        alone = LinearRegression(solver="sgd", random_state=0).fit(X, y[:, k])
        assert (both.coef_[k] == alone.coef_).all()
        assert both.intercept_[k] == alone.intercept_
        assert both.loss_curve_[k] == alone.loss_curve_


def test_units_of_the_target_do_not_change_the_way_of_sgd(diabetes):
    X, y = diabetes
    small, large = (LinearRegression(solver="sgd", random_state=0).fit(X, y * unit) for unit in (1.0, 1024.0))
    assert small.n_iter_ == large.n_iter_
    np.testing.assert_allclose(large.coef_, small.coef_ * 1024, rtol=1e-9)


def test_order_of_the_rows_comes_from_random_state(diabetes):
    fits = [Ridge(solver="sgd", random_state=s).fit(*diabetes).coef_ for s in (0, 0, 1)]
    assert (fits[0] == fits[1]).all()
    assert (fits[0] != fits[2]).any()


def test_batches_warm_start(diabetes):
    X, y = diabetes
    model = Ridge(10.0, solver="sgd", random_state=0, warm_start=True).fit(X, y)
    first = model.loss_curve_
    assert model.fit(X, y).loss_curve_[0] < first[0]


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_batches_of_a_constant_target(diabetes, value):
    model = LinearRegression(solver="sgd").fit(diabetes[0], np.full(442, value))
    assert np.abs(model.coef_).max() < 1e-15
    assert model.intercept_ == pytest.approx(value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [1, 50, 1e30])
def test_diverging_batches_name_the_learning_rate(diabetes, rate, dtype):
    X, y = diabetes[0].astype(dtype), diabetes[1]
    model = LinearRegression(solver="sgd", learning_rate=rate, random_state=0)
    with pytest.warns(ConvergenceWarning, match=f"diverged with learning_rate={rate:g}".replace("+", ".")):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        Ridge(solver="sgd", max_iter=2).fit(X, y)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "all"])
@pytest.mark.parametrize("estimator", [LinearRegression, Ridge])
def test_bad_batch_sizes_are_refused(diabetes, estimator, batch_size):
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        estimator(solver="sgd", batch_size=batch_size).fit(*diabetes)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("culprit", ["X", "y"])
def test_batches_name_what_is_not_finite(diabetes, culprit, value, name):
    X, y = (values.copy() for values in diabetes)
    (X if culprit == "X" else y)[5] = value
    with pytest.raises(ValueError, match=f"Input {culprit} contains {name}"):
        LinearRegression(solver="sgd").fit(X, y)
