"""The main job on real tables: preprocess, train, cross-validate, evaluate; beside scikit-learn. Then a Lasso
path, a cross-validation over penalties, confidence intervals, a network, and models saved, loaded and asked row by
row.

Both sides get the same preprocessing, penalty and hold-out rows. Times are medians of alternating fits of the
model on rows already scaled, since the scaler is scikit-learn's on both sides.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from rich.console import Console
from rich.table import Table
from sklearn import linear_model as theirs
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    make_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import make_scorer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import linear_model as ours
from maas_engine import metrics, nn
from maas_engine.model_selection import cross_val_score

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


def comparison() -> Table:
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
    return table


def bars(values: Any, top: float = 0.0) -> str:
    """One block a value, from none to `top`, or to the largest."""
    blocks = " ▁▂▃▄▅▆▇█"
    heights = np.ceil(np.asarray(values) / (top or np.max(values)) * (len(blocks) - 1)).astype(int)
    return "".join(blocks[height] for height in heights)


def lasso_path() -> Table:
    """Which columns a Lasso lets in as its penalty falls, and how far each coefficient goes."""
    data = load_diabetes()
    X, y = StandardScaler().fit_transform(data.data), data.target - data.target.mean()
    alphas, coefs, _ = ours.lasso_path(X, y, alphas=60, eps=1e-3)
    table = Table(title="A Lasso path: diabetes, 60 penalties")
    table.add_column("column")
    table.add_column("enters at", justify="right")
    table.add_column(f"|coefficient| as alpha falls from {alphas[0]:.3g} to {alphas[-1]:.3g}", no_wrap=True)
    table.add_column("at the end", justify="right")
    top = np.abs(coefs).max()
    order = sorted(range(len(coefs)), key=lambda j: np.flatnonzero(coefs[j]).min(initial=len(alphas)))
    for j in order:
        inside = np.flatnonzero(coefs[j])
        enters = f"{alphas[inside[0]]:.3g}" if inside.size else "never"
        line = bars(np.abs(coefs[j]), top)
        table.add_row(data.feature_names[j], enters, line, f"{coefs[j, -1]:.1f}")
    return table


def validation() -> Table:
    """A dozen penalties of the Lasso, five folds each, from one pass over the rows."""
    X, y = make_regression(200_000, 20, n_informative=10, noise=50, random_state=0)
    alphas = np.logspace(2, -1, 13)
    seconds, models = [], []
    for library in (ours, theirs):
        model = library.LassoCV(alphas=alphas, cv=5)
        start = time.perf_counter()
        models.append(model.fit(X, y))
        seconds.append(time.perf_counter() - start)
    model, other = models
    table = Table(title=f"Cross-validation: LassoCV, {X.shape[0]} rows, 5 folds × {len(alphas)} penalties")
    table.caption = (
        f"ours, one pass: {1e3 * seconds[0]:.0f} ms; scikit-learn: {1e3 * seconds[1]:.0f} ms, "
        f"{seconds[1] / seconds[0]:.1f} times as long, best alpha {other.alpha_:.3g}"
    )
    for column in ("alpha", "mean squared error", "deviation over folds", ""):
        table.add_column(column, justify="right")
    for alpha, errors in zip(model.alphas_, model.mse_path_, strict=True):
        best = "◀ best" if alpha == model.alpha_ else ""
        table.add_row(f"{alpha:.3g}", f"{errors.mean():.2f}", f"{errors.std():.2f}", best)
    return table


def intervals() -> Table:
    """How sure the figures of a small hold-out set are."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    model = make_pipeline(StandardScaler(), ours.LogisticRegression()).fit(X, y)
    labels, probability = model.predict(X_test), model.predict_proba(X_test)[:, 1]
    table = Table(title=f"Bootstrap, 10,000 resamples: breast cancer, {len(y_test)} rows held out")
    for column in ("metric", "value", "95 % interval", "ms"):
        table.add_column(column, justify="right")
    for metric, prediction in (
        ("accuracy_score", labels),
        ("f1_score", labels),
        ("roc_auc_score", probability),
        ("log_loss", probability),
    ):
        start = time.perf_counter()
        found = metrics.bootstrap(metric, y_test, prediction, n_resamples=10_000, random_state=0)
        elapsed = f"{1e3 * (time.perf_counter() - start):.1f}"
        table.add_row(metric, f"{found.value:.4f}", f"{found.low:.4f} – {found.high:.4f}", elapsed)
    return table


def network() -> Table:
    """One network for handwritten digits, trained by both sides with Adam: 20 epochs of batches of 64."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split((X / 16).astype(np.float32), y, random_state=0)

    def keras_style() -> tuple[Any, Any]:
        model = nn.Sequential([nn.Input((64,)), nn.Dense(128, activation="relu"), nn.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        history = model.fit(X, y, batch_size=64, epochs=20, verbose=0)
        return history.history["loss"], lambda rows: model.predict(rows, verbose=0).argmax(axis=1)

    def scikit_learn_style() -> tuple[Any, Any]:
        model = MLPClassifier((128,), batch_size=64, max_iter=20, alpha=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        return model.loss_curve_, model.predict

    table = Table(title=f"A network, 64-128-10, on digits: {len(X)} rows, {len(X_test)} held out")
    table.caption = f"fit: median of {RUNS} runs"
    for column in ("", "loss by epoch", "last loss", "hold-out accuracy", "fit, ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, train in (("maas_engine.nn", keras_style), ("scikit-learn", scikit_learn_style)):
        seconds = []
        for _ in range(RUNS):
            start = time.perf_counter()
            losses, predict = train()
            seconds.append(time.perf_counter() - start)
        accuracy = metrics.accuracy_score(y_test, predict(X_test))
        fit = f"{1e3 * statistics.median(seconds):.1f}"
        table.add_row(name, bars(losses), f"{losses[-1]:.4f}", f"{accuracy:.4f}", fit)
    return table


def microseconds(call: Callable[[], Any], calls: int) -> float:
    """Median over RUNS of the mean time of a call."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls)
    return 1e6 * statistics.median(times)


def artifact() -> Table:
    """Each model as one file, and how fast what was loaded from it answers."""
    table = Table(title="Saved as ONNX, loaded, and asked for one row at a time")
    table.caption = (
        "same bits: the loaded model's answers to all rows, together and one by one, against the estimator's"
    )
    for column in ("model", "file, bytes", "load, µs", "same bits", "one row, µs", "sklearn, µs", "faster"):
        table.add_column(column, justify="right")
    for job in jobs()[:2]:
        X = StandardScaler().fit_transform(job.X)
        trained = getattr(ours, job.model)().fit(X, job.y)
        other = getattr(theirs, job.model)().fit(X, job.y)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            trained.save(path)
            size = path.stat().st_size
            load = microseconds(partial(maas_engine.load, path), 20)
            model = maas_engine.load(path)
        answers = model.predict(X)
        alone = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
        same = answers.tobytes() == trained.predict(X).tobytes() == alone.tobytes()
        times = [
            microseconds(partial(model.predict, X[:1]), 5000),
            microseconds(partial(other.predict, X[:1]), 200),
        ]
        table.add_row(
            f"{job.model}, {job.title}",
            str(size),
            f"{load:.0f}",
            "yes" if same else "NO",
            f"{times[0]:.2f}",
            f"{times[1]:.1f}",
            f"{times[1] / times[0]:.0f} ×",
        )
    return table


def main() -> None:
    console = Console()
    console.width = max(console.width, 110)  # a pipe or a narrow window must not cut the figures
    for table in (comparison, lasso_path, validation, intervals, network, artifact):
        console.print(table())


if __name__ == "__main__":
    main()
