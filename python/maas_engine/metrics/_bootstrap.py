"""Bootstrap confidence intervals for any metric: rows are drawn again in compiled code, touched as little as may be."""

from __future__ import annotations

import math
import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._bootstrap_plans import Plan, plan_of
from maas_engine.metrics._bootstrap_sample import Sample
from maas_engine.metrics._checks import (
    Array,
    as_array,
    check_consistent_length,
    check_option,
    check_sample_weight,
    undefined_metric_warning,
)

_METHODS = ("percentile", "basic", "BCa")


@dataclass(frozen=True)
class BootstrapResult:
    """What `bootstrap` found.

    Attributes
    ----------
    value : float
        The metric of the rows as they are.
    low, high : float
        Ends of the confidence interval.
    standard_error : float
        Standard deviation of ``distribution``.
    distribution : ndarray of shape (n_resamples,)
        The metric of each resample; NaN where it is not defined.
    """

    value: float
    low: float
    high: float
    standard_error: float
    distribution: Array


def bootstrap(
    metric: str | Callable[..., Any],
    y_true: Any,
    y_pred: Any,
    y_other: Any = None,
    *,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    method: str = "percentile",
    stratify: Any = None,
    sample_weight: Any = None,
    random_state: Any = None,
    **options: Any,
) -> BootstrapResult:
    """Confidence interval of a metric: it is computed anew for rows drawn with replacement.

    Functions of a confusion matrix draw the matrix (exact, and free of the number of rows), functions of sums
    draw counts of rows and multiply, ranking scores sort once and scan. A callable, and what else there is, is
    called with the drawn rows: as slow as that many calls.

    Parameters
    ----------
    metric : str or callable
        A function of `maas_engine.metrics` that gives one number, or its name; or ``f(y_true, y_pred)``, with
        ``sample_weight`` by name if weights are given.
    y_true, y_pred : array-like of n rows
        As the metric takes them.
    y_other : array-like of n rows, optional
        A second prediction: the result is about ``metric(y_true, y_pred) - metric(y_true, y_other)``, both of
        the same resamples.
    n_resamples : int
    confidence_level : float in (0, 1)
    method : {"percentile", "basic", "BCa"}
        Quantiles of the resamples; the same mirrored at the value; or quantiles corrected for bias and skewness
        (Efron and Tibshirani, "An introduction to the bootstrap", 1993, 14.3), which needs the metric without
        each row in turn: cheap for counts, sums and the area under the ROC curve, n computations for the rest.
    stratify : array-like of shape (n,), optional
        From rows of each label as many are drawn as there are.
    sample_weight : array-like of shape (n,), optional
        Weights go with their rows.
    random_state : int, Generator, RandomState or None
        The same seed gives the same resamples on any number of threads.
    **options
        Of the metric, such as ``average="macro"``.

    Warns
    -----
    UndefinedMetricWarning
        When the metric is not defined for some resamples; the interval is that of the others.
    """
    from maas_engine import metrics

    check_option(method, "method", "bootstrap", _METHODS)
    resamples = _check_count(n_resamples)
    if not (isinstance(confidence_level, (int, float)) and 0 < confidence_level < 1):
        raise InvalidArgument(f"confidence_level must lie in (0, 1), got {confidence_level!r}")
    function, name = _resolve(metric, metrics)
    sample = _make_sample(y_true, y_pred, y_other, sample_weight, stratify)
    plan = plan_of(function, name, sample, options)
    distribution = plan.distribution(_seed(random_state), resamples)
    defined = _defined(distribution)
    error = float(np.std(defined, ddof=1)) if len(defined) > 1 else math.nan
    low, high = _interval(plan, defined, float(confidence_level), method)
    return BootstrapResult(plan.value, low, high, error, distribution)


def _interval(plan: Plan, defined: Array, level: float, method: str) -> tuple[float, float]:
    if len(defined) == 0 or math.isnan(plan.value):
        return math.nan, math.nan
    shares = [(1 - level) / 2, (1 + level) / 2]
    if method == "BCa":
        shares = _corrected(plan, defined, shares)
    low, high = (float(end) for end in np.quantile(defined, shares))
    if method == "basic":
        return 2 * plan.value - high, 2 * plan.value - low
    return low, high


def _corrected(plan: Plan, defined: Array, shares: list[float]) -> list[float]:
    """The quantiles that correct for bias and for a standard error that changes with the value."""
    normal = NormalDist()
    below = (np.mean(defined < plan.value) + np.mean(defined <= plan.value)) / 2
    half = 0.5 / len(defined)  # no resample on one side: as if half a one were
    bias = normal.inv_cdf(min(max(float(below), half), 1 - half))
    acceleration = _acceleration(plan)
    corrected = []
    for share in shares:
        z = bias + normal.inv_cdf(share)
        corrected.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return corrected


def _acceleration(plan: Plan) -> float:
    """A sixth of the skewness of the influence of rows, each left out in turn; strata add up."""
    cubes = squares = 0.0
    for values, times in plan.jackknife():
        n = float(times.sum())
        known = np.isfinite(values)
        values, times = values[known], times[known]
        if times.sum() == 0:
            continue
        influence = (n - 1) * (np.average(values, weights=times) - values)
        cubes += float(np.sum(times * influence**3)) / n**3
        squares += float(np.sum(times * influence**2)) / n**2
    return cubes / squares**1.5 / 6 if squares > 0 else 0.0


def _defined(distribution: Array) -> Array:
    defined = distribution[np.isfinite(distribution)]
    if len(defined) < len(distribution):
        warnings.warn(
            f"The metric is not defined for {len(distribution) - len(defined)} of {len(distribution)} resamples, "
            "which are left out of the interval.",
            undefined_metric_warning(),
            stacklevel=3,
        )
    return defined


def _make_sample(y_true: Any, y_pred: Any, y_other: Any, sample_weight: Any, stratify: Any) -> Sample:
    """The arrays with the rows of each stratum together."""
    samples = check_consistent_length(y_true, y_pred, y_other, sample_weight, stratify)
    if samples < 1:
        raise InvalidArgument("Found array with 0 sample(s) while a minimum of 1 is required.")
    true, pred = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
    other = None if y_other is None else as_array(y_other, "y_other")
    weight = check_sample_weight(sample_weight, samples)
    if stratify is None:
        return Sample(true, pred, other, weight, [samples])
    labels = as_array(stratify, "stratify")
    if labels.ndim != 1:
        raise InvalidArgument(f"stratify must have shape (n,), got {labels.shape}")
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    other = None if other is None else other[order]
    weight = None if weight is None else weight[order]
    return Sample(true[order], pred[order], other, weight, sizes.tolist())


def _resolve(metric: Any, metrics: Any) -> tuple[Callable[..., Any], str | None]:
    """The function, and its name if it is one of ours."""
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
    known = getattr(metrics, name, None) if name in metrics.__all__ else None
    if isinstance(metric, str):
        if known is None or isinstance(known, type):
            raise InvalidArgument(f"metric must be a function of maas_engine.metrics, got {metric!r}")
        return known, name
    if not callable(metric):
        raise InvalidArgument(f"metric must be a name or a callable, got {metric!r}")
    return metric, name if metric is known else None


def _check_count(n_resamples: Any) -> int:
    if not isinstance(n_resamples, (int, np.integer)) or not 1 <= int(n_resamples) < 2**31:
        raise InvalidArgument(f"n_resamples must be a positive int, got {n_resamples!r}")
    return int(n_resamples)


def _seed(random_state: Any) -> int:
    if random_state is None:
        return secrets.randbits(63)
    if isinstance(random_state, (int, np.integer)) and 0 <= int(random_state) < 2**64:
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    raise InvalidArgument(f"random_state must be an int >= 0, a Generator or None, got {random_state!r}")
