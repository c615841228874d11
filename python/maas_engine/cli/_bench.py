"""The command ``bench``: our estimators beside scikit-learn's of the same name, on this machine."""

from __future__ import annotations

import statistics
import time
import warnings
from typing import Any

import numpy as np
import sklearn.linear_model
import sklearn.neural_network
import sklearn.svm
from sklearn.base import is_classifier

import maas_engine
from maas_engine.cli import _models

USUAL = ("LinearRegression", "Ridge", "Lasso", "LogisticRegression", "SGDClassifier")


def bench(rows: int, columns: int, names: list[str], repeat: int, seed: int, steps: Any) -> dict[str, Any]:
    """Fit each estimator and its namesake in turn; return median seconds and both scores."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, columns))
    line = X @ rng.standard_normal(columns)
    values = line + rng.standard_normal(rows)
    labels = (line + rng.logistic(size=rows) > 0).astype(np.int64)
    known = _models.estimators()
    results = []
    for name in [_models.find(name).__name__ for name in names] or [name for name in USUAL if name in known]:
        with steps.step(f"timing {name}"):
            ours = known[name]
            y = labels if is_classifier(ours()) else values
            results.append({"model": name, **_compare(ours, _namesake(name), X, y, repeat)})
    return {
        "rows": rows,
        "columns": columns,
        "repeat": repeat,
        "threads": maas_engine.get_num_threads(),
        "scikit-learn": sklearn.__version__,
        "results": results,
    }


def _namesake(name: str) -> Any:
    rooms = (sklearn.linear_model, sklearn.svm, sklearn.neural_network)
    return next(getattr(room, name) for room in rooms if hasattr(room, name))


def _compare(ours: Any, theirs: Any, X: Any, y: Any, repeat: int) -> dict[str, float]:
    times: dict[str, list[float]] = {"ours": [], "sklearn": []}
    scores = {}
    for turn in range(repeat + 1):
        for side, estimator in (("ours", ours), ("sklearn", theirs)):
            model = estimator()
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(X, y)
            if turn:  # the first round warms both up
                times[side].append(time.perf_counter() - start)
            else:
                scores[side] = float(model.score(X, y))
    ours_seconds, their_seconds = statistics.median(times["ours"]), statistics.median(times["sklearn"])
    return {
        "seconds": ours_seconds,
        "sklearn_seconds": their_seconds,
        "times_faster": their_seconds / ours_seconds,
        "score": scores["ours"],
        "sklearn_score": scores["sklearn"],
    }
