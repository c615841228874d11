"""Shares of what a constant prediction leaves unexplained: R^2, explained variance and the D^2 scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array, length
from maas_engine.metrics._deviance import check_power, constant_deviance, deviance_sums
from maas_engine.metrics._targets import (
    EXPLAINED_VARIANCE,
    PINBALL,
    R2,
    Targets,
    check_interval,
    check_multioutput,
    check_targets,
    column_sums,
    explained_share,
    plain,
    plain_sums,
    warn_too_few,
)


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
    if plain(y_true, y_pred, sample_weight, multioutput) and len(y_true) > 1:
        sums = plain_sums(R2, y_true, y_pred)
        if math.isfinite(sums.error) and 0 < sums.spread < math.inf:
            return 1 - sums.error / sums.spread
    targets = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, targets.true.shape[1], "r2_score")
    if length(y_true) < 2:
        return warn_too_few("R^2", stacklevel=2)
    sums = column_sums(R2, targets)
    return explained_share(sums.error, sums.spread, multioutput, force_finite)


def explained_variance_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Share of the variance of ``y_true`` that is not in the errors, whose mean does not count.

    Parameters are those of `r2_score`, but for ``multioutput=None``.
    """
    if plain(y_true, y_pred, sample_weight, multioutput):
        sums = plain_sums(EXPLAINED_VARIANCE, y_true, y_pred)
        if math.isfinite(sums.error_spread) and 0 < sums.spread < math.inf:
            return 1 - sums.error_spread / sums.spread
    targets = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, targets.true.shape[1], "explained_variance_score")
    sums = column_sums(EXPLAINED_VARIANCE, targets)
    numerator, denominator = sums.error_spread / sums.weight, sums.spread / sums.weight
    return explained_share(numerator, denominator, multioutput, force_finite)


def d2_absolute_error_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Share of the mean absolute error of the median that the prediction does away with.

    Parameters are those of `d2_pinball_score`, of which this is the case ``alpha=0.5``.
    """
    name = "d2_absolute_error_score"
    return _d2_pinball(name, y_true, y_pred, sample_weight, 0.5, multioutput)


def d2_pinball_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Share of the pinball loss of the quantile ``alpha`` that the prediction does away with.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, k)
    sample_weight : array-like of shape (n,), optional
    alpha : float in [0, 1]
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (k,)

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two rows the score is NaN.
    """
    name = "d2_pinball_score"
    alpha = check_interval(alpha, "alpha", name, 0.0, 1.0)
    return _d2_pinball(name, y_true, y_pred, sample_weight, alpha, multioutput)


def d2_tweedie_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    """Share of the Tweedie deviance of the mean that the prediction does away with.

    Parameters are those of `mean_tweedie_deviance`.

    Raises
    ------
    InvalidArgument
        Also for a constant ``y_true``, where scikit-learn divides by zero.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two rows the score is NaN.
    """
    power = check_power(power, "d2_tweedie_score")
    targets = check_targets(y_true, y_pred, sample_weight)
    if targets.true.shape[1] != 1:
        raise InvalidArgument("Multioutput not supported in d2_tweedie_score")
    if length(y_true) < 2:
        return warn_too_few("D^2", stacklevel=2)
    sums = deviance_sums(targets, power)
    constant = constant_deviance(targets, power)
    if constant == 0:
        raise InvalidArgument("the D^2 score of a constant y_true is not defined")
    return float(1 - sums.error[0] / constant)


def _d2_pinball(
    name: str, y_true: Any, y_pred: Any, sample_weight: Any, alpha: float, multioutput: Any
) -> Any:
    targets = check_targets(y_true, y_pred, sample_weight)
    check_multioutput(multioutput, targets.true.shape[1], name)
    if length(y_true) < 2:
        return warn_too_few("D^2", stacklevel=3)
    sums = column_sums(PINBALL, targets, alpha)
    constant = column_sums(PINBALL, Targets(targets.true, _quantiles(targets, alpha), targets.weight), alpha)
    return explained_share(sums.error, constant.error, multioutput, force_finite=True)


def _quantiles(targets: Targets, alpha: float) -> Array:
    """The quantile of each output as a constant prediction of shape (n, k)."""
    share = alpha * 100 / 100  # rounded as scikit-learn does
    columns = range(targets.true.shape[1])
    values = [_core.error_quantile(share, targets.true[:, k], None, targets.weight) for k in columns]
    return np.broadcast_to(np.array(values, dtype=np.float64), targets.true.shape)
