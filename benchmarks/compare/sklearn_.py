"""scikit-learn as a user calls it."""

from __future__ import annotations

import warnings
from types import SimpleNamespace as Data
from typing import Any

from sklearn import linear_model, metrics
from sklearn.exceptions import ConvergenceWarning

from .adapter import Run, Setup, loosest

LABEL = "scikit-learn"


def fit(make: Any) -> Setup:
    def setup(data: Data) -> Run:
        def run() -> Any:
            model = make().fit(data.X, data.y)
            return model.coef_, model.intercept_

        return run

    return setup


def logistic(solver: str, library: Any) -> Setup:
    def setup(data: Data) -> Run:
        warnings.simplefilter("ignore", ConvergenceWarning)

        def run(tolerance: float) -> Any:
            model = library.LogisticRegression(solver=solver, tol=tolerance, max_iter=1000).fit(
                data.X, data.y
            )
            return model.coef_, model.intercept_

        return loosest(data, run)

    return setup


def one_epoch(make: Any) -> Setup:
    return fit(lambda: make(max_iter=1, tol=None, alpha=0.0, eta0=0.01, random_state=0))


def metric(module: Any, name: str, **options: Any) -> Setup:
    def setup(data: Data) -> Run:
        function = getattr(module, name)
        return lambda: function(data.y, data.z, **options)

    return setup


def metric_cases(module: Any) -> dict[str, Setup]:
    """The eight metrics from a module with scikit-learn's names."""
    return {
        "accuracy": metric(module, "accuracy_score"),
        "confusion": metric(module, "confusion_matrix"),
        "f1": metric(module, "f1_score", average="macro"),
        "log_loss": metric(module, "log_loss"),
        "roc_auc": metric(module, "roc_auc_score"),
        "average_precision": metric(module, "average_precision_score"),
        "mse": metric(module, "mean_squared_error"),
        "r2": metric(module, "r2_score"),
    }


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(linear_model.LinearRegression),
        "least_squares:ridge": fit(lambda: linear_model.Ridge(alpha=1e-6, solver="cholesky")),
        "sgd_epoch": one_epoch(linear_model.SGDRegressor),
        "logistic:lbfgs": logistic("lbfgs", linear_model),
        "logistic:newton-cholesky": logistic("newton-cholesky", linear_model),
        "multinomial:lbfgs": logistic("lbfgs", linear_model),
        **metric_cases(metrics),
    }
