"""Area under the ROC curve and average precision of binary targets."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.metrics._checks import (
    Array,
    as_column,
    as_real,
    check_consistent_length,
    check_finite,
    check_option,
    check_sample_weight,
    undefined_metric_warning,
)
from maas_engine.metrics._labels import as_native, is_label_vector, target_kind

ROC_AUC, AVERAGE_PRECISION = 0, 1
_AVERAGES = ("macro", "micro", "samples", "weighted", None)


def roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    average: str | None = "macro",
    sample_weight: Any = None,
    max_fpr: float | None = None,
    multi_class: str = "raise",
    labels: Any = None,
) -> float:
    """Area under the ROC curve: how likely a positive row scores above a negative one, ties counting half.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Two labels; the greater is the positive one.
    y_score : array-like of shape (n,)
        Finite scores, greater for rows more likely positive.
    average, multi_class, labels
        As in scikit-learn; without effect on binary targets. Other targets are not supported yet.
    sample_weight : array-like of shape (n,), optional
        Not negative.
    max_fpr : float in (0, 1], optional
        Area up to this false positive rate only, standardised after McClish.

    Warns
    -----
    UndefinedMetricWarning
        With one class the area is NaN.
    """
    check_option(average, "average", "roc_auc_score", _AVERAGES)
    check_option(multi_class, "multi_class", "roc_auc_score", ("ovo", "ovr", "raise"))
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise InvalidArgument(
            "The 'max_fpr' parameter of roc_auc_score must be a float in the range (0.0, 1.0] or None. "
            f"Got {max_fpr!r} instead."
        )
    y, present = distinct_labels(y_true)
    if len(present) > 2:
        if multi_class == "raise":
            raise InvalidArgument("multi_class must be in ('ovo', 'ovr')")
        raise Unsupported("multiclass targets are not supported by roc_auc_score yet")
    scores, weight = check_scores(y_true, y_score, sample_weight)
    if len(present) < 2:
        _warn_undefined("Only one class is present in y_true. ROC AUC score is not defined in that case.")
        return math.nan
    codes, positive = positive_codes(y, present[1])
    score, positives, negatives = _rank(ROC_AUC, codes, positive, scores, weight, max_fpr or 1.0)
    if not negatives:
        _warn_undefined("No negative samples in y_true, false positive value should be meaningless")
    if not positives:
        _warn_undefined("No positive samples in y_true, true positive value should be meaningless")
    return score


def average_precision_score(
    y_true: Any, y_score: Any, *, average: str | None = "macro", pos_label: Any = 1, sample_weight: Any = None
) -> float:
    """Mean precision over the thresholds, weighted by the recall that each adds.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        One or two labels.
    y_score : array-like of shape (n,)
        Finite scores, greater for rows more likely positive.
    average
        As in scikit-learn; without effect on binary targets. Other targets are not supported yet.
    pos_label : label
    sample_weight : array-like of shape (n,), optional
        Not negative.

    Warns
    -----
    UserWarning
        Without positive rows the score is 0.
    """
    check_option(average, "average", "average_precision_score", _AVERAGES)
    y, present = distinct_labels(y_true)
    if len(present) > 2:
        raise Unsupported("multiclass targets are not supported by average_precision_score yet")
    if len(present) == 2 and pos_label not in present.tolist():
        raise InvalidArgument(f"pos_label={pos_label} is not a valid label. It should be one of {present}")
    scores, weight = check_scores(y_true, y_score, sample_weight)
    codes, positive = positive_codes(y, pos_label)
    score, positives, _ = _rank(AVERAGE_PRECISION, codes, positive, scores, weight, 1.0)
    if not positives:
        warn_no_positive(stacklevel=3)
        return 0.0
    return score


def distinct_labels(y_true: Any) -> tuple[Array, Array]:
    """``y_true`` as a vector and its sorted distinct labels; raises for targets that are no labels."""
    if is_label_vector(y_true):
        y = y_true
    else:
        y, kind = target_kind(y_true, "y_true")
        if kind == "multilabel-indicator":
            raise Unsupported("multilabel-indicator targets are not supported yet")
        if kind != "labels":
            raise InvalidArgument(f"{kind} format is not supported")
        y = as_column(y)
    if y.dtype.kind not in "UO":
        y = as_native(y)
        counted = _core.pair_counts(y, y, None)
        if counted is not None:
            return y, counted[0]
    return y, np.unique(y)


def positive_codes(y: Array, pos_label: Any) -> tuple[Array, int]:
    """Integer labels and the positive one among them."""
    if y.dtype.kind in "biuf" and isinstance(pos_label, (int, np.integer, np.bool_)):
        return y, int(pos_label)
    return (y == pos_label).view(np.uint8), 1


def check_scores(y_true: Any, y_score: Any, sample_weight: Any) -> tuple[Array, Array | None]:
    """Scores of shape (n,) and checked weights; whether scores are finite is seen while they are sorted."""
    samples = check_consistent_length(y_true, y_score, sample_weight)
    scores = as_column(as_real(y_score))
    if samples < 1:
        raise InvalidArgument(
            f"Found array with 0 sample(s) (shape={scores.shape}) while a minimum of 1 is required."
        )
    weight = check_sample_weight(sample_weight, samples)
    if weight is not None and weight.min() < 0:
        raise InvalidArgument("Negative values in data passed to `sample_weight`.")
    return scores, weight


def warn_no_positive(stacklevel: int) -> None:
    """scikit-learn's warning for targets without the positive label."""
    warnings.warn(
        "No positive class found in y_true, recall is set to one for all thresholds.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def _rank(
    kind: int, codes: Array, positive: int, scores: Array, weight: Array | None, max_fpr: float
) -> tuple[float, bool, bool]:
    try:
        return _core.ranking_score(kind, codes, positive, scores, weight, float(max_fpr))
    except NotFinite:
        check_finite(scores)
        raise


def _warn_undefined(message: str) -> None:
    warnings.warn(message, undefined_metric_warning(), stacklevel=3)
