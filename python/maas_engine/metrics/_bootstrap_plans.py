"""Ways to compute a metric for many resamples: from counts of cells, from sums of terms, by scans, or by calls."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._bootstrap_formulas import Formula, SumFormula, cell_formula, sum_terms
from maas_engine.metrics._bootstrap_ranking import ranking_plan
from maas_engine.metrics._bootstrap_sample import Jackknife, Sample, by_sizes, by_stratum
from maas_engine.metrics._checks import Array
from maas_engine.metrics._labels import check_labels, count_pairs

_LEAVE_OUT_ROWS = 4096  # of which the sums without each are held at once
_MAX_ONE_HOT = 1 << 22  # numbers held for cells with weights


class Plan(Protocol):
    """A way to resample one metric."""

    value: float

    def distribution(self, seed: int, resamples: int) -> Array:
        """The metric of each resample."""

    def jackknife(self) -> Jackknife:
        """The metric without each row."""


def plan_of(function: Callable[..., Any], name: str | None, sample: Sample, options: dict[str, Any]) -> Plan:
    """The fastest way for this metric; whether it agrees with the metric itself is seen on the whole rows."""
    calls = CallPlan(function, sample, options)
    if name is None or math.isnan(calls.value):
        return calls
    for make in (_cells, _sums, ranking_plan):
        plan = make(function, name, sample, options, calls.value)
        if plan is not None and math.isclose(plan.value, calls.value, rel_tol=1e-9, abs_tol=1e-12):
            plan.value = calls.value
            return plan
    return calls


class CallPlan:
    """Calls the metric with the rows of each resample."""

    def __init__(self, function: Callable[..., Any], sample: Sample, options: dict[str, Any]) -> None:
        self._function, self._sample, self._options = function, sample, options
        self.value = self._at(slice(None), quiet=False)

    def _at(self, rows: Any, quiet: bool = True) -> float:
        true, pred, other, weight, _ = self._sample
        options = dict(self._options)
        if weight is not None:
            options["sample_weight"] = weight[rows]
        if not quiet:
            return self._difference(true, pred, other, rows, options)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return self._difference(true, pred, other, rows, options)
            except InvalidArgument:
                return math.nan  # not defined for these rows

    def _difference(self, true: Array, pred: Array, other: Array | None, rows: Any, options: Any) -> float:
        value = _number(self._function(true[rows], pred[rows], **options))
        if other is not None:
            value -= _number(self._function(true[rows], other[rows], **options))
        return value

    def distribution(self, seed: int, resamples: int) -> Array:
        strata = self._sample.strata
        return np.array([self._at(_core.bootstrap_rows(seed, r, strata)) for r in range(resamples)])

    def jackknife(self) -> Jackknife:
        n = len(self._sample.true)
        kept = ~np.eye(1, n, dtype=bool)[0]
        values = np.empty(n)
        for i in range(n):
            kept[:] = True
            kept[i] = False
            values[i] = self._at(kept) if n > 1 else math.nan
        return by_stratum(values, self._sample.strata)


class CellPlan:
    """A function of how many rows are in each cell."""

    def __init__(self, strata: list[Array], formula: Formula) -> None:
        self._strata, self._formula = strata, formula
        self.value = float(formula(np.concatenate(strata)[None].astype(np.float64))[0])

    def distribution(self, seed: int, resamples: int) -> Array:
        counts = _core.bootstrap_cells(seed, resamples, [sizes.tolist() for sizes in self._strata])
        return self._formula(counts.astype(np.float64))

    def jackknife(self) -> Jackknife:
        counts = np.concatenate(self._strata).astype(np.float64)
        values = np.empty(len(counts))
        for begin in range(0, len(counts), 256):
            part = np.arange(begin, min(begin + 256, len(counts)))
            without = np.repeat(counts[None], len(part), axis=0)
            without[np.arange(len(part)), part] -= 1
            values[part] = self._formula(without)
        return list(zip(by_sizes(values, [len(s) for s in self._strata]), self._strata, strict=True))


class SumPlan:
    """A function of sums over rows, ``columns`` of shape (c, n), and of the rows' number or weight."""

    def __init__(self, columns: Array, weight: Array | None, strata: list[int], formula: SumFormula) -> None:
        rows = [columns] if weight is None else [columns * weight, weight[None]]
        self._columns = np.ascontiguousarray(np.concatenate(rows), dtype=np.float64)
        self._weighted, self._strata, self._formula = weight is not None, strata, formula
        self._sums = self._columns.sum(axis=1)
        self.value = float(self._of(self._sums[None], sum(strata))[0])

    def _of(self, sums: Array, rows: int) -> Array:
        if self._weighted:
            return self._formula(sums[:, :-1], sums[:, -1:])
        return self._formula(sums, np.full((len(sums), 1), float(rows)))

    def distribution(self, seed: int, resamples: int) -> Array:
        sums = _core.bootstrap_sums(seed, resamples, self._strata, self._columns)
        return self._of(sums, self._columns.shape[1])

    def jackknife(self) -> Jackknife:
        n = self._columns.shape[1]
        values = np.empty(n)
        for begin in range(0, n, _LEAVE_OUT_ROWS):
            part = slice(begin, begin + _LEAVE_OUT_ROWS)
            values[part] = self._of(self._sums - self._columns[:, part].T, n - 1)
        return by_stratum(values, self._strata)


def _cells(
    function: Callable[..., Any], name: str, sample: Sample, options: dict[str, Any], _value: float
) -> CellPlan | SumPlan | None:
    true, pred, other, weight, strata = sample
    formula = cell_formula(function, name, options)
    if formula is None or true.ndim != 1 or pred.ndim != 1:
        return None
    true, pred, _ = check_labels(true, pred, None)
    if other is None and weight is None and len(strata) == 1:
        counts = count_pairs(true, pred, None)
        if counts.matrix is not None:
            t, p = np.nonzero(counts.matrix)
            return CellPlan([counts.matrix[t, p]], lambda w: formula(w, counts.labels, t, p))
    arrays = [true, pred] if other is None else [true, pred, check_labels(true, other, None)[1]]
    labels, codes = np.unique(np.concatenate(arrays), return_inverse=True)
    rows = codes.reshape(len(arrays), -1)
    key = np.repeat(np.arange(len(strata)), strata)
    for part in rows:
        key = key * len(labels) + part
    _, first, cell, sizes = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    t, p = rows[0][first], rows[1][first]

    def figure(w: Array) -> Array:
        value = formula(w, labels, t, p)
        return value if other is None else value - formula(w, labels, t, rows[2][first])

    if weight is None:
        stratum = np.searchsorted(np.cumsum(strata), first, side="right")
        return CellPlan([sizes[stratum == s] for s in range(len(strata))], figure)
    if len(first) * len(true) > _MAX_ONE_HOT:
        return None
    columns = np.zeros((len(first), len(true)))
    columns[cell, np.arange(len(true))] = weight
    return SumPlan(columns, None, strata, lambda sums, _: figure(sums))


def _sums(
    function: Callable[..., Any], name: str, sample: Sample, options: dict[str, Any], _value: float
) -> SumPlan | None:
    true, pred, other, weight, strata = sample
    terms = sum_terms(name, true, pred, options)
    if terms is None:
        return None
    columns, formula = terms
    second = None if other is None else sum_terms(name, true, other, options)
    if second is None:
        return SumPlan(columns, weight, strata, formula) if other is None else None
    width = len(columns)

    def difference(sums: Array, total: Array) -> Array:
        return formula(sums[:, :width], total) - second[1](sums[:, width:], total)

    return SumPlan(np.concatenate([columns, second[0]]), weight, strata, difference)


def _number(value: Any) -> float:
    if np.ndim(value) != 0:
        raise InvalidArgument("bootstrap takes a metric that gives one number: average its labels or outputs")
    return float(value)
