"""L1 and elastic-net logistic regression: the optimum to rounding, by its own conditions and scikit-learn's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine import _core
from maas_engine.linear_model import LogisticRegression


@parametrize_with_checks([LogisticRegression(l1_ratio=1), LogisticRegression(l1_ratio=0.5, solver="saga")])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def binary(X: Any) -> Any:
    return (X[:, 0] + 0.5 * noise(*X.shape)[:, -1] > X[:, 0].mean()).astype(int)


def scaled(load: Any) -> Any:
    X, y = load(return_X_y=True)
    return scale(X), y


def duplicated() -> Any:
    X = noise(300, 4)
    return np.column_stack([X, X[:, 0]]), binary(X)


def separable() -> Any:
    X = noise(200, 5)
    return X, (X[:, 0] > 0).astype(int)


def constant_column() -> Any:
    X = noise(300, 4)
    X[:, 2] = 0.1
    return X, binary(X)


DATA = {
    "breast_cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "breast_cancer_scaled": lambda: scaled(datasets.load_breast_cancer),
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine_scaled": lambda: scaled(datasets.load_wine),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "offset": lambda: (noise(500, 5) + 1e6, binary(noise(500, 5))),
    "duplicated": duplicated,
    "separable": separable,
    "constant_column": constant_column,
}


def gradient(model: Any, X: Any, y: Any, weights: Any = None) -> tuple[Any, Any]:
    """The loss's derivatives by coefficients and intercepts, summed over rows, in the model's C."""
    hit = y[:, None] == model.classes_[None, :]
    residual = model.predict_proba(X) - hit
    if weights is not None:
        residual = residual * weights[:, None]
    if len(model.classes_) == 2:
        residual = residual[:, 1:]
    return model.C * residual.T @ X, model.C * residual.sum(axis=0)


def violation(model: Any, X: Any, y: Any, share: float, weights: Any = None) -> float:
    """By how much the conditions of optimality are missed, relative to the sizes that cancel in them."""
    g, g0 = gradient(model, X, y, weights)
    w = model.coef_.astype(float)
    smooth = g + (1 - share) * w
    on = np.abs(smooth + share * np.sign(w))
    off = np.maximum(np.abs(smooth) - share, 0)
    unit = share + model.C * np.abs(X).sum(axis=0)
    worst = float((np.where(w != 0, on, off) / unit).max())
    return max(worst, float(np.abs(g0).max()) / (model.C * len(y))) if model.fit_intercept else worst


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_optimality(name: str, share: float, C: float) -> None:
    X, y = DATA[name]()
    # Without an intercept the columns of "offset" are one column but for their twelfth digit.
    for fit_intercept in (True, False)[: 1 if name == "offset" else 2]:
        model = LogisticRegression(l1_ratio=share, C=C, fit_intercept=fit_intercept).fit(X, y)
        shift = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
        model.intercept_ = model.intercept_ + model.coef_ @ shift
        assert violation(model, X - shift, y, share) < 1e-8


@pytest.mark.parametrize("name", ["breast_cancer_scaled", "iris", "wine_scaled"])
@pytest.mark.parametrize(
    "options", [{"l1_ratio": 0.5, "C": 0.5}, {"l1_ratio": 0.9, "C": 0.1}, {"l1_ratio": 1, "C": 0.1}]
)
def test_coefficients_are_sagas(name: str, options: Any) -> None:
    X, y = DATA[name]()
    X = X - X.mean(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truth = Reference(solver="saga", tol=1e-11, max_iter=20_000, **options).fit(X, y)
    model = LogisticRegression(solver="saga", **options).fit(X, y)
    size = np.abs(truth.coef_).max()
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(model.intercept_, truth.intercept_, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(model.coef_ == 0, truth.coef_ == 0)


@pytest.mark.parametrize("options", [{}, {"intercept_scaling": 10.0}, {"fit_intercept": False}, {"C": 0.05}])
def test_coefficients_are_liblinears(options: Any) -> None:
    X, y = DATA["breast_cancer_scaled"]()
    X = X + 0.5
    common: Any = {"l1_ratio": 1, "C": 0.2, "solver": "liblinear"} | options
    truth = Reference(tol=1e-10, max_iter=10_000, random_state=0, **common).fit(X, y)
    model = LogisticRegression(**common).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, truth.intercept_, rtol=0, atol=1e-6)


def sparse_rows(rows: int, columns: int, classes: int, dtype: Any = np.float64) -> Any:
    generator = np.random.default_rng(5)
    X = random_array((rows, columns), density=0.05, rng=generator, format="csr").astype(dtype)
    scores = X @ (10 * generator.standard_normal((columns, classes)))
    return X, (scores + generator.gumbel(size=scores.shape)).argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("options", [{"l1_ratio": 1}, {"l1_ratio": 0.4, "C": 10}, {"fit_intercept": False}])
def test_sparse_rows_give_the_dense_optimum(classes: int, options: Any) -> None:
    X, y = sparse_rows(600, 80, classes)
    weights = np.random.default_rng(1).random(600)
    options = {"l1_ratio": 1} | options
    sparse = LogisticRegression(**options).fit(X, y, weights)
    dense = LogisticRegression(**options).fit(X.toarray(), y, weights)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-7)
    np.testing.assert_allclose(sparse.intercept_, dense.intercept_, atol=1e-7)
    np.testing.assert_array_equal(sparse.coef_ == 0, dense.coef_ == 0)
    assert sparse.loss_curve_[-1] == pytest.approx(dense.loss_curve_[-1], rel=1e-12)
    again = LogisticRegression(**options, warm_start=True).fit(X, y, weights).fit(X, y, weights)
    assert again.n_iter_[0] <= 1
    np.testing.assert_allclose(again.coef_, sparse.coef_, atol=1e-9)


@pytest.mark.parametrize("scaling", [1, 20])
def test_sparse_liblinear_penalises_the_intercept(scaling: float) -> None:
    X, y = sparse_rows(600, 80, 2)
    options: Any = {"l1_ratio": 1, "solver": "liblinear", "intercept_scaling": scaling}
    truth = Reference(tol=1e-7, max_iter=1000, random_state=0, **options).fit(X, y)
    model = LogisticRegression(**options).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, truth.intercept_, atol=1e-5)


def test_more_sparse_columns_than_rows() -> None:
    X, y = sparse_rows(300, 4000, 2)
    X = X.toarray()
    X[:, 7] = 1.0
    X[:, 8] = X[:, 9]
    for C in (0.1, 1.0, 50.0):
        model = LogisticRegression(l1_ratio=1, C=C).fit(csr_array(X), y)
        assert violation(model, X, y, 1.0) < 1e-8
        assert model.coef_[0, 7] == 0


def wide_rows(classes: int, dtype: Any = np.float64) -> Any:
    generator = np.random.default_rng(2)
    X = generator.standard_normal((120, 1500)) + 2 * generator.standard_normal((120, 1))  # correlated
    scores = X[:, :3] @ generator.standard_normal((3, classes)) + generator.gumbel(size=(120, classes))
    return X.astype(dtype), scores.argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_more_columns_than_rows(classes: int, share: float, fit_intercept: bool) -> None:
    X, y = wide_rows(classes)
    for C in (0.1, 1.0):
        model = LogisticRegression(l1_ratio=share, C=C, fit_intercept=fit_intercept).fit(X, y)
        assert violation(model, X, y, share) < 1e-8
    X[3, 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        LogisticRegression(l1_ratio=share).fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 4])
def test_wide_bits_do_not_depend_on_threads_or_layout(dtype: Any, classes: int) -> None:
    X, y = wide_rows(classes, dtype)
    found = set()
    threads = _core.num_threads()
    try:
        for count, layout in ((1, X), (2, np.asfortranarray(X)), (4, np.repeat(X, 2, axis=1)[:, ::2])):
            _core.set_num_threads(count)
            model = LogisticRegression(l1_ratio=1, C=0.1).fit(layout, y)
            found.add(model.coef_.tobytes() + model.intercept_.tobytes())
    finally:
        _core.set_num_threads(threads)
    assert len(found) == 1


def test_sparse_values_that_are_not_finite() -> None:
    X, y = sparse_rows(100, 20, 2)
    X.data[3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        LogisticRegression(l1_ratio=1).fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 3])
def test_sparse_bits_do_not_depend_on_threads(dtype: Any, classes: int) -> None:
    X, y = sparse_rows(6000, 150, classes, dtype)
    found = set()
    threads = _core.num_threads()
    try:
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            model = LogisticRegression(l1_ratio=1, C=0.1).fit(X, y)
            found.add(model.coef_.tobytes() + model.intercept_.tobytes())
    finally:
        _core.set_num_threads(threads)
    assert len(found) == 1


def test_older_spelling() -> None:
    X, y = DATA["breast_cancer_scaled"]()
    one = LogisticRegression(l1_ratio=1).fit(X, y).coef_
    np.testing.assert_array_equal(LogisticRegression("l1").fit(X, y).coef_, one)
    half = LogisticRegression(l1_ratio=0.5).fit(X, y).coef_
    np.testing.assert_array_equal(LogisticRegression("elasticnet", l1_ratio=0.5).fit(X, y).coef_, half)
    with pytest.warns(UserWarning, match="Inconsistent values"):
        LogisticRegression("l2", l1_ratio=0.5).fit(X, y)
    with pytest.raises(ValueError, match="l1_ratio must be specified"):
        LogisticRegression("elasticnet", l1_ratio=None).fit(X, y)
    free = LogisticRegression(C=np.inf).fit(X[:, :3], y).coef_
    np.testing.assert_array_equal(LogisticRegression(C=np.inf, l1_ratio=1).fit(X[:, :3], y).coef_, free)


def test_what_is_refused() -> None:
    X, y = DATA["iris"]()
    with pytest.raises(ValueError, match="Solver adam supports only"):
        LogisticRegression(l1_ratio=1, solver="adam").fit(X, y)
    with pytest.raises(ValueError, match="does not support multiclass"):
        LogisticRegression(l1_ratio=1, solver="liblinear").fit(X, y)
    with pytest.raises(ValueError, match="Only 'saga' solver supports elasticnet"):
        LogisticRegression(l1_ratio=0.3, solver="liblinear").fit(X, y)
    with pytest.raises(ValueError, match="contains NaN"):
        LogisticRegression(l1_ratio=1).fit(np.where(X > 5, np.nan, X), y)


@pytest.mark.parametrize("name", ["breast_cancer_scaled", "iris"])
def test_a_large_penalty_leaves_the_priors(name: str) -> None:
    X, y = DATA[name]()
    zero = LogisticRegression(l1_ratio=1, C=1e-6).fit(X, y)
    assert not zero.coef_.any()
    counts = np.bincount(y) / len(y)
    np.testing.assert_allclose(zero.predict_proba(X[:1])[0], counts, rtol=1e-9)
    # The smallest C that lets a weight in is known.
    residual = counts[None, :] - (y[:, None] == np.arange(len(counts))[None, :])
    limit = 1 / np.abs(residual.T @ X).max()
    assert not LogisticRegression(l1_ratio=1, C=limit * 0.9999).fit(X, y).coef_.any()
    assert LogisticRegression(l1_ratio=1, C=limit * 1.001).fit(X, y).coef_.any()


@pytest.mark.parametrize("name", ["breast_cancer_scaled", "iris"])
def test_weights_are_repetitions(name: str) -> None:
    X, y = DATA[name]()
    counts = np.random.default_rng(3).integers(0, 4, len(y))
    weighted = LogisticRegression(l1_ratio=0.7).fit(X, y, sample_weight=counts)
    repeated = LogisticRegression(l1_ratio=0.7).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-8)
    by_class = LogisticRegression(l1_ratio=0.7, class_weight={0: 3}).fit(X, y)
    by_row = LogisticRegression(l1_ratio=0.7).fit(X, y, sample_weight=np.where(y == 0, 3.0, 1.0))
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, atol=1e-12)


def many_rows(dtype: Any) -> Any:
    X = noise(40_000, 12)
    y = (X @ np.maximum(np.arange(-8, 4), 0) + np.random.default_rng(1).logistic(size=len(X)) > 0.5).astype(
        int
    )
    return X.astype(dtype), y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_start_from_a_sample(dtype: Any) -> None:
    X, y = many_rows(dtype)
    model = LogisticRegression(l1_ratio=1, C=1e-3).fit(X, y)
    assert model.n_iter_[0] <= 8
    assert 0 < np.count_nonzero(model.coef_) < 12
    assert model.coef_.dtype == dtype
    assert violation(model, X.astype(float), y, 1.0) < (1e-9 if dtype == np.float64 else 1e-6)


def test_warm_start_is_there_at_once() -> None:
    X, y = many_rows(np.float64)
    model = LogisticRegression(l1_ratio=1, C=1e-3, warm_start=True).fit(X, y)
    coef = model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_[0] <= 1
    np.testing.assert_allclose(model.coef_, coef, atol=1e-12)


def test_too_few_steps_warn() -> None:
    X, y = DATA["breast_cancer_scaled"]()
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        model = LogisticRegression(l1_ratio=1, max_iter=2).fit(X, y)
    assert len(model.loss_curve_) == 3
    assert (np.diff(model.loss_curve_) < 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["many_rows", "digits"])
def test_bits_do_not_depend_on_threads_targets_or_layout(dtype: Any, name: str) -> None:
    X, y = many_rows(dtype) if name == "many_rows" else DATA["digits"]()
    X = X.astype(dtype)
    strided = np.zeros((2 * X.shape[0], 2 * X.shape[1]), dtype=dtype)[::2, ::2]
    strided[:] = X
    first = None
    threads = _core.num_threads()
    try:
        for count, layout in ((1, X), (2, np.asfortranarray(X)), (4, strided)):
            _core.set_num_threads(count)
            model = LogisticRegression(l1_ratio=1, C=0.01).fit(layout, y)
            found = model.coef_.tobytes() + model.intercept_.tobytes()
            first = first or found
            assert found == first
    finally:
        _core.set_num_threads(threads)
