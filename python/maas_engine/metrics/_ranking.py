"""Area under the ROC curve and average precision of binary, multiclass and multilabel targets."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.metrics._binary_scores import (
    check_ranking_weight,
    check_scores,
    distinct_labels,
    positive_codes,
    target_labels,
    warn_no_positive,
)
from maas_engine.metrics._checks import (
    Array,
    as_real,
    check_consistent_length,
    check_finite,
    check_option,
    undefined_metric_warning,
)
from maas_engine.metrics._labels import INDICATOR, as_native
from maas_engine.metrics._multiclass_scores import class_codes, ordered_classes, require_class_columns

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
) -> Any:
    """Area under the ROC curve: how likely a positive row scores above a negative one, ties counting half.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicators of shape (n, k)
        Of two labels the greater is the positive one.
    y_score : array-like of shape (n,) or (n, k)
        Finite scores, greater for rows more likely positive. More than two classes need probabilities.
    average : {"macro", "micro", "samples", "weighted"}, optional
        How the areas of the k classes or labels become one; None returns them all. No effect on two labels.
    sample_weight : array-like of shape (n,), optional
        Not negative.
    max_fpr : float in (0, 1], optional
        Area up to this false positive rate only, standardised after McClish.
    multi_class : {"raise", "ovr", "ovo"}
        More than two classes: each against the rest, or every pair (Hand and Till 2001).
    labels : array-like of shape (k,), optional
        All classes, sorted, when ``y_true`` may lack some.

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
    limit = 1.0 if max_fpr is None else float(max_fpr)
    y, kind = target_labels(y_true)
    if kind == INDICATOR:
        _require_zero_one(y)
        return _average_columns(ROC_AUC, y, y_score, average, sample_weight, limit)
    y, present = distinct_labels(y)
    if len(present) > 2 or (np.ndim(y_score) == 2 and np.shape(y_score)[1] > 2):
        if limit != 1:
            raise InvalidArgument(
                "Partial AUC computation not available in multiclass setting, 'max_fpr' must be set to `None`, "
                f"received `max_fpr={max_fpr}` instead"
            )
        if multi_class == "raise":
            raise InvalidArgument("multi_class must be in ('ovo', 'ovr')")
        return _multiclass_roc_auc(y, present, y_score, labels, multi_class, average, sample_weight)
    scores, weight = check_scores(y_true, y_score, sample_weight)
    if len(present) < 2:
        _warn_undefined("Only one class is present in y_true. ROC AUC score is not defined in that case.", 3)
        return math.nan
    codes, positive = positive_codes(y, present[1])
    score, positives, negatives = _rank(ROC_AUC, codes, positive, scores, weight, limit)
    _warn_absent(positives, negatives, 4)
    return score


def average_precision_score(
    y_true: Any, y_score: Any, *, average: str | None = "macro", pos_label: Any = 1, sample_weight: Any = None
) -> Any:
    """Mean precision over the thresholds, weighted by the recall that each adds.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicators of shape (n, k)
    y_score : array-like of shape (n,) or (n, k)
        Finite scores, greater for rows more likely positive; one column a class when there are more than two.
    average : {"macro", "micro", "samples", "weighted"}, optional
        How the figures of the k classes or labels become one; None returns them all. No effect on two labels.
    pos_label : label
        The positive one of two labels.
    sample_weight : array-like of shape (n,), optional
        Not negative.

    Warns
    -----
    UserWarning
        Without positive rows the score is 0.
    """
    check_option(average, "average", "average_precision_score", _AVERAGES)
    y, kind = target_labels(y_true)
    if kind != INDICATOR:
        y, present = distinct_labels(y)
        kind = "multiclass" if len(present) > 2 else "binary"
    if kind != "binary" and pos_label != 1:
        raise InvalidArgument(
            f"Parameter pos_label is fixed to 1 for {kind} y_true. Do not set pos_label or set pos_label to 1."
        )
    if kind == INDICATOR:
        return _average_columns(AVERAGE_PRECISION, y, y_score, average, sample_weight, 1.0)
    if kind == "multiclass":
        if np.shape(y_score) != (len(y), len(present)):
            require_class_columns(y_score)
        return _average_columns(
            AVERAGE_PRECISION, class_codes(y, present), y_score, average, sample_weight, 1.0
        )
    if len(present) == 2 and pos_label not in present.tolist():
        raise InvalidArgument(f"pos_label={pos_label} is not a valid label. It should be one of {present}")
    scores, weight = check_scores(y_true, y_score, sample_weight)
    codes, positive = positive_codes(y, pos_label)
    score, positives, _ = _rank(AVERAGE_PRECISION, codes, positive, scores, weight, 1.0)
    if not positives:
        warn_no_positive(stacklevel=3)
        return 0.0
    return score


def _multiclass_roc_auc(
    y: Array,
    present: Array,
    y_score: Any,
    labels: Any,
    multi_class: str,
    average: str | None,
    sample_weight: Any,
) -> Any:
    if np.ndim(y_score) != 2:
        require_class_columns(y_score)
    scores = as_real(y_score)
    check_consistent_length(y, scores, sample_weight)
    if not np.allclose(1, scores.sum(axis=1)):
        check_finite(scores)
        raise InvalidArgument(
            "Target scores need to be probabilities for multiclass roc_auc, i.e. they should sum up to 1.0 over "
            "classes"
        )
    options = ("micro", "macro", "weighted", None) if multi_class == "ovr" else ("macro", "weighted", None)
    if average not in options:
        raise InvalidArgument(f"average must be one of {options} for multiclass problems")
    if average is None and multi_class == "ovo":
        raise Unsupported("average=None is not implemented for multi_class='ovo'.")
    classes = present if labels is None else ordered_classes(labels, present, scores.shape[1])
    if len(classes) != scores.shape[1]:
        raise InvalidArgument("Number of classes in y_true not equal to the number of columns in 'y_score'")
    codes = class_codes(y, classes)
    if multi_class == "ovr":
        return _average_columns(ROC_AUC, codes, scores, average, sample_weight, 1.0)
    if sample_weight is not None:
        raise InvalidArgument(
            "sample_weight is not supported for multiclass one-vs-one ROC AUC, 'sample_weight' must be None in "
            "this case."
        )
    return _average_pairs(codes, scores, average)


def _average_pairs(codes: Array, scores: Array, average: str | None) -> float:
    """Mean over all pairs of classes of the area of either against the other."""
    areas = _core.roc_auc_pairs(codes, scores)
    counts = np.bincount(codes, minlength=scores.shape[1])
    present = np.flatnonzero(counts)
    first, second = (present[side] for side in np.triu_indices(len(present), 1))
    pairs = (areas[first, second] + areas[second, first]) / 2
    weights = (counts[first] + counts[second]) / len(codes) if average == "weighted" else None
    return float(np.average(pairs, weights=weights))


def _average_columns(
    kind: int, y: Array, y_score: Any, average: str | None, sample_weight: Any, max_fpr: float
) -> Any:
    """The metric of each column, or all, or each row, averaged; ``y`` is (n, k) indicators or (n,) class codes."""
    scores = as_real(y_score)
    check_consistent_length(y, scores, sample_weight)
    if y.ndim == 2 and scores.shape != y.shape:
        raise InvalidArgument(f"y_true and y_score have different shape: {y.shape} and {scores.shape}")
    weight = check_ranking_weight(sample_weight, len(scores))
    columns = scores.shape[1]
    if average in ("micro", "samples") and y.ndim == 1:
        y = (y[:, None] == np.arange(columns)).view(np.uint8)
    if average == "micro":
        every = None if weight is None else np.repeat(weight, columns)
        score, positives, negatives = _rank(kind, y.ravel(), 1, scores.ravel(), every, max_fpr)
        results = np.array([score]), np.array([positives]), np.array([negatives])
        return float(_defined(kind, results, y.reshape(-1, 1), every)[0])
    average_weight = None
    if average == "weighted":
        average_weight = _column_weights(y, weight, columns)
        if np.isclose(average_weight.sum(), 0):
            return 0
    elif average == "samples":
        average_weight, weight = weight, None
    try:
        if average == "samples":
            results = _core.ranking_rows(kind, y, scores, max_fpr)
            y = y.T
        else:
            results = _core.ranking_columns(kind, y, scores, weight, max_fpr)
    except NotFinite:
        check_finite(scores)
        raise
    score_each = _defined(kind, results, y, weight)
    if average is None:
        return score_each
    if average_weight is not None:
        score_each[average_weight == 0] = 0
    return float(np.average(score_each, weights=average_weight))


def _column_weights(y: Array, weight: Array | None, columns: int) -> Array:
    """Weight of the positives of each column."""
    if y.ndim == 1:
        weights: Array = np.bincount(y, weight, columns)
    elif weight is None:
        weights = np.sum(y, axis=0)
    else:
        weights = np.sum(np.multiply(y, weight[:, None]), axis=0)
    return weights


def _defined(kind: int, results: tuple[Array, Array, Array], y: Array, weight: Array | None) -> Array:
    """The scores, with warnings for those of columns that lack a class."""
    score, positives, negatives = results
    if kind == AVERAGE_PRECISION:
        for column in np.flatnonzero(~positives):
            warn_no_positive(stacklevel=5)
            score[column] = 0.0
        return score
    for column in np.flatnonzero(~(positives & negatives)):
        labels = y[:, column] == 1 if y.ndim == 2 else y == column
        if weight is None or labels.all() or not labels.any():
            _warn_undefined(
                "Only one class is present in y_true. ROC AUC score is not defined in that case.", 5
            )
        else:
            _warn_absent(bool(positives[column]), bool(negatives[column]), 6)
    return score


def _require_zero_one(y: Array) -> None:
    values = _core.two_values(y) or (0, 1)
    if values[0] != values[1] and values not in ((0, 1), (-1, 1)):
        raise InvalidArgument(
            f"y_true takes value in {{{values[0]:g}, {values[1]:g}}} and pos_label is not specified: either make "
            "y_true take value in {0, 1} or {-1, 1} or pass pos_label explicitly."
        )


def _rank(
    kind: int, codes: Array, positive: int, scores: Array, weight: Array | None, max_fpr: float
) -> tuple[float, bool, bool]:
    try:
        return _core.ranking_score(kind, as_native(codes), positive, scores, weight, max_fpr)
    except NotFinite:
        check_finite(scores)
        raise


def _warn_absent(positives: bool, negatives: bool, stacklevel: int) -> None:
    if not negatives:
        _warn_undefined(
            "No negative samples in y_true, false positive value should be meaningless", stacklevel
        )
    if not positives:
        _warn_undefined(
            "No positive samples in y_true, true positive value should be meaningless", stacklevel
        )


def _warn_undefined(message: str, stacklevel: int) -> None:
    warnings.warn(message, undefined_metric_warning(), stacklevel=stacklevel)
