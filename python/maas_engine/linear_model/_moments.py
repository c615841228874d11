"""Least squares whose rows are not held together: folds of a cross-validation, and chunks of a stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context, clone
from sklearn.utils.metaestimators import available_if

from maas_engine import _core, errors
from maas_engine.linear_model._base import (
    Array,
    check_features,
    check_regression_target,
    check_weights,
    scikit_learn_errors,
)
from maas_engine.linear_model._folds import Folds, fold_numbers, rows_of, training_states

BY_MOMENTS = ("auto", "cholesky")  # the solvers that need no more of the rows


def _by_moments(estimator: Any) -> bool:
    return estimator.solver in BY_MOMENTS


class MomentsMixin:
    """``partial_fit`` and fused folds of an estimator with ``_check``, ``_penalties`` and ``_set_solution``."""

    solver: str
    fit_intercept: bool

    @available_if(_by_moments)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to the rows of this and all earlier calls; memory does not grow with their number.

        The coefficients after each call are those of all rows so far. Where ``fit`` on those rows solves the
        normal equations (``solver_`` is 'cholesky') they have its bits, however the rows were cut into calls;
        of float32 with 128 columns and more, which ``fit`` multiplies in float32 and refines, they agree to
        1e-6. Rows too ill-conditioned for that get the solution of minimum norm, without the directions whose
        singular values are below about 1e-7 of the largest. ``fit`` forgets earlier calls. Only for the
        solvers 'auto' and 'cholesky'.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features), in the type of the first call
        y : array-like, shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like, shape (n_samples,), a number, or None

        Raises
        ------
        ValueError : as ``fit``, another number of features or targets; the model is then as before.
        """
        stream = getattr(self, "_stream", None)
        X = check_features(self, X, reset=stream is None, y=y)
        y = check_regression_target(self, y, X, multi_output=True)
        weights = check_weights(sample_weight, X)
        targets = y if y.ndim == 2 else y[:, np.newaxis]
        if stream is None:
            kind = _core.GramStreamFloat if X.dtype == np.float32 else _core.GramStreamDouble
            stream = kind(X.shape[1], targets.shape[1])
        dtype = np.float32 if isinstance(stream, _core.GramStreamFloat) else np.float64
        X, targets = X.astype(dtype, copy=False), targets.astype(dtype, copy=False)
        if targets.shape[1] != stream.targets:
            raise ValueError(f"expected y of {stream.targets} targets as before, got {targets.shape[1]}")
        penalties = self._penalties(targets.shape[1])
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            stream.add(X, targets, weights)
        self._stream = stream
        self._set_solution(stream.state().solve(self.fit_intercept, *penalties), X, y)
        return self

    def _fit_folds(self, X: Any, y: Any, sample_weight: Any, folds: Folds) -> Any:
        """Return a fitted clone for the training rows of each fold from one pass, or NotImplemented."""
        if self.solver not in BY_MOMENTS or issparse(X):
            return NotImplemented
        checked = clone(self)
        X, y, weights = checked._check(X, y, sample_weight)
        numbers = fold_numbers(folds, len(X))
        if numbers is None or min(len(train) for train, _ in folds) < X.shape[1]:
            return NotImplemented
        penalties = checked._penalties(1 if y.ndim == 1 else y.shape[1])
        targets = y if y.ndim == 2 else y[:, np.newaxis]
        try:
            _, states = training_states(X, targets, weights, numbers, len(folds))
        except errors.NotFinite:
            return NotImplemented  # perhaps in rows that some folds do not train on
        fitted = []
        for (train, _), state in zip(folds, states, strict=True):
            model = clone(self)
            solution = state.solve(self.fit_intercept, *penalties) if state.weight > 0 else None
            if solution is None or solution[-1]:  # too ill-conditioned: needs the rows
                rows = rows_of(np.asarray(train))
                model.fit(X[rows], y[rows], None if weights is None else weights[rows])
            else:
                model._set_solution(solution, X, y)
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(checked, name):
                    setattr(model, name, getattr(checked, name))
            fitted.append(model)
        return fitted

    def _penalties(self, n_targets: int) -> tuple[list[float], float]:
        """Return the penalties, one or one a target, and the cutoff of singular values."""
        raise NotImplementedError

    def _check(self, X: Any, y: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
        raise NotImplementedError

    def _set_solution(self, solution: Any, X: Array, y: Array) -> None:
        """Set the fitted attributes from what ``_core.GramState.solve`` returns."""
        raise NotImplementedError
