"""Metrics as functions of counts or sums, for many resamples at once."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array
from maas_engine.metrics._targets import check_targets

# From weights of cells, shape (m, c), to values of shape (m,).
Formula = Callable[[Array], Array]
# From weighted sums of shape (m, c) and the sums of weights, shape (m, 1), to values of shape (m,).
SumFormula = Callable[[Array, Array], Array]
# From weights of cells, shape (m, c), the labels, and the codes of each cell's true and predicted label.
CellFormula = Callable[[Array, Array, Array, Array], Array]

# The order of ErrorTerm in cpp/maas/kernels/error_terms.h.
(_SQUARED, _ABSOLUTE, _DIFFERENCE, _PERCENTAGE, _PINBALL, _SQUARED_LOG, _POISSON, _GAMMA, _TWEEDIE) = range(9)
_MEANS = {
    "mean_squared_error": _SQUARED,
    "root_mean_squared_error": _SQUARED,
    "mean_absolute_error": _ABSOLUTE,
    "mean_absolute_percentage_error": _PERCENTAGE,
    "mean_pinball_loss": _PINBALL,
    "mean_squared_log_error": _SQUARED_LOG,
    "root_mean_squared_log_error": _SQUARED_LOG,
    "mean_poisson_deviance": _POISSON,
    "mean_gamma_deviance": _GAMMA,
    "mean_tweedie_deviance": _TWEEDIE,
}
_SCORES = ("precision_score", "recall_score", "f1_score", "fbeta_score", "jaccard_score")
_LABEL_METRICS = (
    "accuracy_score",
    "zero_one_loss",
    "hamming_loss",
    *_SCORES,
    "balanced_accuracy_score",
    "matthews_corrcoef",
    "cohen_kappa_score",
)


def cell_formula(function: Callable[..., Any], name: str, options: dict[str, Any]) -> CellFormula | None:
    """The metric of cells, if it is a function of the confusion matrix."""
    if name not in _LABEL_METRICS:
        return None
    if name in ("accuracy_score", "zero_one_loss") and set(options) <= {"normalize"}:
        return _share_formula(name == "zero_one_loss", bool(options.get("normalize", True)))
    if name in _SCORES and options.get("average", "binary") in ("binary", "micro", "macro", "weighted"):
        return lambda w, labels, t, p: _score(name, options, w, labels, t, p)
    return lambda w, labels, t, p: _each(function, options, w, labels, t, p)


def _share_formula(wrong: bool, normalize: bool) -> CellFormula:
    def formula(w: Array, labels: Array, t: Array, p: Array) -> Array:
        counted = w[:, (t != p) if wrong else (t == p)].sum(axis=1)
        return np.asarray(counted / w.sum(axis=1) if normalize else counted)

    return formula


def _each(
    function: Callable[..., Any], options: dict[str, Any], w: Array, labels: Array, t: Array, p: Array
) -> Array:
    """Calls the metric with the cells as weighted rows."""
    values = np.full(len(w), math.nan)
    true, pred = labels[t], labels[p]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i, weight in enumerate(w):
            kept = weight > 0
            try:
                values[i] = function(true[kept], pred[kept], sample_weight=weight[kept], **options)
            except InvalidArgument:
                continue  # not defined for these rows
    return values


def _score(name: str, options: dict[str, Any], w: Array, labels: Array, t: Array, p: Array) -> Array:
    """Precision, recall, F or Jaccard score, averaged as the options say."""
    average = options.get("average", "binary")
    wanted = [options.get("pos_label", 1)] if average == "binary" else options.get("labels")
    k = len(labels)
    right = _label_sums(w[:, t == p], t[t == p], k)
    true, pred = _label_sums(w, t, k), _label_sums(w, p, k)
    present = true + pred > 0
    if wanted is not None:
        at = [
            int(np.flatnonzero(labels == label)[0]) if label in labels else k for label in np.asarray(wanted)
        ]
        right, true, pred = (np.pad(sums, ((0, 0), (0, 1)))[:, at] for sums in (right, true, pred))
        present = np.ones_like(right, dtype=bool)
    if average == "micro":
        right, true, pred = (sums.sum(axis=1, keepdims=True) for sums in (right, true, pred))
        present = np.ones_like(right, dtype=bool)
    scores = _ratios(name, options, right, true, pred)
    known = present & ~np.isnan(scores)
    weight = np.where(known, true if average == "weighted" else 1.0, 0.0)
    weight = np.where(weight.sum(axis=1, keepdims=True) == 0, known, weight)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sum(np.where(known, scores, 0.0) * weight, axis=1) / weight.sum(axis=1))


def _label_sums(w: Array, codes: Array, k: int) -> Array:
    """Sum of the weights of the cells of each label, shape (m, k)."""
    sums = np.zeros((len(w), k))
    order = np.argsort(codes, kind="stable")
    if len(order):
        present, starts = np.unique(codes[order], return_index=True)
        sums[:, present] = np.add.reduceat(w[:, order], starts, axis=1)
    return sums


def _ratios(name: str, options: dict[str, Any], right: Array, true: Array, pred: Array) -> Array:
    beta2 = float(options.get("beta", 1.0)) ** 2 if name == "fbeta_score" else 1.0
    if name == "jaccard_score":
        above, below = right, true + pred - right
    elif name == "precision_score" or beta2 == 0:
        above, below = right, pred
    elif name == "recall_score" or math.isinf(beta2):
        above, below = right, true
    else:
        above, below = (1 + beta2) * right, beta2 * true + pred
    zero_division = options.get("zero_division", "warn")
    value = 0.0 if isinstance(zero_division, str) else float(zero_division)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, value, above / below)


def sum_terms(
    name: str, true: Array, pred: Array, options: dict[str, Any]
) -> tuple[Array, SumFormula] | None:
    """Columns of shape (c, n) and the metric as a function of their weighted sums, if it is one."""
    if name == "log_loss":
        return _log_loss_terms(true, pred, options)
    if name in ("r2_score", "explained_variance_score"):
        return _explained_terms(name, true, pred, options)
    if name not in _MEANS:
        return None
    term, parameter = _MEANS[name], float(options.get("alpha", 0.5))
    if name == "mean_tweedie_deviance":
        parameter = float(options.get("power", 0))
        term = {0.0: _SQUARED, 1.0: _POISSON, 2.0: _GAMMA}.get(parameter, _TWEEDIE)
    targets = check_targets(true, pred, None)
    pairs = zip(targets.true.T, targets.pred.T, strict=True)
    columns = np.stack([_core.error_terms(term, parameter, t, p) for t, p in pairs])
    root, multioutput = name.startswith("root"), options.get("multioutput", "uniform_average")

    def formula(sums: Array, total: Array) -> Array:
        means = sums / total
        return _average(np.sqrt(means) if root else means, multioutput)

    return columns, formula


def _explained_terms(
    name: str, true: Array, pred: Array, options: dict[str, Any]
) -> tuple[Array, SumFormula]:
    targets = check_targets(true, pred, None)
    y = targets.true.T.astype(np.float64)
    y = y - y.mean(axis=1, keepdims=True)
    e = np.subtract(targets.true.T, targets.pred.T, dtype=np.float64)
    with_mean = name == "r2_score"
    columns = [y, y * y, e * e] if with_mean else [y, y * y, (e := e - e.mean(axis=1, keepdims=True)), e * e]
    multioutput = options.get("multioutput", "uniform_average")
    finite = bool(options.get("force_finite", True))

    def formula(sums: Array, total: Array) -> Array:
        parts = np.split(sums, len(columns), axis=1)
        spread = _spread(parts[0], parts[1], total)
        rest = parts[2] if with_mean else _spread(parts[2], parts[3], total)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - rest / spread
        if finite:
            scores = np.where(spread == 0, np.where(rest == 0, 1.0, 0.0), scores)
        if isinstance(multioutput, str) and multioutput == "variance_weighted":
            weights = np.where(spread.any(axis=1, keepdims=True), spread, 1.0)
            return np.asarray(np.sum(scores * weights, axis=1) / weights.sum(axis=1))
        return _average(scores, multioutput)

    return np.concatenate(columns), formula


def _spread(total: Array, squares: Array, weight: Array) -> Array:
    """Sum of squares about the mean; 0 where only rounding is left of it."""
    spread = squares - total * total / weight
    return np.where(spread <= 1e-13 * squares, 0.0, spread)


def _log_loss_terms(true: Array, pred: Array, options: dict[str, Any]) -> tuple[Array, SumFormula] | None:
    if options.get("labels") is not None or pred.ndim > 2 or true.ndim != 1 or pred.dtype.kind != "f":
        return None
    classes, codes = np.unique(true, return_inverse=True)
    proba = pred if pred.ndim == 2 and pred.shape[1] > 1 else np.column_stack([1 - pred, pred])
    if len(classes) != proba.shape[1]:
        return None
    epsilon = np.finfo(pred.dtype).eps
    terms = -np.log(np.clip(proba[np.arange(len(codes)), codes], epsilon, 1 - epsilon).astype(np.float64))
    if options.get("normalize", True):
        return terms[None], lambda sums, total: (sums / total)[:, 0]
    return terms[None], lambda sums, _: sums[:, 0]


def _average(scores: Array, multioutput: Any) -> Array:
    """One number from the scores of k outputs, shape (m, k) to (m,)."""
    if scores.shape[1] == 1 or isinstance(multioutput, str) or multioutput is None:
        return np.asarray(scores.mean(axis=1))
    return np.asarray(np.average(scores, axis=1, weights=np.asarray(multioutput)))
