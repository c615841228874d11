"""Training by epochs as scikit-learn's MLP does it: when to stop, which weights to keep, what to report."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from maas_engine import _core
from maas_engine.neural_network._rows import Rows
from maas_engine.neural_network._solvers import Solver

Array = NDArray[Any]
Weights = list[Array]


class Epochs:
    """One call of ``fit``, or the one epoch of a ``partial_fit``.

    Parameters
    ----------
    estimator : its parameters are read; ``n_iter_``, ``t_``, ``loss_``, ``loss_curve_`` and those of early
        stopping are kept up to date
    rows : to learn from
    train : of ``rows``; None for all
    score : the score of weights on the rows held out, or None without early stopping
    random : shuffles
    reported : what to report as the loss that the engine returns
    """

    def __init__(
        self,
        estimator: Any,
        trainer: _core.Trainer,
        solver: Solver,
        rows: Rows,
        train: NDArray[np.uint32] | None,
        score: Callable[[Weights], float] | None,
        random: np.random.RandomState,
        reported: Callable[[float], float],
    ) -> None:
        self.estimator, self.trainer, self.solver = estimator, trainer, solver
        self.rows, self.train, self.score = rows, train, score
        self.random, self.reported = random, reported
        self._best = trainer.get_parameters() if score is not None else None

    def run(self, *, incremental: bool) -> Weights:
        """Train, and return the weights to keep."""
        est = self.estimator
        batch_size = self._batch_size()
        order = self._start_order()
        est.n_iter_ = 0
        try:
            for _ in range(1 if incremental else est.max_iter):
                if est.shuffle:
                    order = self._shuffled(order)
                self._epoch(order, batch_size)
                if self._stops():
                    break
                if est.n_iter_ == est.max_iter and not incremental:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({est.max_iter}) "
                        "reached and the optimization hasn't converged yet.",
                        ConvergenceWarning,
                        stacklevel=5,
                    )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        return self.trainer.get_parameters() if self._best is None else self._best

    def _size(self) -> int:
        return self.rows.X.shape[0] if self.train is None else len(self.train)

    def _batch_size(self) -> int:
        n, asked = self._size(), self.estimator.batch_size
        if asked == "auto":
            return min(200, n)
        if asked > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                stacklevel=6,
            )
        return int(min(asked, n))

    def _start_order(self) -> NDArray[np.uint32] | None:
        if self.train is None and not self.estimator.shuffle:
            return None
        return np.arange(self._size(), dtype=np.uint32) if self.train is None else self.train

    def _shuffled(self, order: NDArray[np.uint32] | None) -> NDArray[np.uint32]:
        # The draws of sklearn.utils.shuffle: with the same random_state the batches are scikit-learn's.
        assert order is not None
        places = np.arange(len(order))
        self.random.shuffle(places)
        return order[places]

    def _epoch(self, order: NDArray[np.uint32] | None, batch_size: int) -> None:
        est, n = self.estimator, self._size()
        rates = self.solver.rates(self.trainer.iterations, -(-n // batch_size))
        result = self.rows.run(self.trainer, order, batch_size, rates)
        if result.bad_step is not None:
            raise ValueError(
                f"Solver produced non-finite parameter weights: the loss was {result.bad_loss} in epoch "
                f"{est.n_iter_ + 1}, step {result.bad_step + 1} of {len(rates)}, at learning rate "
                f"{rates[result.bad_step]:g}. Lower learning_rate_init, or scale the features: the input data may "
                "contain large values and need to be preprocessed."
            )
        est.n_iter_ += 1
        est.t_ += n
        est.loss_ = self.reported(result.loss)
        est.loss_curve_.append(est.loss_)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
        self._note_progress()
        self.solver.epoch_ends(est.t_)

    def _note_progress(self) -> None:
        est = self.estimator
        if self.score is None:
            stalled = est.loss_ > est.best_loss_ - est.tol
            est.best_loss_ = min(est.best_loss_, est.loss_)
        else:
            weights = self.trainer.get_parameters()
            score = self.score(weights)
            est.validation_scores_.append(score)
            if est.verbose:
                print(f"Validation score: {score:f}")
            stalled = score < est.best_validation_score_ + est.tol
            if score > est.best_validation_score_:
                est.best_validation_score_ = score
                self._best = weights
        est._no_improvement_count = est._no_improvement_count + 1 if stalled else 0

    def _stops(self) -> bool:
        est = self.estimator
        if est._no_improvement_count <= est.n_iter_no_change:
            return False
        what = "Training loss" if self.score is None else "Validation score"
        goes_on = self.solver.gives_up()
        if est.verbose:
            print(
                f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs. "
                f"{goes_on or 'Stopping.'}"
            )
        if goes_on:
            est._no_improvement_count = 0
        return not goes_on
