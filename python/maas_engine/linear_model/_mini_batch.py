"""Mini-batch descent for the estimators whose loss is the full-batch solvers': squared, logistic, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from maas_engine import _core
from maas_engine._runtime import next_seed

Array = NDArray[Any]

DEFAULT_BATCH = 32
PATIENCE = 5


def seed_of(random_state: Any) -> int:
    """Return the seed an estimator's ``random_state`` stands for, a new one for None."""
    if random_state is None:
        return next_seed()
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def descend_by_batches(
    X: Array,
    targets: Array,
    weights: Array | None,
    *,
    loss: str,
    outputs: int,
    l2: float,
    fit_intercept: bool,
    solver: str,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    batch_size: int | None,
    max_iter: int,
    tol: float,
    random_state: Any,
    start: list[float],
) -> tuple[Array, Array, int, str, list[float]]:
    """Minimise ``Σ s_i loss_i + l2/2 |w|²`` by shuffled batches of rows, one step a batch.

    Parameters
    ----------
    X, targets, weights : of one float type; ``targets`` holds class numbers for 'logistic' and 'softmax'
    solver : 'sgd' (momentum, Nesterov's with ``nesterov``) or 'adam'
    learning_rate : of the gradient of the mean loss; divided by 5 when ``PATIENCE`` epochs in a row have not
        lowered the mean objective by ``tol``, down to 1e-6, where the descent ends
    batch_size : rows a step, None for 32
    max_iter : most epochs
    start : weights then intercepts, or empty

    Returns
    -------
    coef : float64, shape (outputs, n_features)
    intercept : float64, shape (outputs,)
    epochs : int
    status : 'converged', 'max_iter' or 'diverged'
    loss_curve : mean objective of each epoch
    """
    plain = "nesterov" if nesterov else "momentum"
    options = {
        "loss": loss,
        "outputs": outputs,
        "fit_intercept": bool(fit_intercept),
        "l2": float(l2),
        "rule": "adam" if solver == "adam" else plain,
        "momentum": float(momentum),
        "learning_rate": "adaptive",
        "eta0": float(learning_rate),
        "power_t": 0.5,
        "batch_size": int(batch_size or DEFAULT_BATCH),
        "max_iter": int(max_iter),
        "tol": float(tol),
        "n_iter_no_change": PATIENCE,
        "shuffle": True,
        "seed": seed_of(random_state),
    }
    return _core.mini_batch_fit(X, targets, weights, options, start)
