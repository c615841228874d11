"""What programs take from `keras.utils`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.nn._config import floatx, set_random_seed

__all__ = ["set_random_seed", "to_categorical"]


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[Any]:
    """Return class numbers as rows with a 1 in the column of the class.

    Parameters
    ----------
    x : array_like of int, shape (n,) or (n, 1)
    num_classes : int, optional
        Columns; default: the largest number plus one.

    Raises
    ------
    InvalidArgument : numbers that are not whole, or out of range.
    """
    given = np.asarray(x)
    numbers = given.reshape(given.shape[:-1] if given.ndim > 1 and given.shape[-1] == 1 else given.shape)
    classes = numbers.astype(np.int64)
    count = int(classes.max(initial=-1)) + 1 if num_classes is None else num_classes
    in_range = classes.size == 0 or 0 <= classes.min() <= classes.max() < count
    if not (in_range and np.array_equal(classes, numbers)):
        raise InvalidArgument(f"[to_categorical] expected class numbers from 0 to {count - 1}")
    return np.asarray(classes[..., None] == np.arange(count), dtype=floatx())
