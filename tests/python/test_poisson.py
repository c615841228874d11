"""PoissonRegressor against scikit-learn at tight tolerance, and what the engine promises beyond it."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from fit_everywhere import bits_everywhere
from scipy import sparse
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor as Reference
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine.linear_model import PoissonRegressor

SOLVERS = ["lbfgs", "newton-cholesky"]


@parametrize_with_checks([PoissonRegressor(), PoissonRegressor(solver="newton-cholesky")])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def counts(margins: Any) -> Any:
    return np.random.default_rng(3).poisson(np.exp(margins)).astype(float)


def diabetes() -> Any:
    X, y = datasets.load_diabetes(return_X_y=True)
    return X * 20, y


def wine() -> Any:
    X, y = datasets.load_wine(return_X_y=True)
    return scale(X), y.astype(float)


def rare() -> Any:
    X = noise(20_000, 4)
    return X, counts(X[:, 0] - 5)


def wide() -> Any:
    X = noise(40, 100)
    return X, counts(X[:, 0])


def large_counts() -> Any:
    X = noise(500, 3)
    return X, counts(X[:, 1] + 15)


def offset() -> Any:
    X = noise(500, 3) + 1e5
    return X, counts(X[:, 0] - 1e5)


DATA = {
    "diabetes": diabetes,
    "wine": wine,
    "rare": rare,
    "wide": wide,
    "large_counts": large_counts,
    "offset": offset,
}


def reference(X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Reference(tol=1e-12, max_iter=60, solver="newton-cholesky", **options)
        return model.fit(X, y, sample_weight)


def objective(model: Any, X: Any, y: Any, alpha: float) -> float:
    margins = X @ model.coef_ + model.intercept_
    return float(np.mean(np.exp(margins) - y * margins) + alpha / 2 * model.coef_ @ model.coef_)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("alpha", "fit_intercept"), [(1.0, True), (1e-3, True), (1e-2, False)])
def test_coefficients_are_scikit_learns(name: str, solver: str, alpha: float, fit_intercept: bool) -> None:
    X, y = DATA[name]()
    if name == "offset" and not fit_intercept:
        pytest.skip("the exponential of 1e5 times anything overflows")
    # Centred for the reference, which loses digits on a large offset; the shift moves no coefficient.
    shift = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    truth = reference(X - shift, y, alpha=alpha, fit_intercept=fit_intercept)
    model = PoissonRegressor(alpha=alpha, fit_intercept=fit_intercept, solver=solver).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * np.abs(truth.coef_).max())
    best = objective(truth, X - shift, y, alpha)
    assert objective(model, X, y, alpha) - best <= 1e-8 * abs(best)
    np.testing.assert_allclose(model.predict(X), truth.predict(X - shift), rtol=2e-6)
    np.testing.assert_allclose(model.score(X, y), truth.score(X - shift, y), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_penalty(solver: str) -> None:
    X = noise(3000, 5)
    y = counts(X @ [0.5, -1, 0, 0.2, 1])
    truth = reference(X, y, alpha=0)
    model = PoissonRegressor(alpha=0, solver=solver).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, truth.intercept_, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_are_repeated_rows(solver: str) -> None:
    X, y = diabetes()
    weights = np.arange(len(y)) % 4
    weighted = PoissonRegressor(solver=solver).fit(X, y, weights)
    repeated = PoissonRegressor(solver=solver).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7)
    truth = reference(X, y, weights)
    np.testing.assert_allclose(weighted.coef_, truth.coef_, atol=1e-6)
    np.testing.assert_allclose(weighted.score(X, y, weights), truth.score(X, y, weights), rtol=1e-9)


def test_rows_beyond_the_sample_do_not_break_the_start() -> None:
    X = noise(40_000, 3)
    X[1::2] = 0
    X[12_345] = 60  # e^z overflows here at what the other rows alone would choose
    y = counts(2 * np.where(np.abs(X[:, 0]) < 10, X[:, 0], 0))
    model = PoissonRegressor(alpha=1e-6).fit(X, y)
    truth = PoissonRegressor(alpha=1e-6, solver="newton-cholesky").fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-6)


def test_counts_that_are_all_zero_are_predicted() -> None:
    model = PoissonRegressor().fit(noise(50, 2), np.zeros(50))
    assert np.all(model.predict(noise(50, 2)) < 1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2000, 10), (300, 800)])
def test_sparse_rows_are_dense_ones(dtype: Any, shape: tuple[int, int]) -> None:
    X = np.where(np.abs(noise(*shape)) > 1.2, noise(*shape), 0).astype(dtype)
    y = counts(0.5 * X[:, 0] + 2)
    weights = np.arange(len(y)) % 3
    for alpha, fit_intercept in ((1e-2, True), (1.0, True), (1.0, False)):
        dense = PoissonRegressor(alpha=alpha, fit_intercept=fit_intercept, tol=1e-6).fit(X, y, weights)
        for form in (sparse.csr_array, sparse.csc_matrix):
            model = PoissonRegressor(alpha=alpha, fit_intercept=fit_intercept, tol=1e-6)
            model.fit(form(X), y, weights)
            atol = 1e-6 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(model.coef_, dense.coef_, rtol=0, atol=atol)
            np.testing.assert_allclose(model.predict(form(X)), dense.predict(X), rtol=1e-4)


def test_float32_stays_float32() -> None:
    X, y = diabetes()
    model = PoissonRegressor().fit(X.astype(np.float32), y)
    assert model.coef_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(model.coef_, PoissonRegressor().fit(X, y).coef_, atol=2e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_bits_depend_on_neither_threads_nor_target_nor_layout(dtype: Any, solver: str) -> None:
    X = noise(20_000, 7).astype(dtype)
    y = counts(X[:, 0])
    fit = PoissonRegressor(solver=solver, alpha=1e-3).fit
    assert len(bits_everywhere(X, lambda data: fit(data, y), "coef_", "intercept_", "n_iter_")) == 1


def test_predictions_have_the_bits_of_their_batch() -> None:
    X, y = wine()
    model = PoissonRegressor().fit(X, y)
    rows = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(model.predict(X), rows)


def test_warm_start_and_pickle() -> None:
    X, y = diabetes()
    model = PoissonRegressor(warm_start=True, solver="newton-cholesky").fit(X, y)
    first = model.coef_
    model.fit(X, y)
    assert model.n_iter_ <= 1
    np.testing.assert_allclose(model.coef_, first, atol=1e-9)
    assert pickle.loads(pickle.dumps(model)).predict(X).tobytes() == model.predict(X).tobytes()


def test_too_few_steps_warn() -> None:
    X, y = large_counts()
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        PoissonRegressor(max_iter=1, alpha=0, solver="newton-cholesky").fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    X, y = noise(5000, 3), np.ones(5000)
    for row in (0, 4999):
        bad = X.copy()
        bad[row, 1] = value
        with pytest.raises(ValueError, match="Input X contains"):
            PoissonRegressor().fit(bad, y)
    with pytest.raises(ValueError, match="Input y contains"):
        PoissonRegressor().fit(X, np.where(np.arange(5000) == 9, value, y))
    with pytest.raises(ValueError, match="sample_weight contains"):
        PoissonRegressor().fit(X, y, np.where(np.arange(5000) == 9, value, 1.0))


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="out of the valid range of the loss 'HalfPoissonLoss'"):
        PoissonRegressor().fit(noise(4, 2), [1, 2, -1, 3])


@pytest.mark.parametrize("options", [{"alpha": -1.0}, {"solver": "sag"}, {"tol": 0.0}, {"max_iter": 0}])
def test_bad_parameters_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        PoissonRegressor(**options).fit(noise(10, 2), np.ones(10))
