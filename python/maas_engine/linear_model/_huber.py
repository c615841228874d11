"""Linear regression that is robust to outliers."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval

from maas_engine import _core
from maas_engine.linear_model._base import (
    LinearRegressorMixin,
    check_features,
    check_regression_target,
    check_weights,
    csr_parts,
    scikit_learn_errors,
    warn_not_converged,
)


class HuberRegressor(LinearRegressorMixin, RegressorMixin, BaseEstimator):
    """Regression with Huber's loss and its scale, with scikit-learn's parameters and attributes.

    Minimises ``Σ_i s_i (sigma + H((y_i - x_i w - b) / sigma) sigma) + alpha |w|²`` over the weights ``w``, the
    intercept ``b``, which is not penalised, and the scale ``sigma``; ``H(z)`` is ``z²`` up to
    ``|z| = epsilon``, then ``2 epsilon |z| - epsilon²``.

    Parameters
    ----------
    epsilon : float >= 1, default=1.35
        Residuals beyond ``epsilon * sigma`` count linearly: the smaller, the more robust.
    max_iter : int, default=100
        Largest number of steps.
    alpha : float >= 0, default=0.0001
        Strength of the penalty on the sum of the losses.
    warm_start : bool, default=False
        Start from the coefficients of the last fit.
    fit_intercept : bool, default=True
    tol : float >= 0, default=1e-05
        Steps are Newton's: they stop where the next could lower the mean objective by about ``tol**4`` of the
        targets' mean size, and at best by 1e-16 of it.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,); the type of ``X``
    intercept_ : float
    scale_ : float
        sigma, in the units of ``y``.
    outliers_ : ndarray of bool, shape (n_samples,)
        Where the residual is beyond ``epsilon * scale_``.
    n_iter_ : int
        Steps taken; each reads the rows twice.
    n_features_in_, feature_names_in_

    Notes
    -----
    Rows are computed in float64 whatever the type of ``X``; memory grows with ``n_samples`` and
    ``n_features²``. The same bits for any number of threads, for C and F order, and for every SIMD target
    with FMA.

    References
    ----------
    A. B. Owen (2006), A robust hybrid of lasso and ridge regression.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "epsilon": [Interval(Real, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "fit_intercept": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        epsilon: float = 1.35,
        max_iter: int = 100,
        alpha: float = 0.0001,
        warm_start: bool = False,
        fit_intercept: bool = True,
        tol: float = 1e-05,
    ) -> None:
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> HuberRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse of float32 or float64, shape (n_samples, n_features), any layout
        y : array-like, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), or None
            A weight counts like that many repetitions of the row.

        Raises
        ------
        ValueError : bad shapes, NaN or infinity.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` was not enough.
        """
        self._validate_params()
        X = check_features(self, X, y=y, reset=True, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=False).astype(np.float64, copy=False)
        weights = check_weights(sample_weight, X)
        if weights is None:
            weights = np.ones(X.shape[0])
        start: list[float] = []
        if self.warm_start and getattr(self, "coef_", np.empty(0)).shape == (X.shape[1],):
            start = [*self.coef_.astype(np.float64).tolist(), float(self.intercept_)]
        epsilon, alpha, tol = float(self.epsilon), float(self.alpha), float(self.tol)
        intercept, steps = bool(self.fit_intercept), int(self.max_iter)
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            if issparse(X):
                parts = csr_parts(X)
                fitted = _core.sparse_huber_fit(
                    *parts, y, weights, epsilon, alpha, intercept, tol, steps, start
                )
            else:
                fitted = _core.huber_fit(X, y, weights, epsilon, alpha, intercept, tol, steps, start)
        coef, self.intercept_, self.scale_, self.outliers_, self.n_iter_, converged = fitted
        self.coef_ = coef.astype(X.dtype)
        if not converged:
            warn_not_converged(
                self,
                f"stopped after {self.n_iter_} steps (max_iter={self.max_iter}) before reaching "
                f"tol={self.tol}. Increase max_iter or scale the data.",
            )
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
