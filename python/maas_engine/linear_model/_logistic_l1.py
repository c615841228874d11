"""The L1 and elastic-net penalties of LogisticRegression: which a user asks for, and the fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse

from maas_engine import _core
from maas_engine.linear_model._base import Array, csr_parts

L1_SOLVERS = ("lbfgs", "saga", "liblinear")


def l1_share(estimator: Any) -> float:
    """Return the part of the penalty that is L1, in [0, 1], from ``l1_ratio`` or the older ``penalty``.

    Raises
    ------
    ValueError : ``penalty='elasticnet'`` without ``l1_ratio``.

    Warns
    -----
    UserWarning : ``penalty`` and ``l1_ratio`` contradict each other; ``penalty`` wins.
    """
    penalty, ratio = estimator.penalty, estimator.l1_ratio
    if penalty in ("deprecated", "elasticnet"):
        if ratio is None and penalty == "elasticnet":
            raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
        share = float(ratio or 0.0)
    else:
        share = 1.0 if penalty == "l1" else 0.0
        if ratio not in (None, 0, share):
            warnings.warn(
                f"Inconsistent values: penalty={penalty} with l1_ratio={ratio}. penalty is deprecated. "
                "Please use l1_ratio only.",
                stacklevel=4,
            )
    return share if np.isfinite(estimator.C) else 0.0


def check_l1_solver(estimator: Any, share: float) -> None:
    """Refuse the solvers that cannot find zeros, and what scikit-learn's 'liblinear' refuses too."""
    solver = estimator.solver
    if solver not in L1_SOLVERS:
        raise ValueError(
            f"Solver {solver} supports only 'l2' or None penalties, got l1_ratio={share}. Use the default "
            "solver; 'saga' and 'liblinear' are names for it."
        )
    if solver == "liblinear" and share != 1:
        raise ValueError("Only 'saga' solver supports elasticnet penalty, got solver=liblinear.")


def solve_l1(
    estimator: Any,
    X: Any,
    targets: Array,
    weights: Array | None,
    *,
    outputs: int,
    inverse_c: float,
    share: float,
    start: list[float],
) -> Any:
    """Fit dense or sparse rows with the penalty ``inverse_c * (share |w|_1 + (1 - share) |w|² / 2)``.

    Returns
    -------
    coef, intercept : float64, shapes (outputs, n_features) and (outputs,)
    steps : int
    status : 'converged', 'max_iter' or 'diverged'
    curve : float64, the mean loss plus penalty at the start and after each step
    """
    intercept_l1 = 0.0
    if estimator.solver == "liblinear":
        if outputs > 1:
            raise ValueError(
                "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either "
                "use another solver or wrap the estimator in a OneVsRestClassifier to keep applying a "
                "one-versus-rest scheme."
            )
        # scikit-learn gives liblinear a column of intercept_scaling, whose weight is penalised like others.
        intercept_l1 = inverse_c / float(estimator.intercept_scaling)
    if issparse(X):
        return _core.sparse_l1_fit(
            *csr_parts(X),
            targets.astype(np.float64),
            None if weights is None else weights.astype(np.float64),
            outputs,
            bool(estimator.fit_intercept),
            inverse_c * share,
            inverse_c * (1 - share),
            intercept_l1,
            float(estimator.tol),
            int(estimator.max_iter),
            start,
        )
    return _core.linear_fit(
        X,
        targets,
        weights,
        "logistic" if outputs == 1 else "softmax",
        outputs,
        bool(estimator.fit_intercept),
        inverse_c * (1 - share),
        "lbfgs",
        float(estimator.tol),
        int(estimator.max_iter),
        1.0,
        0.0,
        False,
        start,
        inverse_c * share,
        intercept_l1,
    )
