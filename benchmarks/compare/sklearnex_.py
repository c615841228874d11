"""Intel's scikit-learn-intelex (oneDAL)."""

from __future__ import annotations

from sklearnex import linear_model

from .adapter import Setup
from .sklearn_ import fit, logistic

LABEL = "scikit-learn-intelex"


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(linear_model.LinearRegression),
        "least_squares:ridge": fit(lambda: linear_model.Ridge(alpha=1e-6)),
        "logistic:lbfgs": logistic("lbfgs", linear_model),
        "multinomial:lbfgs": logistic("lbfgs", linear_model),
    }
