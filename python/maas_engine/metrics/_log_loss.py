"""Log loss (cross-entropy) and Brier score of predicted probabilities, and their D2 scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._probabilities import (
    LOG,
    SQUARED,
    Probabilities,
    binary_probabilities,
    class_probabilities,
    renamed_argument,
    too_few_for_d2,
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
    y_proba = renamed_argument(y_proba, y_pred)
    total, loss = class_probabilities(y_true, y_proba, sample_weight, labels).loss_sums(LOG)
    return loss / total if normalize else loss


def brier_score_loss(
    y_true: Any,
    y_proba: Any,
    *,
    sample_weight: Any = None,
    pos_label: Any = None,
    labels: Any = None,
    scale_by_half: bool | str = "auto",
) -> float:
    """Mean squared error of the probabilities of all classes.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_proba : array-like of shape (n, k) or (n,)
        Probabilities of the k classes in sorted order, or of the positive one of two.
    sample_weight : array-like of shape (n,), optional
    pos_label : label, optional
        The positive one of two labels. Default 1, or the greater number.
    labels : array-like of shape (k,), optional
        All classes, when ``y_true`` may lack some.
    scale_by_half : bool or "auto"
        Halve the sum over the classes; "auto" does so for two classes, which gives (1 - p)^2.

    Warns
    -----
    UserWarning
        Rows of probabilities do not sum to one, or ``labels`` is not sorted.
    """
    if not isinstance(scale_by_half, (bool, np.bool_)) and scale_by_half != "auto":
        raise InvalidArgument(
            "The 'scale_by_half' parameter of brier_score_loss must be an instance of 'bool' or a str among "
            f"{{'auto'}}. Got {scale_by_half!r} instead."
        )
    rows = _one_or_more_columns(y_true, y_proba, sample_weight, pos_label, labels)
    total, loss = rows.loss_sums(SQUARED)
    halve = len(rows.classes) == 2 if scale_by_half == "auto" else scale_by_half
    return loss / total * 0.5 if halve else loss / total


def d2_log_loss_score(
    y_true: Any,
    y_proba: Any = None,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Share of the log loss of predicting the classes' frequencies that is gone; parameters as in `log_loss`.

    Warns
    -----
    UndefinedMetricWarning
        Less than two rows: the score is NaN.
    """
    y_proba = renamed_argument(y_proba, y_pred)
    if too_few_for_d2(y_true, y_proba, sample_weight):
        return math.nan
    rows = class_probabilities(y_true, y_proba, sample_weight, labels)
    _, loss = rows.loss_sums(LOG)
    weights = rows.class_weights()
    epsilon = np.finfo(np.float64).eps
    null = -np.sum(weights * np.log(np.clip(weights / weights.sum(), epsilon, 1 - epsilon)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(1 - np.float64(loss) / null)


def d2_brier_score(
    y_true: Any, y_proba: Any, *, sample_weight: Any = None, pos_label: Any = None, labels: Any = None
) -> float:
    """Share of the Brier score of predicting the classes' frequencies that is gone.

    Parameters as in `brier_score_loss`.

    Warns
    -----
    UndefinedMetricWarning
        Less than two rows: the score is NaN.
    """
    if too_few_for_d2(y_true, y_proba, sample_weight):
        return math.nan
    rows = _one_or_more_columns(y_true, y_proba, sample_weight, pos_label, labels)
    total, loss = rows.loss_sums(SQUARED)
    weights = rows.class_weights()
    shares = weights / weights.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(1 - np.float64(loss / total) / np.sum(shares * (1 - shares)))


def _one_or_more_columns(
    y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any, labels: Any
) -> Probabilities:
    if np.ndim(y_proba) == 1 or (np.ndim(y_proba) == 2 and np.shape(y_proba)[1] == 1):
        return binary_probabilities(y_true, y_proba, sample_weight, pos_label)
    return class_probabilities(y_true, y_proba, sample_weight, labels)
