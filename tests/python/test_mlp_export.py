"""Fitted networks as models, ONNX files, pickles and parts of pipelines: the estimator's own bits."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from mlp_data import data
from sklearn import neural_network as sk
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine.errors import Unsupported
from maas_engine.model_selection import cross_validate
from maas_engine.neural_network import MLPClassifier, MLPRegressor
from maas_engine.neural_network._graphs import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (12, 6), "max_iter": 8, "random_state": 0}
CASES = [
    (MLPRegressor(**SMALL), "diabetes"),
    (MLPRegressor(**SMALL), "linnerud"),
    (MLPRegressor(loss="poisson", **SMALL), "counts"),
    (MLPRegressor(loss="poisson", hidden_layer_sizes=(), max_iter=3), "counts-two"),
    (MLPClassifier(**SMALL), "cancer-text"),
    (MLPClassifier(**SMALL), "cancer-far"),
    (MLPClassifier(**SMALL), "digits"),
    (MLPClassifier(**SMALL), "iris-text"),
    (MLPClassifier(**SMALL), "labels"),
    (MLPClassifier(hidden_layer_sizes=(), max_iter=5), "iris-far"),
    *((MLPClassifier(activation=name, **SMALL), "iris") for name in ACTIVATIONS if name != "gelu"),
    (MLPClassifier(activation="softplus", dropout=0.3, **SMALL), "iris"),
]


def rows_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A set, its labels or targets as the word after the dash says."""
    source, _, kind = name.partition("-")
    X, y = data(source)
    if kind == "text":
        y = np.array(["no", "yes", "maybe"])[y]
    if kind == "far":
        y = 10 * y - 7
    if kind == "two":
        y = np.stack([y, np.sqrt(y)], axis=1)
    return X, y


def methods(estimator: Any) -> list[str]:
    return [name for name in ("predict", "predict_proba") if hasattr(estimator, name)]


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind == "f":
        return ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()
    return bool(np.all(ours == theirs))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((estimator, name, dtype), id=f"{i}-{name}-{dtype}")
        for i, (estimator, name) in enumerate(CASES)
        for dtype in ("float64", "float32")
    ],
)
def fitted(request: pytest.FixtureRequest) -> tuple[Any, np.ndarray]:
    template, name, dtype = request.param
    X, y = rows_of(name)
    return clone(template).fit(X.astype(dtype), y), X.astype(dtype)


def test_models_have_the_bits_of_the_estimator(fitted: tuple[Any, np.ndarray]) -> None:
    estimator, X = fitted
    assert all(values.dtype == X.dtype for values in estimator.coefs_ + estimator.intercepts_)
    model = estimator.to_model()
    for method in methods(estimator):
        for rows in (X, X[:1], X[5:7], X[::2], np.asfortranarray(X), X.astype(np.float32)):
            ours = getattr(model, method)(rows)
            theirs = getattr(estimator, method)(rows)
            assert same_bits(ours, theirs), (method, rows.shape)
            one = getattr(estimator, method)(rows[:1])
            assert same_bits(one[0], theirs[0]) or same_bits(one, theirs[:1])


def test_files_agree_with_onnxruntime(fitted: tuple[Any, np.ndarray], tmp_path: Path) -> None:
    estimator, X = fitted
    estimator.save(tmp_path / "model.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    results = dict(zip((out.name for out in session.get_outputs()), session.run(None, {"X": X}), strict=True))
    if "label" in results:
        assert np.array_equal(results.pop("label"), estimator.predict(X))
    for name, theirs in results.items():
        ours = estimator.predict_proba(X) if name == "probabilities" else estimator.predict(X)
        assert theirs.dtype == ours.dtype
        limit = 1e-10 if ours.dtype == np.float64 else 1e-5 * max(1.0, float(np.abs(ours).max()))
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=limit)


def test_files_come_back_with_the_same_bits(fitted: tuple[Any, np.ndarray], tmp_path: Path) -> None:
    estimator, X = fitted
    estimator.save(tmp_path / "a.onnx")
    estimator.save(str(tmp_path / "b.onnx"))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    model = maas_engine.load(tmp_path / "a.onnx")
    for method in methods(estimator):
        assert same_bits(getattr(model, method)(X), getattr(estimator, method)(X))


def test_pickles_and_copies(fitted: tuple[Any, np.ndarray]) -> None:
    estimator, X = fitted
    for other in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        for method in methods(estimator):
            assert same_bits(getattr(other, method)(X), getattr(estimator, method)(X))


def test_narrow_models_take_wide_rows() -> None:
    X, y = data("iris")
    estimator = MLPClassifier(**SMALL).fit(X.astype(np.float32), y)
    wide = estimator.predict_proba(X)
    assert wide.dtype == np.float64
    reference = clone(estimator)
    for name, value in vars(estimator).items():
        setattr(reference, name, value)
    reference.coefs_ = [values.astype(np.float64) for values in estimator.coefs_]
    reference.intercepts_ = [values.astype(np.float64) for values in estimator.intercepts_]
    assert same_bits(reference.predict_proba(X), wide)


def test_other_weights_may_be_assigned() -> None:
    X, y = data("diabetes")
    estimator = MLPRegressor(**SMALL).fit(X, y)
    before = estimator.predict(X)
    with pytest.raises(ValueError, match="read-only"):
        estimator.coefs_[0][0, 0] = 1
    estimator.coefs_[0] = 2 * estimator.coefs_[0]
    after = estimator.predict(X)
    assert not np.array_equal(before, after)
    assert same_bits(estimator.to_model().predict(X), after)


def test_graphs_name_features_labels_and_methods() -> None:
    X, y = rows_of("iris-text")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = MLPClassifier(**SMALL).fit(frame, y)
    assert list(estimator.feature_names_in_) == ["a", "b", "c", "d"]
    model = estimator.to_model()
    assert json.loads(model.metadata["maas_engine.feature_names"]) == ["a", "b", "c", "d"]
    assert json.loads(model.metadata["maas_engine.labels"]) == ["maybe", "no", "yes"]
    assert model.predict({"d": 1.0, "a": 0.5, "b": 0.0, "c": -1.0}) in estimator.classes_


def test_labels_that_onnx_has_not() -> None:
    X, y = data("iris")
    estimator = MLPClassifier(**SMALL).fit(X, y)
    estimator.classes_ = np.array([0.0, 0.5, 1.0])
    assert set(estimator.predict(X)) <= {0.0, 0.5, 1.0}
    with pytest.raises(Unsupported, match="expected labels that are whole numbers"):
        estimator.to_model()


def test_unfitted_estimators_say_so(tmp_path: Path) -> None:
    for estimator in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(NotFittedError):
            estimator.to_model()
        with pytest.raises(NotFittedError):
            estimator.predict([[1.0]])


def test_pipelines_and_searches() -> None:
    X, y = data("iris")
    pipeline = make_pipeline(
        StandardScaler(), MLPClassifier((8,), solver="lbfgs", random_state=0, max_iter=50)
    )
    assert cross_val_score(pipeline, X, y).mean() > 0.9
    search = GridSearchCV(
        MLPClassifier((8,), max_iter=40, learning_rate_init=0.02, random_state=0),
        {"alpha": [1e-4, 1e-1], "activation": ["relu", "gelu"]},
        cv=3,
    ).fit(X, y)
    assert search.best_score_ > 0.9
    result = cross_validate(search.best_estimator_, X, y, cv=3, scoring=["accuracy", "neg_log_loss"])
    assert result["test_accuracy"].mean() > 0.9
    assert np.all(np.isfinite(result["test_neg_log_loss"]))


def test_conversion() -> None:
    X, y = data("iris")
    ours = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).fit(X, y)
    model = maas_engine.from_sklearn(ours[-1])
    assert same_bits(model.predict_proba(X), ours[-1].predict_proba(X))
    pytest.importorskip("skl2onnx")
    np.testing.assert_allclose(
        maas_engine.from_sklearn(ours, X).predict_proba(X), ours.predict_proba(X), rtol=1e-12
    )
    theirs = sk.MLPClassifier(**SMALL).fit(X, y)
    np.testing.assert_allclose(
        maas_engine.from_sklearn(theirs, X).predict_proba(X), theirs.predict_proba(X), rtol=1e-6
    )
