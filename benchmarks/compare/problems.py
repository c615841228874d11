"""The cases: their data, what a right answer is worth, and the least work any program must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace as Data
from typing import Any

import numpy as np

DIGITS = 1797  # rows of scikit-learn's digits
WITH_COLUMNS = ("least_squares", "gradient_descent", "logistic_gd", "sgd_epoch", "logistic", "multinomial")


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
        if self.kind == "gemm":
            return 0.0, 2.0 * self.rows**3
        if self.kind in ("least_squares", "gradient_descent"):
            if self.columns == 1:
                return 0.0, 4.0 * size * self.iterations
            return size * self.itemsize, size * (self.columns + 1)  # X once: half of its Gram matrix
        if self.kind in ("logistic", "multinomial"):  # Newton's method needs about five passes
            return 5 * size * self.itemsize, 0.0
        if self.kind == "logistic_gd":
            return self.iterations * size * self.itemsize, 0.0
        if self.kind == "sgd_epoch":
            return size * self.itemsize, 0.0
        return size * 16, 0.0  # metrics: two arrays of eight bytes


def regression(p: Problem, rng: np.random.Generator) -> Data:
    X = rng.standard_normal((p.rows, p.columns)).astype(p.dtype)
    w = rng.standard_normal(p.columns).astype(p.dtype)
    y = X @ w + rng.standard_normal(p.rows).astype(p.dtype) + 3
    return Data(X=X, y=y.astype(p.dtype), iterations=p.iterations, alpha=0.1)


def binary(p: Problem, rng: np.random.Generator) -> Data:
    X = rng.standard_normal((p.rows, p.columns)).astype(p.dtype)
    w = rng.standard_normal(p.columns).astype(p.dtype) / np.sqrt(p.columns)
    y = (X @ (2 * w) + rng.logistic(size=p.rows) > 0).astype(np.int64)
    return Data(X=X, y=y, iterations=p.iterations, alpha=1.0)


def multinomial(p: Problem, rng: np.random.Generator) -> Data:
    if p.rows == DIGITS:
        from sklearn.datasets import load_digits

        digits = load_digits()
        return Data(X=(digits.data / 16).astype(p.dtype), y=digits.target)
    X = rng.standard_normal((p.rows, p.columns)).astype(p.dtype)
    W = rng.standard_normal((p.columns, p.classes)).astype(p.dtype) * np.asarray(0.3, p.dtype)
    y = np.argmax(X @ W + rng.gumbel(size=(p.rows, p.classes)), axis=1)
    return Data(X=X, y=y)


def labels(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.integers(0, p.classes, p.rows)
    return Data(y=y, z=np.where(rng.random(p.rows) < 0.8, y, rng.integers(0, p.classes, p.rows)))


def scores(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.integers(0, 2, p.rows)
    return Data(y=y, z=1 / (1 + np.exp(-(rng.standard_normal(p.rows) + 2 * y - 1))))


def values(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.standard_normal(p.rows)
    return Data(y=y, z=y + 0.1 * rng.standard_normal(p.rows))


def square(p: Problem, rng: np.random.Generator) -> Data:
    shape = (p.rows, p.rows)
    return Data(A=rng.standard_normal(shape).astype(p.dtype), B=rng.standard_normal(shape).astype(p.dtype))


def squared_loss(data: Data, answer: Any) -> float:
    coef, intercept = answer
    residual = data.X @ np.asarray(coef, np.float64).ravel() + float(np.ravel(intercept)[0]) - data.y
    return residual @ residual / len(residual) / 2


def logistic_loss(data: Data, answer: Any) -> float:
    """scikit-learn's objective at C = 1: summed log loss + |w|²/2."""
    coef, intercept = (np.asarray(part, np.float64) for part in answer)
    margin = data.X @ coef.ravel() + intercept.ravel()[0]
    return np.logaddexp(0, np.where(data.y == 1, -margin, margin)).sum() + (coef**2).sum() / 2


def multinomial_loss(data: Data, answer: Any) -> float:
    coef, intercept = (np.asarray(part, np.float64) for part in answer)
    margin = data.X @ coef.T + intercept
    top = margin.max(axis=1)
    total = top + np.log(np.exp(margin - top[:, None]).sum(axis=1))
    return (total - margin[np.arange(len(margin)), data.y]).sum() + (coef**2).sum() / 2


def mean_logistic_loss(data: Data, answer: Any) -> float:
    coef, intercept = (np.asarray(part, np.float64) for part in answer)
    margin = data.X @ coef.ravel() + intercept.ravel()[0]
    return np.logaddexp(0, np.where(data.y == 1, -margin, margin)).mean()


def fingerprint(data: Data, answer: Any) -> float:
    del data
    return float(np.abs(np.asarray(answer, np.float64)).mean())


METRICS = ("accuracy", "confusion", "f1", "log_loss", "roc_auc", "average_precision", "mse", "r2")
LABEL_METRICS, SCORE_METRICS = METRICS[:3], METRICS[3:6]

GENERATE: dict[str, Callable[[Problem, np.random.Generator], Data]] = {
    "least_squares": regression,
    "gradient_descent": regression,
    "sgd_epoch": regression,
    "logistic_gd": binary,
    "logistic": binary,
    "multinomial": multinomial,
    "gemm": square,
    **dict.fromkeys(LABEL_METRICS, labels),
    **dict.fromkeys(SCORE_METRICS, scores),
    **dict.fromkeys(METRICS[6:], values),
}
OBJECTIVE: dict[str, Callable[[Data, Any], float]] = {
    "least_squares": squared_loss,
    "gradient_descent": squared_loss,
    "sgd_epoch": squared_loss,
    "logistic_gd": mean_logistic_loss,
    "logistic": logistic_loss,
    "multinomial": multinomial_loss,
    "gemm": fingerprint,
    **dict.fromkeys(METRICS, fingerprint),
}
# Largest relative distance to the best objective that still counts as the same answer.
SAME = {"sgd_epoch": 0.05, "logistic": 1e-5, "multinomial": 1e-5, "gradient_descent": 1e-4}
SAME_OTHERWISE = 1e-5


MILLION, WIDE, SQUARISH = (1_000_000, 20), (100_000, 200), (10_000, 2000)
BOTH = ("float32", "float64")


def problems(quick: bool) -> list[Problem]:
    """Every case, or the quick set."""
    cases = [*fits(), *metric_calls(), *products()]
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


def metric_calls() -> Iterator[Problem]:
    for rows, metric in product((1_000_000, 100), METRICS):
        classes = 10 if metric in LABEL_METRICS else 2
        yield Problem(metric, rows, classes=classes, quick=rows > 100 or metric in ("accuracy", "mse"))


def products() -> Iterator[Problem]:
    for n, dtype in product((64, 128, 256, 512, 1024, 2048), BOTH):
        yield Problem("gemm", n, dtype=dtype, quick=n in (256, 1024))
