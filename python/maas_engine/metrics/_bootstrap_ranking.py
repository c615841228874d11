"""Resampled ranking scores: sort once, then one scan of drawn counts for each resample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.metrics._binary_scores import positive_codes
from maas_engine.metrics._bootstrap_sample import Jackknife, Sample, by_stratum
from maas_engine.metrics._checks import Array, as_real
from maas_engine.metrics._ranking import AVERAGE_PRECISION, ROC_AUC

_POSITIVE, _EDGE = 1, 2  # RankedRows in cpp/maas/metrics/bootstrap.h
_KINDS = {"roc_auc_score": ROC_AUC, "average_precision_score": AVERAGE_PRECISION}
# Options that leave the score of binary targets as it is.
_WITHOUT_EFFECT = ("average", "multi_class", "labels")


class RankingPlan:
    """Area under the ROC curve or average precision of binary targets, or the difference of two."""

    def __init__(
        self,
        kind: int,
        positive: Array,
        scores: list[Array],
        weight: Array | None,
        strata: list[int],
        value: float,
    ) -> None:
        self._kind, self._positive, self._scores = kind, positive, scores
        self._weight, self._strata = weight, strata
        self._orders = [_order(kind, positive, score) for score in scores]
        self.value = value

    def distribution(self, seed: int, resamples: int) -> Array:
        # Rows are drawn in the order of the score itself where nothing else asks for their places.
        in_place = len(self._scores) == 1 and len(self._strata) == 1
        orders = [self._core_order(k, in_place) for k in range(len(self._scores))]
        values = _core.bootstrap_ranking(self._kind, seed, resamples, self._strata, orders)
        return _first_less_second(values)

    def jackknife(self) -> Jackknife:
        values = np.column_stack([self._left_out(k) for k in range(len(self._scores))])
        return by_stratum(_first_less_second(values), self._strata)

    def _core_order(self, k: int, in_place: bool) -> tuple[Array, Array | None, Array | None]:
        order, flags = self._orders[k]
        weight = None if self._weight is None else np.ascontiguousarray(self._weight[order], np.float64)
        return flags, None if in_place else order, weight

    def _left_out(self, k: int) -> Array:
        if self._kind == ROC_AUC:
            return _areas_without(self._positive, self._scores[k], self._weight)
        values = np.empty(len(self._positive))
        values[self._orders[k][0]] = _core.jackknife_ranking(self._kind, self._core_order(k, True))
        return values


def ranking_plan(
    function: Callable[..., Any], name: str, sample: Sample, options: dict[str, Any], value: float
) -> RankingPlan | None:
    """The plan of a ranking score, if its targets are binary."""
    if name not in _KINDS or sample.true.ndim != 1:
        return None
    kind = _KINDS[name]
    known = ("pos_label",) if kind == AVERAGE_PRECISION else ("max_fpr",)
    if not set(options) <= {*known, *_WITHOUT_EFFECT} or options.get("max_fpr") not in (None, 1, 1.0):
        return None
    present = np.unique(sample.true)
    if len(present) != 2:
        return None
    wanted = options.get("pos_label", 1) if kind == AVERAGE_PRECISION else present[1]
    codes, label = positive_codes(sample.true, wanted)
    arrays = [sample.pred] if sample.other is None else [sample.pred, sample.other]
    scores = [as_real(array).astype(np.float64, copy=False) for array in arrays]
    if any(score.ndim != 1 for score in scores):
        return None
    return RankingPlan(kind, codes == label, scores, sample.weight, sample.strata, value)


def _order(kind: int, positive: Array, scores: Array) -> tuple[Array, Array]:
    """The rows by score, and flags of each in that order."""
    order = np.lexsort((positive, scores)) if kind == ROC_AUC else np.argsort(-scores, kind="stable")
    ranked = scores[order]
    differs = ranked[1:] != ranked[:-1]
    edge = np.concatenate([[True], differs] if kind == ROC_AUC else [differs, [True]])
    flags = _POSITIVE * positive[order].astype(np.uint8) + _EDGE * edge.astype(np.uint8)
    return order.astype(np.uint32), flags.astype(np.uint8)


def _areas_without(positive: Array, scores: Array, weight: Array | None) -> Array:
    """The area without each row: a row takes its share of the pairs in the right order with it."""
    w = np.ones(len(scores)) if weight is None else weight.astype(np.float64)
    right = np.empty(len(scores))  # weight of the other class that a row is ranked right against, ties half
    for own, sign in ((positive, 1.0), (~positive, -1.0)):
        others = np.argsort(sign * scores[~own], kind="stable")
        ranked = (sign * scores[~own])[others]
        below = np.concatenate([[0.0], np.cumsum(w[~own][others])])
        at = [np.searchsorted(ranked, sign * scores[own], side=side) for side in ("left", "right")]
        right[own] = (below[at[0]] + below[at[1]]) / 2
    pairs = float(np.sum(right[positive] * w[positive]))
    positives, negatives = w[positive].sum(), w[~positive].sum()
    left = np.where(positive, (positives - w) * negatives, positives * (negatives - w))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (pairs - w * right) / np.where(left > 0, left, np.nan)


def _first_less_second(values: Array) -> Array:
    return values[:, 0] if values.shape[1] == 1 else values[:, 0] - values[:, 1]
