"""A grid of ridge penalties over the folds of a cross-validation, from the moments of the folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from maas_engine import _core
from maas_engine.linear_model._folds import Array, BlockFolds, Folds, fold_numbers, rows_of, training_states
from maas_engine.linear_model._least_squares import Ridge

_Doubles = NDArray[np.float64]

# Squared errors come from moments as long as rounding moves them by at most this share.
_ROUNDING = 1e-10


def _r2(squared: _Doubles, _mean: _Doubles, spread: _Doubles, _rows: float) -> _Doubles:
    return 1 - squared / spread


def _explained_variance(squared: _Doubles, mean: _Doubles, spread: _Doubles, rows: float) -> _Doubles:
    return 1 - (squared - rows * mean**2) / spread


def _mse(squared: _Doubles, _mean: _Doubles, _spread: _Doubles, rows: float) -> _Doubles:
    return -squared / rows


def _rmse(squared: _Doubles, _mean: _Doubles, _spread: _Doubles, rows: float) -> _Doubles:
    return -np.sqrt(squared / rows)


# A score a target, averaged later, of the sums of squared residuals, their means (n_penalties, n_targets), the
# targets' sums of squares about the mean (n_targets,) and the number of rows.
_FROM_MOMENTS: dict[str, Callable[[_Doubles, _Doubles, _Doubles, float], _Doubles]] = {
    "r2": _r2,
    "explained_variance": _explained_variance,
    "neg_mean_squared_error": _mse,
    "neg_root_mean_squared_error": _rmse,
}


class PenaltyGrid:
    """Scores of every penalty on every fold.

    Parameters
    ----------
    X : float32 or float64, shape (n_samples, n_features)
    y : type of ``X``, shape (n_samples,) or (n_samples, n_targets)
    weights : shape (n_samples,), or None; scores use them where their scorer can
    penalties : not negative
    fit_intercept : bool
    scoring : name of a score, or None for R²
    scorer : callable(estimator, X, y) of the same score
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        weights: _Doubles | None,
        penalties: list[float],
        fit_intercept: bool,
        scoring: Any,
        scorer: Callable[..., Any],
    ) -> None:
        self.X, self.y, self.weights = X, y, weights
        self.targets = y if y.ndim == 2 else y[:, np.newaxis]
        self.penalties = penalties
        self.fit_intercept = fit_intercept
        name = "r2" if scoring is None else scoring
        self.formula = _FROM_MOMENTS.get(name) if isinstance(name, str) else None
        self.scorer = scorer
        self.weigh_scores = weights is None or _takes_weights(scorer)
        if not self.weigh_scores:
            warnings.warn(
                f"The scoring {scorer} does not support sample_weight, which may lead to statistically "
                "incorrect results: the weights count in the fits only.",
                UserWarning,
                stacklevel=5,
            )
        self.total: _core.GramState | None = None  # of all rows, once known

    def score(self, folds: Folds, numbers: NDArray[np.int32] | None = None) -> _Doubles:
        """Return the scores, shape (n_penalties, n_folds).

        ``numbers``: the fold of each row where the folds are known to be a partition.
        """
        if issparse(self.X):
            return np.column_stack([self._score_apart(train, test) for train, test in folds])
        if numbers is None:
            numbers = fold_numbers(folds, len(self.X))
        if numbers is None:
            return np.concatenate([self._score_split(train, test) for train, test in folds], axis=1)
        tested, trained = training_states(self.X, self.targets, self.weights, numbers, len(folds))
        if isinstance(folds, BlockFolds):
            test_rows = folds.sizes
        else:
            test_rows = np.bincount(numbers[numbers >= 0], minlength=len(folds))
        scores = self._score_folds(folds, tested, trained, len(self.X) - test_rows, test_rows)
        self.total = trained[0]
        self.total.merge(tested[0])
        return scores

    def _score_apart(self, train: Array, test: Array) -> _Doubles:
        """Score one fold of sparse rows: the penalties are the targets of one fit, and share what it can share."""
        rows, tested = np.asarray(train), rows_of(np.asarray(test))
        count, t = len(self.penalties), self.targets.shape[1]
        weights = None if self.weights is None else self.weights[rows]
        fit = Ridge(np.repeat(self.penalties, t), fit_intercept=self.fit_intercept)
        fit.fit(self.X[rows], np.tile(self.targets[rows], count), sample_weight=weights)
        coef = np.reshape(fit.coef_, (count, t, -1))
        intercept = np.broadcast_to(fit.intercept_, count * t).reshape(count, t)
        return np.array(
            [self._predict(self._model(coef[a], intercept[a]), tested) for a in range(count)], np.float64
        )

    def _score_split(self, train: Array, test: Array) -> _Doubles:
        """Score one fold of any shape: rows in neither side, or in both."""
        sides = []
        for rows in (test, train):
            taken = rows_of(np.asarray(rows))
            weights = None if self.weights is None else self.weights[taken]
            numbers = np.zeros(len(rows), dtype=np.int32)
            sides.append(_core.fold_gram_states(self.X[taken], self.targets[taken], weights, numbers, 1)[0])
        return self._score_folds([(train, test)], sides[:1], sides[1:], [len(train)], [len(test)])

    def _score_folds(
        self,
        folds: Folds,
        tested: list[_core.GramState],
        trained: list[_core.GramState],
        train_rows: Any,
        test_rows: Any,
    ) -> _Doubles:
        scores = np.empty((len(self.penalties), len(folds)))
        paths = _core.ridge_paths(trained, self.penalties, self.fit_intercept)
        for k, (coef, intercept, solved) in enumerate(paths):
            usable = np.array(solved) & bool(train_rows[k] >= self.X.shape[1])
            scores[:, k], known = self._from_moments(tested[k], coef, intercept, test_rows[k])
            for a in np.flatnonzero(~(usable & known)):
                fused = self._model(coef[a], intercept[a]) if usable[a] else None
                model = fused or self._refit(self.penalties[a], folds[k][0])
                scores[a, k] = self._predict(model, rows_of(np.asarray(folds[k][1])))
        return scores

    def _from_moments(
        self, state: _core.GramState, coef: _Doubles, intercept: _Doubles, rows: int
    ) -> tuple[_Doubles, NDArray[np.bool_]]:
        """Return the score of each penalty, and where it is as good as that of predictions."""
        unknown = np.zeros(len(coef)), np.zeros(len(coef), dtype=bool)
        if self.formula is None or rows < 2:
            return unknown
        spread = np.diagonal(state.centred())[state.features :]
        # Targets that are constant but for rounding have scores of their own.
        if not (spread > state.weight * (1e-14 * state.mean()[state.features :]) ** 2).all():
            return unknown
        squared, mean, rounding = state.errors(coef, intercept)
        scores = self.formula(squared, mean, spread, state.weight).mean(axis=1)
        known: NDArray[np.bool_] = np.all(rounding <= _ROUNDING * squared, axis=1)
        return scores, known

    def _predict(self, model: Ridge, rows: Any) -> float:
        """Score by predicting."""
        options = {}
        if self.weights is not None and self.weigh_scores:
            options["sample_weight"] = self.weights[rows]
        return float(self.scorer(model, self.X[rows], self.y[rows], **options))

    def _model(self, coef: _Doubles, intercept: _Doubles) -> Ridge:
        """Return a fitted Ridge of these coefficients."""
        model = Ridge(fit_intercept=self.fit_intercept)
        model.n_features_in_ = self.X.shape[1]
        model._set_coefficients(coef, intercept, self.X, self.y)
        return model

    def _refit(self, penalty: float, train: Array) -> Ridge:
        rows = rows_of(np.asarray(train))
        weights = None if self.weights is None else self.weights[rows]
        model = Ridge(penalty, fit_intercept=self.fit_intercept)
        return model.fit(self.X[rows], self.y[rows], sample_weight=weights)  # type: ignore[no-any-return]


def _takes_weights(scorer: Any) -> bool:
    if hasattr(scorer, "_accept_sample_weight"):
        return bool(scorer._accept_sample_weight())
    return "sample_weight" in signature(scorer).parameters
