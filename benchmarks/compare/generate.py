"""The rows of each case, generated from its seed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Data
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .problems import Problem

DIGITS = 1797  # rows of scikit-learn's digits
NONZEROS = 100  # of a sparse row


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
    z = np.where(rng.random(p.rows) < 0.8, y, rng.integers(0, p.classes, p.rows))
    return Data(y=y, z=z, iterations=p.iterations)


def scores(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.integers(0, 2, p.rows)
    z = 1 / (1 + np.exp(-(rng.standard_normal(p.rows) + 2 * y - 1)))
    return Data(y=y, z=z, iterations=p.iterations)


def values(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.standard_normal(p.rows)
    return Data(y=y, z=y + 0.1 * rng.standard_normal(p.rows), iterations=p.iterations)


def square(p: Problem, rng: np.random.Generator) -> Data:
    shape = (p.rows, p.rows)
    return Data(A=rng.standard_normal(shape).astype(p.dtype), B=rng.standard_normal(shape).astype(p.dtype))


def path(p: Problem, rng: np.random.Generator) -> Data:
    """Centred rows, so that no rival needs an intercept; a tenth of the columns count. 100 penalties."""
    X = rng.standard_normal((p.rows, p.columns)) + 0.5 * rng.standard_normal((p.rows, 1))
    w = np.where(rng.random(p.columns) < 0.1, rng.standard_normal(p.columns), 0)
    w[0] = 1
    y = X @ w + np.sqrt(w @ w) * rng.standard_normal(p.rows)
    X, y = np.asfortranarray(X - X.mean(axis=0)), y - y.mean()
    top = np.abs(X.T @ y).max() / p.rows
    ratio = 1.0 if "lasso" in p.kind else 0.5
    return Data(X=X, y=y, alphas=top * np.logspace(0, -3, 100), l1_ratio=ratio, folds=5)


def ridge_cv(p: Problem, rng: np.random.Generator) -> Data:
    data = regression(p, rng)
    data.alphas, data.folds = np.logspace(-2, 6, 20), 5
    return data


def logistic_cv(p: Problem, rng: np.random.Generator) -> Data:
    data = binary(p, rng)
    data.Cs, data.folds = np.logspace(-4, 4, 10), 5
    return data


def logistic_l1(p: Problem, rng: np.random.Generator) -> Data:
    """Labels of which a tenth of the columns know something, and the penalty that finds about those."""
    X = rng.standard_normal((p.rows, p.columns)).astype(p.dtype)
    w = np.where(rng.random(p.columns) < 0.1, 1.0, 0)
    w[0] = 1
    y = (X @ w + rng.logistic(size=p.rows) > 0).astype(np.int64)
    return Data(X=X, y=y, C=float(20 / np.sqrt(p.rows)) if p.rows < 1000 else 1.0)


def sparse_binary(p: Problem, rng: np.random.Generator) -> Data:
    from scipy.sparse import csr_matrix

    columns = rng.integers(0, p.columns, (p.rows, NONZEROS), dtype=np.int32)
    values = np.abs(rng.standard_normal((p.rows, NONZEROS)))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    starts = np.arange(0, p.rows * NONZEROS + 1, NONZEROS, dtype=np.int32)
    X = csr_matrix((values.ravel().astype(p.dtype), columns.ravel(), starts), (p.rows, p.columns))
    X.sum_duplicates()
    w = 5 * rng.standard_normal(p.columns)
    y = (X @ w + rng.logistic(size=p.rows) > 0).astype(np.int64)
    return Data(X=X, y=y, C=1.0)


def counts(p: Problem, rng: np.random.Generator) -> Data:
    X = rng.standard_normal((p.rows, p.columns)).astype(p.dtype)
    w = rng.standard_normal(p.columns) / np.sqrt(p.columns)
    return Data(X=X, y=rng.poisson(np.exp(X @ w)).astype(p.dtype), alpha=1e-3)


def outliers(p: Problem, rng: np.random.Generator) -> Data:
    data = regression(p, rng)
    data.y += np.where(rng.random(p.rows) < 0.05, 30 * rng.standard_normal(p.rows), 0).astype(p.dtype)
    return data


def class_scores(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.integers(0, p.classes, p.rows)
    scores = rng.standard_normal((p.rows, p.classes))
    scores[np.arange(p.rows), y] += 1
    scores = np.exp(scores)
    return Data(y=y, z=scores / scores.sum(axis=1, keepdims=True))


def positive(p: Problem, rng: np.random.Generator) -> Data:
    y = rng.gamma(2.0, size=p.rows)
    return Data(y=y, z=y * np.exp(0.1 * rng.standard_normal(p.rows)))


Generator = Callable[["Problem", np.random.Generator], Any]
