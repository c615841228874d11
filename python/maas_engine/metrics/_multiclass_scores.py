"""What metrics of one score a class check: the classes, the codes of the labels, the shape of the scores."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array


def class_codes(y: Array, classes: Array) -> Array:
    """The position of each label among the sorted ``classes``, all of which must hold it, as integers."""
    k = len(classes)
    if y.dtype.kind in "iu" and classes.dtype.kind in "iu" and classes[0] == 0 and classes[-1] == k - 1:
        return y
    return np.searchsorted(classes, y)


def ordered_classes(labels: Any, present: Array, columns: int) -> Array:
    """The declared classes: as many as columns of scores, sorted, and all labels among them; else raises."""
    given = np.asarray(labels)
    classes: Array = np.unique(given)
    if len(classes) != len(given):
        raise InvalidArgument("Parameter 'labels' must be unique")
    if not np.array_equal(classes, given):
        raise InvalidArgument("Parameter 'labels' must be ordered")
    if len(classes) != columns:
        raise InvalidArgument(
            f"Number of given labels, {len(classes)}, not equal to the number of columns in 'y_score', {columns}"
        )
    if len(np.setdiff1d(present, classes)):
        raise InvalidArgument("'y_true' contains labels not in parameter 'labels'")
    return classes


def require_class_columns(y_score: Any) -> NoReturn:
    """Raises that scores of shape (n, k) are needed."""
    raise InvalidArgument(
        "`y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple classes. Got "
        f"`y_score.shape={np.shape(y_score)}`."
    )
