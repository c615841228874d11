"""maas_engine as a user calls it."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import numpy as np

import maas_engine
from maas_engine import _core, linear_model, metrics

from .adapter import Run, Setup
from .sklearn_ import fit, logistic, metric_cases, one_epoch

LABEL = "maas_engine"


def target() -> str:
    return str(_core.active_target())


def gradient_descent(data: Data) -> Run:
    start = np.zeros(data.X.shape[1], data.X.dtype)
    return lambda: (
        maas_engine.gradient_descent(data.X, data.y, start, data.alpha, data.iterations),
        0.0,
    )


def logistic_gd(data: Data) -> Run:
    def run() -> Any:
        model = linear_model.LogisticRegression(
            solver="gd",
            C=np.inf,
            max_iter=data.iterations,
            tol=0.0,
            learning_rate=data.alpha,
            momentum=0.0,
            fit_intercept=False,
        ).fit(data.X, data.y)
        return model.coef_, model.intercept_

    return run


def gemm(data: Data) -> Run:
    return lambda: _core.matmul(data.A, data.B)


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(linear_model.LinearRegression),
        "gradient_descent": gradient_descent,
        "logistic_gd": logistic_gd,
        "sgd_epoch": one_epoch(linear_model.SGDRegressor),
        "logistic:newton-cholesky": logistic("newton-cholesky", linear_model),
        "logistic:lbfgs": logistic("lbfgs", linear_model),
        "multinomial:lbfgs": logistic("lbfgs", linear_model),
        "gemm": gemm,
        **metric_cases(metrics),
    }
