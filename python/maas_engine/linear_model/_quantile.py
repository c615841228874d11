"""Linear quantile regression with an L1 penalty, by an interior point method that reads the rows in passes."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions

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

_SOLVERS = {"highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex"}


class QuantileRegressor(LinearRegressorMixin, RegressorMixin, BaseEstimator):
    """Conditional quantiles by a linear model, with scikit-learn's parameters and attributes.

    Minimises ``Σ_i s_i pinball(y_i - x_i w - b) / Σ_i s_i + alpha |w|₁`` over the weights ``w`` and the
    intercept ``b``, which is not penalised; ``pinball(r)`` is ``quantile * r`` for ``r >= 0``, else
    ``(quantile - 1) * r``.

    Parameters
    ----------
    quantile : float in (0, 1), default=0.5
    alpha : float >= 0, default=1.0
        Strength of the L1 penalty on the mean loss.
    fit_intercept : bool, default=True
    solver : {'highs', 'highs-ds', 'highs-ipm', 'interior-point', 'revised simplex'}, default='highs'
        scikit-learn's names, all of which mean the engine's own interior point method.
    solver_options : dict or None, default=None
        Accepted so that scikit-learn's calls work; the method has no options.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,); the type of ``X``
        Weights that the penalty drives to nothing are exactly zero.
    intercept_ : float
    n_iter_ : int
        Steps taken; each reads the rows three times.
    n_features_in_, feature_names_in_

    Notes
    -----
    The objective ends within 1e-12, relative, of a lower bound from the dual problem. Where several weights
    attain it, those found are in the middle of them: a solver that walks along vertices finds others.
    Columns that depend on each other and differ in size by many powers of ten may keep it from that; a
    ``ConvergenceWarning`` says so in nearly all such cases. Scale the columns, or drop the dependent ones.

    The work of a step grows with ``n_samples * n_features²``, its memory with ``n_samples`` and
    ``n_features²``: neither the linear program nor a copy of ``X`` is ever formed. Rows are computed in
    float64 whatever the type of ``X``. The same bits for any number of threads, for C and F order, and for
    every SIMD target with FMA.

    References
    ----------
    S. Portnoy, R. Koenker (1997), The Gaussian hare and the Laplacian tortoise, Statistical Science 12(4).
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions(_SOLVERS)],
        "solver_options": [dict, None],
    }

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "highs",
        solver_options: dict[str, Any] | None = None,
    ) -> None:
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuantileRegressor:
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
        ConvergenceWarning : rounding kept the objective from its lower bound.
        """
        self._validate_params()
        X = check_features(self, X, y=y, reset=True, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=False).astype(np.float64, copy=False)
        weights = check_weights(sample_weight, X)
        if weights is None:
            weights = np.ones(X.shape[0])
        l1 = float(self.alpha) * float(weights.sum())
        options = (float(self.quantile), l1, bool(self.fit_intercept))
        values = X.data if issparse(X) else X
        with scikit_learn_errors(self, X=values, y=y):
            if issparse(X):
                fitted = _core.sparse_quantile_fit(*csr_parts(X), y, weights, *options)
            else:
                fitted = _core.quantile_fit(X, y, weights, *options)
        coef, intercept, self.n_iter_, converged = fitted
        self.coef_ = coef.astype(X.dtype)
        self.intercept_ = intercept
        if not converged:
            warn_not_converged(
                self,
                f"stopped after {self.n_iter_} steps short of the optimum; scale the data or drop columns.",
            )
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
