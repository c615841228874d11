"""scipy.stats.bootstrap, vectorised where the metric can be."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Data
from typing import Any

import numpy as np
from scipy import stats

from .adapter import Run, Setup
from .numpy_ import f1, roc_auc

LABEL = "scipy"


def accuracy(y: np.ndarray, z: np.ndarray, axis: int = -1) -> Any:
    return (y == z).mean(axis=axis)


def r2(y: np.ndarray, z: np.ndarray, axis: int = -1) -> Any:
    residual = y - z
    return 1 - (residual * residual).sum(axis=axis) / (y.var(axis=axis) * y.shape[axis])


def interval(metric: Callable[..., Any], *, vectorized: bool) -> Setup:
    """The width of the 95 % percentile interval."""

    def setup(data: Data) -> Run:
        def run() -> Any:
            found = stats.bootstrap(
                (data.y, data.z),
                metric,
                paired=True,
                vectorized=vectorized,
                n_resamples=data.iterations,
                batch=100,
                method="percentile",
                rng=np.random.default_rng(0),
            )
            return found.confidence_interval.high - found.confidence_interval.low

        return run

    return setup


def cases() -> dict[str, Setup]:
    return {
        "bootstrap_accuracy": interval(accuracy, vectorized=True),
        "bootstrap_r2": interval(r2, vectorized=True),
        "bootstrap_f1": interval(f1, vectorized=False),
        "bootstrap_roc_auc": interval(roc_auc, vectorized=False),
    }
