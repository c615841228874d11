"""Errors of regression: means of terms, their roots, the median and the maximum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array
from maas_engine.metrics._targets import (
    ABSOLUTE_ERROR,
    MAX_ERROR,
    PERCENTAGE_ERROR,
    PINBALL,
    SQUARED_ERROR,
    SQUARED_LOG_ERROR,
    Targets,
    average_outputs,
    check_interval,
    check_multioutput,
    check_targets,
    column_sums,
    plain,
    plain_sums,
)


def mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of squared errors.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, k)
        Any real dtype; sums are in float64 whatever it is.
    sample_weight : array-like of shape (n,), optional
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (k,)
        How the errors of k outputs become one number, if at all.

    Raises
    ------
    InvalidArgument
        Shapes differ, no rows, or NaN or infinity in an array.
    """
    return _mean("mean_squared_error", SQUARED_ERROR, y_true, y_pred, sample_weight, multioutput)


def root_mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Root of the mean squared error of each output; parameters as in `mean_squared_error`."""
    name = "root_mean_squared_error"
    return _mean(name, SQUARED_ERROR, y_true, y_pred, sample_weight, multioutput, root=True)


def mean_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of absolute errors; parameters as in `mean_squared_error`."""
    return _mean("mean_absolute_error", ABSOLUTE_ERROR, y_true, y_pred, sample_weight, multioutput)


def mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of |y_true - y_pred| / max(|y_true|, 2^-52), not times 100; parameters as in `mean_squared_error`."""
    name = "mean_absolute_percentage_error"
    return _mean(name, PERCENTAGE_ERROR, y_true, y_pred, sample_weight, multioutput)


def mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean squared difference of log(1 + y).

    Parameters are those of `mean_squared_error`; ``InvalidArgument`` for targets or predictions <= -1.
    """
    name = "mean_squared_log_error"
    return _mean(name, SQUARED_LOG_ERROR, y_true, y_pred, sample_weight, multioutput)


def root_mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Root of the mean squared log error of each output; parameters as in `mean_squared_log_error`."""
    name = "root_mean_squared_log_error"
    return _mean(name, SQUARED_LOG_ERROR, y_true, y_pred, sample_weight, multioutput, root=True)


def mean_pinball_loss(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean of alpha * (y_true - y_pred) where that is positive, else of (1 - alpha) * (y_pred - y_true).

    Least for a prediction of the quantile ``alpha``, in [0, 1]. Other parameters as in `mean_squared_error`.
    """
    name = "mean_pinball_loss"
    alpha = check_interval(alpha, "alpha", name, 0.0, 1.0)
    return _mean(name, PINBALL, y_true, y_pred, sample_weight, multioutput, parameter=alpha)


def median_absolute_error(
    y_true: Any, y_pred: Any, *, multioutput: Any = "uniform_average", sample_weight: Any = None
) -> Any:
    """Median of absolute errors, by weight if there are weights; parameters as in `mean_squared_error`.

    Takes 8 bytes a row, 16 if weighted. Where half of the weight lies on either side, the mean of the two
    neighbours; whether it does is judged up to rounding of the sums of weights.
    """
    targets = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, targets.true.shape[1], "median_absolute_error")
    return average_outputs(_medians(targets), multioutput)


def max_error(y_true: Any, y_pred: Any) -> float:
    """Greatest absolute error of targets of shape (n,) or (n, 1)."""
    if plain(y_true, y_pred, None):
        error = plain_sums(MAX_ERROR, y_true, y_pred).error
        if math.isfinite(error):
            return float(error)
    targets = check_targets(y_true, y_pred, None)
    if targets.true.shape[1] != 1:
        raise InvalidArgument("Multioutput not supported in max_error")
    return float(column_sums(MAX_ERROR, targets).error[0])


def check_above_minus_one(name: str, *least: Any) -> None:
    """Raises scikit-learn's error of the two log errors unless all least values are above -1."""
    if min(float(np.min(value)) for value in least) <= -1:
        words = "Root Mean Squared" if name.startswith("root") else "Mean Squared"
        raise InvalidArgument(
            f"{words} Logarithmic Error cannot be used when targets contain values less than or equal to -1."
        )


def _mean(
    name: str,
    kind: int,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    multioutput: Any,
    *,
    parameter: float = 0.0,
    root: bool = False,
) -> Any:
    if plain(y_true, y_pred, sample_weight, multioutput):
        sums = plain_sums(kind, y_true, y_pred, parameter)
        if math.isfinite(sums.error) and sums.finite:
            mean = sums.error / sums.weight
            return math.sqrt(mean) if root else mean
    targets = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, targets.true.shape[1], name)
    sums = column_sums(kind, targets, parameter)
    if kind == SQUARED_LOG_ERROR:
        check_above_minus_one(name, sums.least_true, sums.least_pred)
    errors = sums.error / sums.weight
    return average_outputs(np.sqrt(errors) if root else errors, multioutput)


def _medians(targets: Targets) -> Array:
    true, pred, weight = targets
    columns = range(true.shape[1])
    return np.array([_core.error_quantile(0.5, true[:, k], pred[:, k], weight) for k in columns])
