"""Metrics on 1e6 and on 100 rows: one-shot functions and their states (pytest-benchmark)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maas_engine import metrics

FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "accuracy_score": ("labels", {}),
    "confusion_matrix": ("labels", {}),
    "f1_score": ("labels", {"average": "macro"}),
    "precision_recall_fscore_support": ("labels", {}),
    "log_loss": ("proba", {}),
    "roc_auc_score": ("scores", {}),
    "average_precision_score": ("scores", {}),
    "mean_squared_error": ("values", {}),
    "mean_absolute_error": ("values", {}),
    "r2_score": ("values", {}),
}

STATES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "accuracy": (metrics.Accuracy, "labels", {}),
    "confusion_matrix": (metrics.ConfusionMatrix, "labels", {}),
    "log_loss": (metrics.LogLoss, "proba", {"labels": [0, 1]}),
    "roc_auc": (metrics.RocAuc, "scores", {}),
    "mean_squared_error": (metrics.MeanSquaredError, "values", {}),
    "r2": (metrics.R2, "values", {}),
}


def arrays(kind: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted arrays of one kind: ten classes, probabilities, scores or numbers."""
    rng = np.random.default_rng(0)
    if kind == "labels":
        truth = rng.integers(0, 10, rows)
        return truth, np.where(rng.random(rows) < 0.8, truth, rng.integers(0, 10, rows))
    if kind == "values":
        truth = rng.normal(size=rows)
        return truth, truth + 0.3 * rng.normal(size=rows)
    truth = rng.integers(0, 2, rows)
    scores = rng.normal(size=rows) + truth
    return truth, 1 / (1 + np.exp(-scores)) if kind == "proba" else scores


@pytest.mark.parametrize("rows", [100, 1_000_000])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_shot(benchmark: Any, name: str, rows: int) -> None:
    kind, options = FUNCTIONS[name]
    benchmark.group = f"metrics, {rows} rows"
    benchmark(getattr(metrics, name), *arrays(kind, rows), **options)


@pytest.mark.parametrize("name", STATES)
def test_state_update(benchmark: Any, name: str) -> None:
    state_class, kind, options = STATES[name]
    truth, predicted = arrays(kind, 1_000_000)
    benchmark.group = "metric states, 1000000 rows"
    benchmark(lambda: state_class(**options).update(truth, predicted))
