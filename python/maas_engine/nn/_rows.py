"""What users give as features, targets and weights, as the arrays that the trainer reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maas_engine._tables import pandas_column
from maas_engine.errors import InvalidArgument
from maas_engine.nn._graph import Signature

Array = NDArray[Any]

# Types the trainer reads as they are, row by row.
_READ = {np.dtype(name) for name in ("float32", "float64", "int32", "int64", "bool")}


# Values of x that are converted at once where its type is another: smaller arrays whole, larger ones by blocks.
_WHOLE, _BLOCK = 1 << 24, 1 << 22


class Rows(NamedTuple):
    """Rows to train on, n of them: features, targets, and weights or None.

    ``dtype`` is what x becomes, block by block, where it is large and of a type that the trainer does not read.
    """

    x: Array
    y: Array
    weight: NDArray[np.float64] | None
    dtype: str

    def part(self, first: int, last: int) -> Rows:
        weight = None if self.weight is None else self.weight[first:last]
        return Rows(self.x[first:last], self.y[first:last], weight, self.dtype)

    @property
    def readable(self) -> bool:
        """Whether the trainer reads x as it is."""
        return self.x.dtype in _READ

    @property
    def block(self) -> int:
        """Rows to convert at once."""
        return max(1, _BLOCK // max(1, self.x[:1].size))

    def converted(self, order: NDArray[np.uint32] | None) -> Rows:
        """Return a copy that the trainer reads, of the rows in an order, or of all."""
        if order is None:
            return self._replace(x=self.x.astype(self.dtype))
        weight = None if self.weight is None else self.weight[order]
        return Rows(self.x[order].astype(self.dtype), self.y[order], weight, self.dtype)


class Target(NamedTuple):
    """What a compiled model is trained towards: the loss, and the columns of its predictions."""

    loss: str
    columns: int

    @property
    def is_class_number(self) -> bool:
        return self.loss == "sparse_categorical_crossentropy"


def is_frame(x: Any) -> bool:
    """Whether x is a table with named columns: pandas, polars, Arrow."""
    return hasattr(x, "columns") or hasattr(x, "column_names")


def column_names(x: Any) -> tuple[str, ...] | None:
    """Return the names of a frame's columns where all are text, each once; None for anything else."""
    if not is_frame(x) or isinstance(x, np.ndarray):
        return None
    names = tuple(x.column_names if hasattr(x, "column_names") else x.columns)
    usable = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return names if usable else None


def features(x: Any, signature: Signature, names: Sequence[str] | None, where: str) -> Array:
    """Return x as an array of numbers of shape (n, ...) that fits the input.

    Arrays, memory maps among them, are not copied.

    Parameters
    ----------
    x : array_like or frame
    signature : Signature
    names : sequence of str, optional
        Columns to take from a frame, in order.
    where : str
        For messages.

    Raises
    ------
    InvalidArgument : text, another shape, a missing column.
    """
    array = _numbers(x, "int64" if signature.takes_indices else signature.model_dtype, names, f"[{where}] x")
    if signature.table_rows is not None:
        _check_whole(array, signature.table_rows, "indices", f"[{where}] x")
    row = signature.shape[1:]
    if array.ndim == len(row) and row[-1] == 1:
        array = array[..., None]
    if array.shape[1:] != row:
        expected = ", ".join(["n", *map(str, row)])
        raise InvalidArgument(f"[{where}] expected x of shape ({expected}), got {array.shape}")
    return array


def take_rows(
    x: Any,
    y: Any,
    sample_weight: Any,
    signature: Signature,
    target: Target,
    names: Sequence[str] | None,
    where: str,
) -> Rows:
    """Return checked rows.

    Raises
    ------
    InvalidArgument : what was expected of x, y or the weights, and what came.
    """
    inputs = features(x, signature, names, where)
    if y is None:
        raise InvalidArgument(f"[{where}] expected targets y for the rows of x")
    n = len(inputs)
    outputs = targets(y, target, n, where)
    if inputs.ndim > 2:
        inputs = inputs.reshape(n, math.prod(inputs.shape[1:]))
    weight = None if sample_weight is None else _weights(sample_weight, n, where)
    rows = Rows(inputs, outputs, weight, signature.dtype)
    return rows if rows.readable or inputs.size > _WHOLE else rows.converted(None)


def with_class_weight(rows: Rows, class_weight: Mapping[int, float] | None, where: str) -> Rows:
    """Return the rows with the weights of their classes multiplied in; classes that are not named count 1.

    Raises
    ------
    InvalidArgument : weights that are no dict, or not finite.
    """
    if class_weight is None:
        return rows
    if not isinstance(class_weight, Mapping):
        raise InvalidArgument(f"[{where}] expected class_weight to be a dict of class to weight")
    classes = rows.y.argmax(axis=1) if rows.y.shape[1] > 1 else rows.y[:, 0]
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight.copy()
    for label, value in class_weight.items():
        if not isinstance(value, Real):
            raise InvalidArgument(f"[{where}] expected class_weight[{label!r}] to be a number, got {value!r}")
        weight[classes == label] *= value
    if not np.isfinite(weight).all():
        raise InvalidArgument(f"[{where}] expected finite class weights")
    return rows._replace(weight=weight)


def targets(y: Any, target: Target, n: int, where: str) -> Array:
    """Return y as an array of shape (n, columns).

    Raises
    ------
    InvalidArgument : text, another shape, class numbers out of range.
    """
    array = _numbers(y, "float64", None, f"[{where}] y")
    array = array if array.dtype in _READ else array.astype(np.float64)
    if len(array) != n:
        raise InvalidArgument(f"[{where}] expected y for the {n} rows of x, got {len(array)}")
    columns = 1 if target.is_class_number else target.columns
    if array.ndim == 1 or array[:1].size != columns or array.ndim > 2:
        array = array.reshape(n, -1) if n else array.reshape(0, columns)
    if array.shape[1] != columns:
        hint = ""
        if target.is_class_number and array.shape[1] == target.columns:
            hint = "; for one-hot rows use categorical_crossentropy"
        elif columns > 1 and array.shape[1] == 1:
            hint = "; for class numbers use sparse_categorical_crossentropy"
        raise InvalidArgument(
            f"[{where}] expected y of {columns} column{'s' * (columns != 1)} a row, got {array.shape[1]}{hint}"
        )
    if target.is_class_number and n:
        _check_whole(array, target.columns, "class numbers", f"[{where}] y")
    return array


def _numbers(values: Any, dtype: str, names: Sequence[str] | None, what: str) -> Array:
    """Values as an array of numbers: of their own type where they have one, else of ``dtype``."""
    if is_frame(values) and not isinstance(values, np.ndarray):
        return _frame_numbers(values, dtype, names, what)
    if isinstance(values, (Mapping, str, bytes)) or hasattr(values, "tocsr"):
        raise InvalidArgument(f"{what}: expected an array, a frame or a list, got {type(values).__name__}")
    try:
        array = values if isinstance(values, np.ndarray) else np.asarray(_detached(values))
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{what}: expected rows of one length: {error}") from error
    if type(array) is not np.ndarray and hasattr(array, "mask"):  # asking numpy.ma would load it
        raise InvalidArgument(f"{what}: expected an array without a mask: x.filled(np.nan)")
    if array.dtype.kind == "O":
        array = _from_objects(array, dtype, what)
    elif array.dtype.kind not in "biuf":
        raise _no_numbers(array, what)
    if array.ndim == 0:
        raise InvalidArgument(f"{what}: expected rows, got a single value")
    return array


def _detached(values: Any) -> Any:
    """Tensors of other libraries as arrays where they need to be asked."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def _from_objects(array: Array, dtype: str, what: str) -> Array:
    if any(isinstance(each, (str, bytes)) for each in array.flat):
        raise _no_numbers(array, what)
    missing = np.array([each is None for each in array.flat], dtype=bool).reshape(array.shape)
    if missing.any() and np.dtype(dtype).kind == "f":
        array = np.where(missing, np.nan, array)
    try:
        return array.astype(dtype)
    except (TypeError, ValueError) as error:
        raise _no_numbers(array, what) from error


def _no_numbers(array: Array, what: str) -> InvalidArgument:
    text = array.dtype.kind in "UTSO"
    hint = "; numpy.unique(labels, return_inverse=True) numbers text" if text and what.endswith("] y") else ""
    return InvalidArgument(f"{what}: expected numbers, got {'text' if text else array.dtype}{hint}")


def _frame_numbers(frame: Any, dtype: str, names: Sequence[str] | None, what: str) -> Array:
    """A frame's columns side by side; of one type, as it is."""
    present = list(frame.column_names if hasattr(frame, "column_names") else frame.columns)
    wanted = list(present if names is None or column_names(frame) is None else names)
    missing = [name for name in wanted if name not in present]
    if missing:
        raise InvalidArgument(f"{what}: expected columns {', '.join(map(repr, missing))}, got {present}")
    types = set(frame.dtypes) if hasattr(frame, "iloc") else set()
    if len(types) == 1 and wanted == present and next(iter(types)) in _READ:
        block: Array = frame.to_numpy()
        return block
    rows = frame.num_rows if hasattr(frame, "num_rows") else len(frame)
    out = np.empty((rows, len(wanted)), dtype, order="F")
    for place, name in enumerate(wanted):
        column = pandas_column(frame[name], name, what) if hasattr(frame, "iloc") else frame[name].to_numpy()
        out[:, place] = _numbers(np.asarray(column), dtype, None, f"{what}, column {name!r}")
    return out


def _check_whole(values: Array, end: int, kind: str, what: str) -> None:
    """Raise InvalidArgument unless all are whole numbers of [0, end)."""
    wrong = (values < 0) | (values >= end)
    if values.dtype.kind == "f":
        wrong |= values != np.rint(values)  # NaN too
    if wrong.any():
        raise InvalidArgument(f"{what}: expected {kind} from 0 to {end - 1}, got {values[wrong][0]}")


def _weights(sample_weight: Any, n: int, where: str) -> NDArray[np.float64]:
    weight = _numbers(sample_weight, "float64", None, f"[{where}] sample_weight").astype(
        np.float64, copy=False
    )
    if weight.size != n:
        raise InvalidArgument(f"[{where}] expected one sample weight a row, {n}, got shape {weight.shape}")
    if not np.isfinite(weight).all():
        raise InvalidArgument(f"[{where}] expected finite sample weights")
    return weight.reshape(n)
