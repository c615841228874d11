"""The figures a task is judged by, each with its confidence interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import metrics
from maas_engine.data import dataset, infer_task
from maas_engine.errors import InvalidArgument

Array = NDArray[Any]
CONFIDENCE = 0.95
RESAMPLES = 1000


def check_task(task: str, y: Array) -> str:
    """Return 'classification' or 'regression' for what the user asked and what the target is."""
    if task == "auto":
        return infer_task(y)
    if task not in ("classification", "regression"):
        raise InvalidArgument(f"unknown task {task!r}: expected auto, classification or regression")
    if task == "regression" and y.dtype.kind not in "fiu":
        raise InvalidArgument("the target is not a number: the task cannot be regression")
    if task == "classification" and y.dtype.kind == "f" and not np.all(np.floor(y) == y):
        raise InvalidArgument("the target has fractions: the task cannot be classification")
    return task


def figures(task: str, y: Array, prediction: Array, score: Array | None, seed: int) -> dict[str, Any]:
    """Metrics of a task by name: value, low and high end of the interval (percentile bootstrap).

    ``score`` is the probability of the larger of two labels, or None.
    """
    if task == "regression":
        wanted = {"r2": ("r2_score", prediction), "rmse": ("root_mean_squared_error", prediction)}
        wanted["mae"] = ("mean_absolute_error", prediction)
    else:
        wanted = {
            "accuracy": ("accuracy_score", prediction),
            "balanced_accuracy": ("balanced_accuracy_score", prediction),
        }
        if score is not None and len(np.unique(y)) == 2:
            positive = (y == np.unique(y)[1]).astype(np.int64)
            return {
                **_intervals(wanted, y, seed),
                **_intervals(
                    {"roc_auc": ("roc_auc_score", score), "log_loss": ("log_loss", score)}, positive, seed
                ),
            }
    return _intervals(wanted, y, seed)


def _intervals(wanted: dict[str, Any], y: Array, seed: int) -> dict[str, Any]:
    out = {}
    for name, (metric, values) in wanted.items():
        found = metrics.bootstrap(
            metric, y, values, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, random_state=seed
        )
        out[name] = {"value": float(found.value), "low": float(found.low), "high": float(found.high)}
    return out


def evaluate_table(
    table: Any, target: str, prediction: str, score: str | None, task: str, seed: int
) -> dict[str, Any]:
    """Judge the columns ``prediction`` and ``score`` of a table against ``target``."""
    columns = [prediction] if score is None else [prediction, score]
    if target in columns:
        raise InvalidArgument(f"column {target!r} is named as target and as prediction")
    y = dataset(table, target).y
    predicted = dataset(table, prediction).y
    task = check_task(task, y)
    if (predicted.dtype.kind in "fiu") != (y.dtype.kind in "fiu"):
        raise InvalidArgument(f"columns {target!r} and {prediction!r} hold different kinds of values")
    scores = None
    if score is not None:
        scores = np.asarray(dataset(table, score).y, dtype=np.float64)
        if task == "regression" or len(np.unique(y)) != 2:
            raise InvalidArgument("--score needs a target of two labels")
    return {
        "task": task,
        "target": target,
        "prediction": prediction,
        "rows": len(y),
        "confidence": CONFIDENCE,
        "metrics": figures(task, y, predicted, scores, seed),
    }
