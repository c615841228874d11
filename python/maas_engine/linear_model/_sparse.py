"""Fits to CSR rows, never made dense: work and memory grow with the nonzeros and the columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.linear_model._base import Array, csr_parts, scikit_learn_errors, warn_not_converged


def fit_sparse_rows(
    X: Any,
    targets: Array,
    weights: Array | None,
    *,
    loss: str,
    outputs: int,
    l2: float,
    fit_intercept: bool,
    solver: str,
    tol: float,
    max_iter: int,
    start: list[float],
    learning_rate: float = 0.1,
    momentum: float = 0.0,
    nesterov: bool = False,
    intercept_penalty: float = 0.0,
) -> tuple[Array, Array, int, str, Array]:
    """Minimise Σ weight loss + l2/2 |coef|² over CSR rows.

    Parameters
    ----------
    X : CSR of float32 or float64, shape (n_samples, n_features)
    targets : shape (n_samples,); class indices for 'logistic' and 'softmax'
    weights : shape (n_samples,) or None
    solver : 'lbfgs' and 'newton-cholesky' take second derivatives: the Hessian itself where it is small, else
        products with it; 'gd' and 'adam' as for dense rows.
    start : coef, then intercept, flat; or empty
    intercept_penalty : of intercept² / 2, as a share of ``l2``

    Returns
    -------
    coef (outputs, n_features), intercept (outputs,), steps, status, loss curve
    """
    options = {
        "loss": loss,
        "outputs": outputs,
        "intercept": bool(fit_intercept),
        "l2": float(l2),
        "solver": solver,
        "tolerance": float(tol),
        "max_iterations": int(max_iter),
        "learning_rate": float(learning_rate),
        "momentum": float(momentum),
        "nesterov": bool(nesterov),
        "intercept_penalty": float(intercept_penalty),
    }
    in_double = None if weights is None else np.asarray(weights, dtype=np.float64)
    return _core.sparse_fit(*csr_parts(X), np.asarray(targets, dtype=np.float64), in_double, options, start)


def fit_sparse_least_squares(
    estimator: Any, X: Any, y: Array, weights: Array | None, alpha: list[float], cutoff: float
) -> tuple[Array, Array]:
    """Minimise Σ weight (y - X coef - intercept)² + alpha |coef|² over CSR rows; of least norm where not unique.

    Sets ``solver_`` and ``n_iter_`` of the estimator.

    Parameters
    ----------
    X : CSR of float32 or float64, shape (n_samples, n_features)
    y : shape (n_samples,) or (n_samples, n_targets)
    alpha : one penalty, or one a target
    cutoff : without penalty, the relative singular value below which the normal equations are not trusted

    Returns
    -------
    coef (n_targets, n_features), intercept (n_targets,)

    Warns
    -----
    ConvergenceWarning : so ill-conditioned that the iterations ran out.
    """
    targets = np.asarray(y if y.ndim == 2 else y[:, np.newaxis], dtype=np.float64)
    with scikit_learn_errors(estimator, X=X, y=y, sample_weight=weights):
        coef, intercept, iterations, direct, converged = _core.sparse_least_squares(
            *csr_parts(X), targets, weights, bool(estimator.fit_intercept), alpha, cutoff, 0
        )
    estimator.solver_ = "cholesky" if direct else "cg"
    estimator.n_iter_ = iterations
    if not converged:
        warn_not_converged(
            estimator, f"conjugate gradients stopped after {iterations} steps. Scale the columns of X."
        )
    return coef, intercept
