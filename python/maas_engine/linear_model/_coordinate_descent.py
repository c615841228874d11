"""Lasso and elastic net with scikit-learn's interface, solved by coordinate descent in the engine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.linear_model._base import (
    Array,
    LinearRegressorMixin,
    check_features,
    check_regression_target,
    check_weights,
    csr_parts,
    scikit_learn_errors,
)
from maas_engine.linear_model._folds import BlockFolds, Folds, fold_numbers
from maas_engine.linear_model._mini_batch import seed_of

_NOT_CONVERGED = (
    "Objective did not converge. You might want to increase the number of iterations, check the scale of the "
    "features or consider increasing regularisation."
)
_NO_L1 = (
    "\nLinear regression models with a zero l1 penalization strength are more efficiently fitted using one of "
    "the solvers implemented in sklearn.linear_model.Ridge/RidgeCV instead."
)


def two_dimensional(y: Array) -> Array:
    """Return targets of shape (n_samples, n_targets)."""
    return y[:, np.newaxis] if y.ndim == 1 else y


def fold_plan(
    folds: Folds, n_samples: int
) -> tuple[NDArray[np.int32] | None, int, list[tuple[Array, Array]]]:
    """Return the folds as the engine takes them: a number a row, or counts where folds overlap."""
    if not folds:
        return None, 0, []
    numbers = folds.numbers() if isinstance(folds, BlockFolds) else fold_numbers(folds, n_samples)
    if numbers is not None:
        return numbers, len(folds), []

    def counts(rows: Any) -> Array:
        rows = np.asarray(rows)
        if rows.dtype == bool:
            return np.asarray(rows, dtype=np.float64)
        return np.asarray(np.bincount(rows, minlength=n_samples), dtype=np.float64)

    return None, len(folds), [(counts(train), counts(test)) for train, test in folds]


def descent_data(
    estimator: Any, X: Any, y: Array, weights: Array | None, fit_intercept: bool, folds: Folds = ()
) -> _core.ElasticNetData:
    """Read the rows once into what every path over them, or over the training rows of folds, needs."""
    parts: tuple[Any, ...] = csr_parts(X) if sparse.issparse(X) else (X,)
    with scikit_learn_errors(estimator, X=X, y=y, sample_weight=weights):
        make: Any = _core.ElasticNetData  # its overloads cannot be told from unpacked parts
        data: _core.ElasticNetData = make(
            *parts, two_dimensional(y), weights, bool(fit_intercept), fold_plan(folds, X.shape[0])
        )
    return data


def descent_options(estimator: Any) -> tuple[bool, float, int, bool, int]:
    """Return what the engine takes of an estimator's parameters."""
    random = estimator.selection == "random"
    return (
        bool(estimator.positive),
        float(estimator.tol),
        int(1000 if estimator.max_iter is None else estimator.max_iter),
        random,
        seed_of(estimator.random_state) if random else 0,
    )


def warn_gaps(gaps: Array, converged: Sequence[bool], tol: float, l1: float = 1.0) -> None:
    """Warn in scikit-learn's words for each solve that used up its sweeps."""
    for gap, done in zip(gaps, converged, strict=True):
        if not done:
            message = f"{_NOT_CONVERGED} Duality gap: {gap:.6e}, tolerance: {tol:.3e}"
            if l1 < np.finfo(np.float64).eps:
                message += _NO_L1
            warnings.warn(message, ConvergenceWarning, stacklevel=4)


def check_gram(precompute: Any, X: Any, fit_intercept: bool) -> None:
    """Look at a Gram matrix the user passed: the engine forms its own, but a wrong one is refused.

    Raises
    ------
    ValueError : its shape, or one element compared, is not that of ``X.T @ X``.
    """
    if isinstance(precompute, (bool, np.bool_, str)) or precompute is None or sparse.issparse(X):
        return
    gram = np.asarray(precompute)
    d = X.shape[1]
    if gram.shape != (d, d):
        raise ValueError(f"expected precompute of shape {(d, d)}, got {gram.shape}")
    if fit_intercept and not np.allclose(np.mean(X, axis=0, dtype=np.float64), 0.0):
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix.",
            UserWarning,
            stacklevel=3,
        )


class ElasticNet(LinearRegressorMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares with an L1 and an L2 penalty.

    Minimises ``Σ s (y - X coef - intercept)² / (2 Σ s) + alpha l1_ratio |coef|₁ +
    alpha (1 - l1_ratio) |coef|² / 2``, for each target by itself.

    Parameters
    ----------
    alpha : float, default=1.0
        Not negative. 0 is ordinary least squares, for which ``LinearRegression`` is the better choice.
    l1_ratio : float in [0, 1], default=0.5
    fit_intercept : bool, default=True
    precompute : bool or array-like of shape (n_features, n_features), default=False
        Accepted for scikit-learn's sake: the engine itself chooses between products of all pairs of columns
        and working on the columns; a matrix of another shape is refused.
    max_iter : int or None, default=1000
        Most sweeps over the coefficients.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never written.
    tol : float, default=1e-4
        Of the duality gap relative to ``Σ s y²``, beyond which a fit that used up ``max_iter`` warns. The
        descent itself goes on until no coefficient moves the fitted values by more than about ``1e-8 tol``
        times ``|y|`` (within 1e-13 and 1e-10), so that the coefficients, too, are exact.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState or None, default=None
        Order of the coefficients for ``selection='random'``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Whether each sweep takes the coefficients in turn or in a new random order.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,), or (n_targets, n_features) for several targets; type of X
    sparse_coef_ : the same as a scipy CSR matrix of shape (n_targets, n_features)
    intercept_ : float, or ndarray of shape (n_targets,)
    n_iter_ : int, sweeps; a list, one a target, for several
    dual_gap_ : float or ndarray of shape (n_targets,), how far the objective can be from its minimum
    n_features_in_, feature_names_in_ : as in scikit-learn

    Notes
    -----
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via coordinate
    descent; Tibshirani et al. (2012), Strong rules for discarding predictors in lasso-type problems. Sparse
    ``X`` is centred implicitly; memory grows with its nonzeros.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 (scikit-learn's protocol)
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "precompute": ["boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int | None = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> ElasticNet:
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features), float32 or float64 (other types are
            converted)
        y : array-like, shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like, shape (n_samples,), a number, or None
        check_input : accepted for scikit-learn's sake; the checks cost no pass over the rows.

        Raises
        ------
        ValueError : as scikit-learn's checks, NaN and infinity among them.
        """
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=2,
            )
        X, y, weights = self._check(X, y, sample_weight)
        check_gram(self.precompute, X, self.fit_intercept)
        data = descent_data(self, X, y, weights, self.fit_intercept)
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            solutions = data.solve(
                [float(self.alpha)], float(self.l1_ratio), descent_options(self), self._start(X, y)
            )
        self._set_solutions(solutions, X, y)
        return self

    def _check(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        X = check_features(self, X, reset=True, y=y, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=True)
        return X, y, check_weights(sample_weight, X)

    def _start(self, X: Any, y: Array) -> list[float]:
        targets = two_dimensional(y).shape[1]
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return []
        if np.size(self.coef_) != targets * X.shape[1]:
            return []
        start: list[float] = np.asarray(self.coef_, dtype=np.float64).ravel().tolist()
        return start

    def _set_solutions(self, solutions: list[Any], X: Any, y: Array) -> None:
        coef = np.concatenate([solution[0] for solution in solutions]).astype(X.dtype, copy=False)
        intercept = np.concatenate([solution[1] for solution in solutions]).astype(X.dtype, copy=False)
        gap = np.concatenate([solution[2] for solution in solutions]).astype(X.dtype, copy=False)
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError(
                "Coordinate descent iterations resulted in non-finite parameter values. The input data may "
                "contain large values and need to be preprocessed."
            )
        sweeps = [solution[3][0] for solution in solutions]
        for solution in solutions:
            warn_gaps(solution[2], solution[4], self.tol, self.alpha * self.l1_ratio)
        one = len(solutions) == 1
        self.coef_ = coef[0] if one else coef
        if self.fit_intercept:
            self.intercept_ = float(intercept[0]) if y.ndim == 1 else intercept
        else:
            self.intercept_ = 0.0
        self.dual_gap_ = float(gap[0]) if one else gap
        self.n_iter_ = sweeps[0] if one else sweeps

    def _fit_folds(self, X: Any, y: Any, sample_weight: Any, folds: Folds) -> Any:
        """Return a fitted clone for the training rows of each fold, from shared passes over the rows."""
        if not folds or self.warm_start:
            return NotImplemented
        X, y, weights = clone(self)._check(X, y, sample_weight)
        data = descent_data(self, X, y, weights, self.fit_intercept, folds)
        alpha, l1_ratio = [float(self.alpha)], float(self.l1_ratio)
        solutions = data.solve_training(alpha, l1_ratio, descent_options(self))
        targets = len(solutions) // len(folds)
        fitted = []
        for k in range(len(folds)):
            estimator = clone(self)
            estimator._check(X[:1], y[:1], None)  # sets n_features_in_
            estimator._set_solutions(solutions[k * targets : (k + 1) * targets], X, y)
            fitted.append(estimator)
        return fitted

    @property
    def sparse_coef_(self) -> Any:
        """The coefficients as a scipy CSR matrix, shape (n_targets, n_features)."""
        return sparse.csr_matrix(np.atleast_2d(self.coef_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class Lasso(ElasticNet):
    """Least squares with an L1 penalty: minimises ``Σ s (y - X coef - intercept)² / (2 Σ s) + alpha |coef|₁``.

    Parameters and attributes are those of :class:`ElasticNet` with ``l1_ratio=1``.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 (scikit-learn's protocol)
        name: value for name, value in ElasticNet._parameter_constraints.items() if name != "l1_ratio"
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int | None = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        super().__init__(
            alpha=alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            precompute=precompute,
            max_iter=max_iter,
            copy_X=copy_X,
            tol=tol,
            warm_start=warm_start,
            positive=positive,
            random_state=random_state,
            selection=selection,
        )
