"""Confusion matrices, of labels against each other or of each label against the rest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array, check_option
from maas_engine.metrics._labels import PairCounts, check_labels, count_pairs
from maas_engine.metrics._set_scores import read_targets, set_sums


def confusion_matrix(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None, normalize: str | None = None
) -> Array:
    """Number (weight) of rows of each true and predicted label, shape (k, k), true labels by rows.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    labels : array-like of shape (k,), optional
        Labels to count, in this order; others are left out. Default: all present, sorted.
    sample_weight : array-like of shape (n,), optional
    normalize : {"true", "pred", "all"}, optional
        Divide by the sums of rows, of columns, or of everything; 0/0 gives 0.

    Returns
    -------
    ndarray
        int64 without weights or with integer weights, else float64.
    """
    check_option(normalize, "normalize", "confusion_matrix", ("all", "pred", "true", None))
    y_true, y_pred, weight = check_labels(y_true, y_pred, sample_weight)
    return select_matrix(count_pairs(y_true, y_pred, weight), labels, normalize)


def select_matrix(counts: PairCounts, labels: Any, normalize: str | None) -> Array:
    """The confusion matrix of the wanted labels from the counts of all."""
    matrix = counts.dense()
    if counts.weight is not None and counts.weight.dtype.kind in "biu":
        matrix = matrix.astype(np.int64)
    if labels is not None:
        matrix = _reorder(matrix, counts.labels.tolist(), np.asarray(labels).tolist())
    if normalize is not None:
        with np.errstate(all="ignore"):
            axis = {"true": 1, "pred": 0, "all": None}[normalize]
            matrix = np.nan_to_num(matrix / matrix.sum(axis=axis, keepdims=True))
    if matrix.shape == (1, 1):
        warnings.warn(
            "A single label was found in 'y_true' and 'y_pred'. For the confusion matrix to have the correct "
            "shape, use the 'labels' parameter to pass all known labels.",
            UserWarning,
            stacklevel=3,
        )
    return matrix


def _reorder(matrix: Array, present: list[Any], labels: list[Any]) -> Array:
    if not labels:
        raise InvalidArgument("'labels' should contain at least one label.")
    position = {label: i for i, label in enumerate(labels)}
    kept = [i for i, label in enumerate(present) if label in position]
    if not matrix[kept].any():
        raise InvalidArgument("At least one label specified must be in y_true")
    into = [position[present[i]] for i in kept]
    wanted = np.zeros((len(labels), len(labels)), matrix.dtype)
    wanted[np.ix_(into, into)] = matrix[np.ix_(kept, kept)]
    return wanted


def multilabel_confusion_matrix(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, labels: Any = None, samplewise: bool = False
) -> Array:
    """Confusion matrix of each label against the rest, shape (m, 2, 2): [[tn, fp], [fn, tp]].

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,), or indicators of shape (n, k), dense or sparse
    sample_weight : array-like of shape (n,), optional
    labels : array-like of shape (m,), optional
        Labels, or columns of indicators, to count, in this order. Default: all, sorted.
    samplewise : bool
        A matrix for each row's set of labels instead; needs indicators.

    Raises
    ------
    InvalidArgument
        Targets of different kinds, or a column that does not exist.
    """
    sums = set_sums(read_targets(y_true, y_pred, sample_weight), labels, samplewise)
    wrong, missed = sums.predicted - sums.right, sums.true - sums.right
    rest = sums.total - sums.right - wrong - missed
    return np.stack([rest, wrong, missed, sums.right], axis=1).reshape(-1, 2, 2)
