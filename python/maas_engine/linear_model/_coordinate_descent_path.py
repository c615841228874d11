"""Paths of Lasso and elastic net: the functions ``lasso_path`` and ``enet_path`` of scikit-learn."""

from __future__ import annotations

import warnings
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length

from maas_engine import _core
from maas_engine.linear_model._base import FLOAT_TYPES, Array
from maas_engine.linear_model._coordinate_descent import (
    check_gram,
    descent_data,
    descent_options,
    warn_gaps,
)


def alpha_grid(
    data: _core.ElasticNetData, l1_ratio: float, eps: float, n_alphas: int, positive: bool
) -> Array:
    """Return ``n_alphas`` penalties from the least that gives zero down to ``eps`` times it, geometric.

    Raises
    ------
    ValueError : ``l1_ratio`` is 0, where no penalty gives zero.
    """
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by "
            "providing your estimator with the appropriate `alphas=` argument."
        )
    largest = data.largest_product(0, bool(positive)) / l1_ratio
    if largest <= np.finfo(np.float64).resolution:
        return np.full(n_alphas, np.finfo(np.float64).resolution)
    return np.geomspace(largest, largest * eps, num=n_alphas)


def _grid_or_count(n_alphas: Any, alphas: Any) -> Any:
    count: Any = 100
    if n_alphas != "deprecated":
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' now accepts an integer "
            "value which removes the need to pass 'n_alphas'. The default value of 'alphas' will change from "
            "None to 100 in 1.11. Pass an explicit value to 'alphas' and leave 'n_alphas' to its default value "
            "to silence this warning.",
            FutureWarning,
            stacklevel=3,
        )
        count = n_alphas
    if isinstance(alphas, str) and alphas == "warn":
        return count
    if alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11, at which point the default value will be "
            "set to 100. Set 'alphas=100' to silence this warning.",
            FutureWarning,
            stacklevel=3,
        )
        return count
    return alphas


def _check_path_input(X: Any, y: Any) -> tuple[Any, Array]:
    X = check_array(X, accept_sparse="csr", dtype=FLOAT_TYPES, ensure_all_finite=False)
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    y = check_array(y, ensure_2d=False, dtype=X.dtype.type, ensure_all_finite=False, input_name="y")
    check_consistent_length(X, y)
    return X, y


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> tuple[Any, ...]:
    """Solve the elastic net, without intercept, along a path of penalties.

    Parameters
    ----------
    X : array-like or sparse matrix, shape (n_samples, n_features), float32 or float64
    y : array-like, shape (n_samples,)
    l1_ratio : float in [0, 1]; 1 is the Lasso
    eps : float, least penalty of the path over the largest
    alphas : int, how many penalties, or the penalties themselves; default 100
    coef_init : array-like, shape (n_features,), where the first solve starts, or None
    return_n_iter : bool, whether to return the sweeps, too
    positive : bool, whether coefficients must not be negative
    n_alphas, precompute, Xy, copy_X, verbose, check_input : accepted for scikit-learn's sake
    **params : ``tol``, ``max_iter``, ``selection``, ``random_state``, ``sample_weight`` as in
        :class:`ElasticNet`

    Returns
    -------
    alphas : ndarray, shape (n_alphas,), descending
    coefs : ndarray, shape (n_features, n_alphas), type of X
    dual_gaps : ndarray, shape (n_alphas,)
    n_iters : list of int, only with ``return_n_iter``

    Raises
    ------
    ValueError : as scikit-learn's checks; y of two dimensions (the multi-task objective).
    """
    grid = _grid_or_count(n_alphas, alphas)
    weights = params.pop("sample_weight", None)
    options = SimpleNamespace(
        positive=positive,
        tol=params.pop("tol", 1e-4),
        max_iter=params.pop("max_iter", 1000),
        selection=params.pop("selection", "cyclic"),
        random_state=params.pop("random_state", None),
    )
    params.pop("do_screening", None)
    if params:
        raise ValueError("Unexpected parameters in params", params.keys())
    if options.selection not in ("random", "cyclic"):
        raise ValueError("selection should be either random or cyclic.")
    if not 0 <= l1_ratio <= 1:
        raise ValueError(f"expected l1_ratio in [0, 1], got {l1_ratio!r}")
    X, y = _check_path_input(X, y)
    if y.ndim != 1 and positive:
        raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
    if y.ndim != 1 and y.shape[1] != 1:
        raise ValueError("expected y of one dimension: the multi-task objective is not supported")
    check_gram(precompute, X, False)
    data = descent_data(SimpleNamespace(), X, y, weights, False)
    if isinstance(grid, Integral):
        path = alpha_grid(data, l1_ratio, eps, int(grid), positive)
    else:
        path = np.sort(np.asarray(grid, dtype=np.float64))[::-1]
    start = [] if coef_init is None else np.asarray(coef_init, dtype=np.float64).ravel().tolist()
    solution = data.solve(path.tolist(), float(l1_ratio), descent_options(options), start)[0]
    warn_gaps(solution[2], solution[4], options.tol)
    coefs = np.asfortranarray(solution[0].T.astype(X.dtype, copy=False))
    if y.ndim == 2:
        coefs = coefs[np.newaxis]
    answer = (path, coefs, solution[2])
    return (*answer, solution[3]) if return_n_iter else answer


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    **params: Any,
) -> tuple[Any, ...]:
    """Solve the Lasso, without intercept, along a path of penalties: :func:`enet_path` at ``l1_ratio=1``."""
    return enet_path(
        X,
        y,
        l1_ratio=1.0,
        eps=eps,
        alphas=_grid_or_count(n_alphas, alphas),
        precompute=precompute,
        Xy=Xy,
        copy_X=copy_X,
        coef_init=coef_init,
        verbose=verbose,
        return_n_iter=return_n_iter,
        positive=positive,
        **params,
    )
