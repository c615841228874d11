"""What regression metrics share: checked targets, sums of one compiled pass, and how outputs become a number."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import (
    Array,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    undefined_metric_warning,
)

# The order of RegressionMetric in cpp/maas/metrics/regression.h.
(
    SQUARED_ERROR,
    ABSOLUTE_ERROR,
    R2,
    PERCENTAGE_ERROR,
    PINBALL,
    SQUARED_LOG_ERROR,
    POISSON,
    GAMMA,
    TWEEDIE,
    EXPLAINED_VARIANCE,
    MAX_ERROR,
) = range(11)

AVERAGED = ("raw_values", "uniform_average")
ANY_AVERAGE = (*AVERAGED, "variance_weighted")


class Targets(NamedTuple):
    """Targets and predictions of shape (n, k), and weights of shape (n,)."""

    true: Array
    pred: Array
    weight: Array | None


class Sums(NamedTuple):
    """Sums over the rows; each an array of shape (k,), or a float where there is one output."""

    weight: Any
    error: Any
    spread: Any
    error_spread: Any
    mean: Any
    least_true: Any
    least_pred: Any
    finite: Any


def plain(y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any = "uniform_average") -> bool:
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


def plain_sums(kind: int, y_true: Array, y_pred: Array, parameter: float = 0.0) -> Sums:
    """The sums of `plain` vectors; the caller looks whether they are finite."""
    return Sums(*_core.error_sums(kind, parameter, y_true, y_pred, None))


def column_sums(kind: int, targets: Targets, parameter: float = 0.0) -> Sums:
    """The sums of each output, each of shape (k,)."""
    true, pred, weight = targets
    rows = [_core.error_sums(kind, parameter, true[:, k], pred[:, k], weight) for k in range(true.shape[1])]
    return Sums(*np.array(rows, dtype=np.float64).T)


def check_targets(y_true: Any, y_pred: Any, sample_weight: Any) -> Targets:
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
    return Targets(true, pred, check_sample_weight(sample_weight, samples))


def check_multioutput(multioutput: Any, outputs: int, function: str) -> None:
    """Raises for a ``multioutput`` that ``function`` does not know, or that does not fit the outputs."""
    explained = function in ("r2_score", "explained_variance_score")
    allowed = ANY_AVERAGE if explained else AVERAGED
    if isinstance(multioutput, str):
        if multioutput not in allowed:
            raise InvalidArgument(
                f"The 'multioutput' parameter of {function} must be a str among {set(allowed)} or an array-like. "
                f"Got {multioutput!r} instead."
            )
    elif multioutput is None:
        if function != "r2_score":
            raise InvalidArgument(f"The 'multioutput' parameter of {function} must not be None.")
    else:
        weights = np.asarray(multioutput)
        if weights.ndim == 0:
            raise InvalidArgument(
                f"The 'multioutput' parameter of {function} must be a str or an array-like. Got {multioutput!r}."
            )
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


def explained_share(numerator: Array, denominator: Array, multioutput: Any, force_finite: bool) -> Any:
    """1 - numerator / denominator of each output, then averaged.

    ``force_finite`` makes 1 of 0/0 and 0 of x/0; ``"variance_weighted"`` weighs by the denominators.
    """
    varies = denominator != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1 - numerator / denominator
    if force_finite:
        scores = np.where(varies, scores, np.where(numerator == 0, 1.0, 0.0))
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        multioutput = denominator if varies.any() else None
    return average_outputs(scores, multioutput)


def check_interval(value: Any, name: str, function: str, low: float, high: float) -> float:
    """``value`` as a float in [low, high]."""
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and low <= float(value) <= high:
        return float(value)
    raise InvalidArgument(
        f"The {name!r} parameter of {function} must be a float in the range [{low}, {high}]. Got {value!r} instead."
    )


def warn_too_few(score: str, stacklevel: int) -> float:
    """scikit-learn's warning for a score of fewer than two rows, which is NaN."""
    warnings.warn(
        f"{score} score is not well-defined with less than two samples.",
        undefined_metric_warning(),
        stacklevel=stacklevel + 1,
    )
    return math.nan
