"""Scores of cross-validated logistic models from their margins on the rows that they were not trained on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.validation import _check_method_params

from maas_engine import _core
from maas_engine.linear_model._base import Array
from maas_engine.metrics import log_loss, roc_auc_score

# Margins of all penalties are computed together for as many penalties as fit here.
_MARGIN_BYTES = 1 << 27

# Takes class numbers, margins (n, outputs) and weights or None.
MarginScore = Callable[[Array, Array, Any, int], float]


def _accuracy(codes: Array, margins: Array, weights: Any, classes: int) -> float:
    best = margins[:, 0] > 0 if classes == 2 else margins.argmax(axis=1)
    return float(np.average(best == codes, weights=weights))


def _neg_log_loss(codes: Array, margins: Array, weights: Any, classes: int) -> float:
    proba = _core.class_probabilities(np.ascontiguousarray(margins), False)
    return -float(log_loss(codes, proba, sample_weight=weights, labels=np.arange(classes)))


def _roc_auc(codes: Array, margins: Array, weights: Any, classes: int) -> float:
    return float(roc_auc_score(codes, margins[:, 0], sample_weight=weights))


def margin_score(scoring: Any, classes: int) -> MarginScore | None:
    """Return the score as a function of margins where this module knows it, else None."""
    if scoring in (None, "accuracy"):
        return _accuracy
    if scoring == "neg_log_loss":
        return _neg_log_loss
    return _roc_auc if scoring == "roc_auc" and classes == 2 else None


def fused_scores(
    scoring: Any,
    X: Array,
    targets: Array,
    weights: Array | None,
    fold_of_row: NDArray[np.int32],
    tests: list[NDArray[np.intp]],
    classes: int,
    coef: Array,
    intercept: Array,
) -> NDArray[np.float64] | None:
    """Return the scores of all folds and penalties from shared passes over the rows, or None for other scorers.

    Parameters
    ----------
    weights : float64, shape (n_samples,), or None; what the rows count in the score
    tests : the test rows of each fold
    coef, intercept : folds × penalties × outputs (× features)

    Returns
    -------
    shape (folds, penalties)
    """
    score = margin_score(scoring, classes)
    if score is None:
        return None
    if score is _accuracy and weights is None:
        hits, total = _core.logistic_cv_hits(X, targets, None, fold_of_row, coef, intercept)
        return np.asarray(hits / total[:, None])
    folds, penalties, outputs = intercept.shape
    group = max(1, _MARGIN_BYTES // (outputs * len(targets) * X.itemsize))
    codes = targets.astype(np.intp)
    by_fold = [(codes[test], None if weights is None else weights[test]) for test in tests]
    scores = np.empty((folds, penalties))
    for begin in range(0, penalties, group):
        part = slice(begin, begin + group)
        margins = _core.logistic_cv_decisions(
            X,
            targets,
            fold_of_row,
            np.ascontiguousarray(coef[:, part]),
            np.ascontiguousarray(intercept[:, part]),
        )
        for k, test in enumerate(tests):
            for p, values in enumerate(margins):
                scores[k, begin + p] = score(by_fold[k][0], values[test], by_fold[k][1], classes)
    return scores


def with_all_labels(scoring: Any, classes: Array) -> Any:
    """Return the scorer, told of all classes where its metric takes ``labels``: a fold's test may lack some."""
    scorer = get_scorer(scoring or "accuracy")
    metric = getattr(scorer, "_score_func", None)
    parameters = inspect.signature(metric).parameters if metric is not None else {}
    if "labels" not in parameters:
        return scorer
    known = {"labels": classes}
    if len(classes) == 2 and "pos_label" in parameters:
        known["pos_label"] = classes[-1]
    return make_scorer(
        metric,
        greater_is_better=scorer._sign == 1,
        response_method=scorer._response_method,
        **{**known, **scorer._kwargs},
    )


def unfused_scores(
    scoring: Any,
    model: Any,
    X: Any,
    y: Array,
    test: NDArray[np.intp],
    params: dict[str, Any],
    coef: Array,
    intercept: Array,
) -> NDArray[np.float64]:
    """Return the scores on one fold's test rows of each penalty's model, by scikit-learn's scorer protocol.

    Parameters
    ----------
    model : an unfitted LogisticRegression with ``classes_``, to hold the coefficients
    params : of the scorer, for all rows
    coef, intercept : penalties × outputs (× features)
    """
    scorer = with_all_labels(scoring, model.classes_)
    rows, labels = X[test], y[test]
    own = _check_method_params(X=X, params=params, indices=test)
    model.n_features_in_ = X.shape[1]
    scores = []
    for model.coef_, model.intercept_ in zip(coef, intercept, strict=True):
        scores.append(scorer(model, rows, labels, **own))
    return np.asarray(scores, dtype=np.float64)
