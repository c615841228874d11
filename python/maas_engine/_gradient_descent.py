"""Gradient descent on the mean squared error, as users write it by hand, in one compiled call."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine import _core
from maas_engine.errors import ConvergenceWarning, InvalidArgument, NotFinite

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def gradient_descent(
    X: ArrayLike, y: ArrayLike, theta: ArrayLike, alpha: float, iterations: int
) -> NDArray[Any]:
    """Repeat theta ← theta − alpha/m · Xᵀ(X theta − y) and return the last theta.

    Parameters
    ----------
    X : array-like, shape (m, d); float32 or float64 of any layout is taken as it is, other types become
        float64. Add a column of ones for an intercept.
    y : array-like, shape (m,) or (m, 1)
    theta : array-like, shape (d,) or (d, 1), where to start; not written
    alpha : float, the learning rate
    iterations : int, not negative

    Returns
    -------
    ndarray of theta's shape and X's type

    Raises
    ------
    InvalidArgument (a ValueError) : shapes that do not fit, an empty X, a negative number of iterations.
    NotFinite (a ValueError) : NaN or infinity in an argument.

    Warns
    -----
    ConvergenceWarning : the steps overflowed; the last finite weights are returned.

    Notes
    -----
    Where it is cheaper by the shape, the steps run on XᵀX and Xᵀy, gathered in one pass over the rows.
    """
    x = np.asarray(X)
    if x.dtype not in _FLOATS:
        x = x.astype(np.float64)
    targets = np.asarray(y, dtype=x.dtype)
    start = np.asarray(theta, dtype=x.dtype)
    shape = start.shape
    m, d = x.shape if x.ndim == 2 else (0, 0)
    if m == 0 or d == 0:
        raise InvalidArgument(f"[gradient_descent] expected X of shape (m, d), not empty, got {x.shape}")
    if targets.shape != (m,) and targets.shape != (m, 1):
        raise InvalidArgument(
            f"[gradient_descent] expected y of shape ({m},) or ({m}, 1) for X of shape {x.shape}, "
            f"got {targets.shape}"
        )
    if shape != (d,) and shape != (d, 1):
        raise InvalidArgument(
            f"[gradient_descent] expected theta of shape ({d},) or ({d}, 1) for X of shape {x.shape}, "
            f"got {shape}"
        )
    iterations = operator.index(iterations)
    if iterations < 0:
        raise InvalidArgument(f"[gradient_descent] expected iterations >= 0, got {iterations}")
    alpha = float(alpha)
    result: NDArray[Any]
    result, done, diverged = _core.gradient_descent(
        x, targets.reshape(m), start.reshape(d), alpha, iterations
    )
    if diverged:
        if not np.isfinite(alpha) or not np.isfinite(start).all():
            raise NotFinite("[gradient_descent] expected theta and alpha to be finite, got NaN or infinity")
        warnings.warn(
            f"gradient_descent diverged: the weights overflowed after {done} of {iterations} iterations at "
            f"learning rate {alpha:g}; the last finite weights are returned. Lower the learning rate, or scale "
            "the columns of X.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return result.reshape(shape)
