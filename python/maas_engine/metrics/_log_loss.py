"""Log loss (cross-entropy) of predicted probabilities."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._binary_scores import distinct_labels
from maas_engine.metrics._checks import (
    Array,
    as_real,
    check_consistent_length,
    check_finite,
    check_sample_weight,
)


def log_loss(
    y_true: Any,
    y_proba: Any = None,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Mean of minus the logarithm of the probability given to the true class, or the sum if not ``normalize``.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_proba : array-like of shape (n, k) or (n,)
        Probabilities of the k classes in sorted order, clipped to [eps, 1 - eps] of their dtype; a vector holds
        those of the greater of two classes.
    sample_weight : array-like of shape (n,), optional
    labels : array-like of shape (k,), optional
        All classes, when ``y_true`` may lack some.
    y_pred : array-like, optional
        scikit-learn's former name of ``y_proba``.

    Warns
    -----
    UserWarning
        Rows of probabilities do not sum to one, or ``labels`` is not sorted.
    """
    if not (isinstance(y_pred, str) and y_pred == "deprecated"):
        y_proba = _renamed(y_proba, y_pred)
    proba, weight = check_probabilities(y_true, y_proba, sample_weight)
    y, present = distinct_labels(y_true)
    classes = present if labels is None else sorted_classes(labels)
    codes, class_codes = encode(y, present, classes, labels)
    _check_classes(classes, proba, labels)
    total, loss, in_range, sums_to_one, _ = _core.log_loss_sums(codes, class_codes, proba, weight)
    check_range(proba, in_range, sums_to_one)
    return loss / total if normalize else loss


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


def check_range(proba: Array, in_range: bool, sums_to_one: bool) -> None:
    """Raises for values outside [0, 1]; warns when rows do not sum to one."""
    if not in_range:
        check_finite(proba)
        if proba.max() > 1:
            raise InvalidArgument(f"y_prob contains values greater than 1: {proba.max()}")
        raise InvalidArgument(f"y_prob contains values lower than 0: {proba.min()}")
    if not sums_to_one:
        warnings.warn(
            "The y_prob values do not sum to one. Make sure to pass probabilities.", UserWarning, stacklevel=3
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
            stacklevel=3,
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
        return y, [int(label) for label in classes]
    return np.searchsorted(classes, y), list(range(len(classes)))


def _renamed(y_proba: Any, y_pred: Any) -> Any:
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
