"""scikit-learn as a user calls it."""

from __future__ import annotations

import warnings
from functools import partial
from types import SimpleNamespace as Data
from typing import Any

import numpy as np
from sklearn import linear_model, metrics, model_selection, svm
from sklearn.exceptions import ConvergenceWarning

from . import sklearn_training
from .adapter import Run, Setup, loosest
from .models import NETWORKS

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


def curve(module: Any, name: str) -> Setup:
    """The last array is the thresholds; the answer is the first."""

    def setup(data: Data) -> Run:
        function = getattr(module, name)
        return lambda: function(data.y, data.z)[0]

    return setup


def table(module: Any, name: str, **options: Any) -> Setup:
    def setup(data: Data) -> Run:
        function = getattr(module, name)
        return lambda: function(data.y, data.z, **options)["macro avg"]["f1-score"]

    return setup


def metric_cases(module: Any) -> dict[str, Setup]:
    """The metrics from a module with scikit-learn's names."""
    return {
        "accuracy": metric(module, "accuracy_score"),
        "confusion": metric(module, "confusion_matrix"),
        "f1": metric(module, "f1_score", average="macro"),
        "log_loss": metric(module, "log_loss"),
        "roc_auc": metric(module, "roc_auc_score"),
        "average_precision": metric(module, "average_precision_score"),
        "mse": metric(module, "mean_squared_error"),
        "r2": metric(module, "r2_score"),
        "balanced_accuracy": metric(module, "balanced_accuracy_score"),
        "matthews": metric(module, "matthews_corrcoef"),
        "kappa": metric(module, "cohen_kappa_score"),
        "jaccard": metric(module, "jaccard_score", average="macro"),
        "report": table(module, "classification_report", output_dict=True),
        "brier": metric(module, "brier_score_loss"),
        "roc_curve": curve(module, "roc_curve"),
        "precision_recall_curve": curve(module, "precision_recall_curve"),
        "roc_auc_ovr": metric(module, "roc_auc_score", multi_class="ovr"),
        "roc_auc_ovo": metric(module, "roc_auc_score", multi_class="ovo"),
        "top_k": metric(module, "top_k_accuracy_score", k=3),
        "median_ae": metric(module, "median_absolute_error"),
        "mape": metric(module, "mean_absolute_percentage_error"),
        "explained_variance": metric(module, "explained_variance_score"),
        "poisson_deviance": metric(module, "mean_poisson_deviance"),
        "gamma_deviance": metric(module, "mean_gamma_deviance"),
        "pinball": metric(module, "mean_pinball_loss", alpha=0.9),
    }


def logistic_l1(solver: str, library: Any) -> Setup:
    def setup(data: Data) -> Run:
        warnings.simplefilter("ignore", ConvergenceWarning)

        def run(tolerance: float) -> Any:
            model = library.LogisticRegression(
                l1_ratio=1, solver=solver, C=data.C, tol=tolerance, max_iter=1000
            ).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, run)

    return setup


def path(library: Any) -> Setup:
    """100 penalties, one after the other: Lasso or elastic net."""

    def setup(data: Data) -> Run:
        warnings.simplefilter("ignore", ConvergenceWarning)

        def run(tolerance: float) -> Any:
            return library.enet_path(
                data.X, data.y, alphas=data.alphas, l1_ratio=data.l1_ratio, tol=tolerance, max_iter=10_000
            )[1].T

        return loosest(data, run)

    return setup


def lasso_cv(make: Any) -> Setup:
    """100 penalties × 5 folds; the answer is the coefficients at the best."""
    return lambda data: lambda: make(cv=data.folds, alphas=100).fit(data.X, data.y).coef_


def logistic_cv(library: Any) -> Setup:
    """Mean validation scores of 10 penalties × 5 folds."""

    def setup(data: Data) -> Run:
        def run() -> Any:
            model = library.LogisticRegressionCV(
                Cs=data.Cs,
                cv=data.folds,
                scoring="neg_log_loss",
                l1_ratios=(0,),
                use_legacy_attributes=False,
                max_iter=1000,
            ).fit(data.X, data.y)
            return np.mean(model.scores_, axis=0)

        return run

    return setup


def ridge_grid(data: Data) -> Run:
    """20 penalties × 5 folds; the answer is the coefficients at the best."""

    def run() -> Any:
        search = model_selection.GridSearchCV(
            linear_model.Ridge(solver="cholesky"),
            {"alpha": data.alphas},
            scoring="neg_mean_squared_error",
            cv=data.folds,
        ).fit(data.X, data.y)
        return search.best_estimator_.coef_

    return run


def huber(library: Any) -> Setup:
    def setup(data: Data) -> Run:
        def run(tolerance: float) -> Any:
            model = library.HuberRegressor(tol=tolerance, max_iter=1000).fit(data.X, data.y)
            return model.coef_, model.intercept_, model.scale_

        return loosest(data, run)

    return setup


def poisson(library: Any, solver: str) -> Setup:
    def setup(data: Data) -> Run:
        def run(tolerance: float) -> Any:
            model = library.PoissonRegressor(
                alpha=data.alpha, solver=solver, tol=tolerance, max_iter=1000
            ).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, run)

    return setup


def linear_svc(make: Any) -> Setup:
    def setup(data: Data) -> Run:
        def run(tolerance: float) -> Any:
            model = make(dual=False, tol=tolerance, max_iter=10_000).fit(data.X, data.y)
            return model.coef_, model.intercept_

        return loosest(data, run)

    return setup


def other_fits(library: Any, svc: Any) -> dict[str, Setup]:
    """What both libraries have under the same names."""
    return {
        "lasso_path": path(library),
        "elastic_net_path": path(library),
        "lasso_cv": lasso_cv(library.LassoCV),
        "logistic_cv": logistic_cv(library),
        "linear_svc": linear_svc(svc),
        "huber": huber(library),
        "poisson:lbfgs": poisson(library, "lbfgs"),
        "poisson:newton-cholesky": poisson(library, "newton-cholesky"),
        "quantile": fit(lambda: library.QuantileRegressor(quantile=0.5, alpha=0.0)),
        "sparse_logistic:lbfgs": logistic("lbfgs", library),
    }


def fitted_network(data: Data) -> Any:
    """scikit-learn's model of these weights."""
    from sklearn import linear_model
    from sklearn.neural_network import MLPRegressor

    W, b = data.layers[0]
    rows, answers = data.X[:1].repeat(2, axis=0), np.array([0, 1])
    if data.last == "Sigmoid":
        model = linear_model.LogisticRegression().fit(rows + answers[:, None], answers)
        model.coef_, model.intercept_ = W.T, b
        return model
    if len(data.layers) == 1:
        model = linear_model.LinearRegression().fit(rows, answers)
        model.coef_, model.intercept_ = W[:, 0], b[0]
        return model
    hidden = tuple(len(b) for _, b in data.layers[:-1])
    targets = np.zeros((2, data.layers[-1][1].size), np.float32)
    model = MLPRegressor(hidden_layer_sizes=hidden, max_iter=1, batch_size=2)
    model.fit(rows, targets if targets.shape[1] > 1 else targets[:, 0])
    model.coefs_, model.intercepts_ = map(list, zip(*data.layers, strict=True))
    return model


def predict(data: Data) -> Run:
    model, X = fitted_network(data), data.X
    if data.last == "Sigmoid":
        return lambda: model.predict_proba(X)[:, 1]
    return lambda: model.predict(X)


def cases() -> dict[str, Setup]:
    return {
        "least_squares": fit(linear_model.LinearRegression),
        "least_squares:ridge": fit(lambda: linear_model.Ridge(alpha=1e-6, solver="cholesky")),
        "sgd_epoch": one_epoch(linear_model.SGDRegressor),
        "logistic:lbfgs": logistic("lbfgs", linear_model),
        "logistic:newton-cholesky": logistic("newton-cholesky", linear_model),
        "multinomial:lbfgs": logistic("lbfgs", linear_model),
        "sparse_logistic:liblinear": logistic("liblinear", linear_model),
        "sparse_logistic:saga": logistic("saga", linear_model),
        "logistic_l1:liblinear": logistic_l1("liblinear", linear_model),
        "logistic_l1:saga": logistic_l1("saga", linear_model),
        "ridge_cv": ridge_grid,
        **other_fits(linear_model, svm.LinearSVC),
        **metric_cases(metrics),
        **dict.fromkeys(NETWORKS, predict),
        **sklearn_training.cases(),
        "predict_pipeline": lambda data: partial(data.estimator.predict_proba, data.frame),
    }
