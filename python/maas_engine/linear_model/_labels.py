"""Class labels as numbers, in a few passes where labels are small integers (the common case)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

Array = NDArray[Any]

_LARGEST_TABLE = 1 << 16


def check_labels(y: Any, X: Array) -> Array:
    """Return ``y`` as an array of labels, shape (n_samples,).

    Raises
    ------
    ValueError : wrong length, NaN or infinity, continuous values, labels of mixed type.
    """
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    if y.dtype.kind not in "biu":  # whole numbers are always labels
        assert_all_finite(y, input_name="y")
        try:
            check_classification_targets(y)
        except TypeError as error:  # Python cannot order them
            kinds = sorted({type(label).__name__ for label in y.tolist()})
            if len(kinds) == 1:  # e.g. bytes: scikit-learn's own words
                raise
            raise ValueError(f"expected labels of one type, got {' and '.join(kinds)}") from error
    return np.asarray(y)


def encode_labels(y: Array, dtype: Any = np.float64) -> tuple[Array, Array]:
    """Return the sorted distinct labels and, for each row, the position of its label among them.

    Parameters
    ----------
    y : shape (n_samples,), not empty, as from :func:`check_labels`
    dtype : float type of the codes

    Returns
    -------
    classes : shape (n_classes,), type of ``y``
    codes : ``dtype``, shape (n_samples,), whole numbers in 0 ... n_classes - 1
    """
    if y.dtype.kind in "iu":
        low, high = int(y.min()), int(y.max())
        upper = y == high
        if low < high and np.count_nonzero(upper) + np.count_nonzero(y == low) == y.size:
            return np.array([low, high], dtype=y.dtype), upper.astype(dtype)
        if high - low < _LARGEST_TABLE:
            offsets = (y - y.dtype.type(low)).astype(np.intp, copy=False)
            present = np.bincount(offsets, minlength=high - low + 1) > 0
            codes = (np.cumsum(present) - 1).astype(dtype)
            classes = (np.flatnonzero(present) + low).astype(y.dtype)
            return classes, codes[offsets]
    classes, inverse = np.unique(y, return_inverse=True)
    return classes, inverse.astype(dtype)


def known_labels(y: Array, classes: Array) -> NDArray[np.float64]:
    """Return the position of each label of ``y`` in the sorted ``classes``, as :func:`encode_labels`.

    Raises
    ------
    ValueError : a label is not among ``classes``.
    """
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[codes] != y
    if np.any(unknown):
        raise ValueError(f"y contains the label {y[unknown][0]}, which is not among classes {classes}")
    return codes.astype(np.float64)
