"""QuantileRegressor against scikit-learn's linear program, and what the engine promises beyond it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from fit_everywhere import bits_everywhere
from scipy import sparse
from sklearn import datasets
from sklearn.linear_model import QuantileRegressor as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine.linear_model import QuantileRegressor


@parametrize_with_checks([QuantileRegressor(), QuantileRegressor(alpha=0.01, quantile=0.3)])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def heavy_tails(rows: int) -> Any:
    return np.random.default_rng(5).standard_t(2, rows)


def diabetes() -> Any:
    return datasets.load_diabetes(return_X_y=True)


def large_units() -> Any:
    X, y = diabetes()
    return X * 100, y * 1000


def offset() -> Any:
    X = noise(1000, 8) + 100
    return X, X[:, 0] + heavy_tails(1000)


def wide() -> Any:
    X = noise(40, 100)
    return X, X[:, 0] + heavy_tails(40)


def ties() -> Any:
    X = np.random.default_rng(2).integers(0, 3, (300, 5)).astype(float)
    return X, np.round(X[:, 0] + heavy_tails(300))


def dependent_columns() -> Any:
    X = noise(300, 5)
    X[:, 4] = X[:, 0] + X[:, 1]
    X[:, 3] = 1
    return X, X[:, 0] + heavy_tails(300)


def constant_target() -> Any:
    return noise(50, 3), np.full(50, 7.0)


def single_row() -> Any:
    return np.array([[1.0, 2.0]]), np.array([3.0])


DATA = {
    "diabetes": diabetes,
    "large_units": large_units,
    "offset": offset,
    "wide": wide,
    "ties": ties,
    "dependent_columns": dependent_columns,
    "constant_target": constant_target,
    "single_row": single_row,
}


def reference(X: Any, y: Any, weights: Any = None, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reference(**options).fit(X, y, weights)


def objective(model: Any, X: Any, y: Any, weights: Any = None) -> float:
    residuals = y - model.predict(X)
    losses = np.where(residuals > 0, model.quantile * residuals, (model.quantile - 1) * residuals)
    return float(np.average(losses, weights=weights) + model.alpha * np.abs(model.coef_).sum())


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("quantile", [0.5, 0.05, 0.99])
@pytest.mark.parametrize("alpha", [0, 1e-3, 0.1, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_objective_is_the_linear_programs(
    name: str, quantile: float, alpha: float, fit_intercept: bool
) -> None:
    X, y = DATA[name]()
    weights = np.random.default_rng(1).integers(0, 4, len(y)) if len(y) > 1 else None
    options = {"quantile": quantile, "alpha": alpha, "fit_intercept": fit_intercept}
    truth = reference(X, y, weights, **options)
    model = QuantileRegressor(**options).fit(X, y, weights)
    best = objective(truth, X, y, weights)
    assert objective(model, X, y, weights) <= best * (1 + 1e-8) + 1e-9 * np.abs(y).max()


def test_coefficients_where_they_are_unique() -> None:
    X, y = diabetes()
    for alpha in (0, 1e-3, 0.01):
        truth = reference(X, y, alpha=alpha, quantile=0.3)
        model = QuantileRegressor(alpha=alpha, quantile=0.3).fit(X, y)
        np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * np.abs(truth.coef_).max())
        np.testing.assert_array_equal(model.coef_ == 0, truth.coef_ == 0)


def test_weights_are_repeated_rows() -> None:
    X, y = ties()  # the optimum is not unique, and still the same one is chosen
    weights = np.arange(len(y)) % 3
    for alpha in (0, 0.01):
        weighted = QuantileRegressor(alpha=alpha).fit(X, y, weights)
        repeated = QuantileRegressor(alpha=alpha).fit(X.repeat(weights, axis=0), y.repeat(weights))
        np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-7)


def test_share_of_rows_below_the_quantile() -> None:
    X = noise(5000, 4)
    y = X @ [1, 2, 3, 4] + heavy_tails(5000)
    for quantile in (0.1, 0.5, 0.9):
        model = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
        assert abs(np.mean(y < model.predict(X)) - quantile) < 2e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_are_dense_ones(dtype: Any) -> None:
    X = np.where(np.abs(noise(400, 12)) > 1, noise(400, 12), 0).astype(dtype)
    y = X[:, 0] + heavy_tails(400)
    for alpha, fit_intercept in ((0, True), (0.01, True), (0.01, False)):
        options = {"alpha": alpha, "fit_intercept": fit_intercept, "quantile": 0.4}
        dense = QuantileRegressor(**options).fit(X, y)
        for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
            model = QuantileRegressor(**options).fit(form(X), y)
            np.testing.assert_allclose(objective(model, X, y), objective(dense, X, y), rtol=1e-6)
            np.testing.assert_allclose(model.predict(form(X)), model.predict(X), rtol=1e-5, atol=1e-5)


def test_float32_stays_float32() -> None:
    X, y = diabetes()
    model = QuantileRegressor(alpha=0).fit(X.astype(np.float32), y)
    assert model.coef_.dtype == np.float32
    truth = QuantileRegressor(alpha=0).fit(X, y)
    np.testing.assert_allclose(objective(model, X, y), objective(truth, X, y), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [0, 0.01])
def test_bits_depend_on_neither_threads_nor_target_nor_layout(dtype: Any, alpha: float) -> None:
    X = noise(20_000, 6).astype(dtype)
    y = X[:, 0] + heavy_tails(len(X))
    fit = QuantileRegressor(alpha=alpha, quantile=0.2).fit
    assert len(bits_everywhere(X, lambda data: fit(data, y), "coef_", "intercept_", "n_iter_")) == 1


@pytest.mark.parametrize("solver", ["highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex"])
def test_solvers_of_scikit_learn_mean_the_same(solver: str) -> None:
    X, y = diabetes()
    model = QuantileRegressor(solver=solver, solver_options={"maxiter": 10}).fit(X, y)
    np.testing.assert_array_equal(model.coef_, QuantileRegressor().fit(X, y).coef_)


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e150])
def test_units_of_the_target_do_not_matter(scale: float) -> None:
    X, y = diabetes()
    model = QuantileRegressor(alpha=0).fit(X, y * scale)
    truth = QuantileRegressor(alpha=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X) / scale, truth.predict(X), rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    X, y = noise(5000, 3), noise(5000, 1)[:, 0]
    for row in (0, 4999):
        bad = X.copy()
        bad[row, 1] = value
        for rows in (bad, sparse.csr_array(bad)):
            with pytest.raises(ValueError, match="Input X contains"):
                QuantileRegressor().fit(rows, y)
    with pytest.raises(ValueError, match="Input y contains"):
        QuantileRegressor().fit(X, np.where(np.arange(5000) == 9, value, y))
    with pytest.raises(ValueError, match="sample_weight contains"):
        QuantileRegressor().fit(X, y, np.where(np.arange(5000) == 9, value, 1.0))


@pytest.mark.parametrize("options", [{"quantile": 0}, {"quantile": 1}, {"alpha": -1.0}, {"solver": "magic"}])
def test_bad_parameters_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        QuantileRegressor(**options).fit(noise(10, 2), np.ones(10))
