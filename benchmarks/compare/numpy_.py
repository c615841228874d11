"""numpy by hand: what one writes without a library, as fast as it gets with its BLAS."""

from __future__ import annotations

import itertools
from types import SimpleNamespace as Data
from typing import Any

import numpy as np

from . import numpy_training
from .adapter import Run, Setup, loosest
from .models import NETWORKS

LABEL = "numpy"


def normal_equations(data: Data) -> Run:
    X, y = data.X, data.y

    def run() -> Any:
        rows = X.shape[0]
        mean, y_mean = X.mean(axis=0), y.mean()
        gram = X.T @ X - rows * np.outer(mean, mean)
        coef = np.linalg.solve(gram, X.T @ y - rows * y_mean * mean)
        return coef, y_mean - mean @ coef

    return run


def gradient_descent(data: Data) -> Run:
    X, y, step = data.X, data.y, data.X.dtype.type(data.alpha / len(data.X))

    def run() -> Any:
        theta = np.zeros(X.shape[1], X.dtype)
        for _ in range(data.iterations):
            theta = theta - step * (X.T @ (X @ theta - y))
        return theta, 0.0

    return run


def gradient_descent_gram(data: Data) -> Run:
    """The trick of ours by hand: the rows are read once."""
    X, y, step = data.X, data.y, data.X.dtype.type(data.alpha / len(data.X))

    def run() -> Any:
        gram, moment = X.T @ X, X.T @ y
        theta = np.zeros(X.shape[1], X.dtype)
        for _ in range(data.iterations):
            theta = theta - step * (gram @ theta - moment)
        return theta, 0.0

    return run


def ridge_cv(data: Data) -> Run:
    """One Gram matrix a fold; the others by subtraction; errors from the moments: the rows are read once."""
    X, y = data.X, data.y
    cuts = np.linspace(0, len(y), data.folds + 1).astype(int)

    def run() -> Any:
        parts = []
        for begin, end in itertools.pairwise(cuts):
            rows, targets = X[begin:end], y[begin:end]
            parts.append(
                (rows.T @ rows, rows.T @ targets, rows.sum(0), targets.sum(), targets @ targets, end - begin)
            )
        total = [sum(items) for items in zip(*parts, strict=True)]
        eye = np.eye(X.shape[1])
        errors = np.empty((data.folds, len(data.alphas)))
        for k, part in enumerate(parts):
            gram, moment, sums, y_sum, _, n = (t - p for t, p in zip(total, part, strict=True))
            mean, y_mean = sums / n, y_sum / n
            gram, moment = gram - n * np.outer(mean, mean), moment - n * y_mean * mean
            stacked = gram + data.alphas[:, None, None] * eye
            coefs = np.linalg.solve(stacked, np.broadcast_to(moment, (len(stacked), len(moment)))[..., None])[
                ..., 0
            ]
            intercepts = y_mean - coefs @ mean
            test_gram, test_moment, test_sums, test_y, squares, m = part
            errors[k] = squares + np.einsum("ai,ij,aj->a", coefs, test_gram, coefs) + m * intercepts**2
            errors[k] += 2 * intercepts * (coefs @ test_sums - test_y) - 2 * coefs @ test_moment
            errors[k] /= m
        gram, moment, sums, y_sum, _, n = total
        centred = gram - np.outer(sums, sums) / n + data.alphas[errors.mean(axis=0).argmin()] * eye
        return np.linalg.solve(centred, moment - y_sum / n * sums)

    return run


def sigmoid(margin: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-margin))


def logistic_gd(data: Data) -> Run:
    X, y, step = data.X, data.y.astype(data.X.dtype), data.X.dtype.type(data.alpha / len(data.X))

    def run() -> Any:
        w = np.zeros(X.shape[1], X.dtype)
        for _ in range(data.iterations):
            w = w - step * (X.T @ (sigmoid(X @ w) - y))
        return w, 0.0

    return run


def newton(data: Data) -> Run:
    X, y = data.X, data.y.astype(data.X.dtype)

    def fit(tolerance: float) -> Any:
        w, intercept = np.zeros(X.shape[1], X.dtype), X.dtype.type(0)
        eye = np.eye(X.shape[1], dtype=X.dtype)
        for _ in range(50):
            p = sigmoid(X @ w + intercept)
            residual, weight = p - y, p * (1 - p)
            WX = X * weight[:, None]
            gradient = np.append(X.T @ residual + w, residual.sum())
            if np.abs(gradient).max() <= tolerance * len(y):
                break
            side = WX.sum(axis=0)
            hessian = np.block([[X.T @ WX + eye, side[:, None]], [side[None], weight.sum()]])
            step = np.linalg.solve(hessian, gradient).astype(X.dtype)
            w, intercept = w - step[:-1], intercept - step[-1]
        return w, intercept

    return loosest(data, fit)


def confusion(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    classes = int(max(y.max(), z.max())) + 1
    return np.bincount(y * classes + z, minlength=classes**2).reshape(classes, classes)


def f1(y: np.ndarray, z: np.ndarray) -> float:
    table = confusion(y, z)
    return float(np.mean(2 * table.diagonal() / (table.sum(axis=0) + table.sum(axis=1))))


def log_loss(y: np.ndarray, z: np.ndarray) -> float:
    return float(-np.log(np.where(y == 1, z, 1 - z)).mean())


def ranked(y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulated positives and row counts at each distinct score, from the largest score down."""
    order = np.argsort(-z)
    ends = np.flatnonzero(np.diff(z[order], append=np.nan))
    return np.cumsum(y[order])[ends], ends + 1


def roc_auc(y: np.ndarray, z: np.ndarray) -> float:
    positives, count = ranked(y, z)
    negatives = count - positives
    area = np.trapezoid(np.append(0, positives), np.append(0, negatives))
    return float(area / positives[-1] / negatives[-1])


def average_precision(y: np.ndarray, z: np.ndarray) -> float:
    positives, count = ranked(y, z)
    return float(np.sum(np.diff(positives, prepend=0) * positives / count) / positives[-1])


def r2(y: np.ndarray, z: np.ndarray) -> float:
    residual, centred = y - z, y - y.mean()
    return float(1 - (residual @ residual) / (centred @ centred))


def mse(y: np.ndarray, z: np.ndarray) -> float:
    residual = y - z
    return float(residual @ residual / len(y))


def metric(function: Any) -> Setup:
    return lambda data: lambda: function(data.y, data.z)


def predict(data: Data) -> Run:
    """Layer by layer, in place where that is safe."""
    X, *layers = data.X, *data.layers

    def run() -> Any:
        h = X
        for W, b in layers[:-1]:
            h = h @ W
            h += b
            np.maximum(h, 0, out=h)
        W, b = layers[-1]
        h = h @ W
        h += b
        if data.last == "Sigmoid":
            np.negative(h, out=h)
            np.exp(h, out=h)
            h += 1
            np.reciprocal(h, out=h)
        return h

    return run


def cases() -> dict[str, Setup]:
    return {
        "least_squares": normal_equations,
        "gradient_descent": gradient_descent,
        "gradient_descent:gram": gradient_descent_gram,
        "ridge_cv": ridge_cv,
        "logistic_gd": logistic_gd,
        "logistic:newton": newton,
        "accuracy": metric(lambda y, z: float((y == z).mean())),
        "confusion": metric(confusion),
        "f1": metric(f1),
        "log_loss": metric(log_loss),
        "roc_auc": metric(roc_auc),
        "average_precision": metric(average_precision),
        "mse": metric(mse),
        "r2": metric(r2),
        "gemm": lambda data: lambda: data.A @ data.B,
        **dict.fromkeys(NETWORKS, predict),
        **numpy_training.cases(),
    }
