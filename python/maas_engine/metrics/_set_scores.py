"""Scores of each label, or of each row's label set, from how much of it is right, predicted and true."""

from __future__ import annotations

import math
import warnings
from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array, undefined_metric_warning
from maas_engine.metrics._labels import INDICATOR, PairCounts, check_targets, count_pairs
from maas_engine.metrics._multilabel import IndicatorPair, check_columns, indicator_pair

_AVERAGES = (None, "micro", "macro", "weighted", "samples")


class SetSums(NamedTuple):
    """Correct, predicted and true weight of each of m labels or rows, shape (m,)."""

    right: Array
    predicted: Array
    true: Array
    total: Any  # weight that could have been in each: of all rows, or (m,) the labels of each row
    row_weight: Array | None = None  # of each row, where the sums are those of rows

    def micro(self) -> SetSums:
        """All labels together, shape (1,)."""
        right, predicted, true = (np.array([sums.sum()]) for sums in self[:3])
        return SetSums(right, predicted, true, None)


def read_targets(y_true: Any, y_pred: Any, sample_weight: Any) -> PairCounts | IndicatorPair:
    """Checked targets: pairs of labels counted, or a pair of indicator matrices."""
    y_true, y_pred, weight, kind = check_targets(y_true, y_pred, sample_weight)
    if kind == INDICATOR:
        return indicator_pair(y_true, y_pred, weight)
    return count_pairs(y_true, y_pred, weight)


def set_sums(targets: PairCounts | IndicatorPair, labels: Any, samplewise: bool = False) -> SetSums:
    """The sums of the wanted labels, in that order, or (``samplewise``) of the rows' sets of wanted labels."""
    if isinstance(targets, PairCounts):
        return _label_sums(targets, labels, samplewise)
    if labels is not None:
        labels = check_columns(labels, targets.labels)
    if not samplewise:
        right, predicted, true = _rounded(targets.label_sums(), targets.weight)
        total = targets.rows if targets.weight is None else targets.weight.sum()
        if labels is not None:
            right, predicted, true = right[labels], predicted[labels], true[labels]
        return SetSums(right, predicted, true, total)
    chosen = targets if labels is None else targets.select(labels)
    counts = chosen.row_sums()
    weight = targets.weight
    if weight is None:
        return SetSums(*counts, chosen.labels)
    right, predicted, true = _rounded(tuple(weight * count for count in counts), weight)
    return SetSums(right, predicted, true, weight * chosen.labels, weight)


def _label_sums(counts: PairCounts, labels: Any, samplewise: bool) -> SetSums:
    if samplewise:
        raise InvalidArgument("Samplewise metrics are not available outside of multilabel classification.")
    right, predicted, true = _rounded(counts.sums(), counts.weight)
    if not right.any():  # scikit-learn's sums are floats then, and printed so
        right, predicted, true = (sums.astype(np.float64) for sums in (right, predicted, true))
    if labels is not None:
        position = {label: i for i, label in enumerate(counts.labels.tolist())}
        at = [position.get(label, len(position)) for label in np.asarray(labels).tolist()]
        right, predicted, true = (np.append(sums, 0)[at] for sums in (right, predicted, true))
    return SetSums(right, predicted, true, counts.total())


def _rounded(sums: tuple[Array, ...], weight: Array | None) -> tuple[Array, Array, Array]:
    """scikit-learn keeps the wrong weight and adds the right one again: the same rounding, so the same bits."""
    right, predicted, true = sums
    if weight is None:
        return right, predicted, true
    return right, right + (predicted - right), right + (true - right)


def wanted_labels(
    targets: PairCounts | IndicatorPair, labels: Any, pos_label: Any, average: str | None, stacklevel: int = 4
) -> Any:
    """``labels``, or the positive one when ``average`` is "binary"; raises where that has no meaning."""
    if average != "binary":
        if pos_label not in (None, 1):
            warnings.warn(
                f"Note that pos_label (set to {pos_label!r}) is ignored when average != 'binary' (got "
                f"{average!r}). You may use labels=[pos_label] to specify a single positive class.",
                UserWarning,
                stacklevel=stacklevel,
            )
        return labels
    kind, options = INDICATOR, list(_AVERAGES)
    if isinstance(targets, PairCounts):
        present = targets.labels
        if len(present) <= 2:
            if len(present) == 2 and pos_label not in present.tolist():
                raise InvalidArgument(
                    f"pos_label={pos_label} is not a valid label. It should be one of {present}"
                )
            return [pos_label]
        kind, options = "multiclass", options[:-1]
    raise InvalidArgument(
        f"Target is {kind} but average='binary'. Please choose another average setting, one of {options!r}."
    )


def check_averaging(
    average: str | None,
    zero_division: Any,
    function: str = "precision_recall_fscore_support",
    *,
    nan: bool = True,
) -> None:
    """Raises for values that scikit-learn refuses."""
    if average != "binary" and average not in _AVERAGES:
        raise InvalidArgument(f"average has to be one of {_AVERAGES}")
    number = isinstance(zero_division, (int, float)) and (
        zero_division in (0, 1) or (nan and math.isnan(zero_division))
    )
    if not number and not (isinstance(zero_division, str) and zero_division == "warn"):
        raise InvalidArgument(
            f"The 'zero_division' parameter of {function} must be a float among {{0.0, 1.0}}"
            f"{', nan' if nan else ''} or a str among {{'warn'}}. Got {zero_division!r} instead."
        )


def score_labels(
    targets: PairCounts | IndicatorPair,
    beta: float,
    labels: Any,
    pos_label: Any,
    average: str | None,
    warn_for: Container[str],
    zero_division: Any,
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-score and support of targets."""
    check_averaging(average, zero_division)
    if not beta >= 0:
        raise InvalidArgument(
            f"The 'beta' parameter of precision_recall_fscore_support must be a float in the range [0.0, inf]. "
            f"Got {beta!r} instead."
        )
    labels = wanted_labels(targets, labels, pos_label, average, stacklevel=5)
    sums = set_sums(targets, labels, average == "samples")
    return score_sums(sums, beta, average, warn_for, zero_division)


def score_sums(
    sums: SetSums, beta: float, average: str | None, warn_for: Container[str], zero_division: Any
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-score and support, of shape (m,) each or averaged."""
    if average == "micro":
        sums = sums.micro()
    right, predicted, true = sums[:3]
    divide = Division(average, warn_for, zero_division)
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
    weights = true if average == "weighted" else sums.row_weight
    return _mean(precision, weights), _mean(recall, weights), _mean(fscore, weights), None


class Division:
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
            unit, other = ("label", "sample") if self.average == "samples" else ("sample", "label")
            where = "due to" if len(result) == 1 else f"in {other}s with"
            warnings.warn(
                f"{score.capitalize()} is ill-defined and being set to 0.0 {where} no {modifier} {unit}s. Use "
                "`zero_division` parameter to control this behavior.",
                undefined_metric_warning(),
                stacklevel=5,
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
