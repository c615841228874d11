"""The arrays a layer owns. While a model trains, the engine holds the values, and a variable fetches them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.nn.regularizers import Regularizer

Array = NDArray[Any]


class Holder(Protocol):
    """Who may have newer values than a variable, and must know of changes."""

    def fetch(self) -> None: ...
    def changed(self, variable: Variable) -> None: ...


class Variable:
    """A named array of a layer: a kernel, a bias, a moving mean.

    Attributes
    ----------
    name : str
        ``"kernel"``.
    path : str
        With the layer's name: ``"dense/kernel"``. So its values are called in graphs and files.
    shape : tuple of int
    dtype : str
    trainable : bool
        Whether training changes it by gradients.
    regularizer : Regularizer or None
    """

    def __init__(
        self, name: str, value: Array, *, trainable: bool = True, regularizer: Regularizer | None = None
    ) -> None:
        self.name = self.path = name
        self.trainable = trainable
        self.regularizer = regularizer
        self.holders: list[Holder] = []  # the models it is part of
        self._value = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    @property
    def dtype(self) -> str:
        return self._value.dtype.name

    @property
    def size(self) -> int:
        return self._value.size

    @property
    def value(self) -> Array:
        """The present values, not to be written to; `assign` changes them."""
        for holder in self.holders:
            holder.fetch()
        return self._value

    def numpy(self) -> Array:
        """Return a copy of the present values."""
        return self.value.copy()

    def assign(self, value: ArrayLike) -> None:
        """Replace the values.

        Raises
        ------
        InvalidArgument : another shape.
        """
        array = np.asarray(value)
        if array.shape != self.shape:
            raise InvalidArgument(f"[{self.path}] expected shape {self.shape}, got {array.shape}")
        for holder in self.holders:
            holder.fetch()
        self.take(np.array(array, dtype=self._value.dtype, order="C"), None)

    def take(self, value: Array, source: Holder | None) -> None:
        """Take over an array of the right shape and type without a copy; every holder but ``source`` is told."""
        self._value = value
        for holder in self.holders:
            if holder is not source:
                holder.changed(self)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype=dtype) if copy is not False else self.value

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"
