"""The cases: their data, what a right answer is worth, and the least work any program must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from types import SimpleNamespace as Data
from typing import Any

import numpy as np

from . import generate, models, objectives, training
from .generate import DIGITS, NONZEROS, Generator

PATHS = ("lasso_path", "elastic_net_path")
LOGISTIC = ("logistic", "multinomial", "logistic_l1", "sparse_logistic")
VALIDATED = ("ridge_cv", "lasso_cv", "logistic_cv")
OTHER_LINEAR = ("linear_svc", "huber", "poisson", "quantile")
PREDICTS = (*models.NETWORKS, "predict_pipeline")
LOADS = tuple(f"{kind}_load" for kind in models.NETWORKS)
TRAINS = tuple(training.TRAININGS)
FITS = (
    "least_squares",
    "gradient_descent",
    "logistic_gd",
    "sgd_epoch",
    *LOGISTIC,
    *PATHS,
    *OTHER_LINEAR,
    *TRAINS,
)
WITH_COLUMNS = (*FITS, *VALIDATED)


@dataclass(frozen=True)
class Problem:
    """One case of the comparison: what is computed, and on how much data."""

    kind: str
    rows: int
    columns: int = 1
    dtype: str = "float64"
    classes: int = 2
    iterations: int = 1
    quick: bool = False

    @property
    def name(self) -> str:
        shape = f"{self.rows}x{self.columns}" if self.kind in WITH_COLUMNS else str(self.rows)
        more = f"x{self.classes}" if self.kind == "multinomial" else ""
        times = f"/{self.iterations}it" if self.iterations > 1 else ""
        return f"{self.kind}/{shape}{more}/{self.dtype}{times}"

    @property
    def itemsize(self) -> int:
        return np.dtype(self.dtype).itemsize

    def data(self) -> Data:
        return GENERATE[self.kind](self, np.random.default_rng(0))

    def objective(self, data: Data, answer: Any) -> float:
        """One number that tells whether two rivals did the same work; lower is better for the fits."""
        return float(OBJECTIVE[self.kind](data, answer))

    def floor_work(self) -> tuple[float, float]:
        """Bytes that must be read from memory and floating-point operations that must be done."""
        size = float(self.rows) * self.columns
        if self.kind in TRAINS:
            return training.floor_work(self)
        if self.kind in models.NETWORKS:
            widths, _ = models.NETWORKS[self.kind]
            multiply_adds = sum(a * b for a, b in pairwise(widths))
            # The rows and the answers; one row: its weights, which a cache holds, are not counted.
            return 4.0 * self.rows * (widths[0] + widths[-1]), 2.0 * self.rows * multiply_adds
        if self.kind in ("predict_pipeline", *LOADS):
            return 0.0, 0.0
        if self.kind == "gemm":
            return 0.0, 2.0 * self.rows**3
        if self.kind in ("least_squares", "gradient_descent"):
            if self.columns == 1:
                return 0.0, 4.0 * size * self.iterations
            return size * self.itemsize, size * (self.columns + 1)  # X once: half of its Gram matrix
        if self.kind == "sparse_logistic":  # a value and a column number, about ten passes
            return 10.0 * self.rows * NONZEROS * (self.itemsize + 4), 0.0
        if self.kind in (*PATHS, "ridge_cv", "lasso_cv"):
            narrow = min(self.rows, self.columns)
            return size * self.itemsize, size * narrow  # one pass: half of the smaller Gram matrix
        if self.kind in (*LOGISTIC, *OTHER_LINEAR, "logistic_cv"):  # Newton's method: about five passes
            return 5 * size * self.itemsize, 0.0
        if self.kind == "logistic_gd":
            return self.iterations * size * self.itemsize, 0.0
        if self.kind == "sgd_epoch":
            return size * self.itemsize, 0.0
        return size * 16, 0.0  # metrics: two arrays of eight bytes


METRICS = ("accuracy", "confusion", "f1", "log_loss", "roc_auc", "average_precision", "mse", "r2")
LABEL_METRICS, SCORE_METRICS = METRICS[:3], METRICS[3:6]
MORE_LABEL_METRICS = ("balanced_accuracy", "matthews", "kappa", "jaccard", "report")
MORE_SCORE_METRICS = ("brier", "roc_curve", "precision_recall_curve")
CLASS_METRICS = ("roc_auc_ovr", "roc_auc_ovo", "top_k")
VALUE_METRICS = ("median_ae", "mape", "explained_variance", "poisson_deviance", "gamma_deviance", "pinball")
BOOTSTRAPS = ("bootstrap_accuracy", "bootstrap_f1", "bootstrap_r2", "bootstrap_roc_auc")
MORE_METRICS = (*MORE_LABEL_METRICS, *MORE_SCORE_METRICS, *CLASS_METRICS, *VALUE_METRICS)

GENERATE: dict[str, Generator] = {
    "least_squares": generate.regression,
    "gradient_descent": generate.regression,
    "sgd_epoch": generate.regression,
    "logistic_gd": generate.binary,
    "logistic": generate.binary,
    "multinomial": generate.multinomial,
    "logistic_l1": generate.logistic_l1,
    "sparse_logistic": generate.sparse_binary,
    **dict.fromkeys((*PATHS, "lasso_cv"), generate.path),
    "ridge_cv": generate.ridge_cv,
    "logistic_cv": generate.logistic_cv,
    "linear_svc": generate.binary,
    "huber": generate.outliers,
    "poisson": generate.counts,
    "quantile": generate.outliers,
    "gemm": generate.square,
    **dict.fromkeys((*models.NETWORKS, *LOADS), models.network),
    "predict_pipeline": models.pipeline,
    **dict.fromkeys(TRAINS, training.data),
    **dict.fromkeys(
        (*LABEL_METRICS, *MORE_LABEL_METRICS, "bootstrap_accuracy", "bootstrap_f1"), generate.labels
    ),
    **dict.fromkeys((*SCORE_METRICS, *MORE_SCORE_METRICS, "bootstrap_roc_auc"), generate.scores),
    **dict.fromkeys(CLASS_METRICS, generate.class_scores),
    **dict.fromkeys(VALUE_METRICS, generate.positive),
    **dict.fromkeys((*METRICS[6:], "bootstrap_r2"), generate.values),
}
OBJECTIVE: dict[str, Callable[[Data, Any], float]] = {
    "least_squares": objectives.squared_loss,
    "gradient_descent": objectives.squared_loss,
    "sgd_epoch": objectives.squared_loss,
    "logistic_gd": objectives.mean_logistic_loss,
    "logistic": objectives.logistic_loss,
    "multinomial": objectives.multinomial_loss,
    "logistic_l1": objectives.l1_logistic_loss,
    "sparse_logistic": objectives.l2_logistic_loss,
    **dict.fromkeys(PATHS, objectives.path_loss),
    **dict.fromkeys(VALIDATED, objectives.fingerprint),
    "linear_svc": objectives.svc_loss,
    "huber": objectives.huber_loss,
    "poisson": objectives.poisson_loss,
    "quantile": objectives.quantile_loss,
    "gemm": objectives.fingerprint,
    **dict.fromkeys(TRAINS, training.final_loss),
    **dict.fromkeys((*PREDICTS, *LOADS), models.fingerprint_of_model),
    **dict.fromkeys((*METRICS, *MORE_METRICS, *BOOTSTRAPS), objectives.fingerprint),
}
# Largest relative distance to the best objective that still counts as the same answer.
SAME = {
    "sgd_epoch": 0.05,
    "gradient_descent": 1e-4,
    "logistic_cv": 1e-4,  # the mean scores: rivals stop at their default tolerances
    "lasso_cv": 1e-3,  # the mean size of the coefficients: rivals stop at different gaps
    **dict.fromkeys(TRAINS, 1e-2),  # rounding grows over the steps
    **dict.fromkeys(BOOTSTRAPS, 0.1),  # the width of the interval: resamples differ
}
SAME_OTHERWISE = 1e-5


MILLION, WIDE, SQUARISH = (1_000_000, 20), (100_000, 200), (10_000, 2000)
BOTH = ("float32", "float64")


def problems(quick: bool) -> list[Problem]:
    """Every case, or the quick set."""
    cases = [
        *fits(),
        *more_fits(),
        *metric_calls(),
        *more_metric_calls(),
        *products(),
        *predictions(),
        *trainings(),
    ]
    return [case for case in cases if case.quick or not quick]


def fits() -> Iterator[Problem]:
    for shape, dtype in product((MILLION, WIDE, SQUARISH), BOTH):
        yield Problem("least_squares", *shape, dtype, quick=shape == MILLION)
    for dtype in BOTH:
        yield Problem("gradient_descent", *MILLION, dtype, iterations=100, quick=True)
    yield Problem("gradient_descent", *WIDE, "float32", iterations=100)
    yield Problem("gradient_descent", 100, 1, iterations=1000, quick=True)
    for dtype in BOTH:
        yield Problem("logistic_gd", *MILLION, dtype, iterations=100, quick=dtype == "float32")
    for shape in (MILLION, WIDE):
        yield Problem("sgd_epoch", *shape, quick=shape == MILLION)
    for shape, dtype in product((MILLION, WIDE), BOTH):
        yield Problem("logistic", *shape, dtype, quick=shape == MILLION)
    yield Problem("multinomial", DIGITS, 64, classes=10, quick=True)
    yield Problem("multinomial", 100_000, 100, classes=10)


def more_fits() -> Iterator[Problem]:
    for shape, kind in product((MILLION, WIDE, (500, 5000)), PATHS):
        yield Problem(kind, *shape, quick=shape == WIDE and kind == "lasso_path")
    for kind, shape in product(VALIDATED, (MILLION, WIDE)):
        yield Problem(kind, *shape)
    for shape in (MILLION, WIDE):
        yield Problem("logistic_l1", *shape)
    yield Problem("sparse_logistic", 100_000, 100_000)
    for kind in ("linear_svc", "huber", "poisson"):
        yield Problem(kind, *MILLION, quick=kind == "poisson")
    yield Problem("quantile", 10_000, 20)
    yield Problem("quantile", *MILLION)


def metric_calls() -> Iterator[Problem]:
    for rows, metric in product((1_000_000, 100), METRICS):
        classes = 10 if metric in LABEL_METRICS else 2
        yield Problem(metric, rows, classes=classes, quick=rows > 100 or metric in ("accuracy", "mse"))


def more_metric_calls() -> Iterator[Problem]:
    for kind in MORE_METRICS:
        classes = 10 if kind in (*MORE_LABEL_METRICS, *CLASS_METRICS) else 2
        yield Problem(kind, 1_000_000 if kind not in CLASS_METRICS else 100_000, classes=classes)
    for kind in BOOTSTRAPS:
        yield Problem(kind, 100_000, classes=10 if kind == "bootstrap_f1" else 2, iterations=1000)


def products() -> Iterator[Problem]:
    for n, dtype in product((64, 128, 256, 512, 1024, 2048), BOTH):
        yield Problem("gemm", n, dtype=dtype, quick=n in (256, 1024))


def predictions() -> Iterator[Problem]:
    for rows, kind in product((1, 64, 1024, 65_536), models.NETWORKS):
        yield Problem(kind, rows, dtype="float32", quick=rows in (1, 1024))
    for rows in (1, 100_000):
        yield Problem("predict_pipeline", rows, dtype="float32", quick=rows == 1)
    for kind in LOADS:
        yield Problem(kind, 1, dtype="float32", quick=kind == LOADS[-1])


def trainings() -> Iterator[Problem]:
    rows = {"train_textbook": (1000,), "train_digits": (DIGITS,), "train_large": (5120,)}
    for kind in TRAINS:
        for n in rows.get(kind, (15_000, 60_000)):
            columns = training.TRAININGS[kind].widths[0]
            yield Problem(kind, n, columns, "float32", quick=n != 60_000)
