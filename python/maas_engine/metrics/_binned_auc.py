"""Area under the ROC curve in constant memory, with a bound of its distance from the exact one."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import FormatError, InvalidArgument, NotFinite
from maas_engine.metrics._binary_scores import check_scores, distinct_labels, positive_codes
from maas_engine.metrics._checks import check_finite, undefined_metric_warning
from maas_engine.metrics._labels import is_label_vector
from maas_engine.metrics._states import State, plain

if TYPE_CHECKING:
    from typing_extensions import Self

_EACH = 1 << 15  # default bins for every power of two
_MAX_EACH, _MAX_BINS = 1 << 16, 1 << 22


class BinnedRocAuc(State):
    """State of `roc_auc_score` for binary targets that counts scores in bins and keeps none of them.

    Scores are compared by bin; pairs of rows in one bin count half, so the figure is off by at most half of the
    share of such pairs: ``error_bound``. Counts are whole numbers, so neither batches nor their order matter.

    Parameters
    ----------
    bins : int
        With ``range``: equal bins in it, at most 2^22. Without: bins for every power of two, itself a power of
        two up to 2^16. Memory is 8 bytes a bin in the parts of the scale where scores lie: usually 5 to 10 MB
        with the default of 32768, never over 25 MB (the double from 2^31 rows on).
    range : (low, high), optional
        For scores known to lie there; the others share one bin at each end. Without it, scores of any size are
        told apart by their leading digits between 2^-32 and 2^16, of either sign.
    pos_label : label
        Rows of this label against all others.
    """

    _core_state = _core.BinnedAucState

    def __init__(
        self, *, bins: int = _EACH, range: tuple[float, float] | None = None, pos_label: Any = 1
    ) -> None:
        self.bins, self.range = _check_bins(bins, range)
        self.pos_label = plain(pos_label)
        super().__init__(bins=self.bins, range=self.range, pos_label=self.pos_label)

    def _new(self, config: str) -> Any:
        low, high = self.range or (0.0, 0.0)
        return _core.BinnedAucState(config, self.range is not None, self.bins, low, high)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The state that ``to_bytes`` wrote; raises ``FormatError`` for anything else."""
        state = super().from_bytes(data)
        if not state._state.same_bins(state._new("")):
            raise FormatError("[metric state] expected the bins of its configuration")
        return state

    def update(self, y_true: Any, y_score: Any) -> None:
        """Adds a batch: labels of shape (n,) and finite scores of shape (n,), fewer than 2^31 rows."""
        y = y_true if is_label_vector(y_true) else distinct_labels(y_true)[0]
        scores, _ = check_scores(y_true, y_score, None)
        codes, positive = positive_codes(y, self.pos_label)
        try:
            self._state.update(codes, positive, scores)
        except NotFinite:
            check_finite(scores)
            raise

    def compute(self) -> float:
        """The area of all rows so far; NaN with an ``UndefinedMetricWarning`` if a class is missing."""
        area, _, positives, negatives = self._state.compute()
        if not (positives and negatives):
            _warn_one_class(stacklevel=2)
        return float(area)

    def error_bound(self) -> float:
        """How far ``compute()`` can be from the exact area, both as rounded; NaN if a class is missing."""
        return float(self._state.compute()[1])


def binned_roc_auc_score(
    y_true: Any, y_score: Any, *, bins: int = _EACH, range: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Area under the ROC curve by counting instead of sorting, and a bound of its error.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Two labels; the greater is the positive one.
    y_score : array-like of shape (n,)
        Finite scores.
    bins, range
        As in `BinnedRocAuc`.

    Returns
    -------
    area, bound : float
        ``roc_auc_score(y_true, y_score)`` is within ``bound`` of ``area``. Both are NaN, with an
        ``UndefinedMetricWarning``, if there is one class only.
    """
    y, present = distinct_labels(y_true)
    if len(present) > 2:
        raise InvalidArgument(f"binned_roc_auc_score takes binary targets, got {len(present)} labels")
    if len(present) < 2:
        check_scores(y_true, y_score, None)
        _warn_one_class(stacklevel=2)
        return math.nan, math.nan
    codes, positive = positive_codes(y, present[1])
    state = BinnedRocAuc(bins=bins, range=range, pos_label=positive)
    state.update(codes, y_score)
    area, bound, _, _ = state._state.compute()
    return area, bound


def _check_bins(bins: Any, range: Any) -> tuple[int, list[float] | None]:
    whole = isinstance(bins, Integral) and not isinstance(bins, (bool, np.bool_))
    most = _MAX_EACH if range is None else _MAX_BINS
    if not whole or not 1 <= bins <= most or (range is None and int(bins).bit_count() != 1):
        what = f"a power of two up to {_MAX_EACH}" if range is None else f"an int from 1 to {_MAX_BINS}"
        raise InvalidArgument(f"bins must be {what}, got {bins!r}")
    if range is None:
        return int(bins), None
    ends = plain(range)
    if not isinstance(ends, list) or len(ends) != 2 or not all(isinstance(end, Real) for end in ends):
        raise InvalidArgument(f"range must be (low, high) or None, got {range!r}")
    low, high = (float(end) + 0.0 for end in ends)
    if not (low < high and math.isfinite(bins / (high - low)) and math.isfinite(high - low)):
        raise InvalidArgument(f"range must be finite and rise, got {range!r}")
    return int(bins), [low, high]


def _warn_one_class(stacklevel: int) -> None:
    warnings.warn(
        "Only one class is present in y_true. ROC AUC score is not defined in that case.",
        undefined_metric_warning(),
        stacklevel=stacklevel + 1,
    )
