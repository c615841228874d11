"""Poisson regression: counts with a log link, by full passes over the rows."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._base import (
    Array,
    LinearMixin,
    check_features,
    check_regression_target,
    check_weights,
    scikit_learn_errors,
    warn_not_converged,
)
from maas_engine.linear_model._export import Roles, write_regressor
from maas_engine.linear_model._sparse import fit_sparse_rows


class PoissonRegressor(LinearMixin, RegressorMixin, BaseEstimator):
    """Generalised linear model of counts with scikit-learn's parameters and attributes.

    Minimises ``Σ_i s_i deviance(y_i, exp(x_i w + b)) / (2 Σ_i s_i) + alpha / 2 |w|²`` over the weights ``w``
    and the intercept ``b``, which is not penalised.

    Parameters
    ----------
    alpha : float >= 0, default=1.0
        Strength of the penalty on the mean deviance.
    fit_intercept : bool, default=True
    solver : {'lbfgs', 'newton-cholesky'}, default='lbfgs'
        'lbfgs' starts from a sample of the rows and its second derivative; 'newton-cholesky' takes the
        second derivative of all rows at each step. Both find the same optimum.
    max_iter : int, default=100
        Largest number of steps.
    tol : float, default=1e-4
        Stop when the step left would move the margins ``x_i w + b`` by about ``tol**2`` (root mean square,
        weighted by the expected counts).
    warm_start : bool, default=False
        Start from the coefficients of the last fit.
    verbose : int
        Accepted so that scikit-learn's calls work; the engine prints nothing.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,); the type of ``X``
    intercept_ : float
    n_iter_ : int
        Steps taken.
    n_features_in_, feature_names_in_

    Notes
    -----
    The same bits for any number of threads, for C and F order, and for every SIMD target with FMA.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"lbfgs", "newton-cholesky"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "lbfgs",
        max_iter: int = 100,
        tol: float = 1e-4,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> PoissonRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse of float32 or float64, shape (n_samples, n_features), any layout
        y : array-like, shape (n_samples,), not negative
        sample_weight : array-like, shape (n_samples,), or None
            A weight counts like that many repetitions of the row.

        Raises
        ------
        ValueError : bad shapes, NaN or infinity, a target below zero.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` was not enough.
        """
        self._validate_params()
        X = check_features(self, X, y=y, reset=True, accept_sparse=True)
        y = _check_counts(check_regression_target(self, y, X, multi_output=False))
        weights = check_weights(sample_weight, X)
        if weights is not None:
            weights = weights.astype(X.dtype, copy=False)
        start: list[float] = []
        if self.warm_start and getattr(self, "coef_", np.empty(0)).shape == (X.shape[1],):
            start = [*self.coef_.astype(np.float64).tolist(), float(self.intercept_)]
        alpha = float(self.alpha) * (
            float(X.shape[0]) if weights is None else float(weights.sum(dtype=np.float64))
        )
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            if issparse(X):
                fitted = fit_sparse_rows(
                    X,
                    y,
                    weights,
                    loss="poisson",
                    outputs=1,
                    l2=alpha,
                    fit_intercept=self.fit_intercept,
                    solver=self.solver,
                    tol=self.tol,
                    max_iter=self.max_iter,
                    start=start,
                )
            else:
                fitted = _core.linear_fit(
                    X, y, weights, "poisson", 1, bool(self.fit_intercept), alpha, self.solver,
                    float(self.tol), int(self.max_iter), 0.1, 0.0, False, start,
                )  # fmt: skip
        coef, intercept, steps, status, _ = fitted
        self.coef_ = coef[0].astype(X.dtype)
        self.intercept_ = float(intercept[0])
        self.n_iter_ = int(steps)
        if status == "diverged":
            warn_not_converged(self, f"{self.solver} met values out of range; scale the data.")
        elif status == "max_iter":
            warn_not_converged(
                self,
                f"{self.solver} stopped after {self.n_iter_} steps (max_iter={self.max_iter}) before reaching "
                f"tol={self.tol}. Increase max_iter or scale the data.",
            )
        return self

    def predict(self, X: Any) -> Array:
        """Return the expected count of each row, shape (n_samples,)."""
        means: Array = _core.exponentials(self._scores(X))
        return means

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        return write_regressor(builder, x, self.coef_, self.intercept_, link="Exp")

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return D², the share of the deviance of the best constant that the model explains.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
        y : array-like, shape (n_samples,), not negative
        sample_weight : array-like, shape (n_samples,), or None

        Returns
        -------
        float, at most 1; 0 for the mean of ``y``, negative for worse
        """
        margins = self._scores(X).astype(np.float64)
        counts = _check_counts(check_regression_target(self, y, margins, multi_output=False))
        weights = check_weights(sample_weight, margins)
        mean = np.average(counts, weights=weights)
        log_mean = np.full_like(counts, np.log(mean) if mean > 0 else 0.0)
        logs = np.log(np.where(counts > 0, counts, 1.0))

        def deviance(margin: Array) -> float:
            expected = _core.exponentials(margin) if margin is margins else np.full_like(counts, mean)
            return float(np.average(counts * (logs - margin) - counts + expected, weights=weights))

        return 1.0 - deviance(margins) / deviance(log_mean)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.positive_only = True
        return tags


def _check_counts(y: Array) -> Array:
    """Return ``y`` after refusing NaN, infinity and values below zero."""
    if len(y) and not y.min() >= 0:
        assert_all_finite(y, input_name="y")
        raise ValueError("Some value(s) of y are out of the valid range of the loss 'HalfPoissonLoss'.")
    return y
