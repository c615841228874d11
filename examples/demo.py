"""The main job on real tables: preprocess, train, cross-validate, evaluate; beside scikit-learn.

Both sides get the same preprocessing, penalty and hold-out rows. Times are medians of alternating fits of the
model on rows already scaled, since the scaler is scikit-learn's on both sides.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from rich.console import Console
from rich.table import Table
from sklearn import linear_model as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, make_classification, make_regression
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import linear_model as ours
from maas_engine import metrics

RUNS = 9


@dataclass(frozen=True)
class Job:
    """A table, the model's name (the same in both libraries) and the metric that judges it."""

    title: str
    X: np.ndarray
    y: np.ndarray
    model: str
    metric: Callable[..., float]

    def pipeline(self, library: Any) -> Any:
        return make_pipeline(StandardScaler(), getattr(library, self.model)())


def jobs() -> list[Job]:
    diabetes = load_diabetes(return_X_y=True)
    cancer = load_breast_cancer(return_X_y=True)
    values = make_regression(200_000, 20, n_informative=10, noise=50, random_state=0)
    classes = make_classification(200_000, 20, n_informative=10, flip_y=0.1, random_state=0)
    return [
        Job("diabetes", *diabetes, "Ridge", metrics.r2_score),
        Job("breast cancer", *cancer, "LogisticRegression", metrics.accuracy_score),
        Job("generated values", *values, "Ridge", metrics.r2_score),
        Job("generated classes", *classes, "LogisticRegression", metrics.accuracy_score),
    ]


def fit_seconds(pipeline: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Seconds to fit the pipeline's last step on X as the steps before leave it."""
    scaled = pipeline[:-1].transform(X)
    start = time.perf_counter()
    pipeline[-1].fit(scaled, y)
    return time.perf_counter() - start


def row(job: Job) -> list[str]:
    """Train and judge both sides on one job."""
    X, X_test, y, y_test = train_test_split(job.X, job.y, random_state=0)
    folds = cross_val_score(job.pipeline(ours), X, y, cv=5, scoring=make_scorer(job.metric))
    pipelines = [job.pipeline(library).fit(X, y) for library in (ours, theirs)]
    scores = [job.metric(y_test, pipeline.predict(X_test)) for pipeline in pipelines]
    runs = [[fit_seconds(pipeline, X, y) for pipeline in pipelines] for _ in range(RUNS)]
    seconds = [statistics.median(times) for times in zip(*runs, strict=True)]
    return [
        f"{job.title}\n{job.X.shape[0]} × {job.X.shape[1]}",
        f"{job.model}\n{job.metric.__name__}",
        f"{folds.mean():.4f}\n± {folds.std():.4f}",
        *(f"{score:.6f}" for score in scores),
        *(f"{1e3 * value:.2f}" for value in seconds),
        f"{seconds[1] / seconds[0]:.1f} ×",
    ]


def main() -> None:
    info = maas_engine.cpu_info()
    table = Table(title="maas_engine beside scikit-learn", show_lines=True)
    table.caption = (
        f"fit: the model alone, median of {RUNS} runs. maas_engine {maas_engine.__version__}: "
        f"{info['threads']} threads, {info['target']}. scikit-learn {sklearn.__version__}: its defaults."
    )
    for column in ("table", "model\nmetric", "ours\n5-fold"):
        table.add_column(column)
    for column in ("ours\nhold-out", "sklearn\nhold-out", "ours\nfit, ms", "sklearn\nfit, ms", "faster"):
        table.add_column(column, justify="right", no_wrap=True)
    for job in jobs():
        table.add_row(*row(job))
    console = Console()
    console.width = max(console.width, 110)  # a pipe or a narrow window must not cut the figures
    console.print(table)


if __name__ == "__main__":
    main()
