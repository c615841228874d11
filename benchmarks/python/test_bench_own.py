"""Our own Python paths, timed by pytest-benchmark: what a change made faster or slower."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maas_engine
from maas_engine import linear_model, metrics

pytest.importorskip("pytest_benchmark")

SHAPES = [(1_000, 10), (100_000, 20)]
ESTIMATORS = ["LinearRegression", "Ridge", "LogisticRegression"]
METRICS = ["accuracy_score", "f1_score", "roc_auc_score", "mean_squared_error"]


def table(rows: int, columns: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns)).astype(dtype)
    return X, (X[:, 0] + rng.standard_normal(rows) > 0).astype(np.int64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_fit(benchmark: Any, name: str, shape: tuple[int, int], dtype: str) -> None:
    X, y = table(*shape, dtype)
    benchmark(getattr(linear_model, name)().fit, X, y)


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor"])
def test_one_epoch(benchmark: Any, name: str) -> None:
    X, y = table(*SHAPES[1])
    benchmark(getattr(linear_model, name)(max_iter=1, tol=None, random_state=0).fit, X, y)


@pytest.mark.parametrize("rows", [1, 100_000])
def test_predict(benchmark: Any, rows: int) -> None:
    X, y = table(100_000, 20)
    model = linear_model.LogisticRegression().fit(X, y)
    benchmark(model.predict, X[:rows])


def test_gradient_descent(benchmark: Any) -> None:
    X, y = table(100, 1)
    benchmark(maas_engine.gradient_descent, X, y, np.zeros(1), 0.1, 1000)


@pytest.mark.parametrize("rows", [100, 1_000_000])
@pytest.mark.parametrize("name", METRICS)
def test_metric(benchmark: Any, name: str, rows: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, rows)
    guess = rng.random(rows) if name in ("roc_auc_score", "mean_squared_error") else rng.integers(0, 2, rows)
    benchmark(getattr(metrics, name), truth, guess)
