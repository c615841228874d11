"""LinearSVC against scikit-learn's objective, and what the engine promises beyond it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from fit_everywhere import bits_everywhere
from scipy import sparse
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from maas_engine.linear_model import LinearSVC

LOSSES = [("squared_hinge", "l2"), ("hinge", "l2"), ("squared_hinge", "l1")]


@parametrize_with_checks([LinearSVC(), LinearSVC(loss="hinge"), LinearSVC(penalty="l1")])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def binary(X: Any) -> Any:
    return (X[:, 0] + 0.5 * noise(*X.shape)[:, -1] > 0).astype(int)


def breast_cancer() -> Any:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return scale(X), y


def iris() -> Any:
    return datasets.load_iris(return_X_y=True)


def digits() -> Any:
    X, y = datasets.load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


def overlapping() -> Any:
    X = noise(3000, 8)
    return X, (X[:, 0] + noise(3000, 2)[:, 1] > 0).astype(int)


def wide() -> Any:
    X = noise(60, 300)
    return X, binary(X)


DATA = {
    "breast_cancer": breast_cancer,
    "iris": iris,
    "digits": digits,
    "overlapping": overlapping,
    "wide": wide,
}


def objective(model: Any, X: Any, y: Any, weights: Any = 1.0) -> float:
    total = 0.0
    scores = X @ model.coef_.T + model.intercept_
    labels = model.classes_[1:] if len(model.classes_) == 2 else model.classes_
    for k, label in enumerate(labels):
        miss = np.maximum(0, 1 - np.where(y == label, 1, -1) * scores[:, k])
        theta = np.append(model.coef_[k], model.intercept_[k] / model.intercept_scaling)
        total += model.C * np.sum(weights * (miss if model.loss == "hinge" else miss**2))
        total += np.abs(theta).sum() if model.penalty == "l1" else theta @ theta / 2
    return float(total)


def reference(X: Any, y: Any, weights: Any = None, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reference(tol=1e-9, max_iter=4000, random_state=0, **options).fit(X, y, weights)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(("loss", "penalty"), LOSSES)
@pytest.mark.parametrize(("C", "scaling"), [(0.05, 1.0), (1.0, 10.0), (30.0, 1.0)])
def test_objective_is_at_most_scikit_learns(
    name: str, loss: str, penalty: str, C: float, scaling: float
) -> None:
    if penalty == "l1" and name == "digits":
        pytest.skip("slow for the reference, and the other four data sets cover it")
    X, y = DATA[name]()
    options = {"loss": loss, "penalty": penalty, "C": C, "intercept_scaling": scaling}
    model = LinearSVC(**options).fit(X, y)
    assert objective(model, X, y) <= objective(reference(X, y, **options), X, y) * (1 + 1e-8)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", ["breast_cancer", "iris", "overlapping"])
def test_coefficients_are_scikit_learns(name: str, fit_intercept: bool) -> None:
    X, y = DATA[name]()
    for dual in (True, False, "auto"):
        model = LinearSVC(C=0.1, fit_intercept=fit_intercept, dual=dual, tol=1e-6).fit(X, y)
        truth = reference(X, y, C=0.1, fit_intercept=fit_intercept, dual=False)
        size = np.abs(truth.coef_).max()
        np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6 * size)
        np.testing.assert_allclose(model.intercept_, truth.intercept_, rtol=0, atol=1e-6 * size)


def test_coefficients_of_the_hinge() -> None:
    X, y = breast_cancer()
    truth = reference(X, y, loss="hinge", C=0.01)
    model = LinearSVC(loss="hinge", C=0.01).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth.coef_, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("loss", "penalty"), LOSSES)
@pytest.mark.parametrize("data", [overlapping, wide])
def test_weights_are_repeated_rows(loss: str, penalty: str, data: Any) -> None:
    X, y = data()
    weights = np.arange(len(y)) % 3
    model = LinearSVC(loss=loss, penalty=penalty, C=0.1, tol=1e-6)
    weighted = model.fit(X, y, weights).decision_function(X)
    repeated = model.fit(X.repeat(weights, axis=0), y.repeat(weights)).decision_function(X)
    np.testing.assert_allclose(weighted, repeated, atol=3e-6)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0}])
def test_class_weight(class_weight: Any) -> None:
    X, y = overlapping()
    weights = np.random.default_rng(0).random(len(y))
    truth = reference(X, y, weights, class_weight=class_weight, dual=False)
    model = LinearSVC(class_weight=class_weight).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, truth.coef_, atol=1e-6)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(400, 12), (50, 200), (60, 1500)])
def test_sparse_rows_are_dense_ones(loss: str, dtype: Any, shape: tuple[int, int]) -> None:
    X = np.where(np.abs(noise(*shape)) > 1, noise(*shape), 0).astype(dtype)
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    dense = LinearSVC(loss=loss, intercept_scaling=3).fit(X, y)
    for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        model = LinearSVC(loss=loss, intercept_scaling=3).fit(form(X), y)
        np.testing.assert_allclose(objective(model, X, y), objective(dense, X, y), rtol=1e-5)
        np.testing.assert_allclose(
            model.decision_function(form(X)), dense.decision_function(X), rtol=0, atol=3e-3
        )


def test_sparse_text_like_rows_reach_scikit_learns_objective() -> None:
    X = sparse.random_array((500, 3000), density=0.02, random_state=np.random.default_rng(1), format="csr")
    y = (np.asarray(X.sum(axis=1)).ravel() + 0.3 * noise(500, 1)[:, 0] > 30).astype(int)
    for loss in ("hinge", "squared_hinge"):
        for C in (0.1, 10.0):
            truth = reference(X, y, loss=loss, C=C)
            model = LinearSVC(loss=loss, C=C).fit(X, y)
            assert objective(model, X, y) <= objective(truth, X, y) * (1 + 1e-8)


def test_float32_stays_float32() -> None:
    X, y = overlapping()
    for loss in ("hinge", "squared_hinge"):
        model = LinearSVC(loss=loss).fit(X.astype(np.float32), y)
        assert model.coef_.dtype == model.intercept_.dtype == np.float32
        np.testing.assert_allclose(model.coef_, LinearSVC(loss=loss).fit(X, y).coef_, atol=2e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("loss", "penalty"), LOSSES)
def test_bits_depend_on_neither_threads_nor_target_nor_layout(dtype: Any, loss: str, penalty: str) -> None:
    X = noise(12_000, 6).astype(dtype)
    y = np.digitize(X[:, 0] + noise(12_000, 2)[:, 1], [-0.5, 0.5])
    fit = LinearSVC(loss=loss, penalty=penalty).fit
    assert len(bits_everywhere(X, lambda data: fit(data, y), "coef_", "intercept_", "n_iter_")) == 1


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_bits_of_wide_rows(loss: str) -> None:
    X = noise(30, 1200)
    fit = LinearSVC(loss=loss).fit
    assert len(bits_everywhere(X, lambda data: fit(data, binary(X)), "coef_", "intercept_")) == 1


def test_labels_of_any_type() -> None:
    X, y = breast_cancer()
    plain = LinearSVC().fit(X, y)
    for labels in (["no", "yes"], [-1, 1], [False, True], [10.0, 20.0]):
        model = LinearSVC().fit(X, np.array(labels)[y])
        np.testing.assert_array_equal(model.coef_, plain.coef_)
        np.testing.assert_array_equal(model.predict(X), np.array(labels)[plain.predict(X)])


def test_too_few_steps_warn() -> None:
    X, y = breast_cancer()
    for loss in ("hinge", "squared_hinge"):
        with pytest.warns(ConvergenceWarning, match="max_iter=1"):
            LinearSVC(loss=loss, max_iter=1).fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("columns", [3, 1200])
def test_values_that_are_not_finite_are_refused(value: float, loss: str, columns: int) -> None:
    X = noise(1000, columns)
    y = binary(X)
    bad = X.copy()
    bad[999, 1] = value
    for rows in (bad, sparse.csr_array(bad)):
        with pytest.raises(ValueError, match="Input X contains"):
            LinearSVC(loss=loss).fit(rows, y)
    with pytest.raises(ValueError, match="sample_weight contains"):
        LinearSVC(loss=loss).fit(X, y, np.where(np.arange(1000) == 9, value, 1.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": 0.0}, "C"),
        ({"loss": "log"}, "loss"),
        ({"intercept_scaling": 0}, "intercept_scaling"),
        ({"multi_class": "crammer_singer"}, "crammer_singer"),
        ({"penalty": "l1", "loss": "hinge"}, "penalty='l1' and loss='hinge'"),
    ],
)
def test_bad_parameters_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearSVC(**options).fit(noise(10, 2), np.arange(10) % 2)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="one class"):
        LinearSVC().fit(noise(10, 2), np.zeros(10))


def test_sparse_rows_with_l1_are_refused() -> None:
    with pytest.raises((ValueError, TypeError), match=r"sparse|dense"):
        LinearSVC(penalty="l1").fit(sparse.csr_array(noise(10, 2)), np.arange(10) % 2)
