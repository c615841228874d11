"""The gd, adam and lbfgs solvers of LinearRegression and Ridge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

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
