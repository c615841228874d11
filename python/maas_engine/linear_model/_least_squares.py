"""Ordinary and ridge least squares with scikit-learn's interface, solved from one pass over the rows."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.linear_model._base import (
    Array,
    LinearRegressorMixin,
    check_features,
    check_regression_target,
    check_weights,
    scikit_learn_errors,
)
from maas_engine.linear_model._iterative_least_squares import (
    DESCENT_CONSTRAINTS,
    ITERATIVE,
    LeastSquaresDescent,
)
from maas_engine.linear_model._moments import BY_MOMENTS, MomentsMixin
from maas_engine.linear_model._sparse import fit_sparse_least_squares

_DIRECT = ("auto", "cholesky", "svd")
_SPARSE = BY_MOMENTS  # the solvers that take sparse rows
# An unpenalised ridge is ordinary least squares; scikit-learn's svd solver drops nothing but rounding.
_RIDGE_CUTOFF = 1e-15
_NOT_OURS = ("lsqr", "sparse_cg", "sag", "saga")


def _warn_dropped(singular: Array, rank: int, X: Array, tol: float) -> None:
    """Warn where ``tol`` dropped directions that rounding of the data cannot explain."""
    rounding = 10 * np.finfo(X.dtype).eps * max(X.shape)
    if rank < len(singular) and singular[rank] > rounding * singular[0]:
        warnings.warn(
            f"X has singular values of {singular[rank] / singular[0]:.1e} times the largest and less, which "
            f"tol={tol:g} counts as zero: the coefficients are those of a rank-{rank} approximation. Scale "
            f"the columns of X, or lower tol to keep them.",
            np.exceptions.RankWarning,
            stacklevel=4,
        )


class _LeastSquares(
    MomentsMixin, LeastSquaresDescent, LinearRegressorMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Checks, the call into the engine and the fitted attributes that both estimators share."""

    positive: bool

    def _refuse_positive(self) -> None:
        if self.positive:
            raise ValueError(
                f"{type(self).__name__}(positive=True) is not supported: expected positive=False. "
                "Use sklearn.linear_model for coefficients that must not be negative."
            )

    def _check(self, X: Any, y: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
        self._refuse_positive()
        self.__dict__.pop("_stream", None)  # of partial_fit
        X = check_features(self, X, reset=True, y=y, accept_sparse=self.solver in _SPARSE)
        y = check_regression_target(self, y, X, multi_output=True)
        return X, y, check_weights(sample_weight, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver in _SPARSE
        return tags

    def _solve_sparse(
        self, X: Any, y: Array, weights: Array | None, alpha: list[float], cutoff: float
    ) -> None:
        for of_dense_rows in ("rank_", "_spectrum"):
            self.__dict__.pop(of_dense_rows, None)
        coef, intercept = fit_sparse_least_squares(self, X, y, weights, alpha, cutoff)
        self._set_coefficients(coef, intercept, X, y)

    def _solve(
        self, X: Array, y: Array, weights: Array | None, alpha: list[float], cutoff: float
    ) -> tuple[int, Array, Array, bool]:
        """Fit and return (rank, singular values or empty, triangular factor or empty, orthogonal)."""
        targets = y if y.ndim == 2 else y[:, np.newaxis]
        orthogonal = self.solver == "svd"
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            coef, intercept, rank, singular, factor, orthogonal = _core.least_squares(
                X, targets, weights, self.fit_intercept, alpha, cutoff, orthogonal
            )
        self._set_coefficients(coef, intercept, X, y)
        return rank, singular, factor, orthogonal


class LinearRegression(_LeastSquares):
    """Ordinary least squares: the coefficients that minimise Σ w (y - X coef - intercept)².

    Parameters
    ----------
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never copied whole and never written.
    tol : float, default=1e-6
        Singular values up to ``tol`` times the largest count as zero, as in scikit-learn (the ``cond`` of
        ``scipy.linalg.lstsq``). Dropping one that rounding cannot explain gives a ``RankWarning``.
    n_jobs : None or int
        Accepted for scikit-learn's sake: ``maas_engine.set_num_threads`` decides.
    positive : bool, default=False
        Only False is supported.
    solver : {'auto', 'cholesky', 'svd', 'gd', 'adam', 'lbfgs', 'sgd'}, default='auto'
        'auto' and 'cholesky': one pass and the normal equations where the condition number of X (columns
        scaled) is at most 1e4, else a blocked QR of the rows, and the SVD where the rank is in doubt. 'svd':
        always QR of the rows. 'gd', 'adam', 'lbfgs': full-batch descent on the products of one pass; for these
        ``tol`` is relative to the gradient at zero ('lbfgs': its square to the loss at zero). 'sgd', and
        'adam' with a ``batch_size``: one step a batch of rows in a random order, ``learning_rate`` divided by
        5 each time five epochs lower the objective by less than ``tol`` times that of no coefficients.
    max_iter : int or None
        Most iterations, for steps by batches epochs, of the iterative solvers; None: 1000.
    learning_rate : float or None, default=None
        Of 'gd', 'adam' and 'sgd', on the gradient of half the mean square. None: 'gd' takes the inverse of
        the largest curvature, 'adam' 0.1, 'sgd' 0.01 (for columns of about unit deviation).
    momentum : float in [0, 1), default=0.9
        Of 'gd' and 'sgd'.
    nesterov : bool, default=True
        Whether the momentum of 'gd' and 'sgd' looks ahead.
    batch_size : int or None, default=None
        Rows a step of 'sgd' (None: 32) and 'adam' (None: all).
    random_state : int, RandomState or None, default=None
        Order of the rows for steps by batches.
    warm_start : bool, default=False
        Whether the iterative solvers start from the coefficients of the last fit.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,), or (n_targets, n_features) for y of two dimensions; type of X
    intercept_ : float, or ndarray of shape (n_targets,)
    rank_ : int, rank of the centred X by ``tol``
    singular_ : ndarray, shape (min(n_samples, n_features),), singular values of the centred X, descending;
        computed when first read if the fit did not need them
    n_iter_ : int, iterations of the solver; 1 for direct ones
    loss_curve_ : list of float (for y of two dimensions a list a target), half the mean square before each
        iteration, for steps by batches over each epoch; iterative solvers only
    solver_ : str, the way taken
    n_features_in_, feature_names_in_ : as in scikit-learn

    Notes
    -----
    Sparse ``X`` (CSR; others are converted) is never made dense: the normal equations for up to 512 columns,
    conjugate gradients beyond and where those are too ill-conditioned. Other solvers refuse it, and ``rank_``
    and ``singular_`` are not set.

    Normal equations: Golub & Van Loan, Matrix Computations, 5.3; minimum norm by the SVD: 5.5.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
        "solver": [StrOptions({*_DIRECT, *ITERATIVE})],
        **DESCENT_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: str = "auto",
        max_iter: int | None = None,
        learning_rate: float | None = None,
        momentum: float = 0.9,
        nesterov: bool = True,
        batch_size: int | None = None,
        random_state: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive
        self.solver = solver
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size
        self.random_state = random_state
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features), float32 or float64 of any layout, or sparse
            (other types are converted)
        y : array-like, shape (n_samples,) or (n_samples, n_targets), in units of your choice
        sample_weight : array-like, shape (n_samples,), or None

        Raises
        ------
        ValueError : as scikit-learn's checks, NaN and infinity among them.
        """
        X, y, weights = self._check(X, y, sample_weight)
        if issparse(X):
            self._solve_sparse(X, y, weights, [0.0], float(self.tol))
            return self
        if self.solver in ITERATIVE:
            self._descend(X, y, weights, [0.0])
            return self
        self._set_spectrum(X, *self._solve(X, y, weights, [0.0], float(self.tol)))
        return self

    def _set_spectrum(self, X: Array, rank: int, singular: Array, factor: Array, orthogonal: bool) -> None:
        self.rank_ = rank
        self._spectrum = (singular, factor)
        self.solver_ = "svd" if orthogonal else "cholesky"
        self.n_iter_ = 1
        if len(singular):
            _warn_dropped(singular, rank, X, self.tol)

    def _penalties(self, n_targets: int) -> tuple[list[float], float]:
        self._refuse_positive()
        return [0.0], float(self.tol)

    def _set_solution(self, solution: Any, X: Array, y: Array) -> None:
        coef, intercept, *spectrum = solution
        self._set_coefficients(coef, intercept, X, y)
        self._set_spectrum(X, *spectrum)

    @property
    def singular_(self) -> Array:
        """Singular values of the centred, weighted X, descending."""
        try:
            singular, factor = self._spectrum
        except AttributeError:
            raise AttributeError("singular_ exists after fit by a direct solver") from None
        if not len(singular):
            size = math.isqrt(factor.size)
            singular = _core.singular_values(factor.reshape(size, size))
            self._spectrum = (singular, factor[:0])
        return singular.astype(self.coef_.dtype, copy=False)


class Ridge(_LeastSquares):
    """Least squares with an L2 penalty: minimises Σ w (y - X coef - intercept)² + alpha ‖coef‖².

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Not negative; the intercept is not penalised.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never copied whole and never written.
    max_iter, tol
        Of the iterative solvers, as in :class:`LinearRegression`.
    solver : {'auto', 'cholesky', 'svd', 'gd', 'adam', 'lbfgs', 'sgd'}, default='auto'
        As in :class:`LinearRegression`. scikit-learn's other solvers are refused.
    positive : bool, default=False
        Only False is supported.
    random_state, learning_rate, momentum, nesterov, batch_size, warm_start
        Of the iterative solvers, as in :class:`LinearRegression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,), or (n_targets, n_features) for y of two dimensions; type of X
    intercept_ : float, or ndarray of shape (n_targets,)
    n_iter_ : int, iterations of the solver; 1 for direct ones
    loss_curve_ : as in :class:`LinearRegression`, the penalty over Σ w added
    solver_ : str, the way taken
    n_features_in_, feature_names_in_ : as in scikit-learn

    Notes
    -----
    Sparse ``X`` as in :class:`LinearRegression`.

    Hoerl & Kennard (1970), Ridge regression.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions({*_DIRECT, *ITERATIVE, *_NOT_OURS})],
        "positive": ["boolean"],
        **DESCENT_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        learning_rate: float | None = None,
        momentum: float = 0.9,
        nesterov: bool = True,
        batch_size: int | None = None,
        warm_start: bool = False,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features), float32 or float64 of any layout, or sparse
            (other types are converted)
        y : array-like, shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like, shape (n_samples,), a number, or None

        Raises
        ------
        ValueError : as scikit-learn's checks, NaN and infinity among them; a solver we do not have.
        """
        if self.solver in _NOT_OURS:
            raise ValueError(
                f"Ridge expected solver to be one of {', '.join(_DIRECT + ITERATIVE)}, got "
                f"{self.solver!r}: 'auto' reaches the same solution without iterations."
            )
        X, y, weights = self._check(X, y, sample_weight)
        alpha = self._check_alpha(1 if y.ndim == 1 else y.shape[1])
        if issparse(X):
            self._solve_sparse(X, y, weights, alpha, _RIDGE_CUTOFF)
            return self
        if self.solver in ITERATIVE:
            self._descend(X, y, weights, alpha)
            return self
        _, _, _, orthogonal = self._solve(X, y, weights, alpha, _RIDGE_CUTOFF)
        self.solver_ = "svd" if orthogonal else "cholesky"
        self.n_iter_ = 1
        return self

    def _penalties(self, n_targets: int) -> tuple[list[float], float]:
        self._refuse_positive()
        return self._check_alpha(n_targets), _RIDGE_CUTOFF

    def _set_solution(self, solution: Any, X: Array, y: Array) -> None:
        coef, intercept, *_, orthogonal = solution
        self._set_coefficients(coef, intercept, X, y)
        self.solver_ = "svd" if orthogonal else "cholesky"
        self.n_iter_ = 1

    def _check_alpha(self, n_targets: int) -> list[float]:
        alpha = np.asarray(self.alpha, dtype=np.float64).ravel()
        if alpha.size not in (1, n_targets):
            raise ValueError(
                f"Number of targets and number of penalties do not correspond: {alpha.size} != {n_targets}"
            )
        if not np.all(np.isfinite(alpha)) or np.any(alpha < 0):
            raise ValueError(f"Ridge expected alpha to be finite and not negative, got {self.alpha!r}")
        return [float(a) for a in alpha]
