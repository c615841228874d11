"""What losses of predicted probabilities check: shape, range, classes and the codes of the labels."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._binary_scores import consistent_positive, distinct_labels
from maas_engine.metrics._checks import (
    Array,
    as_column,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    undefined_metric_warning,
)
from maas_engine.metrics._labels import as_native

LOG, SQUARED = 0, 1


class Probabilities(NamedTuple):
    """Integer labels, the sorted classes among which they are, a column of probabilities a class, and weights."""

    labels: Array
    classes: list[int]
    proba: Array
    weight: Array | None

    def loss_sums(self, kind: int) -> tuple[float, float]:
        """Total weight and weighted loss; raises for values outside [0, 1], warns of rows that do not sum to one."""
        total, loss, in_range, sums_to_one, _ = _core.probability_loss_sums(
            kind, self.labels, self.classes, self.proba, self.weight
        )
        check_range(self.proba, in_range, sums_to_one, stacklevel=5)
        return total, loss

    def class_weights(self) -> Array:
        """Number, or weight, of the rows of each class that has rows."""
        counted = _core.pair_counts(self.labels, self.labels, self.weight)
        if counted is None:
            _, codes = np.unique(self.labels, return_inverse=True)
            return np.bincount(codes, self.weight).astype(np.float64)
        return counted[1].diagonal().astype(np.float64)


def class_probabilities(y_true: Any, y_proba: Any, sample_weight: Any, labels: Any) -> Probabilities:
    """Checked probabilities of shape (n, k), or (n,) of the greater of two classes, which ``labels`` may name."""
    proba, weight = check_probabilities(y_true, y_proba, sample_weight)
    y, present = distinct_labels(y_true)
    classes = present if labels is None else sorted_classes(labels)
    codes, class_codes = encode(y, present, classes, labels)
    _check_classes(classes, proba, labels)
    return Probabilities(codes, class_codes, proba, weight)


def binary_probabilities(y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any) -> Probabilities:
    """Checked probabilities of shape (n,) of the positive class; ``y_true`` may lack one of the two."""
    proba, weight = check_probabilities(y_true, as_column(as_real(y_proba)), sample_weight)
    y, present = distinct_labels(y_true)
    if len(present) > 2:
        raise InvalidArgument(
            "The type of the target inferred from y_true is multiclass but should be binary according to the shape "
            "of y_prob."
        )
    if pos_label is None and present.dtype.kind not in "OUS":
        pos_label = present[-1] if present.tolist() not in ([0], [-1]) else 1
    positive = y == consistent_positive(pos_label, present)
    return Probabilities(positive.view(np.uint8), [0, 1], proba, weight)


def check_probabilities(y_true: Any, y_proba: Any, sample_weight: Any) -> tuple[Array, Array | None]:
    """Probabilities of shape (n,) or (n, k), whose values are checked while they are summed, and weights."""
    proba = as_real(y_proba, "y_proba")
    if proba.ndim not in (1, 2):
        raise InvalidArgument(f"Found array with dim {proba.ndim}, while dim <= 2 is required.")
    if proba.shape[0] < 1:
        raise InvalidArgument(
            f"Found array with 0 sample(s) (shape={proba.shape}) while a minimum of 1 is required."
        )
    samples = check_consistent_length(proba, y_true, sample_weight)
    return proba, check_sample_weight(sample_weight, samples)


def check_range(proba: Array, in_range: bool, sums_to_one: bool, stacklevel: int = 3) -> None:
    """Raises for values outside [0, 1]; warns when rows do not sum to one."""
    if not in_range:
        check_finite(proba)
        if proba.max() > 1:
            raise InvalidArgument(f"y_prob contains values greater than 1: {proba.max()}")
        raise InvalidArgument(f"y_prob contains values lower than 0: {proba.min()}")
    if not sums_to_one:
        warnings.warn(
            "The y_prob values do not sum to one. Make sure to pass probabilities.",
            UserWarning,
            stacklevel=stacklevel,
        )


def sorted_classes(labels: Any) -> Array:
    """The declared classes, sorted; warns when they were not."""
    given = np.asarray(labels)
    classes = np.unique(given)
    if len(classes) < 2:
        raise InvalidArgument(f"The labels array needs to contain at least two labels, got {classes}.")
    if len(classes) != len(given) or (classes != given).any():
        warnings.warn(
            f"Labels passed were {labels}. But this function assumes labels are ordered lexicographically. Pass "
            f"the ordered labels={classes.tolist()} and ensure that the columns of y_prob correspond to this "
            "ordering.",
            UserWarning,
            stacklevel=4,
        )
    return classes


def encode(y: Array, present: Array, classes: Array, labels: Any) -> tuple[Array, list[int]]:
    """Integer labels and the sorted classes among which they are."""
    unknown = set(present.tolist()) - set(classes.tolist())
    if unknown:
        raise InvalidArgument(
            f"y_true contains values {unknown} not belonging to the passed labels {labels}."
        )
    if y.dtype.kind in "biuf" and (classes.dtype.kind in "biu" or (classes == np.trunc(classes)).all()):
        return as_native(y), [int(label) for label in classes]
    return np.searchsorted(classes, y), list(range(len(classes)))


def renamed_argument(y_proba: Any, y_pred: Any) -> Any:
    """``y_proba``, for which ``y_pred`` is scikit-learn's former name."""
    if isinstance(y_pred, str) and y_pred == "deprecated":
        return y_proba
    if y_proba is not None:
        raise InvalidArgument(
            "Cannot use both `y_pred` and `y_proba`. `y_pred` is deprecated, use `y_proba` instead."
        )
    warnings.warn(
        "`y_pred` was renamed to `y_proba` in version 1.9 and will be removed in 1.11. Use `y_proba` instead.",
        FutureWarning,
        stacklevel=3,
    )
    return y_pred


def too_few_for_d2(y_true: Any, y_proba: Any, sample_weight: Any) -> bool:
    """Whether there are less than two rows, of which it warns."""
    if check_consistent_length(y_proba, y_true, sample_weight) >= 2:
        return False
    warnings.warn(
        "D^2 score is not well-defined with less than two samples.", undefined_metric_warning(), stacklevel=3
    )
    return True


def _check_classes(classes: Array, proba: Array, labels: Any) -> None:
    if len(classes) == 1:
        raise InvalidArgument(
            f"y_true contains only one label ({classes[0]}). Please provide the list of all expected class labels "
            "explicitly through the labels argument."
        )
    columns = max(2, proba.shape[1]) if proba.ndim == 2 else 2
    if len(classes) == columns:
        return
    if labels is None:
        raise InvalidArgument(
            f"y_true and y_prob contain different number of classes: {len(classes)} vs {columns}. Please provide "
            f"the true labels explicitly through the labels argument. Classes found in y_true: {classes}"
        )
    raise InvalidArgument(
        f"The number of classes in labels is different from that in y_prob. Classes found in labels: {classes}"
    )
