"""One number for each answer, by which rivals must agree; lower is better for the fits."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import numpy as np


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


def path_loss(data: Data, answer: Any) -> float:
    """The objectives of all penalties, each relative to that of no coefficients, in the mean."""
    zero = data.y @ data.y / 2
    total = 0.0
    for alpha, w in zip(data.alphas, np.asarray(answer, np.float64), strict=True):
        residual = data.y - data.X @ w
        l1, l2 = alpha * data.l1_ratio * len(data.y), alpha * (1 - data.l1_ratio) * len(data.y)
        total += residual @ residual / 2 + l1 * np.abs(w).sum() + l2 / 2 * (w @ w)
    return total / zero / len(data.alphas)


def logistic_margins(data: Data, answer: Any) -> tuple[Any, Any]:
    coef, intercept = (np.asarray(part, np.float64) for part in answer)
    margin = data.X @ coef.ravel() + intercept.ravel()[0]
    return coef.ravel(), np.where(data.y == 1, margin, -margin)


def l1_logistic_loss(data: Data, answer: Any) -> float:
    coef, margin = logistic_margins(data, answer)
    return float(data.C * np.logaddexp(0, -margin).sum() + np.abs(coef).sum())


def l2_logistic_loss(data: Data, answer: Any) -> float:
    coef, margin = logistic_margins(data, answer)
    return float(data.C * np.logaddexp(0, -margin).sum() + (coef @ coef) / 2)


def svc_loss(data: Data, answer: Any) -> float:
    """Squared hinge, C = 1; the intercept is penalised as scikit-learn's LinearSVC has it."""
    coef, margin = logistic_margins(data, answer)
    intercept = float(np.ravel(answer[1])[0])
    return float((np.maximum(0, 1 - margin) ** 2).sum() + (coef @ coef + intercept**2) / 2)


def poisson_loss(data: Data, answer: Any) -> float:
    coef, intercept = np.asarray(answer[0], np.float64), float(np.ravel(answer[1])[0])
    eta = data.X @ coef + intercept
    return float(np.mean(np.exp(eta) - data.y * eta) + data.alpha / 2 * coef @ coef)


def quantile_loss(data: Data, answer: Any) -> float:
    """The median, no penalty."""
    residual = data.y - data.X @ np.asarray(answer[0], np.float64) - float(np.ravel(answer[1])[0])
    return float(np.abs(residual).mean() / 2)


def huber_loss(data: Data, answer: Any) -> float:
    """scikit-learn's HuberRegressor, epsilon 1.35: coefficients and scale together."""
    coef, intercept, scale = (np.asarray(part, np.float64) for part in answer)
    z = np.abs(data.y - data.X @ coef - intercept) / scale
    h = np.where(z <= 1.35, z**2, 2 * 1.35 * z - 1.35**2)
    return float((scale * (1 + h)).sum() + 1e-4 * coef @ coef)
