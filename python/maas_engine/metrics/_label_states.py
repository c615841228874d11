"""Mergeable states that share the confusion matrix: ConfusionMatrix, Precision, Recall, F1 and all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array, check_option
from maas_engine.metrics._confusion import select_matrix
from maas_engine.metrics._labels import PairCounts, as_native, check_labels
from maas_engine.metrics._set_scores import check_averaging, score_labels
from maas_engine.metrics._states import State, plain, require_rows

# Labels further apart than this are coded 0, 1, 2, ... before they are counted.
_MAX_SPAN = 1024


class _ConfusionState(State):
    """Counts pairs of labels.

    Integer labels that span less than 1024 need no declaration. Others, strings among them, must be declared by
    ``labels=``; rows with a label not declared then count as one other label.
    """

    _core_state = _core.ConfusionState

    def __init__(self, labels: Any, **config: Any) -> None:
        self.labels: list[Any] | None = plain(labels)
        super().__init__(labels=self.labels, **config)
        self._classes = None if self.labels is None else _coded_classes(self.labels)

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch of labels of shape (n,)."""
        y_true, y_pred, weight = check_labels(y_true, y_pred, sample_weight)
        self._state.update(self._code(y_true), self._code(y_pred), weight)

    def _code(self, y: Array) -> Array:
        if self._classes is None:
            if y.dtype.kind in "UO":
                raise InvalidArgument("string labels must be declared: pass labels= to the state")
            return as_native(y)
        at = np.minimum(np.searchsorted(self._classes, y), len(self._classes) - 1)
        return np.where(self._classes[at] == y, at, len(self._classes))

    def _counts(self) -> PairCounts:
        labels, matrix = self._state.matrix()
        require_rows(len(labels))
        if self._classes is not None:
            names = [*self._classes.tolist(), _Other()]
            labels = np.array([names[code] for code in labels], dtype=object)
        return PairCounts(labels, matrix, None, None)


class _Other:
    """The label that stands for all that were not declared; equal to no other."""


def _coded_classes(labels: list[Any]) -> Array | None:
    """Sorted declared labels if they must be coded; None if they are integers that are counted as they are."""
    classes = np.unique(np.asarray(labels))
    if len(classes) == 0:
        raise InvalidArgument("'labels' should contain at least one label.")
    integers = classes.dtype.kind in "biu"
    return None if integers and int(classes[-1]) - int(classes[0]) < _MAX_SPAN else classes


class ConfusionMatrix(_ConfusionState):
    """State of `confusion_matrix`; the matrix is float64 once a batch had weights."""

    def __init__(self, *, labels: Any = None, normalize: str | None = None) -> None:
        check_option(normalize, "normalize", "ConfusionMatrix", ("all", "pred", "true", None))
        super().__init__(labels, normalize=normalize)
        self.normalize = normalize

    def compute(self) -> Array:
        """The confusion matrix of all rows so far, of shape (k, k)."""
        return select_matrix(self._counts(), self.labels, self.normalize)


class PrecisionRecallFScoreSupport(_ConfusionState):
    """State of `precision_recall_fscore_support`."""

    _warn_for: tuple[str, ...] = ("precision", "recall", "f-score")

    def __init__(
        self,
        *,
        beta: float = 1.0,
        labels: Any = None,
        pos_label: Any = 1,
        average: str | None = None,
        zero_division: Any = "warn",
    ) -> None:
        check_averaging(average, zero_division)
        self.beta, self.pos_label = float(beta), plain(pos_label)
        self.average, self.zero_division = average, plain(zero_division)
        super().__init__(
            labels,
            beta=self.beta,
            pos_label=self.pos_label,
            average=average,
            zero_division=self.zero_division,
        )

    def _scores(self) -> tuple[Any, Any, Any, Any]:
        return score_labels(
            self._counts(),
            self.beta,
            self.labels,
            self.pos_label,
            self.average,
            self._warn_for,
            self.zero_division,
        )

    def compute(self) -> Any:
        """Precision, recall, F-score and support of all rows so far."""
        return self._scores()


class _OneScore(PrecisionRecallFScoreSupport):
    _index: int

    def __init__(
        self,
        *,
        labels: Any = None,
        pos_label: Any = 1,
        average: str | None = "binary",
        zero_division: Any = "warn",
        beta: float = 1.0,
    ) -> None:
        super().__init__(
            beta=beta, labels=labels, pos_label=pos_label, average=average, zero_division=zero_division
        )

    def compute(self) -> Any:
        """The score of all rows so far: a float, or an array of shape (k,) without averaging."""
        return self._scores()[self._index]


class Precision(_OneScore):
    """State of `precision_score`."""

    _index = 0
    _warn_for = ("precision",)


class Recall(_OneScore):
    """State of `recall_score`."""

    _index = 1
    _warn_for = ("recall",)


class F1(_OneScore):
    """State of `f1_score`."""

    _index = 2
    _warn_for = ("f-score",)
