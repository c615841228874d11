"""Lasso and elastic net with penalties chosen by cross-validation, all folds and paths from shared passes."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.model_selection import KFold, check_cv
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine.linear_model._base import (
    Array,
    LinearRegressorMixin,
    check_features,
    check_regression_target,
    check_weights,
)
from maas_engine.linear_model._coordinate_descent import (
    check_gram,
    descent_data,
    descent_options,
    warn_gaps,
)
from maas_engine.linear_model._coordinate_descent_path import alpha_grid, enet_path, lasso_path
from maas_engine.linear_model._folds import BlockFolds, Folds


class _PathCV(LinearRegressorMixin, RegressorMixin, BaseEstimator):
    """What both estimators do: paths on all folds, the best mean error, a fit on all rows."""

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 (scikit-learn's protocol)
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "array-like", "boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "copy_X": ["boolean"],
        "cv": ["cv_object"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }

    eps: float
    alphas: Any
    fit_intercept: bool
    precompute: Any
    max_iter: int
    tol: float
    cv: Any
    positive: bool
    random_state: Any
    selection: str

    def _ratios(self) -> list[float]:
        return [1.0]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """Choose the penalty by cross-validation and fit on all rows with it.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features), float32 or float64 (other types are
            converted)
        y : array-like, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), a number, or None; counts in fits and errors
        **params : passed to the splitter's ``split``, such as ``groups``

        Raises
        ------
        ValueError : as scikit-learn's checks, NaN and infinity among them.
        """
        X = check_features(self, X, reset=True, y=y, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=True)
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError(f"For multi-task outputs, use MultiTask{type(self).__name__}")
        y = column_or_1d(y, warn=True)
        weights = check_weights(sample_weight, X)
        check_gram(self.precompute, X, self.fit_intercept)
        folds = self._folds(X, y, params)
        data = descent_data(self, X, y, weights, self.fit_intercept, folds)
        ratios = self._ratios()
        grids = [self._grid(data, ratio) for ratio in ratios]
        options = descent_options(self)
        errors = data.errors([grid.tolist() for grid in grids], ratios, options)
        for _, gaps, converged in errors:
            warn_gaps(gaps, converged, self.tol)
        mse = np.reshape([mean_squares for mean_squares, _, _ in errors], (len(ratios), len(folds), -1))
        self.mse_path_ = np.squeeze(np.moveaxis(mse, 2, 1))
        means = mse.mean(axis=1)
        best = np.nanargmin(means.min(axis=1)) if np.isfinite(means).any() else 0
        self.alpha_ = grids[best][np.argmin(means[best])]
        self.alphas_ = np.asarray(grids) if len(ratios) > 1 and self._counts() else grids[0]
        self._best_ratio(ratios[best])
        solution = data.solve([float(self.alpha_)], ratios[best], options, [])[0]
        self._set_solution(solution, X)
        return self

    def _folds(self, X: Any, y: Array, params: dict[str, Any]) -> Folds:
        cv = check_cv(self.cv)
        if type(cv) is KFold and not cv.shuffle and cv.n_splits <= X.shape[0]:
            return BlockFolds(X.shape[0], cv.n_splits)
        return list(cv.split(X, y, **params))

    def _counts(self) -> bool:
        return isinstance(self.alphas, Integral)

    def _grid(self, data: Any, ratio: float) -> Array:
        if self._counts():
            return alpha_grid(data, ratio, self.eps, int(self.alphas), self.positive)
        for index, alpha in enumerate(self.alphas):
            check_scalar(alpha, f"alphas[{index}]", Real, min_val=0.0, include_boundaries="left")
        return np.sort(np.asarray(self.alphas, dtype=np.float64))[::-1]

    def _best_ratio(self, ratio: float) -> None:
        """Keep the chosen l1_ratio where it was a choice."""

    def _set_solution(self, solution: Any, X: Any) -> None:
        coef, intercept, gap, sweeps, converged = solution
        warn_gaps(gap, converged, self.tol)
        self.coef_ = coef[0].astype(X.dtype, copy=False)
        self.intercept_ = float(X.dtype.type(intercept[0])) if self.fit_intercept else 0.0
        self.dual_gap_ = float(gap[0])
        self.n_iter_ = sweeps[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


_DOC = """{summary}

    Every fold's rows are read once; all paths (fold by l1_ratio) run in parallel, each from one penalty to the
    next. The error of a fold is the (weighted) mean square on the rows left out; the penalty of the least mean
    over the folds is chosen, the larger of two equal ones.

    Parameters
    ----------
    eps : float, default=1e-3
        Least penalty of the path over the largest.
    alphas : int or array-like, default=100
        How many penalties to try, from the least that gives zero down, or the penalties themselves.
    cv : None, int, splitter or iterable of (train, test)
        None: 5 folds.
    n_jobs, verbose, copy_X, precompute
        Accepted for scikit-learn's sake; ``maas_engine.set_num_threads`` decides on threads.
    fit_intercept, max_iter, tol, positive, random_state, selection
        As in :class:`ElasticNet`.{extra}

    Attributes
    ----------
    alpha_ : float, the chosen penalty
    alphas_ : ndarray, shape (n_alphas,), descending{alphas}
    mse_path_ : ndarray, shape (n_alphas, n_folds){mse}
    coef_, intercept_, dual_gap_, n_iter_ : of the fit on all rows, as in :class:`ElasticNet`
    n_features_in_, feature_names_in_ : as in scikit-learn
    """


class LassoCV(_PathCV):
    __doc__ = _DOC.format(
        summary="Lasso with ``alpha`` chosen by cross-validation.", extra="", alphas="", mse=""
    )

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection


class ElasticNetCV(_PathCV):
    __doc__ = _DOC.format(
        summary="Elastic net with ``alpha`` and ``l1_ratio`` chosen by cross-validation.",
        extra="\n    l1_ratio : float or array-like in [0, 1], default=0.5\n        The ratios to try.",
        alphas="; with\n        several ratios and a number of penalties (n_l1_ratio, n_alphas)",
        mse="; with\n        several ratios (n_l1_ratio, n_alphas, n_folds)\n"
        "    l1_ratio_ : float, the chosen ratio",
    )

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 (scikit-learn's protocol)
        **_PathCV._parameter_constraints,
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
    }

    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        copy_X: bool = True,
        verbose: bool | int = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def _ratios(self) -> list[float]:
        return [float(ratio) for ratio in np.atleast_1d(self.l1_ratio)]

    def _best_ratio(self, ratio: float) -> None:
        self.l1_ratio_ = ratio
