"""Mergeable states of the metrics.

A state is updated batch by batch, merged with states of other batches, machines or days, and sent as bytes. Sums
are exact until ``compute`` rounds once, so the figure has the same bits however the rows were split and ordered.
"""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from maas_engine import _core
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.metrics._binary_scores import check_scores, distinct_labels, positive_codes, warn_no_positive
from maas_engine.metrics._checks import undefined_metric_warning
from maas_engine.metrics._labels import as_native, check_labels
from maas_engine.metrics._probabilities import check_probabilities, check_range, encode
from maas_engine.metrics._ranking import AVERAGE_PRECISION, ROC_AUC

if TYPE_CHECKING:
    from typing_extensions import Self


class State:
    """What all metric states share. Not safe for use by several threads at once."""

    _core_state: ClassVar[Any]

    def __init__(self, **config: Any) -> None:
        try:
            text = json.dumps({"metric": type(self).__name__, **config}, sort_keys=True)
        except TypeError as error:
            raise InvalidArgument(f"configuration of {type(self).__name__}: {error}") from None
        self._state = self._new(text)

    def _new(self, config: str) -> Any:
        return self._core_state(config)

    def merge(self, other: Self) -> Self:
        """Adds the rows of another state of the same configuration; returns this one."""
        if type(other) is not type(self):
            raise InvalidArgument(f"expected a {type(self).__name__} to merge, got {type(other).__name__}")
        self._state.merge(other._state)
        return self

    def to_bytes(self) -> bytes:
        """The state and its configuration; equal rows give equal bytes, in whatever order they came."""
        return bytes(self._state.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The state that ``to_bytes`` wrote; raises ``FormatError`` for anything else."""
        core = cls._core_state.from_bytes(bytes(data))
        try:
            config = json.loads(core.config)
            if config.pop("metric") != cls.__name__:
                raise InvalidArgument("another metric")
            state = cls(**config)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FormatError(f"[metric state] expected a configuration of {cls.__name__}: {error}") from None
        if state._state.config != core.config:
            raise FormatError("[metric state] expected the configuration in its one form")
        state._state = core
        return state

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)


def plain(value: Any) -> Any:
    """Labels and other options as JSON has them: numpy scalars and arrays become Python's."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def require_rows(rows: float) -> None:
    """Raises when a state has seen nothing that could be computed."""
    if not rows:
        raise InvalidArgument("compute() needs rows: the state was never updated")


class Accuracy(State):
    """State of `accuracy_score`. Labels of any kind, strings too."""

    _core_state = _core.AccuracyState

    def __init__(self, *, normalize: bool = True) -> None:
        super().__init__(normalize=bool(normalize))
        self.normalize = bool(normalize)

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch of labels of shape (n,)."""
        y_true, y_pred, weight = check_labels(y_true, y_pred, sample_weight)
        if y_true.dtype.kind in "UO":
            y_true = (y_true == y_pred).view(np.uint8)
            y_pred = np.ones_like(y_true)
        self._state.update(as_native(y_true), as_native(y_pred), weight)

    def compute(self) -> float:
        """The accuracy of all rows so far."""
        total = self._state.total()
        require_rows(total)
        equal = float(self._state.equal())
        return equal / total if self.normalize else equal


class LogLoss(State):
    """State of `log_loss`. ``labels`` are all classes, sorted; they must be declared."""

    _core_state = _core.LogLossState

    def __init__(self, *, labels: Any, normalize: bool = True) -> None:
        self.labels = plain(labels)
        super().__init__(labels=self.labels, normalize=bool(normalize))
        self._classes = np.unique(np.asarray(self.labels))
        if self._classes.tolist() != self.labels or len(self.labels) < 2:
            raise InvalidArgument(f"labels must be two or more in sorted order, got {self.labels}")
        self.normalize = bool(normalize)

    def update(self, y_true: Any, y_proba: Any, sample_weight: Any = None) -> None:
        """Adds a batch: labels of shape (n,), probabilities of shape (n, k), or (n,) for two classes."""
        proba, weight = check_probabilities(y_true, y_proba, sample_weight)
        y, present = distinct_labels(y_true)
        codes, classes = encode(y, present, self._classes, self.labels)
        check_range(proba, *self._state.update(codes, classes, proba, weight)[:2])

    def compute(self) -> float:
        """The log loss of all rows so far."""
        total = self._state.weight()
        require_rows(total)
        loss = float(self._state.loss())
        return loss / total if self.normalize else loss


class _RankingState(State):
    _core_state = _core.RankingState

    pos_label: Any

    def update(self, y_true: Any, y_score: Any, sample_weight: Any = None) -> None:
        """Adds a batch: labels of shape (n,) and finite scores of shape (n,)."""
        y, _ = distinct_labels(y_true)
        scores, weight = check_scores(y_true, y_score, sample_weight)
        codes, positive = positive_codes(y, self.pos_label)
        self._state.update(codes, positive, scores, weight)


class RocAuc(_RankingState):
    """State of `roc_auc_score` for binary targets: rows of ``pos_label`` against all others.

    Exact, so it keeps every score: 8 bytes a row, 16 if weighted.
    """

    def __init__(self, *, pos_label: Any = 1, max_fpr: float | None = None) -> None:
        if max_fpr is not None and not 0 < max_fpr <= 1:
            raise InvalidArgument(f"max_fpr must be in (0, 1] or None, got {max_fpr!r}")
        self.pos_label, self.max_fpr = plain(pos_label), plain(max_fpr)
        super().__init__(pos_label=self.pos_label, max_fpr=self.max_fpr)

    def compute(self) -> float:
        """The area of all rows so far; NaN with an ``UndefinedMetricWarning`` if a class is missing."""
        if not (self._state.has_positives() and self._state.has_negatives()):
            warnings.warn(
                "Only one class is present in y_true. ROC AUC score is not defined in that case.",
                undefined_metric_warning(),
                stacklevel=2,
            )
            return math.nan
        return float(self._state.score(ROC_AUC, self.max_fpr or 1.0))


class AveragePrecision(_RankingState):
    """State of `average_precision_score` for binary targets; keeps every score as `RocAuc` does."""

    def __init__(self, *, pos_label: Any = 1) -> None:
        self.pos_label = plain(pos_label)
        super().__init__(pos_label=self.pos_label)

    def compute(self) -> float:
        """The average precision of all rows so far; 0 with a warning if none is positive."""
        if not self._state.has_positives():
            warn_no_positive(stacklevel=2)
            return 0.0
        return float(self._state.score(AVERAGE_PRECISION, 1.0))
