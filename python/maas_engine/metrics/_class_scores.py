"""Metrics of one score a class: hinge loss and top-k accuracy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._binary_scores import distinct_labels
from maas_engine.metrics._checks import (
    Array,
    as_column,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    undefined_metric_warning,
)
from maas_engine.metrics._multiclass_scores import class_codes, ordered_classes, require_class_columns


def hinge_loss(y_true: Any, pred_decision: Any, *, labels: Any = None, sample_weight: Any = None) -> float:
    """Mean of 1 minus the margin of each row, at least 0.

    The margin is the decision value times the sign of the class or, with more classes, how far the value of the
    true class lies above the greatest other (Crammer and Singer 2001).

    Parameters
    ----------
    y_true : array-like of shape (n,)
    pred_decision : array-like of shape (n,) or (n, k)
        Finite decision values: of the greater of two classes, or of each of k classes in sorted order.
    labels : array-like of shape (k,), optional
        All classes, when ``y_true`` may lack some.
    sample_weight : array-like of shape (n,), optional
    """
    samples = check_consistent_length(y_true, pred_decision, sample_weight)
    scores = _finite_shape(pred_decision)
    y, present = distinct_labels(y_true)
    classes: Array = present if labels is None else np.unique(np.asarray(labels))
    if len(classes) > 2:
        _require_decisions(scores, samples, len(classes), given=labels is not None)
        unknown = np.setdiff1d(present, classes)
        if len(unknown):
            raise InvalidArgument(f"y contains previously unseen labels: {unknown.tolist()}")
        codes = class_codes(y, classes)
    else:
        scores = as_column(scores)
        positive = present[0] if len(present) > 2 else present[1] if len(present) == 2 else None
        codes = np.zeros(samples, np.uint8) if positive is None else (y == positive).view(np.uint8)
    weight = check_sample_weight(sample_weight, samples)
    total, loss = _row_sums(codes, scores, 0, weight)
    return loss / total


def top_k_accuracy_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int = 2,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    """Share of rows whose true class is among the ``k`` best scored, or their number if not ``normalize``.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_score : array-like of shape (n,) or (n, m)
        Finite scores: of the greater of two classes, or of each of m classes in sorted order.
    k : int
    normalize : bool
    sample_weight : array-like of shape (n,), optional
    labels : array-like of shape (m,), optional
        All classes, sorted, when ``y_true`` may lack some.

    Warns
    -----
    UndefinedMetricWarning
        ``k`` is not less than the number of classes.
    """
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise InvalidArgument(
            "The 'k' parameter of top_k_accuracy_score must be an int in the range [1, inf). "
            f"Got {k!r} instead."
        )
    y, present = distinct_labels(y_true)
    scores = _finite_shape(y_score)
    binary = len(present) <= 2 and (labels is None or len(labels) <= 2)
    if binary:
        if scores.ndim == 2 and scores.shape[1] != 1:
            raise InvalidArgument(
                f"`y_true` is binary while y_score is 2d with {scores.shape[1]} classes. If `y_true` does not "
                "contain all the labels, `labels` must be provided."
            )
        scores = as_column(scores)
    elif scores.ndim != 2:
        require_class_columns(scores)
    samples = check_consistent_length(y, scores, sample_weight)
    classes = _score_classes(present, labels, scores.shape[1] if scores.ndim == 2 else 2)
    if k >= len(classes):
        warnings.warn(
            f"'k' ({k}) greater than or equal to 'n_classes' ({len(classes)}) will result in a perfect score and "
            "is therefore meaningless.",
            undefined_metric_warning(),
            stacklevel=2,
        )
    weight = check_sample_weight(sample_weight, samples)
    if binary:
        total, hits = _binary_hits(class_codes(y, classes), scores, k, weight)
    else:
        total, hits = _row_sums(class_codes(y, classes), scores, min(k, len(classes)), weight)
    return hits / total if normalize else hits


def _binary_hits(codes: Array, scores: Array, k: int, weight: Array | None) -> tuple[float, float]:
    """Total weight, and that of the rows whose class the sign or, of probabilities, the half predicts."""
    check_finite(scores)
    if k == 1:
        threshold = 0.5 if scores.min() >= 0 and scores.max() <= 1 else 0
        hits: Array = (scores > threshold) == codes.astype(np.bool_)
    else:
        hits = np.ones(len(scores), np.bool_)
    if weight is None:
        return float(len(hits)), float(np.count_nonzero(hits))
    return float(weight.sum()), float(np.dot(hits, weight))


def _score_classes(present: Array, labels: Any, columns: int) -> Array:
    if labels is None:
        if len(present) != columns:
            raise InvalidArgument(
                f"Number of classes in 'y_true' ({len(present)}) not equal to the number of classes in 'y_score' "
                f"({columns}).You can provide a list of all known classes by assigning it to the `labels` "
                "parameter."
            )
        return present
    return ordered_classes(labels, present, columns)


def _finite_shape(values: Any) -> Array:
    """Scores of one or two dimensions; whether they are finite is seen while they are read."""
    scores = as_real(values)
    if scores.ndim not in (1, 2):
        raise InvalidArgument(f"Found array with dim {scores.ndim}, while dim <= 2 is required.")
    if scores.shape[0] < 1:
        raise InvalidArgument(
            f"Found array with 0 sample(s) (shape={scores.shape}) while a minimum of 1 is required."
        )
    return scores


def _row_sums(codes: Array, scores: Array, k: int, weight: Array | None) -> tuple[float, float]:
    total, value, finite = _core.row_score_sums(codes, scores, k, weight)
    if not finite:
        check_finite(scores)
    return total, value


def _require_decisions(scores: Array, samples: int, classes: int, *, given: bool) -> None:
    wanted = f"pred_decision shape must be (n_samples, n_classes), that is ({samples}, {classes})"
    if scores.ndim == 1:
        raise InvalidArgument(
            "The shape of pred_decision cannot be 1d arraywith a multiclass target. "
            f"{wanted}. Got: {scores.shape}"
        )
    if scores.shape[1] == classes:
        return
    if not given:
        raise InvalidArgument("Please include all labels in y_true or pass labels as third argument")
    raise InvalidArgument(
        "The shape of pred_decision is not consistent with the number of classes. With a multiclass target, "
        f"{wanted}. Got: {scores.shape}"
    )
