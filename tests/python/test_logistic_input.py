"""What LogisticRegression takes and what it refuses: labels, frames, values that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from maas_engine.linear_model import LogisticRegression


def noise(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


def binary(X: Any) -> Any:
    return (X[:, 0] + 0.5 * noise(*X.shape)[:, -1] > X[:, 0].mean()).astype(int)


@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 1], [False, True], [0.0, 1.0], [10, 20]])
def test_labels_of_any_type(labels: Any) -> None:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    named = np.array(labels)[y]
    if isinstance(labels[0], str):
        named = named.astype(object)
    model = LogisticRegression().fit(X, named)
    plain = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(model.classes_, labels)
    assert model.classes_.dtype == named.dtype
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.predict(X), np.array(labels)[plain.predict(X)])


def test_frames_pipelines_and_searches() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, y = datasets.load_iris(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    assert cross_val_score(pipeline, X, y).mean() > 0.94
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0, 10.0]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.94
    model = LogisticRegression().fit(X, pandas.Series(np.array(["x", "y", "z"])[y]))
    assert list(model.feature_names_in_) == list(X.columns)
    other = LogisticRegression().fit(polars.from_pandas(X), polars.Series(np.array(["x", "y", "z"])[y]))
    np.testing.assert_array_equal(model.coef_, other.coef_)
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    X, y = noise(5000, 3), np.arange(5000) % 2
    for row in (0, 4999):
        bad = X.copy()
        bad[row, 1] = value
        with pytest.raises(ValueError, match="Input X contains"):
            LogisticRegression().fit(bad, y)
        with pytest.raises(ValueError, match="Input X contains"):
            LogisticRegression().fit(X, y).predict(bad)
    with pytest.raises(ValueError, match="Input y contains"):
        LogisticRegression().fit(X, np.where(np.arange(5000) == 9, value, y))
    with pytest.raises(ValueError, match="sample_weight contains"):
        LogisticRegression().fit(X, y, np.where(np.arange(5000) == 9, value, 1.0))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(10), "one class"),
        (np.array(["a", 1] * 5, dtype=object), "one type|Unknown label type"),
        (np.linspace(0, 1, 10), "continuous"),
        (np.zeros((10, 2)), "1d array|shape"),
        (np.arange(9) % 2, "inconsistent"),
        (None, "requires y"),
    ],
)
def test_bad_labels_are_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(noise(10, 2), y)


def test_bad_weights_are_refused() -> None:
    X, y = noise(10, 2), np.arange(10) % 2
    for weights in (np.zeros(10), -np.ones(10), np.ones(9)):
        with pytest.raises(ValueError, match=r"(?i)weight"):
            LogisticRegression().fit(X, y, weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": 0.0}, "C"),
        ({"tol": -1.0}, "tol"),
        ({"max_iter": 2.5}, "max_iter"),
        ({"solver": "liblinear"}, "use 'lbfgs'"),
        ({"solver": "magic"}, "solver"),
        ({"penalty": "l1", "solver": "gd"}, "l2"),
        ({"l1_ratio": 0.5, "solver": "newton-cholesky"}, "l2"),
        ({"dual": True}, "dual"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"momentum": 1.0}, "momentum"),
    ],
)
def test_bad_parameters_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**options).fit(noise(10, 2), np.arange(10) % 2)
