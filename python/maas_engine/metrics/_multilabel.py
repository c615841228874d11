"""Label sets: pairs of indicator matrices, dense or scipy's sparse ones, and their counts by label and by row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array
from maas_engine.metrics._labels import as_native, is_sparse


class IndicatorPair(NamedTuple):
    """True and predicted label sets of shape (n, k), both dense or both canonical CSR matrices, and weights.

    What is not zero is a label.
    """

    y_true: Any
    y_pred: Any
    weight: Array | None

    @property
    def labels(self) -> int:
        """Number of labels, k."""
        return int(self.y_true.shape[1])

    @property
    def rows(self) -> int:
        """Number of rows, n."""
        return int(self.y_true.shape[0])

    def select(self, labels: Array) -> IndicatorPair:
        """The same of some columns, in this order."""
        y_true, y_pred = self.y_true[:, labels], self.y_pred[:, labels]
        if is_sparse(y_true):
            y_true, y_pred = _canonical(y_true), _canonical(y_pred)
        return self._replace(y_true=y_true, y_pred=y_pred)

    def label_sums(self) -> tuple[Array, Array, Array]:
        """Correct, predicted and true weight of each label, shape (k,)."""
        if is_sparse(self.y_true):
            return _core.sparse_label_sums(_parts(self.y_true), _parts(self.y_pred), self.weight)
        return _core.indicator_label_sums(self.y_true, self.y_pred, self.weight)

    def row_sums(self) -> tuple[Array, Array, Array]:
        """Number of correct, predicted and true labels of each row, shape (n,)."""
        if is_sparse(self.y_true):
            return _core.sparse_row_sums(_parts(self.y_true), _parts(self.y_pred))
        return _core.indicator_row_sums(self.y_true, self.y_pred)

    def differences(self) -> Array:
        """Number of labels of each row that differ, shape (n,)."""
        if len(self._values()) > 1:  # then equal rows have equal values, as in scikit-learn
            differ: Array = np.asarray((self.y_true != self.y_pred).sum(axis=1))
            return np.ravel(differ)
        right, predicted, true = self.row_sums()
        return np.asarray(true + predicted - 2 * right)

    def _values(self) -> set[float]:
        """The nonzero values of both."""
        if is_sparse(self.y_true):
            return {float(v) for y in (self.y_true, self.y_pred) for v in y.data[:1]}
        return {v for y in (self.y_true, self.y_pred) for v in _core.two_values(y) or () if v != 0}


def indicator_pair(y_true: Any, y_pred: Any, weight: Array | None) -> IndicatorPair:
    """The pair of two checked indicator matrices of one shape."""
    if is_sparse(y_true) or is_sparse(y_pred):
        from scipy.sparse import csr_array

        return IndicatorPair(_canonical(csr_array(y_true)), _canonical(csr_array(y_pred)), weight)
    return IndicatorPair(as_native(y_true), as_native(y_pred), weight)


def check_columns(labels: Any, k: int) -> Array:
    """Column indices of ``labels``; raises when one is no column."""
    columns: Array = np.asarray(labels)
    if columns.size and columns.max() > k - 1:
        raise InvalidArgument(
            f"All labels must be in [0, n labels) for multilabel targets. Got {columns.max()} > {k - 1}"
        )
    if columns.size and columns.min() < 0:
        raise InvalidArgument(
            f"All labels must be in [0, n labels) for multilabel targets. Got {columns.min()} < 0"
        )
    return columns


def _canonical(y: Any) -> Any:
    """A CSR matrix without stored zeros or duplicates, columns ascending; never the caller's own arrays changed."""
    y = y.tocsr()
    if not (y.has_canonical_format and y.data.all()):
        y = y.copy()
        y.sum_duplicates()
        y.eliminate_zeros()
    return y


def _parts(y: Any) -> tuple[Array, Array, Array, int]:
    """What the engine takes of a CSR matrix; of its values only their number is read."""
    return (
        np.ones(len(y.data), np.uint8),
        y.indices.astype(np.int32, copy=False),
        y.indptr.astype(np.int64, copy=False),
        int(y.shape[1]),
    )
