"""Ridge regression that chooses its penalty: exact leave-one-out, or folds from one pass over the rows."""

from __future__ import annotations

import numbers
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import check_scalar
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
from maas_engine.linear_model._folds import BlockFolds, Folds
from maas_engine.linear_model._least_squares import Ridge
from maas_engine.linear_model._ridge_folds import PenaltyGrid

_Doubles = NDArray[np.float64]

# Leave-one-out of sparse rows factors matrices of min(n_samples, n_features) rows, one a penalty.
_SPARSE_ORDER = 2048


class _Predictions(RegressorMixin, BaseEstimator):
    """What a scorer takes for a fitted regressor when the predictions are known."""

    def fit(self, X: Any, y: Any) -> _Predictions:
        return self

    def predict(self, X: Array) -> Array:
        return X


class RidgeCV(LinearRegressorMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Ridge regression with the penalty that scores best in cross-validation.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,) or float, default=(0.1, 1.0, 10.0)
        Penalties to try, in units of Σ w (y - X coef)² / ‖coef‖²; above zero (with ``cv`` also zero).
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        As in scikit-learn. None: the negative mean squared error for leave-one-out, R² for folds.
    cv : int, splitter, iterable of (train, test) or None, default=None
        None: exact leave-one-out, in two passes over the rows for all penalties. Otherwise every penalty is
        fitted to the training rows of every fold and scored on its test rows; where the test sets share no
        row all of them come from one pass (see the notes).
    gcv_mode : {'auto', 'svd', 'eigen'} or None, default=None
        How leave-one-out decomposes X: 'svd' by an orthogonal factorisation of the rows, the others by their
        Gram matrix, or the former where that would be too inaccurate.
    store_cv_results : bool, default=False
        Whether to keep ``cv_results_``; leave-one-out only.
    alpha_per_target : bool, default=False
        Whether each target chooses its own penalty; leave-one-out only.

    Attributes
    ----------
    alpha_ : float, or ndarray of shape (n_targets,) for ``alpha_per_target``
    best_score_ : float, or ndarray of shape (n_targets,)
    coef_ : ndarray, shape (n_features,) or (n_targets, n_features); type of X
    intercept_ : float, or ndarray of shape (n_targets,)
    cv_results_ : ndarray, shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        Squared leave-one-out errors, times the weight; with ``scoring`` leave-one-out predictions.
    n_features_in_, feature_names_in_ : as in scikit-learn

    Notes
    -----
    Leave-one-out: Golub, Heath & Wahba (1979), Generalized cross-validation. Weights count in the fits and, as
    in scikit-learn without metadata routing, in the scores whose scorer takes them. With folds the scores r2,
    explained_variance, neg_mean_squared_error and neg_root_mean_squared_error come from the moments of the
    test rows unless rounding could be seen (1e-10 relative), others from predictions.

    Sparse ``X`` (CSR; others are converted) is never made dense as a whole. Leave-one-out unpacks a block of
    rows at a time, takes as long as for dense rows, and is limited to 2048 rows or 2048 features; with ``cv``
    each fold is fitted by itself, as :class:`Ridge` fits sparse rows, and there is no limit.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "alphas": ["array-like", Interval(numbers.Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "store_cv_results": ["boolean"],
        "alpha_per_target": ["boolean"],
    }

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> RidgeCV:
        """Choose the penalty and fit the coefficients to all rows.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features), float32 or float64 of any layout (other types are
            converted), or sparse
        y : array-like, shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like, shape (n_samples,), a number, or None

        Raises
        ------
        ValueError : as scikit-learn's checks, NaN and infinity among them; leave-one-out of a sparse ``X`` with
            more than 2048 rows and features.
        """
        if self.cv is not None:
            for option in ("store_cv_results", "alpha_per_target"):
                if getattr(self, option):
                    raise ValueError(f"cv!=None and {option}=True are incompatible")
        penalties = self._check_penalties()
        scorer = check_scoring(estimator=self, scoring=self.scoring, allow_none=True)
        X = check_features(self, X, reset=True, y=y, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=True)
        weights = check_weights(sample_weight, X)
        with scikit_learn_errors(self, X=X, y=y, sample_weight=weights):
            if self.cv is None:
                self._leave_one_out(X, y, weights, penalties, None if self.scoring is None else scorer)
            else:
                self._folds(X, y, weights, penalties, scorer)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_penalties(self) -> list[float]:
        check = partial(
            check_scalar,
            target_type=numbers.Real,
            min_val=0.0,
            include_boundaries="neither" if self.cv is None else "left",
        )
        alphas = self.alphas
        if np.ndim(alphas) == 0:
            return [float(check(alphas, "alphas"))]
        if len(alphas) == 1:
            return [float(check(alphas[0], "alphas"))]
        return [float(check(alpha, f"alphas[{k}]")) for k, alpha in enumerate(alphas)]

    def _folds(
        self, X: Array, y: Array, weights: _Doubles | None, penalties: list[float], scorer: Any
    ) -> None:
        grid = PenaltyGrid(X, y, weights, penalties, self.fit_intercept, self.scoring, scorer)
        scores = grid.score(*_split(self.cv, X, y)).mean(axis=1)
        best = int(np.argmax(np.where(np.isnan(scores), -np.inf, scores)))
        self.alpha_ = penalties[best]
        self.best_score_ = float(scores[best])
        if grid.total is not None and X.shape[0] >= X.shape[1]:
            coef, intercept, *_, spectral = grid.total.solve(self.fit_intercept, [self.alpha_], 1e-15)
            if not spectral:
                Ridge._set_coefficients(self, coef, intercept, X, y)
                return
        self._refit(X, y, weights)

    def _refit(self, X: Array, y: Array, weights: _Doubles | None) -> None:
        model = Ridge(self.alpha_, fit_intercept=self.fit_intercept).fit(X, y, sample_weight=weights)
        self.coef_, self.intercept_ = model.coef_, model.intercept_

    def _leave_one_out(
        self, X: Array, y: Array, weights: _Doubles | None, penalties: list[float], scorer: Any
    ) -> None:
        targets = y if y.ndim == 2 else y[:, np.newaxis]
        n, t = targets.shape
        store = scorer is not None or self.store_cv_results
        options: tuple[Any, ...] = weights, self.fit_intercept, penalties, self.gcv_mode == "svd", store
        if issparse(X):
            if min(X.shape) > _SPARSE_ORDER:
                raise ValueError(
                    f"RidgeCV's leave-one-out takes a sparse X of at most {_SPARSE_ORDER} rows or "
                    f"{_SPARSE_ORDER} features, got {X.shape}: give cv, for example cv=5."
                )
            found = _core.sparse_leave_one_out(*csr_parts(X), targets, *options)
        else:
            found = _core.leave_one_out(X, targets, *options)
        squared, residuals, coef, intercept = found
        separate = self.alpha_per_target and t > 1
        if scorer is None:
            scores = -squared / n if separate else -squared.mean(axis=1) / n
        else:
            scores = self._score_predictions(targets, residuals, y, weights, scorer, separate)
        best = _first_best(scores)
        chosen = np.asarray(penalties)[best]
        self.alpha_ = chosen if separate else float(chosen)
        self.best_score_ = scores[best, np.arange(t)] if separate else float(scores[best])
        if self.store_cv_results:
            self._store(targets, residuals, y, weights, scorer)
        if coef is None or intercept is None:
            self._refit(X, y, weights)
        else:
            rows = (best, np.arange(t)) if separate else best
            Ridge._set_coefficients(self, coef[rows], intercept[rows], X, y)
        if y.ndim == 2 and t == 1:
            self.coef_ = self.coef_.ravel()

    def _score_predictions(
        self, targets: Array, residuals: Any, y: Array, weights: _Doubles | None, scorer: Any, separate: bool
    ) -> _Doubles:
        """Return the scores of leave-one-out predictions, (n_alphas,) or (n_alphas, n_targets)."""
        options = {} if weights is None else {"sample_weight": weights}
        scores = []
        for a in range(residuals.shape[2]):
            predictions = targets - residuals[:, :, a]
            if separate:
                columns = zip(predictions.T, y.T, strict=True)
                scores.append([scorer(_Predictions(), p, truth, **options) for p, truth in columns])
            else:
                scores.append(scorer(_Predictions(), predictions.reshape(y.shape), y, **options))
        return np.asarray(scores, dtype=np.float64)

    def _store(self, targets: Array, residuals: Any, y: Array, weights: _Doubles | None, scorer: Any) -> None:
        if scorer is not None:
            values = targets[:, :, np.newaxis] - residuals
        else:
            values = residuals**2
            if weights is not None:
                values *= weights[:, np.newaxis, np.newaxis]
        values = values.astype(targets.dtype, copy=False)
        self.cv_results_ = values[:, 0] if y.ndim == 1 else values


def _first_best(scores: _Doubles) -> Any:
    """Return the row of the first greatest score (of each column); the first row where all are NaN."""
    return np.argmax(np.where(np.isnan(scores), -np.inf, scores), axis=0)


def _split(cv: Any, X: Array, y: Array) -> tuple[Folds, NDArray[np.int32] | None]:
    """Return the folds, and each row's number where they are blocks of neighbours: writing down the indices of
    those takes longer than a pass over the rows."""
    from sklearn.model_selection import KFold, check_cv

    splitter = check_cv(cv, y, classifier=False)
    n_samples = X.shape[0]
    if type(splitter) is KFold and not splitter.shuffle and splitter.n_splits <= n_samples:
        blocks = BlockFolds(n_samples, splitter.n_splits)
        return blocks, blocks.numbers()
    return list(splitter.split(X, y)), None
