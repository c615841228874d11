"""What kind of targets two label arrays are, and how often each pair of labels occurs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import (
    Array,
    as_array,
    as_column,
    check_consistent_length,
    check_finite,
    check_sample_weight,
    refuse_mixed,
)

# A k x k matrix is built for up to this many labels; beyond, sums per label are counted directly.
_MAX_DENSE_LABELS = 1024

INDICATOR = "multilabel-indicator"


class PairCounts(NamedTuple):
    """How often, or with what weight, each pair of labels occurs.

    ``labels`` holds the k labels present in either array, sorted. ``matrix`` has shape (k, k), true label by
    predicted label; it is None when k is too large, and the codes of the rows are kept instead. ``weight_sums``
    holds the predicted and the true weight of each label, added in row order; None unless there are weights.
    """

    labels: Array
    matrix: Array | None
    codes: tuple[Array, Array] | None
    weight: Array | None
    weight_sums: tuple[Array, Array] | None = None

    def sums(self) -> tuple[Array, Array, Array]:
        """Correct, predicted and true weight of each label."""
        if self.matrix is not None:
            right = self.matrix.diagonal()
            if self.weight_sums is not None:
                return right, *self.weight_sums
            return right, self.matrix.sum(axis=0), self.matrix.sum(axis=1)
        assert self.codes is not None
        truth, predicted = self.codes
        k = len(self.labels)
        right = truth == predicted
        right_weight = None if self.weight is None else self.weight[right]
        return (
            np.bincount(truth[right], right_weight, k),
            np.bincount(predicted, self.weight, k),
            np.bincount(truth, self.weight, k),
        )

    def total(self) -> Any:
        """Number, or weight, of all rows."""
        if self.weight is not None:
            return self.weight.sum()
        return self.matrix.sum() if self.matrix is not None else len(self.codes[0])  # type: ignore[index]

    def dense(self) -> Array:
        """The matrix, whatever its size."""
        if self.matrix is not None:
            return self.matrix
        assert self.codes is not None
        k = len(self.labels)
        cells = np.bincount(self.codes[0] * k + self.codes[1], self.weight, k * k)
        return cells.reshape(k, k)


def is_label_vector(y: Any) -> bool:
    """Whether ``y`` is a vector of booleans or integers: valid labels without a look at the values."""
    return type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biu" and y.dtype.isnative


def check_labels(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Two label vectors and weights, or the error scikit-learn raises for these targets."""
    y_true, y_pred, weight, kind = check_targets(y_true, y_pred, sample_weight)
    if kind == INDICATOR:
        raise InvalidArgument(f"{INDICATOR} is not supported")
    return y_true, y_pred, weight


def check_targets(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Array | None, str]:
    """Targets, weights and the kind of the targets: two vectors of "labels", or two matrices of indicators.

    Indicators are numpy arrays or, where one was sparse, scipy's matrices, as they came.
    """
    samples = check_consistent_length(y_true, y_pred, sample_weight)
    kind = "labels"
    if not (is_label_vector(y_true) and is_label_vector(y_pred)):
        y_true, kind = target_kind(y_true, "y_true")
        y_pred, kind_pred = target_kind(y_pred, "y_pred")
        _check_kinds(kind, kind_pred, y_true, y_pred, samples)
        if kind == "labels":
            y_true, y_pred = as_column(y_true), as_column(y_pred)
            if (y_true.dtype.kind in "UO") != (y_pred.dtype.kind in "UO"):
                raise InvalidArgument(
                    "Mix of label input types (string and number); Got "
                    f"{np.unique(y_true)} and {np.unique(y_pred)}."
                )
    if samples < 1:
        raise InvalidArgument(
            "Found empty input array (e.g., `y_true` or `y_pred`) while a minimum of 1 sample is required."
        )
    return y_true, y_pred, check_sample_weight(sample_weight, samples), kind


def is_sparse(y: Any) -> bool:
    """Whether ``y`` is one of scipy's sparse matrices or arrays."""
    return hasattr(y, "tocsr")


def target_kind(y: Any, name: str) -> tuple[Any, str]:
    """``y`` as an array, and scikit-learn's name for its kind; "labels" where that is binary or multiclass."""
    if is_sparse(y):
        return y, _sparse_kind(y)
    array = as_array(y, name)
    kind = array.dtype.kind
    if kind == "c":
        raise InvalidArgument(f"Complex data not supported\n{array}\n")
    if kind == "S":
        raise TypeError(
            "Support for labels represented as bytes is not supported. Convert the labels to a string or integer "
            "format."
        )
    if array.ndim not in (1, 2) or (array.ndim == 2 and min(array.shape) == 0):
        return array, "unknown"
    if kind == "O":
        refuse_mixed(array.flat)
        if array.size and not isinstance(array.flat[0], str):
            return array, "unknown"
    wide = array.ndim == 2 and array.shape[1] > 1
    if wide and kind in "biuf":
        values = _core.two_values(as_native(array))
        if values is not None and np.isfinite(values).all() and all(float(v).is_integer() for v in values):
            return array, INDICATOR
    if kind == "f" and not _is_integral(array):
        check_finite(array, name)
        return array, "continuous-multioutput" if wide else "continuous"
    return array, "multiclass-multioutput" if wide else "labels"


def _sparse_kind(y: Any) -> str:
    if y.ndim != 2 or y.shape[1] < 2:
        raise TypeError("Sparse input is only supported when targets are of multilabel type")
    stored = y.tocsr().data
    if len(stored) == 0:
        return INDICATOR
    values = _core.two_values(as_native(stored)[:, None])
    if values is not None and (values[0] == values[1] or 0 in values) and all(v.is_integer() for v in values):
        return INDICATOR
    return "multiclass-multioutput" if _is_integral(stored) else "continuous-multioutput"


def _is_integral(array: Array) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((array == np.trunc(array)).all() and np.isfinite(array).all())


def _check_kinds(kind_true: str, kind_pred: str, y_true: Any, y_pred: Any, samples: int) -> None:
    if kind_true != kind_pred:
        names = [
            kind if kind != "labels" else "binary" if len(np.unique(y)) <= 2 else "multiclass"
            for kind, y in ((kind_true, y_true), (kind_pred, y_pred))
        ]
        raise InvalidArgument(
            f"Classification metrics can't handle a mix of {names[0]} and {names[1]} targets"
        )
    if kind_true == INDICATOR and y_true.shape[1] != y_pred.shape[1]:
        raise InvalidArgument("Multi-label binary indicator input with different numbers of labels")
    if kind_true not in ("labels", INDICATOR) and samples:
        raise InvalidArgument(f"{kind_true} is not supported")


def count_pairs(y_true: Array, y_pred: Array, weight: Array | None) -> PairCounts:
    """Counts checked label vectors; small integers in one compiled pass, other labels after coding them."""
    if y_true.dtype.kind not in "UO":
        counted = _core.pair_counts(as_native(y_true), as_native(y_pred), weight)
        if counted is not None:
            labels = counted[0]
            if y_true.dtype.kind not in "iu" or y_pred.dtype.kind not in "iu":
                labels = labels.astype(np.result_type(y_true.dtype, y_pred.dtype))
            return PairCounts(labels, counted[1], None, weight, counted[2])
    labels, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    truth, predicted = codes[: len(y_true)], codes[len(y_true) :]
    if len(labels) > _MAX_DENSE_LABELS:
        return PairCounts(labels, None, (truth, predicted), weight)
    coded = _core.pair_counts(truth, predicted, weight)
    assert coded is not None  # codes are small
    return PairCounts(labels, coded[1], None, weight, coded[2])


def as_native(y: Array) -> Array:
    """Numeric labels in a dtype that the compiled passes read."""
    if y.dtype.isnative and y.dtype.char not in "eg":
        return y
    return y.astype(np.float64 if y.dtype.kind == "f" else np.int64)
