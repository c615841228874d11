"""Mean squared error, mean absolute error and R^2."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import (
    Array,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    length,
    undefined_metric_warning,
)

SQUARED_ERROR, ABSOLUTE_ERROR, R2 = 0, 1, 2


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
    return _mean_error(SQUARED_ERROR, y_true, y_pred, sample_weight, multioutput)


def mean_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of absolute errors; parameters as in `mean_squared_error`."""
    return _mean_error(ABSOLUTE_ERROR, y_true, y_pred, sample_weight, multioutput)


def r2_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Share of the variance of ``y_true`` that the prediction explains.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, k)
    sample_weight : array-like of shape (n,), optional
    multioutput : {"uniform_average", "raw_values", "variance_weighted"}, array-like of shape (k,) or None
    force_finite : bool
        A constant ``y_true`` scores 1 if predicted perfectly and 0 otherwise, not NaN and -inf.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two rows the score is NaN.
    """
    if _plain(y_true, y_pred, sample_weight, multioutput) and len(y_true) > 1:
        _, error, spread = _core.error_sums(R2, y_true, y_pred, None)
        if math.isfinite(error) and 0 < spread < math.inf:
            return 1 - error / spread
    sums = _column_sums(R2, y_true, y_pred, sample_weight, multioutput)
    if length(y_true) < 2:
        warnings.warn(
            "R^2 score is not well-defined with less than two samples.",
            undefined_metric_warning(),
            stacklevel=2,
        )
        return math.nan
    return assemble_r2(sums[:, 1], sums[:, 2], multioutput, force_finite)


def _plain(y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any) -> bool:
    """Whether a single compiled call answers: two unweighted vectors of native numbers."""
    return (
        sample_weight is None
        and type(multioutput) is str
        and multioutput == "uniform_average"
        and type(y_true) is np.ndarray
        and type(y_pred) is np.ndarray
        and y_true.ndim == 1
        and y_true.shape == y_pred.shape
        and y_true.dtype.char in "dflqih"
        and y_pred.dtype.char in "dflqih"
        and y_true.dtype.isnative
        and y_pred.dtype.isnative
        and len(y_true) > 0
    )


def _mean_error(kind: int, y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any) -> Any:
    if _plain(y_true, y_pred, sample_weight, multioutput):
        weight, error, _ = _core.error_sums(kind, y_true, y_pred, None)
        if math.isfinite(error):
            return error / weight
    sums = _column_sums(kind, y_true, y_pred, sample_weight, multioutput)
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        raise InvalidArgument("multioutput='variance_weighted' is for r2_score only")
    return average_outputs(sums[:, 1] / sums[:, 0], multioutput)


def _column_sums(kind: int, y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any) -> Array:
    """Weight, error and spread of each output, shape (k, 3)."""
    true, pred, weight = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, true.shape[1])
    columns = range(true.shape[1])
    return np.array([_core.error_sums(kind, true[:, j], pred[:, j], weight) for j in columns])


def check_targets(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Targets and predictions of shape (n, k), finite, and checked weights."""
    samples = check_consistent_length(y_true, y_pred, sample_weight)
    true, pred = as_real(y_true), as_real(y_pred)
    for array in (true, pred):
        if array.ndim not in (1, 2):
            raise InvalidArgument(f"Found array with dim {array.ndim}, while dim <= 2 is required.")
        if samples < 1:
            raise InvalidArgument(
                f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required."
            )
        check_finite(array)
    true = true.reshape(-1, 1) if true.ndim == 1 else true
    pred = pred.reshape(-1, 1) if pred.ndim == 1 else pred
    if true.shape[1] != pred.shape[1]:
        raise InvalidArgument(
            f"y_true and y_pred have different number of output ({true.shape[1]}!={pred.shape[1]})"
        )
    return true, pred, check_sample_weight(sample_weight, samples)


def check_multioutput(multioutput: Any, outputs: int) -> None:
    """Raises for a ``multioutput`` that does not fit the number of outputs."""
    allowed = ("raw_values", "uniform_average", "variance_weighted")
    if isinstance(multioutput, str):
        if multioutput not in allowed:
            raise InvalidArgument(
                f"Allowed 'multioutput' string values are {allowed}. You provided multioutput={multioutput!r}"
            )
    elif multioutput is not None:
        weights = np.asarray(multioutput)
        if outputs == 1:
            raise InvalidArgument("Custom weights are useful only in multi-output cases.")
        if weights.shape[0] != outputs:
            raise InvalidArgument(
                f"There must be equally many custom weights ({weights.shape[0]}) as outputs ({outputs})."
            )


def average_outputs(scores: Array, multioutput: Any) -> Any:
    """One number from the scores of all outputs, or the scores themselves."""
    if isinstance(multioutput, str) and multioutput == "raw_values":
        return scores
    weights = None if isinstance(multioutput, str) else multioutput
    return float(np.average(scores, weights=weights))


def assemble_r2(errors: Array, spreads: Array, multioutput: Any, force_finite: bool) -> Any:
    """R^2 of each output from its error and the spread of its targets, then averaged."""
    varies = spreads != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1 - errors / spreads
    if force_finite:
        scores = np.where(varies, scores, np.where(errors == 0, 1.0, 0.0))
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        multioutput = spreads if varies.any() else None
    return average_outputs(scores, multioutput)
