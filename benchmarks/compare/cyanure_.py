"""Cyanure: incremental methods with Quasi-Newton acceleration."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

from cyanure.estimators import LogisticRegression

from .adapter import Run, Setup, loosest

LABEL = "cyanure"


def logistic(penalty: str) -> Setup:
    def setup(data: Data) -> Run:
        strength = 1 / getattr(data, "C", 1.0) / data.X.shape[0]

        def fit(tolerance: float) -> Any:
            model = LogisticRegression(
                penalty=penalty, lambda_1=strength, tol=tolerance, max_iter=500, verbose=False
            ).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, fit)

    return setup


def cases() -> dict[str, Setup]:
    return {"logistic": logistic("l2"), "logistic_l1": logistic("l1"), "sparse_logistic": logistic("l2")}
