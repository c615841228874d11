"""ROC, precision-recall and detection error curves, the counts behind them, and the area under any curve."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NotFinite
from maas_engine.metrics._binary_scores import (
    consistent_positive,
    distinct_labels,
    positive_codes,
    warn_no_positive,
)
from maas_engine.metrics._checks import (
    Array,
    as_column,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    undefined_metric_warning,
)

# Which points the engine leaves out, and from which point on it looks and returns: 0 is the one above all scores.
_ALL, _COLLINEAR, _SAME_POSITIVES = 0, 1, 2


def auc(x: Any, y: Any) -> float:
    """Area under the points (x, y) by the trapezoidal rule.

    Parameters
    ----------
    x, y : array-like of shape (n,)
        At least two points; ``x`` rises or falls throughout.
    """
    check_consistent_length(x, y)
    x, y = as_column(as_real(x)), as_column(as_real(y))
    if len(x) < 2:
        raise InvalidArgument(
            f"At least 2 points are needed to compute area under curve, but x.shape = {x.shape}"
        )
    area, rises, falls = _core.trapezoid_area(x, y)
    if rises and falls:
        raise InvalidArgument(f"x is neither increasing nor decreasing : {x}.")
    return -area if falls else area


def confusion_matrix_at_thresholds(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None
) -> tuple[Array, Array, Array, Array, Array]:
    """Number or weight of true negatives, false positives, false negatives and true positives at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_score : array-like of shape (n,)
        Finite scores, greater for rows more likely positive.
    pos_label : label, optional
        Default 1, where the labels are {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    tns, fps, fns, tps : ndarray of shape (m,), float64
        Rows scored at or above the threshold are predicted positive.
    thresholds : ndarray of shape (m,)
        The distinct scores, falling.
    """
    tps, fps, thresholds = _points(y_true, y_score, pos_label, sample_weight, _ALL, 1, 1)
    return fps[-1] - fps, fps, tps[-1] - tps, tps, thresholds


def roc_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = True,
) -> tuple[Array, Array, Array]:
    """False and true positive rate at every threshold.

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight
        As in `confusion_matrix_at_thresholds`.
    drop_intermediate : bool
        Leave out points on a straight line between their neighbours.

    Returns
    -------
    fpr, tpr : ndarray of shape (m,), float64
        Rising; a rate is NaN throughout when its class has no rows.
    thresholds : ndarray of shape (m,), float64
        Falling from infinity.

    Warns
    -----
    UndefinedMetricWarning
        A class has no rows.
    """
    drop = _COLLINEAR if drop_intermediate else _ALL
    tps, fps, thresholds = _points(y_true, y_score, pos_label, sample_weight, drop, 1, 0, np.float64)
    fpr = _rate(fps, "No negative samples in y_true, false positive value should be meaningless")
    tpr = _rate(tps, "No positive samples in y_true, true positive value should be meaningless")
    return fpr, tpr, thresholds


def precision_recall_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> tuple[Array, Array, Array]:
    """Precision and recall at every threshold.

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight
        As in `confusion_matrix_at_thresholds`.
    drop_intermediate : bool
        Leave out points with as many true positives as both neighbours.

    Returns
    -------
    precision, recall : ndarray of shape (m + 1,), float64
        Recall falls to 0, where precision is 1.
    thresholds : ndarray of shape (m,)
        Rising.

    Warns
    -----
    UserWarning
        No row is positive: recall is 1.
    """
    drop = _SAME_POSITIVES if drop_intermediate else _ALL
    tps, fps, thresholds = _points(y_true, y_score, pos_label, sample_weight, drop, 1, 1)
    precision, recall = np.empty((2, len(tps) + 1))
    precision[-1], recall[-1] = 1.0, 0.0
    fps += tps
    if fps[0] == 0 or (sample_weight is not None and not fps.all()):
        with np.errstate(divide="ignore", invalid="ignore"):
            precision[-2::-1] = np.where(fps != 0, tps / fps, 0.0)
    else:
        np.divide(tps, fps, out=precision[-2::-1])
    if tps[-1] == 0:
        warn_no_positive(stacklevel=3)
        recall[:-1] = 1.0
    else:
        np.divide(tps, tps[-1], out=recall[-2::-1])
    return precision, recall, thresholds[::-1]


def det_curve(
    y_true: Any,
    y_score: Any,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> tuple[Array, Array, Array]:
    """False positive and false negative rate at every threshold (detection error tradeoff).

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight
        As in `confusion_matrix_at_thresholds`.
    drop_intermediate : bool
        Leave out points with as many true positives as both neighbours.

    Returns
    -------
    fpr, fnr : ndarray of shape (m,), float64
    thresholds : ndarray of shape (m,), float64
        Rising.
    """
    y, present = distinct_labels(y_true)
    drop = _SAME_POSITIVES if drop_intermediate else _ALL
    tps, fps, thresholds = _points(y, y_score, pos_label, sample_weight, drop, 0, 0, np.float64)
    if len(present) != 2:
        raise InvalidArgument(
            "Only one class is present in y_true. Detection error tradeoff curve is not defined in that case."
        )
    positives, negatives = tps[-1], fps[-1]
    first = np.searchsorted(fps, fps[0], side="right") - 1
    last = np.searchsorted(tps, positives) + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        fpr = fps[first:last][::-1] / negatives
        fnr = (positives - tps[first:last])[::-1] / positives
    return fpr, fnr, thresholds[first:last][::-1]


def _points(
    y_true: Any,
    y_score: Any,
    pos_label: Any,
    sample_weight: Any,
    drop: int,
    drop_first: int,
    first: int,
    dtype: Any = None,
) -> tuple[Array, Array, Array]:
    """True and false positives at every threshold and the thresholds, those as ``dtype`` or that of the scores."""
    y, present = distinct_labels(y_true)
    if len(present) > 2 and pos_label is None:
        raise InvalidArgument("multiclass format is not supported")
    codes, positive = positive_codes(y, consistent_positive(pos_label, present))
    samples = check_consistent_length(y, y_score, sample_weight)
    scores = as_column(as_real(y_score))
    weight = check_sample_weight(sample_weight, samples)
    try:
        tps, fps, thresholds = _core.curve_points(codes, positive, scores, weight, drop, drop_first, first)
    except NotFinite:
        check_finite(scores)
        raise
    return tps, fps, thresholds.astype(scores.dtype if dtype is None else dtype, copy=False)


def _rate(counts: Array, message: str) -> Array:
    """The share of all that each count is; NaN with a warning if there are none."""
    if counts[-1] <= 0:
        warnings.warn(message, undefined_metric_warning(), stacklevel=3)
        return np.full(counts.shape, np.nan)
    counts /= counts[-1]
    return counts
