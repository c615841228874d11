"""Deviances of the Tweedie family: normal, Poisson, gamma and what lies between and beyond."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._targets import (
    GAMMA,
    POISSON,
    R2,
    SQUARED_ERROR,
    TWEEDIE,
    Sums,
    Targets,
    check_targets,
    column_sums,
    plain,
    plain_sums,
)


def mean_tweedie_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    """Mean unit deviance of a Tweedie distribution whose variance is mean ** power.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Both positive from power 2 on; between 1 and 2 ``y_true`` may be zero; below 0 only ``y_pred`` must
        be positive; with power 0 both are any.
    sample_weight : array-like of shape (n,), optional
    power : float, not in (0, 1)
        0 is the squared error, 1 Poisson, 2 gamma, 3 inverse Gaussian.

    Raises
    ------
    InvalidArgument
        Targets or predictions outside these ranges, NaN or infinite, or of more than one output.
    """
    return _mean_deviance(y_true, y_pred, sample_weight, check_power(power, "mean_tweedie_deviance"))


def mean_poisson_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean Poisson deviance: `mean_tweedie_deviance` of power 1."""
    return _mean_deviance(y_true, y_pred, sample_weight, 1.0)


def mean_gamma_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean gamma deviance: `mean_tweedie_deviance` of power 2."""
    return _mean_deviance(y_true, y_pred, sample_weight, 2.0)


def check_power(power: Any, function: str) -> float:
    """``power`` as a float outside (0, 1)."""
    real = isinstance(power, Real) and not isinstance(power, (bool, np.bool_))
    if not real or not (power <= 0 or power >= 1) or math.isinf(float(power)):
        raise InvalidArgument(
            f"The 'power' parameter of {function} must be a float in the range (-inf, 0.0] or a float in the "
            f"range [1.0, inf). Got {power!r} instead."
        )
    return float(power)


def deviance_kind(power: float) -> int:
    """Which sums a power needs."""
    return {0.0: SQUARED_ERROR, 1.0: POISSON, 2.0: GAMMA}.get(power, TWEEDIE)


def deviance_sums(targets: Targets, power: float) -> Sums:
    """Sums of one output, in arrays of shape (1,), or the error for targets outside the power's range."""
    sums = column_sums(deviance_kind(power), targets, power)
    check_range(power, float(sums.least_true[0]), float(sums.least_pred[0]))
    return sums


def check_range(power: float, least_true: float, least_pred: float) -> None:
    """Raises scikit-learn's error for targets that a power does not know."""
    if in_range(power, least_true, least_pred):
        return
    shown = int(power) if power == int(power) else power
    what = "strictly positive y_pred."
    if power >= 2:
        what = "strictly positive y and y_pred."
    elif power >= 1:
        what = "non-negative y and strictly positive y_pred."
    raise InvalidArgument(f"Mean Tweedie deviance error with power={shown} can only be used on {what}")


def in_range(power: float, least_true: float, least_pred: float) -> bool:
    """Whether targets and predictions of these least values have a deviance of that power."""
    if power == 0:
        return True
    if power < 0:
        return least_pred > 0
    return least_pred > 0 and (least_true > 0 if power >= 2 else least_true >= 0)


def constant_deviance(targets: Targets, power: float) -> float:
    """Sum of the deviances of the mean as prediction; NaN where the power does not know that mean."""
    true, _, weight = targets
    mean = float(column_sums(R2, targets).mean[0])
    if not in_range(power, 1.0, mean):
        return math.nan
    constant = np.broadcast_to(np.float64(mean), true.shape)
    return float(column_sums(deviance_kind(power), Targets(true, constant, weight), power).error[0])


def _mean_deviance(y_true: Any, y_pred: Any, sample_weight: Any, power: float) -> float:
    if plain(y_true, y_pred, sample_weight):
        sums = plain_sums(deviance_kind(power), y_true, y_pred, power)
        ranged = sums.finite and in_range(power, sums.least_true, sums.least_pred)
        if ranged and math.isfinite(sums.error):
            return float(sums.error / sums.weight)
    targets = check_targets(y_true, y_pred, sample_weight)
    if targets.true.shape[1] != 1:
        raise InvalidArgument("Multioutput not supported in mean_tweedie_deviance")
    sums = deviance_sums(targets, power)
    return float(sums.error[0] / sums.weight[0])
