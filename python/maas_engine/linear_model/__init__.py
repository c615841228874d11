"""Linear models with scikit-learn's names, parameters and attributes, trained by the compiled engine."""

from __future__ import annotations

from maas_engine.linear_model._least_squares import LinearRegression, Ridge
from maas_engine.linear_model._logistic import LogisticRegression
from maas_engine.linear_model._poisson import PoissonRegressor
from maas_engine.linear_model._sgd import SGDClassifier, SGDRegressor

__all__ = [
    "LinearRegression",
    "LogisticRegression",
    "PoissonRegressor",
    "Ridge",
    "SGDClassifier",
    "SGDRegressor",
]
