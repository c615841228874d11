"""What metrics of scores check of a binary target: its labels, the positive one, scores and weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import (
    Array,
    as_array,
    as_column,
    as_real,
    check_consistent_length,
    check_sample_weight,
)
from maas_engine.metrics._labels import INDICATOR, as_native, is_label_vector, is_sparse, target_kind


def target_labels(y_true: Any) -> tuple[Array, str]:
    """``y_true`` as an array and whether it is a vector of "labels" or a matrix of indicators; else raises."""
    if is_label_vector(y_true):
        return y_true, "labels"
    y, kind = target_kind(as_array(y_true, "y_true") if is_sparse(y_true) else y_true, "y_true")
    if kind == INDICATOR:
        return as_native(y), kind
    if kind != "labels":
        raise InvalidArgument(f"{kind} format is not supported")
    return as_column(y), kind


def distinct_labels(y_true: Any) -> tuple[Array, Array]:
    """``y_true`` as a vector and its sorted distinct labels; raises for targets that are no labels."""
    y, kind = target_labels(y_true)
    if kind == INDICATOR:
        raise InvalidArgument(f"{INDICATOR} format is not supported")
    if y.dtype.kind not in "UO":
        y = as_native(y)
        counted = _core.pair_counts(y, y, None)
        if counted is not None:
            labels = counted[0]
            return y, labels if y.dtype.kind in "iu" else labels.astype(y.dtype)
    return y, np.unique(y)


def positive_codes(y: Array, pos_label: Any) -> tuple[Array, int]:
    """Integer labels and the positive one among them."""
    number = isinstance(pos_label, (int, float, np.number, np.bool_)) and float(pos_label).is_integer()
    if number and y.dtype.kind in "biuf":
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
    return scores, check_ranking_weight(sample_weight, samples)


def check_ranking_weight(sample_weight: Any, samples: int) -> Array | None:
    """Checked weights, none negative."""
    weight = check_sample_weight(sample_weight, samples)
    if weight is not None and weight.min() < 0:
        raise InvalidArgument("Negative values in data passed to `sample_weight`.")
    return weight


def consistent_positive(pos_label: Any, present: Array) -> Any:
    """``pos_label``, or 1 where the labels leave no doubt that this is the positive one; else raises."""
    if pos_label is not None:
        return pos_label
    labels = present.tolist()
    if present.dtype.kind not in "OUS" and labels in ([0, 1], [-1, 1], [0], [-1], [1]):
        return 1
    raise InvalidArgument(
        f"y_true takes value in {{{', '.join(repr(label) for label in labels)}}} and pos_label is not specified: "
        "either make y_true take value in {0, 1} or {-1, 1} or pass pos_label explicitly."
    )


def warn_no_positive(stacklevel: int) -> None:
    """scikit-learn's warning for targets without the positive label."""
    warnings.warn(
        "No positive class found in y_true, recall is set to one for all thresholds.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )
