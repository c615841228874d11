"""What SGDClassifier and SGDRegressor share: parameters, epochs and weights, whatever the target."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.linear_model._base import csr_parts, scikit_learn_errors, warn_not_converged
from maas_engine.linear_model._mini_batch import seed_of

Array = NDArray[Any]
Weights = NDArray[np.float64]


class BaseSGD(BaseEstimator):
    """Runs epochs in the engine.

    Weights travel as one float64 array of shape (n_tasks, n_features + 1), the last column the intercept.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [StrOptions({"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"})],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, None, None, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
    }
    _classifies = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_combinations(self, *, partial: bool = False) -> None:
        """Refuse parameters that are valid alone but not together."""
        if self.early_stopping and partial:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used to compute the optimal "
                "learning rate."
            )
        if self.learning_rate in ("pa1", "pa2"):
            loss = "hinge" if self._classifies else "epsilon_insensitive"
            if self.loss != loss:
                raise ValueError(f"Learning rate '{self.learning_rate}' only works with loss '{loss}'.")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")
        if self.power_t < 0:
            warnings.warn(
                "Negative values for `power_t` are deprecated in version 1.8 and will raise an error in "
                "1.10. Use values in the range [0.0, inf) instead.",
                FutureWarning,
                stacklevel=3,
            )

    def _options(self, seed: int, max_iter: int) -> dict[str, Any]:
        l1_ratios = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}
        return {
            "loss": self.loss,
            "epsilon": self.epsilon,
            "alpha": self.alpha,
            "penalty_alpha": 0.0 if self.penalty is None else self.alpha,
            "l1_ratio": l1_ratios[self.penalty],
            "fit_intercept": self.fit_intercept,
            "learning_rate": self.learning_rate,
            "eta0": self.eta0,
            "power_t": self.power_t,
            "average": float(self.average),
            "max_iter": max_iter,
            "tol": -np.inf if self.tol is None else self.tol,
            "n_iter_no_change": self.n_iter_no_change,
            "shuffle": self.shuffle,
            "seed": seed,
            "classifies": self._classifies,
        }

    def _split(
        self, y: Array, sample_weight: Weights | None, seed: int
    ) -> tuple[NDArray[np.uint32] | None, NDArray[np.uint32] | None]:
        """Return the rows to learn from and those that decide when to stop, or None and None."""
        if not self.early_stopping:
            return None, None
        splitter = (StratifiedShuffleSplit if self._classifies else ShuffleSplit)(
            test_size=self.validation_fraction, random_state=seed % 2**32
        )
        train, validation = next(splitter.split(np.zeros((len(y), 1)), y))
        if sample_weight is not None and not np.any(sample_weight[validation]):
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a different random state."
            )
        # In the rows' own order: shuffling is the engine's, and shuffle=False must mean what it says.
        return np.sort(train).astype(np.uint32), np.sort(validation).astype(np.uint32)

    def _learn(
        self,
        X: Any,
        y: Weights,
        sample_weight: Weights | None,
        class_weights: list[tuple[float, float]],
        weights: Weights,
        *,
        partial: bool,
    ) -> Weights:
        """Run all epochs (``partial``: one) from ``weights`` and return the weights the model should use."""
        max_iter = 1 if partial else self.max_iter
        seed = seed_of(self.random_state)
        train, validation = self._split(y, sample_weight, seed)
        averages = self._averages if self.average else np.zeros((0, 0))
        n_tasks = len(weights)
        positives = [1.0] if n_tasks == 1 else [float(k) for k in range(n_tasks)]
        with scikit_learn_errors(self, X=X, y=y, sample_weight=sample_weight):
            learn: Any = _core.sparse_sgd_fit if issparse(X) else _core.sgd_fit
            outcome = learn(
                *(csr_parts(X) if issparse(X) else (X,)),
                y,
                sample_weight,
                train,
                validation,
                weights,
                averages,
                positives,
                class_weights,
                self.t_,
                self._options(seed, max_iter),
            )
        epochs, diverged, curves = zip(*outcome, strict=True)
        self.n_iter_ = max(epochs)
        self.t_ += self.n_iter_ * len(y)
        self.loss_curve_ = _mean_curve(curves)
        if self.verbose:
            for epoch, loss in enumerate(self.loss_curve_, 1):
                print(f"-- Epoch {epoch}: objective {loss:.6f}")
        if any(diverged):
            warn_not_converged(
                self,
                f"the steps overflowed in epoch {self.n_iter_} and training stopped; the last finite weights "
                f"are kept. Lower the learning rate (eta0={self.eta0}) or scale the features.",
            )
        elif not partial and self.tol is not None and self.n_iter_ == max_iter:
            warn_not_converged(
                self,
                "Maximum number of iteration reached before convergence. Consider increasing max_iter to "
                "improve the fit.",
            )
        use_average = self.average and self.average <= self.t_ - 1 and not any(diverged)
        return averages if use_average else weights

    def _starting_weights(
        self, n_tasks: int, n_features: int, coef_init: Any, intercept_init: Any
    ) -> Weights:
        weights = np.zeros((n_tasks, n_features + 1))
        if coef_init is not None:
            coef = np.asarray(coef_init, dtype=np.float64)
            if coef.size != n_tasks * n_features or (n_tasks > 1 and coef.shape != (n_tasks, n_features)):
                raise ValueError("Provided coef_init does not match dataset.")
            weights[:, :-1] = coef.reshape(n_tasks, n_features)
        if intercept_init is not None:
            intercept = np.asarray(intercept_init, dtype=np.float64)
            if intercept.size != n_tasks:
                raise ValueError("Provided intercept_init does not match dataset.")
            weights[:, -1] = intercept.ravel()
        return weights

    def _begin(self, n_tasks: int, n_features: int, coef_init: Any, intercept_init: Any) -> Weights:
        """Reset the counters of ``fit`` and return its first weights."""
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self.t_ = 1.0
        weights = self._starting_weights(n_tasks, n_features, coef_init, intercept_init)
        self._standard, self._averages = weights, np.zeros_like(weights)
        return weights

    def _resume(self, n_tasks: int, n_features: int, *, first: bool) -> Weights:
        """Return the weights that ``partial_fit`` goes on from."""
        if first:
            return self._begin(n_tasks, n_features, None, None)
        if self.average:
            return self._standard
        return self._starting_weights(n_tasks, n_features, self.coef_, self.intercept_)


def _mean_curve(curves: tuple[list[float], ...]) -> list[float]:
    """Mean objective over the tasks of each epoch; a task that stopped early counts with its last value."""
    length = max(map(len, curves))
    padded = [curve + [curve[-1]] * (length - len(curve)) for curve in curves]
    return [float(value) for value in np.mean(padded, axis=0)]
