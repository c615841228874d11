"""The least objective of a fit, from scikit-learn at a tolerance far below what the rivals are given."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Data
from typing import Any

from .problems import PATHS, Problem


def _logistic(solver: str) -> Callable[[Data], Any]:
    def fit(data: Data) -> Any:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(solver=solver, tol=1e-7, max_iter=2000)
        model.fit(data.X.astype("float64"), data.y)
        return model.coef_, model.intercept_

    return fit


def _l1(data: Data) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(l1_ratio=1, solver="saga", C=data.C, tol=1e-6, max_iter=500).fit(
        data.X, data.y
    )
    return model.coef_, model.intercept_


def _path(data: Data) -> Any:
    from sklearn.linear_model import enet_path

    return enet_path(data.X, data.y, alphas=data.alphas, l1_ratio=data.l1_ratio, tol=1e-9, max_iter=20000)[
        1
    ].T


def _poisson(data: Data) -> Any:
    from sklearn.linear_model import PoissonRegressor

    model = PoissonRegressor(alpha=data.alpha, solver="newton-cholesky", tol=1e-9).fit(data.X, data.y)
    return model.coef_, model.intercept_


def _svc(data: Data) -> Any:
    from sklearn.svm import LinearSVC

    model = LinearSVC(dual=False, tol=1e-8).fit(data.X, data.y)
    return model.coef_, model.intercept_


def _huber(data: Data) -> Any:
    from sklearn.linear_model import HuberRegressor

    model = HuberRegressor(tol=1e-8, max_iter=1000).fit(data.X, data.y)
    return model.coef_, model.intercept_, model.scale_


REFERENCES: dict[str, Callable[[Data], Any]] = {
    "logistic": _logistic("newton-cholesky"),
    "multinomial": _logistic("lbfgs"),
    "sparse_logistic": _logistic("lbfgs"),
    "logistic_l1": _l1,
    **dict.fromkeys(PATHS, _path),
    "poisson": _poisson,
    "linear_svc": _svc,
    "huber": _huber,
}


def reference(problem: Problem) -> float:
    """The objective of the reference's answer."""
    data = problem.data()
    return problem.objective(data, REFERENCES[problem.kind](data))
