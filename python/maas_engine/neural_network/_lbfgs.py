"""Full-batch training: scipy's L-BFGS-B on the engine's gradient."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.parallel import _get_threadpool_controller

from maas_engine import _core
from maas_engine.neural_network._rows import Rows

Array = NDArray[Any]


def minimise(
    estimator: Any, trainer: _core.Trainer, rows: Rows, penalties: list[float]
) -> tuple[list[Array], float]:
    """Return the weights found, float64, and their objective; ``n_iter_`` of the estimator is set.

    Parameters
    ----------
    trainer : in float64, whatever X is: line searches need more digits of the loss than float32 has
    penalties : see :meth:`Rows.gradient`

    Warns
    -----
    ConvergenceWarning : ``max_iter`` or ``max_fun`` ran out, or the line search failed.
    UserWarning : Ctrl-C; the weights are those of the last iteration.
    """
    start = trainer.get_parameters()
    shapes = [values.shape for values in start]
    ends = np.cumsum([values.size for values in start])

    def unpack(flat: Array) -> list[Array]:
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]

    def objective(flat: Array) -> tuple[float, Array]:
        trainer.set_parameters(unpack(flat))
        loss, gradients = rows.gradient(trainer, penalties)
        return loss, np.concatenate([values.ravel() for values in gradients])

    reached = np.concatenate([values.ravel() for values in start])
    iterations, loss = 0, np.inf

    def note(intermediate_result: OptimizeResult) -> None:
        nonlocal reached, iterations, loss
        reached, loss = intermediate_result.x.copy(), float(intermediate_result.fun)
        iterations += 1
        if estimator.verbose:
            print(f"Iteration {iterations}, loss = {loss:.8f}")

    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    try:
        # scipy's own part is products of short vectors: threads of BLAS would only wait for each other.
        with _get_threadpool_controller().limit(limits=1, user_api="blas"):
            found = minimize(objective, reached, method="L-BFGS-B", jac=True, options=options, callback=note)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=5)
        estimator.n_iter_ = iterations
        return unpack(reached), loss
    estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    return unpack(found.x), float(found.fun)
