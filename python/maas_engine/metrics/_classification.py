"""Accuracy, confusion matrix, precision, recall and F-score of predicted labels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Container
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array, check_option, undefined_metric_warning
from maas_engine.metrics._labels import PairCounts, as_native, check_labels, count_pairs, is_label_vector

_AVERAGES = (None, "micro", "macro", "weighted", "samples")


def accuracy_score(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share of rows whose label was predicted, or their number (weight) if not ``normalize``.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels: integers, booleans, floats with integer values, or strings.
    normalize : bool
    sample_weight : array-like of shape (n,), optional

    Raises
    ------
    InvalidArgument
        Lengths differ, no rows, or targets that are no labels.
    Unsupported
        Multilabel targets.
    """
    if sample_weight is None and is_label_vector(y_true) and is_label_vector(y_pred):
        samples = len(y_true)
        if samples == len(y_pred) > 0:
            equal = _core.equal_labels(y_true, y_pred)
            if equal is not None:
                return equal / samples if normalize else float(equal)
    y_true, y_pred, weight = check_labels(y_true, y_pred, sample_weight)
    if weight is not None and y_true.dtype.kind not in "UO":
        sums = _core.equal_weight(as_native(y_true), as_native(y_pred), weight)
        if sums is not None:
            return sums[0] / sums[1] if normalize else sums[0]
    right = y_true == y_pred
    if weight is None:
        return float(np.mean(right)) if normalize else float(np.sum(right))
    return float(np.average(right, weights=weight)) if normalize else float(np.dot(right, weight))


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


def precision_recall_fscore_support(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = None,
    warn_for: Container[str] = ("precision", "recall", "f-score"),
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-beta score and support of each label, or averaged.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    beta : float
        Weight of recall against precision in the F-score.
    labels : array-like of shape (k,), optional
        Labels to score, in this order. Default: all present, sorted.
    pos_label : label
        The class scored when ``average="binary"``.
    average : {"binary", "micro", "macro", "weighted"}, optional
        None gives arrays of shape (k,). "samples" needs multilabel targets, which are not supported yet.
    warn_for : container of str
        Scores that warn when they are undefined.
    sample_weight : array-like of shape (n,), optional
    zero_division : {"warn", 0, 1, nan}
        What 0/0 is; "warn" gives 0 with an ``UndefinedMetricWarning``.

    Returns
    -------
    precision, recall, fscore : float or ndarray of shape (k,)
    support : ndarray of shape (k,), or None when averaged
    """
    y_true, y_pred, weight = check_labels(y_true, y_pred, sample_weight)
    counts = count_pairs(y_true, y_pred, weight)
    return score_labels(counts, beta, labels, pos_label, average, warn_for, zero_division)


def precision_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of the predictions of a label that are right; see `precision_recall_fscore_support`."""
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        labels=labels,
        pos_label=pos_label,
        average=average,
        warn_for=("precision",),
        sample_weight=sample_weight,
        zero_division=zero_division,
    )[0]


def recall_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of the rows of a label that were found; see `precision_recall_fscore_support`."""
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        labels=labels,
        pos_label=pos_label,
        average=average,
        warn_for=("recall",),
        sample_weight=sample_weight,
        zero_division=zero_division,
    )[1]


def f1_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Harmonic mean of precision and recall; see `precision_recall_fscore_support`."""
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        labels=labels,
        pos_label=pos_label,
        average=average,
        warn_for=("f-score",),
        sample_weight=sample_weight,
        zero_division=zero_division,
    )[2]


def score_labels(
    counts: PairCounts,
    beta: float,
    labels: Any,
    pos_label: Any,
    average: str | None,
    warn_for: Container[str],
    zero_division: Any,
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-score and support from the counts of all labels."""
    check_averaging(average, zero_division)
    if not beta >= 0:
        raise InvalidArgument(
            f"The 'beta' parameter of precision_recall_fscore_support must be a float in the range [0.0, inf]. "
            f"Got {beta!r} instead."
        )
    right, predicted, true = counts.sums()
    wanted = _wanted_labels(counts.labels, labels, pos_label, average)
    if wanted is not None:
        right, predicted, true = _select(counts.labels, wanted, right, predicted, true)
    if average == "micro":
        right, predicted, true = (np.array([values.sum()]) for values in (right, predicted, true))
    divide = _Division(average, warn_for, zero_division)
    precision = divide(right, predicted, "precision", "predicted")
    recall = divide(right, true, "recall", "true")
    if math.isinf(beta):
        fscore = recall
    elif beta == 0:
        fscore = precision
    else:
        beta2 = float(beta) ** 2
        fscore = divide((1 + beta2) * right, beta2 * true + predicted, "f-score", "true nor predicted")
    if average is None:
        return precision, recall, fscore, true
    weights = true if average == "weighted" else None
    return _mean(precision, weights), _mean(recall, weights), _mean(fscore, weights), None


def check_averaging(average: str | None, zero_division: Any) -> None:
    """Raises for values that scikit-learn refuses."""
    if average != "binary" and average not in _AVERAGES:
        raise InvalidArgument(f"average has to be one of {_AVERAGES}")
    number = isinstance(zero_division, (int, float)) and (
        zero_division in (0, 1) or math.isnan(zero_division)
    )
    if not number and not (isinstance(zero_division, str) and zero_division == "warn"):
        raise InvalidArgument(
            "The 'zero_division' parameter of precision_recall_fscore_support must be a float among {0.0, 1.0}, "
            f"nan or a str among {{'warn'}}. Got {zero_division!r} instead."
        )


def _wanted_labels(present: Array, labels: Any, pos_label: Any, average: str | None) -> list[Any] | None:
    if average == "binary":
        if len(present) > 2:
            raise InvalidArgument(
                "Target is multiclass but average='binary'. Please choose another average setting, one of "
                f"{[None, 'micro', 'macro', 'weighted']!r}."
            )
        if len(present) == 2 and pos_label not in present.tolist():
            raise InvalidArgument(
                f"pos_label={pos_label} is not a valid label. It should be one of {present}"
            )
        return [pos_label]
    if average == "samples":
        raise InvalidArgument("Samplewise metrics are not available outside of multilabel classification.")
    if pos_label not in (None, 1):
        warnings.warn(
            f"Note that pos_label (set to {pos_label!r}) is ignored when average != 'binary' (got {average!r}). "
            "You may use labels=[pos_label] to specify a single positive class.",
            UserWarning,
            stacklevel=4,
        )
    return None if labels is None else np.asarray(labels).tolist()


def _select(present: Array, wanted: list[Any], *sums: Array) -> list[Array]:
    """Each of ``sums`` at the wanted labels; 0 for a label that no row has."""
    position = {label: i for i, label in enumerate(present.tolist())}
    at = [position.get(label, len(present)) for label in wanted]
    return [np.append(values, 0)[at] for values in sums]


class _Division:
    """Division of arrays in which 0/0 follows ``zero_division``."""

    def __init__(self, average: str | None, warn_for: Container[str], zero_division: Any) -> None:
        self.average = average
        self.warn_for = warn_for
        self.warns = isinstance(zero_division, str)
        self.value = 0.0 if self.warns else float(zero_division)

    def __call__(self, numerator: Array, denominator: Array, score: str, modifier: str) -> Array:
        if denominator.all():
            return numerator / denominator
        empty = denominator == 0
        result = numerator / np.where(empty, 1, denominator)
        result[empty] = self.value
        if self.warns and score in self.warn_for:
            where = "due to" if len(result) == 1 else "in labels with"
            warnings.warn(
                f"{score.capitalize()} is ill-defined and being set to 0.0 {where} no {modifier} samples. Use "
                "`zero_division` parameter to control this behavior.",
                undefined_metric_warning(),
                stacklevel=4,
            )
        return result


def _mean(values: Array, weights: Array | None) -> float:
    """Weighted mean of the values that are not NaN."""
    if len(values) == 1 and weights is None:
        return float(values[0])
    known = ~np.isnan(values)
    if not known.any():
        return math.nan
    values = values[known]
    if weights is None:
        return float(values.mean())
    weights = weights[known]
    return float(np.average(values, weights=weights) if weights.sum() != 0 else values.mean())
