"""Least squares by descent: on the products of one pass over the rows, or a step a batch of rows."""

from __future__ import annotations

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval

from maas_engine import _core
from maas_engine.linear_model._base import Array, scikit_learn_errors, warn_not_converged
from maas_engine.linear_model._mini_batch import descend_by_batches, seed_of

ITERATIVE = ("gd", "adam", "lbfgs", "sgd")
DESCENT_CONSTRAINTS = {
    "max_iter": [Interval(Integral, 1, None, closed="left"), None],
    "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterov": ["boolean"],
    "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    "random_state": ["random_state"],
    "warm_start": ["boolean"],
}
# Of gradients of the mean loss. Adam's steps have the size of the coefficients, not of the gradient: no
# curvature to read one from. 'sgd' has not seen the rows before its first step, 'gd' has (0: its own choice).
_DEFAULT_RATES = {"adam": 0.1, "sgd": 0.01, "gd": 0.0, "lbfgs": 0.0}


class Descent(NamedTuple):
    """How the descent of one target went."""

    iterations: int
    status: str
    loss_curve: list[float]
    learning_rate: float


def _null_model(y: Array, weights: Array | None, fit_intercept: bool) -> tuple[float, float]:
    """Return the best intercept without coefficients and half the mean square it leaves.

    Sums by numpy, not BLAS: the same bits for any number of threads.
    """
    values = y.astype(np.float64)
    with np.errstate(all="ignore"):  # the engine names values that are not finite
        share = 1 / len(values) if weights is None else weights / weights.sum()
        mean = float((share * values).sum()) if fit_intercept else 0.0
        return mean, float((share * (values - mean) ** 2).sum()) / 2


class LeastSquaresDescent:
    """The iterative solvers of an estimator with least squares' parameters."""

    fit_intercept: bool
    solver: str
    tol: float
    max_iter: int | None
    learning_rate: float | None
    momentum: float
    nesterov: bool
    batch_size: int | None
    random_state: object
    warm_start: bool
    coef_: Array
    intercept_: Array | float

    def _set_coefficients(self, coef: Array, intercept: Array, X: Array, y: Array) -> None:
        coef = coef.astype(X.dtype, copy=False).reshape(-1, X.shape[1])
        intercept = intercept.astype(X.dtype, copy=False)
        self.coef_ = coef if y.ndim == 2 else coef[0]
        if not self.fit_intercept:
            self.intercept_ = 0.0
        else:
            self.intercept_ = intercept if y.ndim == 2 else intercept[0]

    def _descend(self, X: Array, y: Array, weights: Array | None, alpha: list[float]) -> None:
        """Fit by the iterative solvers; sets ``n_iter_`` and ``loss_curve_`` too."""
        targets = y if y.ndim == 2 else y[:, np.newaxis]
        by_batches = self.solver == "sgd" or (self.solver == "adam" and self.batch_size is not None)
        solve = self._by_batches if by_batches else self._by_products
        rate = float(self.learning_rate or _DEFAULT_RATES[self.solver])
        expected = X.shape[1:] if y.ndim == 1 else (y.shape[1], X.shape[1])
        warm = self.warm_start and getattr(self, "coef_", np.empty(0)).shape == expected
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            coef, intercept, descents = solve(X, targets, weights, alpha, rate, warm)
        # Weights that diverged in float64 may be out of a float32's range.
        largest = float(np.finfo(X.dtype).max)
        coef, intercept = np.clip(coef, -largest, largest), np.clip(intercept, -largest, largest)
        self._set_coefficients(coef, intercept, X, y)
        self.n_iter_ = max(1, *(descent.iterations for descent in descents))
        curves = [descent.loss_curve for descent in descents]
        self.loss_curve_ = curves[0] if y.ndim == 1 else curves
        self.solver_ = self.solver
        self._report(descents)

    def _by_products(
        self, X: Array, targets: Array, weights: Array | None, alpha: list[float], rate: float, warm: bool
    ) -> tuple[Array, Array, list[Descent]]:
        """Descend on XᵀX and Xᵀy, whose intercept is exact at any coefficients."""
        coef, intercept, results = _core.iterative_least_squares(
            X,
            targets,
            weights,
            self.fit_intercept,
            alpha,
            self.solver,
            rate,
            float(self.momentum),
            bool(self.nesterov),
            float(self.tol),
            self.max_iter or 1000,
            self.coef_.ravel().tolist() if warm else [],
        )
        return (
            coef,
            intercept,
            [Descent(n, status, curve.tolist(), used) for n, status, curve, used in results],
        )

    def _by_batches(
        self, X: Array, targets: Array, weights: Array | None, alpha: list[float], rate: float, warm: bool
    ) -> tuple[Array, Array, list[Descent]]:
        """Descend by batches, one target after another, all in the same order of the rows."""
        count, features = targets.shape[1], X.shape[1]
        penalties = alpha * count if len(alpha) == 1 else alpha
        row_weights = None if weights is None else weights.astype(X.dtype)
        seed = seed_of(self.random_state)
        coef, intercept, descents = np.zeros((count, features)), np.zeros(count), []
        if warm:
            coef[:] = self.coef_
            intercept[:] = self.intercept_
        for k in range(count):
            y = targets[:, k]
            mean, null = _null_model(y, weights, self.fit_intercept)
            if not warm and np.isfinite(mean):
                intercept[k] = mean
            # 1e-8 of the mean square: a constant target's spread is rounding, or nothing at all.
            scale = max(null, 1e-8 * mean * mean) or 1.0
            coef[k], intercept[k : k + 1], epochs, status, curve = descend_by_batches(
                X,
                y,
                row_weights,
                loss="squared",
                outputs=1,
                l2=penalties[k],
                fit_intercept=self.fit_intercept,
                solver=self.solver,
                learning_rate=rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                batch_size=self.batch_size,
                max_iter=self.max_iter or 1000,
                tol=self.tol * scale,
                random_state=seed,
                start=[*coef[k].tolist(), float(intercept[k])],
            )
            # Steps that grew, then shrank with the learning rate until it ran out, far from any optimum.
            if status == "converged" and curve[-1] > 2 * scale:
                status = "diverged"
            descents.append(Descent(epochs, status, curve, rate))
        return coef, intercept, descents

    def _report(self, descents: list[Descent]) -> None:
        for _, status, _, used in descents:
            if status == "diverged":
                warn_not_converged(
                    self,
                    f"diverged with learning_rate={used:g}; the last finite weights are kept. Lower "
                    "learning_rate, or scale the columns of X.",
                )
            elif status == "max_iter":
                warn_not_converged(
                    self,
                    f"stopped after {self.n_iter_} iterations (learning_rate={used:g}) without reaching "
                    f"tol={self.tol:g}. Raise max_iter, or scale the columns of X.",
                )
