"""maas_engine as a user calls it."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace as Data
from typing import Any

import numpy as np

import maas_engine
from maas_engine import _core, linear_model, metrics

from . import ours_training
from .adapter import Run, Setup
from .models import NETWORKS
from .sklearn_ import fit, logistic, logistic_l1, metric_cases, one_epoch, other_fits

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


def ridge_cv(data: Data) -> Run:
    def run() -> Any:
        model = linear_model.RidgeCV(data.alphas, cv=data.folds, scoring="neg_mean_squared_error")
        return model.fit(data.X, data.y).coef_

    return run


BOOTSTRAPS = {"accuracy": "accuracy_score", "f1": "f1_score", "r2": "r2_score", "roc_auc": "roc_auc_score"}


def interval(metric: str) -> Setup:
    """The width of the 95 % percentile interval."""

    def setup(data: Data) -> Run:
        options = {"average": "macro"} if metric == "f1_score" else {}

        def run() -> Any:
            found = metrics.bootstrap(
                metric, data.y, data.z, n_resamples=data.iterations, random_state=0, **options
            )
            return found.high - found.low

        return run

    return setup


def gemm(data: Data) -> Run:
    return lambda: _core.matmul(data.A, data.B)


def predict(data: Data) -> Run:
    """An array in, a new array out."""
    return partial(maas_engine.load(data.path).predict, data.X)


def predict_into(data: Data) -> Run:
    model = maas_engine.load(data.path)
    return partial(model.predict_into, data.X, model.predict(data.X))


def pipeline(data: Data) -> Run:
    """A dict of the columns; of one row, a dict of its values."""
    model = maas_engine.load(data.path)
    if len(data.frame) > 1:
        return partial(model.predict_proba, data.table)
    return partial(model.predict_proba, {name: column[0] for name, column in data.table.items()})


def pipeline_frame(data: Data) -> Run:
    """The frame that scikit-learn gets."""
    return partial(maas_engine.load(data.path).predict_proba, data.frame)


def load(data: Data) -> Run:
    def run() -> None:
        maas_engine.load(data.path)

    return run


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(linear_model.LinearRegression),
        "gradient_descent": gradient_descent,
        "logistic_gd": logistic_gd,
        "sgd_epoch": one_epoch(linear_model.SGDRegressor),
        "logistic:newton-cholesky": logistic("newton-cholesky", linear_model),
        "logistic:lbfgs": logistic("lbfgs", linear_model),
        "multinomial:lbfgs": logistic("lbfgs", linear_model),
        "ridge_cv": ridge_cv,
        "logistic_l1": logistic_l1("saga", linear_model),
        **other_fits(linear_model, linear_model.LinearSVC),
        **{f"bootstrap_{name}": interval(metric) for name, metric in BOOTSTRAPS.items()},
        "gemm": gemm,
        **metric_cases(metrics),
        **dict.fromkeys(NETWORKS, predict),
        **{f"{kind}:into": predict_into for kind in NETWORKS},
        **{f"{kind}_load": load for kind in NETWORKS},
        **ours_training.cases(),
        "predict_pipeline:dict": pipeline,
        "predict_pipeline:frame": pipeline_frame,
    }
