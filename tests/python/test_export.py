"""Every estimator as a model and as a file: the estimator's own bits, and ONNX Runtime's agreement."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

import maas_engine
from maas_engine import linear_model as lm
from maas_engine.errors import Unsupported

scipy_sparse = pytest.importorskip("scipy.sparse")


@cache
def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets of a bundled set; the word after the dash says which targets."""
    source, _, kind = name.partition("-")
    loaders = {
        "diabetes": load_diabetes,
        "cancer": load_breast_cancer,
        "digits": load_digits,
        "iris": load_iris,
        "wine": load_wine,
    }
    X, y = loaders[source](return_X_y=True)
    if kind == "text":
        y = np.array([f"class {k}" for k in range(10)])[y]
    if kind == "bool":
        y = y.astype(bool)
    if kind == "far":
        y = 10 * y - 7
    if kind == "two":
        y = np.stack([y, np.sqrt(y)], axis=1)
    if kind == "twenty":
        y = np.stack([y + k * X[:, k % 10] for k in range(20)], axis=1)
    return scale(X), y


REGRESSORS = [
    (lm.LinearRegression(), "diabetes"),
    (lm.LinearRegression(fit_intercept=False), "diabetes-two"),
    (lm.Ridge(), "diabetes"),
    (lm.Ridge(), "diabetes-two"),
    (lm.Ridge(), "diabetes-twenty"),
    (lm.Lasso(), "diabetes"),
    (lm.Lasso(), "diabetes-two"),
    (lm.ElasticNet(alpha=0.1), "diabetes"),
    (lm.HuberRegressor(), "diabetes"),
    (lm.QuantileRegressor(alpha=0.1), "diabetes"),
    (lm.RidgeCV(), "diabetes-two"),
    (lm.LassoCV(), "diabetes"),
    (lm.ElasticNetCV(), "diabetes"),
    (lm.SGDRegressor(random_state=0), "diabetes"),
    (lm.PoissonRegressor(alpha=1.0), "diabetes"),
    (lm.PoissonRegressor(fit_intercept=False, alpha=10.0), "diabetes"),
]
LOGISTIC_CV = lm.LogisticRegressionCV(
    Cs=2, cv=3, scoring="accuracy", l1_ratios=(0,), use_legacy_attributes=False
)
CLASSIFIERS = [
    (lm.LogisticRegression(), "cancer"),
    (lm.LogisticRegression(fit_intercept=False), "cancer-text"),
    (lm.LogisticRegression(), "wine"),
    (lm.LogisticRegression(C=0.01), "digits"),
    (lm.LogisticRegression(), "iris-text"),
    (LOGISTIC_CV, "cancer-bool"),
    (LOGISTIC_CV, "wine-far"),
    (lm.SGDClassifier(random_state=0), "cancer-far"),
    (lm.SGDClassifier(random_state=0), "wine-text"),
    (lm.SGDClassifier(loss="log_loss", random_state=0), "cancer"),
    (lm.SGDClassifier(loss="log_loss", random_state=0), "wine"),
    (lm.SGDClassifier(loss="log_loss", random_state=0), "digits-text"),
    (lm.SGDClassifier(loss="modified_huber", random_state=0), "cancer-text"),
    (lm.SGDClassifier(loss="modified_huber", random_state=0), "iris"),
    (lm.LinearSVC(), "cancer"),
    (lm.LinearSVC(fit_intercept=False), "iris-far"),
]
CASES = [
    pytest.param((estimator, name, dtype), id=f"{type(estimator).__name__}-{i}-{name}-{dtype}")
    for i, (estimator, name) in enumerate(REGRESSORS + CLASSIFIERS)
    for dtype in ("float64", "float32")
]
METHODS = ("predict", "predict_proba", "decision_function")


@pytest.fixture(scope="module", params=CASES)
def fitted(request: pytest.FixtureRequest) -> tuple[Any, np.ndarray]:
    """A fitted estimator and its rows, in the type of its coefficients."""
    template, name, dtype = request.param
    X, y = data(name)
    estimator = clone(template).fit(X.astype(dtype), y)
    return estimator, X.astype(estimator.coef_.dtype)


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal shape and bits; of labels, equal values."""
    if ours.shape != theirs.shape:
        return False
    if theirs.dtype.kind == "f" and ours.dtype.kind == "f":
        return ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()
    return bool(np.all(ours == theirs))


def test_models_have_the_bits_of_the_estimator(fitted: tuple[Any, np.ndarray]) -> None:
    estimator, X = fitted
    model = estimator.to_model()
    for method in METHODS:
        if not hasattr(estimator, method):
            continue
        for rows in (X, X[:1], X[5:7], X[::2], np.asfortranarray(X), X.astype(np.float32)):
            ours = getattr(model, method)(rows)
            assert same_bits(ours, getattr(estimator, method)(rows)), (method, rows.shape)


def test_files_agree_with_onnxruntime(fitted: tuple[Any, np.ndarray], tmp_path: Path) -> None:
    estimator, X = fitted
    estimator.save(tmp_path / "model.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    results = dict(zip((out.name for out in session.get_outputs()), session.run(None, {"X": X}), strict=True))
    if "label" in results:
        assert list(results) == [
            "label",
            "probabilities" if hasattr(estimator, "predict_proba") else "scores",
        ]
        assert np.array_equal(results.pop("label"), estimator.predict(X))
    methods = {"variable": "predict", "scores": "decision_function", "probabilities": "predict_proba"}
    for name, theirs in results.items():
        ours = getattr(estimator, methods[name])(X)
        assert theirs.dtype == ours.dtype
        if ours.dtype == np.float64:
            limit: Any = 1e-10
        else:  # ONNX Runtime's float32 logistic function is coarse
            rows = np.abs(ours).reshape(len(ours), -1).max(axis=1).reshape(-1, *(1,) * (ours.ndim - 1))
            limit = 1e-5 if name == "probabilities" else 1e-6 + 1e-4 * rows
        assert np.all(np.abs(ours - theirs) <= limit)


def test_files_come_back_with_the_same_bits(fitted: tuple[Any, np.ndarray], tmp_path: Path) -> None:
    estimator, X = fitted
    estimator.save(tmp_path / "a.onnx")
    estimator.save(str(tmp_path / "b.onnx"))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    model = maas_engine.load(tmp_path / "a.onnx")
    for method in METHODS:
        if hasattr(estimator, method):
            assert same_bits(getattr(model, method)(X), getattr(estimator, method)(X)), method
    model.save(tmp_path / "c.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "c.onnx").read_bytes()


@pytest.mark.parametrize("template", [lm.Ridge(), lm.LogisticRegression(), lm.SGDClassifier(loss="log_loss")])
def test_models_of_sparse_rows(template: Any) -> None:
    X, y = data("wine")
    X = np.where(np.abs(X) < 0.5, 0, X)
    estimator = clone(template).fit(scipy_sparse.csr_array(X), y)
    model = estimator.to_model()
    assert same_bits(model.predict(X), estimator.predict(X))
    if hasattr(estimator, "predict_proba"):
        assert same_bits(model.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("estimator", [estimator for estimator, _ in REGRESSORS + CLASSIFIERS])
def test_unfitted_estimators_say_so(estimator: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        clone(estimator).to_model()
    with pytest.raises(NotFittedError):
        clone(estimator).save(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_graphs_name_features_labels_and_methods() -> None:
    X, y = data("iris-text")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    metadata = lm.LogisticRegression().fit(frame, y).to_model().metadata
    assert json.loads(metadata["maas_engine.feature_names"]) == ["a", "b", "c", "d"]
    assert json.loads(metadata["maas_engine.labels"]) == ["class 0", "class 1", "class 2"]
    assert metadata["maas_engine.predict"] == "label"
    assert metadata["maas_engine.predict_proba"] == "probabilities"
    assert metadata["maas_engine.decision_function"] == "scores"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([0, 1], np.uint8), [0, 1]),
        (np.array([-(2**63), 2**63 - 1]), [-(2**63), 2**63 - 1]),
        (np.array([False, True]), [0, 1]),
        (np.array([-1.0, 3.0], np.float32), [-1, 3]),
        (np.array(["no", "yes"], object), ["no", "yes"]),
        (np.array(["né", "日本"]), ["né", "日本"]),
    ],
)
def test_labels_come_out_as_whole_numbers_or_text(labels: np.ndarray, expected: list[Any]) -> None:
    X, y = data("cancer")
    estimator = lm.LogisticRegression().fit(X, labels[y])
    answers = estimator.to_model().predict(X)
    assert set(answers.tolist()) == set(expected)
    assert np.array_equal(answers, estimator.predict(X))


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0.0, 2.0**63]),
        np.array([0.0, 0.5]),
        np.array([0, 2**63], np.uint64),
        np.array([b"no", b"yes"]),
        np.array(["no", 1], object),
    ],
)
def test_other_labels_are_refused(classes: np.ndarray) -> None:
    X, y = data("cancer")
    estimator = lm.LogisticRegression().fit(X, y)
    estimator.classes_ = classes
    with pytest.raises(Unsupported, match=r"\[to_model\] expected labels that are whole numbers"):
        estimator.to_model()


def test_ties_fall_to_the_first_class() -> None:
    """A score of zero is not positive; equal scores go to the earlier class."""
    X, y = data("cancer")
    for template in (lm.LogisticRegression(), lm.LinearSVC(), lm.SGDClassifier(loss="log_loss")):
        estimator = clone(template).fit(X, y)
        estimator.coef_ = np.zeros_like(estimator.coef_)
        estimator.intercept_ = np.zeros_like(estimator.intercept_)
        model = estimator.to_model()
        assert same_bits(model.predict(X), estimator.predict(X))
        assert same_bits(model.decision_function(X), estimator.decision_function(X))
        estimator.intercept_ = np.full_like(estimator.intercept_, 1e-300)  # both probabilities round to 1/2
        assert same_bits(estimator.to_model().predict(X), np.ones_like(y))


def test_no_class_at_all_means_every_class_alike() -> None:
    X, y = data("wine")
    estimator = lm.SGDClassifier(loss="modified_huber", random_state=0).fit(X, y)
    estimator.intercept_ = np.full_like(estimator.intercept_, -1e6)
    probabilities = estimator.to_model().predict_proba(X)
    assert same_bits(probabilities, estimator.predict_proba(X))
    assert np.all(probabilities == 1 / 3)
