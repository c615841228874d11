"""scikit-learn as a user calls it."""

from __future__ import annotations

import warnings
from types import SimpleNamespace as Data
from typing import Any

from sklearn import metrics
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDRegressor

from .adapter import Run, Setup, loosest

LABEL = "scikit-learn"


def fit(make: Any) -> Setup:
    def setup(data: Data) -> Run:
        def run() -> Any:
            model = make().fit(data.X, data.y)
            return model.coef_, model.intercept_

        return run

    return setup


def logistic(solver: str, make: Any = LogisticRegression) -> Setup:
    def setup(data: Data) -> Run:
        warnings.simplefilter("ignore", ConvergenceWarning)

        def run(tolerance: float) -> Any:
            model = make(solver=solver, tol=tolerance, max_iter=1000).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, run)

    return setup


def one_epoch(make: Any = SGDRegressor) -> Setup:
    return fit(lambda: make(max_iter=1, tol=None, alpha=0.0, eta0=0.01, random_state=0))


def metric(function: Any, **options: Any) -> Setup:
    return lambda data: lambda: function(data.y, data.z, **options)


def metric_cases(module: Any) -> dict[str, Setup]:
    """The eight metrics from a module with scikit-learn's names."""
    return {
        "accuracy": metric(module.accuracy_score),
        "confusion": metric(module.confusion_matrix),
        "f1": metric(module.f1_score, average="macro"),
        "log_loss": metric(module.log_loss),
        "roc_auc": metric(module.roc_auc_score),
        "average_precision": metric(module.average_precision_score),
        "mse": metric(module.mean_squared_error),
        "r2": metric(module.r2_score),
    }


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(LinearRegression),
        "least_squares:ridge": fit(lambda: Ridge(alpha=1e-6, solver="cholesky")),
        "sgd_epoch": one_epoch(),
        "logistic:lbfgs": logistic("lbfgs"),
        "logistic:newton-cholesky": logistic("newton-cholesky"),
        "multinomial:lbfgs": logistic("lbfgs"),
        **metric_cases(metrics),
    }
