"""Accuracy, precision, recall, F-scores and Jaccard index of predicted labels or label sets."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.metrics._checks import Array
from maas_engine.metrics._labels import INDICATOR, as_native, check_targets, is_label_vector
from maas_engine.metrics._multilabel import indicator_pair
from maas_engine.metrics._set_scores import (
    Division,
    check_averaging,
    read_targets,
    score_labels,
    set_sums,
    wanted_labels,
)


def accuracy_score(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share of rows whose label, or whole set of labels, was predicted, or their number if not ``normalize``.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,), or indicators of shape (n, k), dense or sparse
        Labels: integers, booleans, floats with integer values, or strings.
    normalize : bool
    sample_weight : array-like of shape (n,), optional
        Without ``normalize`` the weights of the right rows are added.

    Raises
    ------
    InvalidArgument
        Lengths differ, no rows, or targets that are no labels.
    """
    equal, total = _equal_rows(y_true, y_pred, sample_weight)
    return equal / total if normalize else equal


def zero_one_loss(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> Any:
    """Share, or number, of rows that `accuracy_score` does not count; parameters as there."""
    equal, total = _equal_rows(y_true, y_pred, sample_weight)
    if normalize:
        return 1 - equal / total
    if sample_weight is None:
        return int(total) - equal
    return np.sum(sample_weight) - equal


def hamming_loss(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Share of labels that are wrong: of rows, or of all n k indicators; parameters as in `accuracy_score`."""
    if sample_weight is None and is_label_vector(y_true) and is_label_vector(y_pred):
        equal, total = _equal_rows(y_true, y_pred, None)
        return (total - equal) / total
    y_true, y_pred, weight, kind = check_targets(y_true, y_pred, sample_weight)
    if kind != INDICATOR:
        return float(np.average(y_true != y_pred, weights=weight))
    pair = indicator_pair(y_true, y_pred, weight)
    wrong = pair.differences()
    if weight is None:
        return float(wrong.sum()) / (pair.rows * pair.labels)
    return float(np.dot(wrong, weight)) / (pair.rows * pair.labels * float(np.average(weight)))


def _equal_rows(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[float, float]:
    """Number or weight of the rows predicted right, and of all."""
    if sample_weight is None and is_label_vector(y_true) and is_label_vector(y_pred):
        samples = len(y_true)
        if samples == len(y_pred) > 0:
            equal = _core.equal_labels(y_true, y_pred)
            if equal is not None:
                return float(equal), float(samples)
    y_true, y_pred, weight, kind = check_targets(y_true, y_pred, sample_weight)
    if kind == INDICATOR:
        right: Array = indicator_pair(y_true, y_pred, weight).differences() == 0
    else:
        if weight is not None and y_true.dtype.kind not in "UO":
            sums = _core.equal_weight(as_native(y_true), as_native(y_pred), weight)
            if sums is not None:
                return sums
        right = y_true == y_pred
    if weight is None:
        return float(np.sum(right)), float(len(right))
    return float(np.dot(right, weight)), float(weight.sum())


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
    y_true, y_pred : array-like of shape (n,), or indicators of shape (n, k), dense or sparse
    beta : float
        Weight of recall against precision in the F-score.
    labels : array-like of shape (m,), optional
        Labels, or columns of indicators, to score, in this order. Default: all present, sorted.
    pos_label : label
        The class scored when ``average="binary"``.
    average : {"binary", "micro", "macro", "weighted", "samples"}, optional
        None gives arrays of shape (m,); "samples" averages over the rows' sets of labels and needs indicators.
    warn_for : container of str
        Scores that warn when they are undefined.
    sample_weight : array-like of shape (n,), optional
    zero_division : {"warn", 0, 1, nan}
        What 0/0 is; "warn" gives 0 with an ``UndefinedMetricWarning``.

    Returns
    -------
    precision, recall, fscore : float or ndarray of shape (m,)
    support : ndarray of shape (m,), or None when averaged
    """
    targets = read_targets(y_true, y_pred, sample_weight)
    return score_labels(targets, beta, labels, pos_label, average, warn_for, zero_division)


def _one_score(name: str, score: str, index: int, summary: str) -> Callable[..., Any]:
    """The function that returns one of the scores: their parameters are the same."""

    def score_function(
        y_true: Any,
        y_pred: Any,
        *,
        labels: Any = None,
        pos_label: Any = 1,
        average: str | None = "binary",
        sample_weight: Any = None,
        zero_division: Any = "warn",
    ) -> Any:
        targets = read_targets(y_true, y_pred, sample_weight)
        return score_labels(targets, 1.0, labels, pos_label, average, (score,), zero_division)[index]

    score_function.__name__ = score_function.__qualname__ = name
    score_function.__doc__ = f"{summary}; parameters as in `precision_recall_fscore_support`."
    return score_function


precision_score = _one_score(
    "precision_score", "precision", 0, "Share of the predictions of a label that are right"
)
recall_score = _one_score("recall_score", "recall", 1, "Share of the rows of a label that were found")
f1_score = _one_score("f1_score", "f-score", 2, "Harmonic mean of precision and recall")


def fbeta_score(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Harmonic mean of precision and recall, recall counting ``beta`` times.

    Parameters as in `precision_recall_fscore_support`.
    """
    targets = read_targets(y_true, y_pred, sample_weight)
    return score_labels(targets, beta, labels, pos_label, average, ("f-score",), zero_division)[2]


def jaccard_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Rows that have a label in both arrays over those that have it in either.

    Parameters as in `precision_recall_fscore_support`; ``zero_division`` may not be NaN.
    """
    check_averaging(average, zero_division, "jaccard_score", nan=False)
    targets = read_targets(y_true, y_pred, sample_weight)
    labels = wanted_labels(targets, labels, pos_label, average)
    sums = set_sums(targets, labels, average == "samples")
    if average == "micro":
        sums = sums.micro()
    either = sums.right + (sums.predicted - sums.right) + (sums.true - sums.right)
    divide = Division(average, ("jaccard",), zero_division)
    jaccard = divide(sums.right, either, "jaccard", "true or predicted")
    if average is None:
        return jaccard
    weights = sums.true if average == "weighted" and sums.true.any() else sums.row_weight
    return float(np.average(jaccard, weights=weights))
