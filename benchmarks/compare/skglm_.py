"""skglm: coordinate descent with working sets, compiled by numba."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

from skglm import SparseLogisticRegression

from .adapter import Run, Setup, loosest

LABEL = "skglm"


def logistic_l1(data: Data) -> Run:
    strength = 1 / data.C / data.X.shape[0]

    def fit(tolerance: float) -> Any:
        model = SparseLogisticRegression(alpha=strength, tol=tolerance, max_iter=100).fit(data.X, data.y)
        return model.coef_, model.intercept_

    return loosest(data, fit)


def cases() -> dict[str, Setup]:
    return {"logistic_l1": logistic_l1}
