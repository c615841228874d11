"""HuberRegressor against scikit-learn's objective, and what the engine promises beyond it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from fit_everywhere import bits_everywhere
from scipy import sparse
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine.linear_model import HuberRegressor


@parametrize_with_checks([HuberRegressor(), HuberRegressor(epsilon=1.0)])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def heavy_tails(rows: int) -> Any:
    return np.random.default_rng(5).standard_t(1.5, rows)


def diabetes() -> Any:
    return datasets.load_diabetes(return_X_y=True)


def offset() -> Any:
    X = noise(2000, 8) + 5
    return X, X[:, 0] + heavy_tails(2000)


def tall() -> Any:
    X = noise(50_000, 4)
    return X, 100 * X[:, 0] + 3 * heavy_tails(50_000)


def small_noise() -> Any:
    X = noise(300, 5)
    return X, 100 * X[:, 0] + 1e-4 * heavy_tails(300)


def dependent_columns() -> Any:
    X = noise(300, 5)
    X[:, 4] = X[:, 0] + X[:, 1]
    X[:, 3] = 1
    return X, X[:, 0] + heavy_tails(300)


def wide() -> Any:
    X = noise(40, 100)
    return X, X[:, 0] + heavy_tails(40)


DATA = {
    "diabetes": diabetes,
    "offset": offset,
    "tall": tall,
    "small_noise": small_noise,
    "dependent_columns": dependent_columns,
    "wide": wide,
}


def reference(X: Any, y: Any, weights: Any = None, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reference(tol=1e-9, max_iter=400, **options).fit(X, y, weights)


def objective(model: Any, X: Any, y: Any, weights: Any) -> float:
    z = np.abs(y - model.predict(X)) / model.scale_
    losses = np.where(z < model.epsilon, z * z, 2 * model.epsilon * z - model.epsilon**2)
    total = np.sum(weights * model.scale_ * (1 + losses))
    return float(total + model.alpha * model.coef_ @ model.coef_)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("epsilon", [1.0, 1.35, 5.0])
@pytest.mark.parametrize(("alpha", "fit_intercept"), [(1e-4, True), (10.0, True), (1e-2, False)])
def test_objective_is_at_most_scikit_learns(
    name: str, epsilon: float, alpha: float, fit_intercept: bool
) -> None:
    X, y = DATA[name]()
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    options = {"epsilon": epsilon, "alpha": alpha, "fit_intercept": fit_intercept}
    model = HuberRegressor(**options).fit(X, y, weights)
    truth = reference(X, y, weights, **options)
    best = objective(truth, X, y, weights)
    assert objective(model, X, y, weights) <= best * (1 + 1e-8) + 1e-11 * np.abs(y).max()


@pytest.mark.parametrize("name", ["diabetes", "offset", "tall"])
def test_coefficients_are_scikit_learns(name: str) -> None:
    X, y = DATA[name]()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    truth = reference(X, y, alpha=1.0)
    model = HuberRegressor(alpha=1.0).fit(X, y)
    # scikit-learn's L-BFGS stops where its objective moves no more, which leaves the weights half the digits;
    # that the gradient is zero is tested below.
    size = np.abs(truth.coef_).max()
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-4 * size)
    np.testing.assert_allclose(model.scale_, truth.scale_, rtol=1e-4)
    assert np.mean(model.outliers_ != truth.outliers_) < 1e-3
    residuals = np.abs(y - model.predict(X))
    np.testing.assert_array_equal(model.outliers_, residuals > model.epsilon * model.scale_)


def test_gradient_is_zero_at_the_optimum() -> None:
    X, y = offset()
    model = HuberRegressor(alpha=0.5).fit(X, y)
    z = (y - model.predict(X)) / model.scale_
    slopes = 2 * np.clip(z, -model.epsilon, model.epsilon)
    np.testing.assert_allclose(X.T @ slopes, 2 * model.alpha * model.coef_, atol=1e-7 * len(y))
    assert abs(slopes.sum()) < 1e-7 * len(y)
    inside = np.abs(z) <= model.epsilon
    np.testing.assert_allclose(len(y) - model.epsilon**2 * np.sum(~inside), np.sum(z[inside] ** 2), rtol=1e-9)


@pytest.mark.parametrize("epsilon", [1.0, 1.35])
def test_weights_are_repeated_rows(epsilon: float) -> None:
    X, y = offset()
    weights = np.arange(len(y)) % 3
    weighted = HuberRegressor(epsilon=epsilon).fit(X, y, weights)
    repeated = HuberRegressor(epsilon=epsilon).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7, atol=1e-7)


def test_outliers_do_not_move_the_fit() -> None:
    X = noise(200, 2)
    y = X @ [1.0, 2.0] + 0.01 * noise(200, 3)[:, 2]
    y[:20] += 1e6
    model = HuberRegressor(alpha=0).fit(X, y)
    np.testing.assert_allclose(model.coef_, [1, 2], atol=0.01)
    assert model.outliers_[:20].all()


def test_perfect_fits_are_found() -> None:
    X = noise(100, 3)
    model = HuberRegressor(alpha=0).fit(X, X @ [1.0, 2.0, 3.0] + 4)
    np.testing.assert_allclose(model.coef_, [1, 2, 3], rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, 4, rtol=1e-9)
    assert model.scale_ < 1e-10
    constant = HuberRegressor().fit(X, np.full(100, 7.0))
    np.testing.assert_allclose(constant.predict(X), 7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_are_dense_ones(dtype: Any) -> None:
    X = np.where(np.abs(noise(400, 12)) > 1, noise(400, 12), 0).astype(dtype)
    y = X[:, 0] + heavy_tails(400)
    for epsilon, fit_intercept in ((1.35, True), (1.35, False), (1.0, True)):
        dense = HuberRegressor(epsilon=epsilon, fit_intercept=fit_intercept).fit(X, y)
        for form in (sparse.csr_array, sparse.csc_matrix):
            model = HuberRegressor(epsilon=epsilon, fit_intercept=fit_intercept).fit(form(X), y)
            np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
            np.testing.assert_allclose(model.predict(form(X)), dense.predict(X), atol=1e-4)


def test_float32_stays_float32() -> None:
    X, y = diabetes()
    model = HuberRegressor().fit(X.astype(np.float32), y)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, HuberRegressor().fit(X, y).coef_, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("epsilon", [1.0, 1.35])
def test_bits_depend_on_neither_threads_nor_target_nor_layout(dtype: Any, epsilon: float) -> None:
    X = noise(20_000, 6).astype(dtype)
    y = X[:, 0] + heavy_tails(len(X))
    fit = HuberRegressor(epsilon=epsilon).fit
    names = ("coef_", "intercept_", "scale_", "outliers_", "n_iter_")
    assert len(bits_everywhere(X, lambda data: fit(data, y), *names)) == 1


def test_warm_start() -> None:
    X, y = offset()
    model = HuberRegressor(warm_start=True).fit(X, y)
    first = model.coef_
    model.fit(X, y)
    assert model.n_iter_ <= 1
    np.testing.assert_allclose(model.coef_, first, atol=1e-9)


def test_too_few_steps_warn() -> None:
    X, y = diabetes()
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        HuberRegressor(max_iter=1).fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    X, y = noise(5000, 3), noise(5000, 1)[:, 0]
    for row in (0, 4999):
        bad = X.copy()
        bad[row, 1] = value
        for rows in (bad, sparse.csr_array(bad)):
            with pytest.raises(ValueError, match="Input X contains"):
                HuberRegressor().fit(rows, y)
    with pytest.raises(ValueError, match="Input y contains"):
        HuberRegressor().fit(X, np.where(np.arange(5000) == 9, value, y))
    with pytest.raises(ValueError, match="sample_weight contains"):
        HuberRegressor().fit(X, y, np.where(np.arange(5000) == 9, value, 1.0))


@pytest.mark.parametrize("options", [{"epsilon": 0.9}, {"alpha": -1.0}, {"tol": -1.0}, {"max_iter": -1}])
def test_bad_parameters_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        HuberRegressor(**options).fit(noise(10, 2), np.ones(10))
