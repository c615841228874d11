"""The command ``train``: split, cross-validate, fit, judge on the rows held out."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import maas_engine
from maas_engine.cli import _models, _pack, _plot
from maas_engine.cli._evaluate import CONFIDENCE, check_task, figures
from maas_engine.cli._export import export
from maas_engine.data import Dataset, dataset
from maas_engine.errors import InvalidArgument
from maas_engine.model_selection import cross_validate

SCORING = {"classification": ["accuracy"], "regression": ["r2", "neg_root_mean_squared_error"]}


def train(
    table: Any,
    *,
    target: str,
    task: str,
    model: str,
    settings: list[str],
    folds: int,
    test_size: float,
    drop: list[str],
    out: str | None,
    plot: str | None,
    package: str | None,
    origin: dict[str, str],
    seed: int,
    steps: Any,
) -> dict[str, Any]:
    """Return everything the report shows; see the keys below."""
    _check_places(out, package)
    data = dataset(table, target, drop=drop)
    task = check_task(task, data.y)
    pipeline = _models.pipeline(data, _models.build(model, settings, task, seed))
    if plot is not None:
        _plot.check(plot, pipeline["model"])
    rows = _split(data, task, test_size, seed)
    seconds: dict[str, float] = {}
    validation = None
    if folds:
        with _training(steps.step(f"cross-validating, {folds} folds"), settings, seconds, "cross_validate"):
            validation = _cross_validate(pipeline, data, rows[0], task, folds)
    with _training(steps.step("training"), settings, seconds, "fit"):
        pipeline.fit(data.X[rows[0]], data.y[rows[0]])
    with steps.step("evaluating on held-out rows"):
        held_out = _hold_out(pipeline, data, rows[1], task, seed)
    estimator = pipeline["model"]
    result = {
        "task": task,
        "target": target,
        "model": type(estimator).__name__,
        "parameters": {key: _plain(value) for key, value in estimator.get_params().items()},
        "columns": data.names,
        "rows": {"train": len(rows[0]), "test": len(rows[1])},
        "cross_validation": validation,
        "confidence": CONFIDENCE,
        "hold_out": held_out,
        "seconds": seconds,
        "file": out,
        "plot": plot,
        "package": package,
        "version": maas_engine.__version__,
    }
    if out is not None or package is not None:
        with steps.step("writing the model"):
            _save(export(pipeline, data), table.take(rows[0]), result, origin, seed)
    if plot is not None:
        with steps.step(f"drawing {plot}"):
            _plot.draw(plot, estimator, f"{type(estimator).__name__} for {target}", SCORING[task][0])
    return result


def _check_places(out: str | None, package: str | None) -> None:
    """Before the work rather than after it."""
    if out is not None and not Path(out).resolve().parent.is_dir():
        raise InvalidArgument(f"--out: no such folder: {Path(out).resolve().parent}")
    if package is not None:
        _pack.check(package)


def _save(model: Any, rows: Any, result: dict[str, Any], origin: dict[str, str], seed: int) -> None:
    """Write what the result names: the file, the package or both."""
    if result["file"] is not None:
        model.save(result["file"])
    if result["package"] is not None:
        result["digest"] = _pack.write(model, rows, result, origin, seed)


@contextmanager
def _training(
    step: AbstractContextManager[None], settings: list[str], seconds: dict[str, float], name: str
) -> Iterator[None]:
    """A step whose seconds are kept; what an estimator prints goes to standard error, and Ctrl-C ends it.

    The networks take Ctrl-C as a wish to keep the last weights, and say so in a warning. One that got its number
    of ``epochs`` need not be told that it used them up.
    """
    interrupted = "Training interrupted by user"
    with step, warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.filterwarnings("error", interrupted)
        if any(setting.startswith("epochs=") for setting in settings):
            warnings.filterwarnings("ignore", "Stochastic Optimizer", category=ConvergenceWarning)
        start = time.perf_counter()
        try:
            yield
        except UserWarning as warning:
            if interrupted in str(warning):
                raise KeyboardInterrupt from None
            raise
        seconds[name] = time.perf_counter() - start


def _split(data: Dataset, task: str, test_size: float, seed: int) -> tuple[Any, Any]:
    if not 0 < test_size < 1:
        raise InvalidArgument(f"--test-size expects a share between 0 and 1, got {test_size}")
    rows = np.arange(len(data.y))
    labels = None
    if task == "classification":
        names, counts = np.unique(data.y, return_counts=True)
        if len(names) < 2:
            raise InvalidArgument(f"target {data.target!r} has the one value {names[0]}: nothing to learn")
        if counts.min() < 2:
            raise InvalidArgument(
                f"label {names[counts.argmin()]} of target {data.target!r} has one row: expected two or more"
            )
        labels = data.y
    train_rows, test_rows = train_test_split(rows, test_size=test_size, random_state=seed, stratify=labels)
    return np.sort(train_rows), np.sort(test_rows)


def _cross_validate(pipeline: Any, data: Dataset, rows: Any, task: str, folds: int) -> dict[str, Any]:
    if not 2 <= folds <= len(rows):
        raise InvalidArgument(
            f"--cv expects 2 to {len(rows)} folds (the rows to train on), or 0; got {folds}"
        )
    found = cross_validate(
        pipeline, data.X[rows], data.y[rows], cv=folds, scoring=SCORING[task], error_score="raise"
    )
    scores = {}
    for key in SCORING[task]:
        sign = -1 if key.startswith("neg_") else 1
        name = "rmse" if "root_mean" in key else key
        scores[name] = [float(sign * value) for value in found[f"test_{key}"]]
    return {"folds": folds, "scores": scores}


def _hold_out(pipeline: Any, data: Dataset, rows: Any, task: str, seed: int) -> dict[str, Any]:
    X, y = data.X[rows], data.y[rows]
    score = None
    if task == "classification" and len(pipeline.classes_) == 2 and hasattr(pipeline, "predict_proba"):
        score = pipeline.predict_proba(X)[:, 1]
    return figures(task, y, pipeline.predict(X), score, seed)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, list, dict, type(None))) else repr(value)
