"""Linear models with scikit-learn's names, parameters and attributes, trained by the compiled engine."""

from __future__ import annotations

from maas_engine.linear_model._coordinate_descent import ElasticNet, Lasso
from maas_engine.linear_model._coordinate_descent_cv import ElasticNetCV, LassoCV
from maas_engine.linear_model._coordinate_descent_path import enet_path, lasso_path
from maas_engine.linear_model._huber import HuberRegressor
from maas_engine.linear_model._least_squares import LinearRegression, Ridge
from maas_engine.linear_model._linear_svc import LinearSVC
from maas_engine.linear_model._logistic import LogisticRegression
from maas_engine.linear_model._logistic_cv import LogisticRegressionCV
from maas_engine.linear_model._poisson import PoissonRegressor
from maas_engine.linear_model._quantile import QuantileRegressor
from maas_engine.linear_model._ridge_cv import RidgeCV
from maas_engine.linear_model._sgd import SGDClassifier, SGDRegressor

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDClassifier",
    "SGDRegressor",
    "enet_path",
    "lasso_path",
]
