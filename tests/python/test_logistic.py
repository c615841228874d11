"""LogisticRegression against scikit-learn at tight tolerance, and what the engine promises beyond it."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine import _core
from maas_engine.linear_model import LogisticRegression


@parametrize_with_checks([LogisticRegression(), LogisticRegression(solver="newton-cholesky")])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def binary(X: Any) -> Any:
    return (X[:, 0] + 0.5 * noise(*X.shape)[:, -1] > X[:, 0].mean()).astype(int)


def collinear() -> Any:
    X = noise(300, 6)
    X[:, 5] = X[:, 0] - 2 * X[:, 1]
    return X, binary(X)


def constant_column() -> Any:
    X = noise(300, 4)
    X[:, 2] = 0.1
    return X, binary(X)


def wide() -> Any:
    X = noise(40, 100)
    return X, binary(X)


def offset() -> Any:
    X = noise(500, 5)
    return X + 1e6, binary(X)


def badly_scaled() -> Any:
    X = noise(400, 6)
    return X * 10.0 ** np.arange(-4, 2), binary(X[:, ::-1])


def scaled(load: Any) -> Any:
    X, y = load(return_X_y=True)
    return scale(X), y


DATA = {
    "breast_cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "breast_cancer_scaled": lambda: scaled(datasets.load_breast_cancer),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "wine_scaled": lambda: scaled(datasets.load_wine),
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "collinear": collinear,
    "constant_column": constant_column,
    "wide": wide,
    "offset": offset,
    "badly_scaled": badly_scaled,
}


def reference(X: Any, y: Any, start: Any = None, **options: Any) -> Any:
    """scikit-learn's model. The optimum is one, wherever it starts from: from another's it is there at once."""
    model = Reference(tol=1e-12, max_iter=1000, solver="newton-cholesky", warm_start=True, **options)
    if start is not None:
        model.coef_, model.intercept_ = start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_coefficients_are_scikit_learns(name: str, solver: str, fit_intercept: bool) -> None:
    X, y = DATA[name]()
    # Centred for the reference, which loses digits on a large offset; the shift moves no coefficient.
    shift = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    model = LogisticRegression(solver=solver, fit_intercept=fit_intercept).fit(X, y)
    start = model.coef_, model.intercept_ + model.coef_ @ shift
    truth = reference(X - shift, y, start, fit_intercept=fit_intercept)
    size = np.abs(truth.coef_).max()
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(
        model.decision_function(X), truth.decision_function(X - shift), rtol=1e-6, atol=1e-5
    )
    np.testing.assert_allclose(model.predict_proba(X), truth.predict_proba(X - shift), atol=1e-6)


@pytest.mark.parametrize("C", [1e-3, 1e3])
def test_strength_of_the_penalty(C: float) -> None:
    X, y = scaled(datasets.load_breast_cancer)
    truth = reference(X, y, C=C)
    model = LogisticRegression(C=C).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * np.abs(truth.coef_).max())


@pytest.mark.parametrize("classes", [2, 3])
def test_no_penalty(classes: int) -> None:
    X = noise(2000, 5)
    y = (X[:, 0] + 2 * noise(2000, 3)[:, 1] > 0).astype(int) + (classes == 3) * (noise(2000, 4)[:, 3] > 0.4)
    truth = reference(X, y, C=np.inf)
    model = LogisticRegression(C=np.inf).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-6)
    np.testing.assert_array_equal(LogisticRegression(penalty=None).fit(X, y).coef_, model.coef_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["random", "sorted"])
def test_many_rows_start_from_a_sample(dtype: Any, order: str) -> None:
    X = noise(60_000, 8)
    y = (X @ np.arange(-4, 4) / 3 + 0.5 + np.random.default_rng(1).logistic(size=len(X)) > 0).astype(int)
    if order == "sorted":
        rows = np.lexsort((X[:, 0], y))
        X, y = X[rows], y[rows]
    truth = reference(X, y)
    model = LogisticRegression().fit(X.astype(dtype), y)
    assert model.n_iter_[0] <= 8
    assert model.coef_.dtype == dtype
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=1e-6 if dtype == np.float64 else 1e-4)


def test_rare_columns_that_a_sample_misses() -> None:
    X = noise(40_000, 6)
    X[:, 4:] = 0
    X[5::10_000, 4] = 1
    X[7, 5] = 1000
    y = binary(X)
    truth = reference(X, y)
    model = LogisticRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=1e-5, atol=1e-7)


def test_float32_stays_close_to_float64() -> None:
    X, y = scaled(datasets.load_breast_cancer)
    double = LogisticRegression().fit(X, y)
    single = LogisticRegression().fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-5 * np.abs(double.coef_).max())
    shifted = LogisticRegression().fit(X.astype(np.float32) + np.float32(1000), y)
    np.testing.assert_allclose(shifted.coef_, double.coef_, atol=1e-2)  # the data themselves are rounded


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "gd", "adam"])
def test_separable_data(solver: str) -> None:
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    y = np.array([0, 0, 1, 1])
    model = LogisticRegression(solver=solver, max_iter=3000).fit(X, y)
    assert model.score(X, y) == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        endless = LogisticRegression(solver=solver, C=np.inf).fit(X, y)
    assert np.isfinite(endless.coef_).all()
    assert endless.score(X, y) == 1.0


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_wine])
def test_weights_count_rows(solver: str, load: Any) -> None:
    X, y = load(return_X_y=True)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = LogisticRegression(solver=solver).fit(X, y, sample_weight=weights)
    repeated = LogisticRegression(solver=solver).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0}, {0: 1.0, 1: 0.5}])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weight(class_weight: Any, weighted: bool) -> None:
    X, y = scaled(datasets.load_breast_cancer)
    weights = np.random.default_rng(0).random(len(y)) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truth = Reference(tol=1e-12, max_iter=1000, solver="newton-cholesky", class_weight=class_weight).fit(
            X, y, weights
        )
    model = LogisticRegression(class_weight=class_weight).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "adam"])
def test_bits_depend_on_neither_threads_nor_target_nor_layout(dtype: Any, classes: int, solver: str) -> None:
    X = noise(30_000, 7).astype(dtype)
    y = np.digitize(X[:, 0] + noise(30_000, 2)[:, 1], np.linspace(-1, 1, classes - 1))
    strided = np.zeros((60_000, 14), dtype=dtype)[::2, ::2]
    strided[:] = X
    backwards = np.ascontiguousarray(X[::-1])[::-1]
    frozen = X.copy()
    frozen.setflags(write=False)
    raw = np.empty(X.nbytes + 1, np.uint8)[1:]
    unaligned = np.frombuffer(raw, dtype).reshape(X.shape)
    unaligned[:] = X
    layouts = [X, np.asfortranarray(X), strided, backwards, frozen, unaligned]
    threads = _core.num_threads()
    fitted = []

    def fit(data: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(solver=solver, max_iter=20).fit(data, y)
        fitted.append((model.coef_.tobytes(), model.intercept_.tobytes(), model.loss_curve_.tobytes()))

    try:
        for data in layouts:
            fit(data)
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            fit(X)
        for target in _core.supported_targets():
            _core.set_target(target)
            if _core.target_has_fma():
                fit(X)
    finally:
        _core.set_num_threads(threads)
        _core.set_target("")
    assert all(bits == fitted[0] for bits in fitted)


def test_one_row_has_the_bits_of_its_batch() -> None:
    X, y = datasets.load_wine(return_X_y=True)
    model = LogisticRegression().fit(X, y)
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        batch = getattr(model, method)(X)
        rows = np.concatenate([getattr(model, method)(X[i : i + 1]) for i in range(len(X))])
        np.testing.assert_array_equal(batch, rows)


def test_log_probabilities_stay_finite_where_probabilities_underflow() -> None:
    model = LogisticRegression().fit(np.array([[-1.0], [1.0]]), [0, 1])
    far = np.array([[-1e4], [1e4]])
    log = model.predict_log_proba(far)
    assert np.isfinite(log).all()
    np.testing.assert_allclose(log[0, 1], model.decision_function(far)[0])
    np.testing.assert_array_equal(model.predict_proba(far), [[1, 0], [0, 1]])


def logistic_steps(X: Any, y: Any, rate: float, momentum: float, nesterov: bool, steps: int) -> Any:
    """Gradient descent by hand, as Sutskever (2013) writes it, on the mean loss with C=1."""
    w, b, v, vb = np.zeros(X.shape[1]), 0.0, np.zeros(X.shape[1]), 0.0
    for _ in range(steps):
        r = 1 / (1 + np.exp(-(X @ w + b))) - y
        g, gb = X.T @ r / len(y) + w / len(y), r.mean()
        v, vb = momentum * v - rate * g, momentum * vb - rate * gb
        w, b = (w + momentum * v - rate * g, b + momentum * vb - rate * gb) if nesterov else (w + v, b + vb)
    return w, b


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_gradient_descent_takes_the_textbook_steps(momentum: float, nesterov: bool) -> None:
    X, y = scaled(datasets.load_breast_cancer)
    with pytest.warns(ConvergenceWarning, match="max_iter=7"):
        model = LogisticRegression(
            solver="gd", learning_rate=0.3, momentum=momentum, nesterov=nesterov, max_iter=7
        ).fit(X, y)
    w, b = logistic_steps(X, y, 0.3, momentum, nesterov, 7)
    np.testing.assert_allclose(model.coef_[0], w, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_[0], b, rtol=1e-12)
    assert model.n_iter_ == [7]
    assert len(model.loss_curve_) == 8
    assert np.all(np.diff(model.loss_curve_) < 0)
    np.testing.assert_allclose(model.loss_curve_[0], np.log(2))


@pytest.mark.parametrize("solver", ["gd", "adam"])
def test_first_order_solvers_reach_the_optimum(solver: str) -> None:
    X, y = scaled(datasets.load_wine)
    model = LogisticRegression(solver=solver, learning_rate=0.05, momentum=0.9, tol=1e-7, max_iter=20000)
    truth = reference(X, y)
    np.testing.assert_allclose(model.fit(X, y).coef_, truth.coef_, atol=1e-4)


def test_divergence_keeps_finite_weights_and_names_the_learning_rate() -> None:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    model = LogisticRegression(solver="gd", learning_rate=1e306, max_iter=50)
    with pytest.warns(ConvergenceWarning, match=r"learning_rate=1e\+306"):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.loss_curve_).all()


def test_too_few_steps_warn() -> None:
    X, y = datasets.load_digits(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        model = LogisticRegression(max_iter=3).fit(X, y)
    assert model.n_iter_ == [3]


def test_many_columns_go_without_second_derivatives() -> None:
    X = noise(300, 900)
    y = binary(X)
    model = LogisticRegression(tol=1e-8).fit(X, y)
    truth = reference(X, y, (model.coef_, model.intercept_))
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * np.abs(truth.coef_).max())
    assert LogisticRegression().fit(X, y).score(X, y) == 1.0


def test_interrupt_leaves_the_estimator_unfitted() -> None:
    X = noise(20_000, 20)
    y = binary(X)
    model = LogisticRegression(solver="gd", tol=0.0, max_iter=10**9)  # days
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

    def fit() -> None:
        timer.start()
        model.fit(X, y)

    with pytest.raises(KeyboardInterrupt):
        fit()
    timer.join()
    assert not hasattr(model, "coef_")
    model.set_params(max_iter=1, tol=10.0).fit(X, y)


def test_warm_start_needs_no_more_steps() -> None:
    X, y = scaled(datasets.load_wine)
    model = LogisticRegression(warm_start=True).fit(X, y)
    cold = model.coef_
    model.fit(X, y)
    assert model.n_iter_[0] <= 1
    np.testing.assert_allclose(model.coef_, cold, rtol=1e-9)
