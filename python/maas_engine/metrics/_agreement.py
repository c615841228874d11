"""Figures of a confusion matrix: balanced accuracy, Matthews and kappa coefficients, likelihood ratios."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import check_option, undefined_metric_warning
from maas_engine.metrics._confusion import confusion_matrix, select_matrix
from maas_engine.metrics._labels import PairCounts
from maas_engine.metrics._set_scores import read_targets


def balanced_accuracy_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, adjusted: bool = False
) -> float:
    """Mean of the recalls of all labels in ``y_true``.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    adjusted : bool
        Rescale so that guessing scores 0 and a perfect prediction 1.

    Warns
    -----
    UserWarning
        ``y_pred`` holds labels that ``y_true`` lacks.
    """
    matrix = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = matrix.diagonal() / matrix.sum(axis=1)
    known = ~np.isnan(recall)
    if not known.all():
        warnings.warn("y_pred contains classes not in y_true", UserWarning, stacklevel=2)
        recall = recall[known]
    score = np.mean(recall)
    if adjusted:
        chance = 1 / len(recall)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = (score - chance) / np.float64(1 - chance)
    return float(score)


def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Correlation of true and predicted labels, generalised to many classes (Gorodkin 2004); 0 if undefined.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    """
    matrix = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    true, predicted = matrix.sum(axis=1, dtype=np.float64), matrix.sum(axis=0, dtype=np.float64)
    right, samples = np.trace(matrix, dtype=np.float64), predicted.sum()
    covariance = right * samples - np.dot(true, predicted)
    spread = (samples**2 - np.dot(predicted, predicted)) * (samples**2 - np.dot(true, true))
    return 0.0 if spread == 0 else float(covariance / np.sqrt(spread))


def cohen_kappa_score(
    y1: Any,
    y2: Any,
    *,
    labels: Any = None,
    weights: str | None = None,
    sample_weight: Any = None,
    replace_undefined_by: float = math.nan,
) -> float:
    """How far two raters agree beyond chance (Cohen 1960).

    Parameters
    ----------
    y1, y2 : array-like of shape (n,)
    labels : array-like of shape (k,), optional
        Labels to count, in the order of their ranks; others are left out.
    weights : {"linear", "quadratic"}, optional
        How disagreement grows with the distance of two labels; None counts every one the same.
    sample_weight : array-like of shape (n,), optional
    replace_undefined_by : float
        The value, NaN or in [-1, 1], where chance cannot disagree.

    Warns
    -----
    UndefinedMetricWarning
        Chance cannot disagree.
    """
    check_option(weights, "weights", "cohen_kappa_score", ("linear", "quadratic", None))
    if not (math.isnan(replace_undefined_by) or -1 <= replace_undefined_by <= 1):
        raise InvalidArgument(
            "The 'replace_undefined_by' parameter of cohen_kappa_score must be a float in the range [-1.0, 1.0] "
            f"or nan. Got {replace_undefined_by!r} instead."
        )
    try:
        matrix = confusion_matrix(y1, y2, labels=labels, sample_weight=sample_weight).astype(np.float64)
    except InvalidArgument as error:
        if "At least one label specified must be in y_true" not in str(error):
            raise
        raise InvalidArgument(
            "At least one label in `labels` must be present in `y1` (even though `cohen_kappa_score` is otherwise "
            "agnostic to the order of `y1` and `y2`)."
        ) from error
    by_second, by_first = matrix.sum(axis=0), matrix.sum(axis=1)
    samples = by_second.sum()
    if samples == 0:
        return _undefined_kappa(
            "`y2` contains no labels that are present in both `y1` and `labels`."
            "`cohen_kappa_score` is undefined and set to the value defined by the `replace_undefined_by` param, "
            f"which is set to {replace_undefined_by}.",
            replace_undefined_by,
        )
    cost = _disagreement(len(matrix), weights)
    expected = np.sum(cost * (np.outer(by_second, by_first) / samples))
    if expected == 0:
        return _undefined_kappa(
            "`y1`, `y2` and `labels` have only one label in common. `cohen_kappa_score` is undefined and set to "
            f"the value defined by the the `replace_undefined_by` param, which is set to {replace_undefined_by}.",
            replace_undefined_by,
        )
    return float(1 - np.sum(cost * matrix) / expected)


def _disagreement(k: int, weights: str | None) -> Any:
    """Cost of rating i where the other rates j, shape (k, k)."""
    ranks = np.arange(k, dtype=np.float64)
    distance = np.abs(ranks[:, None] - ranks)
    if weights is None:
        return (distance > 0).astype(np.float64)
    return distance if weights == "linear" else distance**2


def _undefined_kappa(message: str, value: float) -> float:
    warnings.warn(message, undefined_metric_warning(), stacklevel=3)
    return value


def class_likelihood_ratios(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    replace_undefined_by: Any = math.nan,
) -> tuple[float, float]:
    """Positive and negative likelihood ratio of a binary prediction.

    The positive ratio is recall over false positive rate, the negative one is miss rate over true negative rate.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Two labels; the greater, or the second of ``labels``, is the positive one.
    labels : array-like of shape (2,), optional
    sample_weight : array-like of shape (n,), optional
    replace_undefined_by : nan, 1.0 or dict
        Values of an undefined ratio; a dict has the keys "LR+" and "LR-".

    Warns
    -----
    UndefinedMetricWarning
        A denominator is 0.
    """
    targets = read_targets(y_true, y_pred, sample_weight)
    if not isinstance(targets, PairCounts) or len(targets.labels) > 2:
        kind = "multiclass" if isinstance(targets, PairCounts) else "multilabel-indicator"
        raise InvalidArgument(
            "class_likelihood_ratios only supports binary classification problems, got targets of type: "
            + kind
        )
    positive_value, negative_value = _ratio_values(replace_undefined_by)
    matrix = select_matrix(targets, labels, None)
    if matrix.shape != (2, 2):
        raise InvalidArgument(f"expected 2 labels, got {len(matrix)}")
    tn, fp, fn, tp = matrix.ravel()
    positives, negatives = tp + fn, tn + fp
    if positives == 0:
        _warn_ratio(
            "No samples of the positive class are present in `y_true`. `positive_likelihood_ratio` and "
            "`negative_likelihood_ratio` are both"
        )
    if fp == 0:
        _warn_ratio(
            "No samples were predicted for the positive class and `positive_likelihood_ratio` is"
            if tp == 0
            else "`positive_likelihood_ratio` is ill-defined and",
            full=False,
        )
    if tn == 0:
        _warn_ratio("`negative_likelihood_ratio` is ill-defined and")
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = positive_value if fp == 0 else (tp * negatives) / (fp * positives)
        negative = negative_value if tn == 0 else (fn * negatives) / (tn * positives)
    return float(positive), float(negative)


def _warn_ratio(beginning: str, *, full: bool = True) -> None:
    message = f"{beginning} set to `np.nan`. Use the `replace_undefined_by` param to "
    if full:
        message += (
            "control this behavior. To suppress this warning or turn it into an error, see Python's `warnings` "
            "module and `warnings.catch_warnings()`."
        )
    warnings.warn(message, undefined_metric_warning(), stacklevel=3)


def _ratio_values(replace: Any) -> tuple[float, float]:
    """The values of an undefined positive and negative ratio."""
    if not isinstance(replace, dict):
        if isinstance(replace, (int, float)) and (replace == 1 or math.isnan(replace)):
            return float(replace), float(replace)
        raise InvalidArgument(
            "The 'replace_undefined_by' parameter of class_likelihood_ratios must be a float among {nan, 1.0} or "
            f"an instance of 'dict'. Got {replace!r} instead."
        )
    values = [replace.get("LR+"), replace.get("LR-")]
    if all(isinstance(v, (int, float)) for v in values):
        positive, negative = float(values[0]), float(values[1])  # type: ignore[arg-type]
        if not positive < 1 and (math.isnan(negative) or 0 <= negative <= 1):
            return positive, negative
    raise InvalidArgument(
        "The dictionary passed as `replace_undefined_by` needs to be in the form `{'LR+': `value_1`, 'LR-': "
        "`value_2`}` where the value for `LR+` ranges from `1.0` to `np.inf` or is `np.nan` and the value for `LR-` "
        f"ranges from `0.0` to `1.0` or is `np.nan`; got `{replace}`."
    )
