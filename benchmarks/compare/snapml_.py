"""Snap ML (IBM): parallel dual coordinate descent."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import snapml

from .adapter import Run, Setup, loosest, threads_allowed

LABEL = "Snap ML"


def logistic(penalty: str) -> Setup:
    def setup(data: Data) -> Run:
        strength = 1 / getattr(data, "C", 1.0)

        def fit(tolerance: float) -> Any:
            model = snapml.LogisticRegression(
                max_iter=1000,
                regularizer=strength,
                penalty=penalty,
                dual=penalty == "l2",
                tol=tolerance,
                fit_intercept=True,
                n_jobs=threads_allowed(),
                random_state=0,
            ).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, fit)

    return setup


def cases() -> dict[str, Setup]:
    return {"logistic": logistic("l2"), "logistic_l1": logistic("l1"), "sparse_logistic": logistic("l2")}
