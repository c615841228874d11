"""Checks shared by all metrics: array-likes, lengths, sample weights, finiteness, and scikit-learn's warning."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from maas_engine.errors import InvalidArgument

Array = npt.NDArray[Any]


def undefined_metric_warning() -> type[Warning]:
    """scikit-learn's ``UndefinedMetricWarning`` if it is installed, so that users' filters work, else our own."""
    try:
        from sklearn.exceptions import UndefinedMetricWarning
    except ImportError:
        from maas_engine.errors import UndefinedMetricWarning
    return UndefinedMetricWarning  # type: ignore[no-any-return]


def length(values: Any) -> int:
    """Number of samples of an array-like."""
    shape = getattr(values, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(values)
    except (IndexError, TypeError):
        raise InvalidArgument(f"Expected sequence or array-like, got {type(values)}") from None


def check_consistent_length(*arrays: Any) -> int:
    """The common number of samples of all arrays that are not None; raises ``InvalidArgument`` if they differ."""
    lengths = [length(values) for values in arrays if values is not None]
    if len(set(lengths)) > 1:
        raise InvalidArgument(f"Found input variables with inconsistent numbers of samples: {lengths}")
    return lengths[0]


def as_array(values: Any, name: str) -> Array:
    """``values`` as a numpy array, copied only if it must be; refuses scalars, strings and sparse matrices."""
    if type(values) is np.ndarray:
        return values
    if values is None or isinstance(values, (str, bytes, dict, set)) or np.isscalar(values):
        raise InvalidArgument(f"Expected array-like (array or non-string sequence), got {values!r}")
    if hasattr(values, "tocsr"):
        raise TypeError(f"Sparse data was passed for {name or 'an array'}, but dense data is required.")
    dtype = getattr(values, "dtype", None)
    if dtype is not None and not isinstance(dtype, np.dtype) and hasattr(values, "tolist"):
        values = values.tolist()  # pandas' nullable and categorical columns would become object arrays
    array = np.asarray(values)
    if array.dtype.kind == "U" and isinstance(values, (list, tuple)) and array.ndim == 1:
        refuse_mixed(values)
    return array


def refuse_mixed(labels: Any) -> None:
    """Raises when some labels are strings and some are not: numpy would silently turn all into strings."""
    if len({isinstance(label, str) for label in labels}) > 1:
        raise InvalidArgument("Mix of label input types (string and number)")


def check_finite(array: Array, name: str = "") -> None:
    """Raises scikit-learn's message when ``array`` holds NaN or infinity."""
    if array.dtype.kind not in "fc" or math.isfinite(float(np.sum(array, dtype=np.float64))):
        return  # a sum of finite numbers may overflow, but a finite sum has only finite terms
    padded = f"{name} " if name else ""
    if np.isnan(array).any():
        raise InvalidArgument(f"Input {padded}contains NaN.")
    if np.isinf(array).any():
        raise InvalidArgument(
            f"Input {padded}contains infinity or a value too large for dtype('{array.dtype}')."
        )


def as_real(values: Any, name: str = "") -> Array:
    """A native real array for the compiled sums: bool, int, float32 and float64 stay as they are."""
    array = as_array(values, name)
    if array.dtype.kind == "c":
        raise InvalidArgument(f"Complex data not supported\n{array}\n")
    if (
        array.dtype.kind not in "biuf"
        or array.dtype.itemsize > 8
        or array.dtype.char == "e"
        or not array.dtype.isnative
    ):
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(str(error)) from None
    return array


def as_column(array: Array) -> Array:
    """A vector from shape (n,) or (n, 1)."""
    if array.ndim == 1:
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    raise InvalidArgument(f"y should be a 1d array, got an array of shape {array.shape} instead.")


def check_sample_weight(sample_weight: Any, samples: int) -> Array | None:
    """Weights of shape (samples,), finite and not all zero; a number stands for that many equal weights."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, (int, float)):
        sample_weight = np.full(samples, float(sample_weight))
    weight = as_real(sample_weight, "sample_weight")
    check_finite(weight, "sample_weight")
    if weight.ndim != 1:
        raise InvalidArgument(
            f"Sample weights must be 1D array or scalar, got {weight.ndim}D array. Expected either a scalar "
            f"value or a 1D array of length {samples}."
        )
    if weight.shape[0] != samples:
        raise InvalidArgument(f"sample_weight.shape == {weight.shape}, expected {(samples,)}!")
    if not weight.any():
        raise InvalidArgument("Sample weights must contain at least one non-zero number.")
    return weight


def check_option(value: Any, name: str, function: str, options: tuple[str | None, ...]) -> None:
    """Raises when ``value`` is not one of ``options``, naming them."""
    if (value is None or isinstance(value, str)) and value in options:
        return
    words = ", ".join(repr(option) for option in options if option is not None)
    or_none = " or None" if None in options else ""
    raise InvalidArgument(
        f"The {name!r} parameter of {function} must be a str among {{{words}}}{or_none}. Got {value!r} instead."
    )
