"""Fits to CSR rows, never made dense: work and memory grow with the nonzeros and the columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.linear_model._base import Array, csr_parts


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

    Returns
    -------
    coef (outputs, n_features), intercept (outputs,), steps, status, loss curve

    Raises
    ------
    ValueError : a solver that takes dense rows only.
    """
    if solver == "sgd":
        raise ValueError(
            "expected solver 'lbfgs', 'newton-cholesky', 'gd' or 'adam' for sparse X, got 'sgd': steps by "
            "batches of rows take dense rows only. SGDClassifier and SGDRegressor take sparse rows."
        )
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
    }
    in_double = None if weights is None else np.asarray(weights, dtype=np.float64)
    return _core.sparse_fit(*csr_parts(X), np.asarray(targets, dtype=np.float64), in_double, options, start)
