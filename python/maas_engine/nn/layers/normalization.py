"""Normalization: features of mean 0 and variance 1, by statistics that `adapt` takes from data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.nn import initializers
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers.layer import Layer

# Keras's floor under deviations.
_SMALLEST_DEVIATION = 1e-7

Doubles = NDArray[np.float64]


class Normalization(Layer):
    """(x - mean) / √variance, column by column of the last axis.

    Parameters
    ----------
    axis : -1 or None
        None: one mean and variance for all values.
    mean, variance : array_like, optional
        Known ones, both or none; otherwise `adapt` finds them.
    invert : bool
        Whether to undo a normalisation: x · √variance + mean.

    Attributes
    ----------
    mean, variance : ndarray
    """

    def __init__(
        self,
        axis: int | None = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise InvalidArgument(f"[{self.name}] expected both mean and variance, or none")
        self.axis, self.invert = axis, invert
        self._given = None if mean is None else (np.asarray(mean, float), np.asarray(variance, float))
        self._moments: tuple[Variable, Variable] | None = None

    def _build(self) -> None:
        if self.axis not in (None, -1, len(self.input_shape) - 1):
            raise InvalidArgument(f"[{self.name}] expected the last axis, or None, got {self.axis}")
        shape = () if self.axis is None else (self.width,)
        if self._given is not None:
            try:
                self._given = tuple(np.broadcast_to(each, shape) for each in self._given)  # type: ignore[assignment]
            except ValueError as error:
                raise InvalidArgument(
                    f"[{self.name}] expected mean and variance of shape {shape}: {error}"
                ) from error
            return
        self._moments = (
            self._add("mean", shape, initializers.Zeros(), trainable=False),
            self._add("variance", shape, initializers.Ones(), trainable=False),
        )
        count = Variable("count", np.zeros((), np.int32), trainable=False)  # Keras has it, always 0 at rest
        count.path = f"{self.name}/count"
        self._variables.append(count)

    @property
    def mean(self) -> Any:
        return self._statistics()[0]

    @property
    def variance(self) -> Any:
        return self._statistics()[1]

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take mean and variance from data, forgetting earlier ones.

        Parameters
        ----------
        data : array_like of shape (n, ...), or an iterable of such batches
            Arrays may be memory maps: they are read in blocks.
        batch_size : ignored
        steps : int, optional
            Batches to take of an iterable.

        Raises
        ------
        InvalidArgument : no rows, NaN or infinite values, or means given to the constructor.
        """
        if self._given is not None:
            raise InvalidArgument(f"[{self.name}] expected no adapt(): mean and variance were given")
        total = _Moments(self.axis is None)
        for number, block in enumerate(_blocks(data)):
            if steps is not None and number >= steps:
                break
            total.add(block)
        if total.count == 0:
            raise InvalidArgument(f"[{self.name}] expected at least one row")
        if not (np.isfinite(total.mean).all() and np.isfinite(total.squares).all()):
            raise InvalidArgument(f"[{self.name}] expected finite numbers")
        if not self.built:
            self.build((None, *total.row_shape))
        assert self._moments is not None
        self._moments[0].assign(total.mean)
        self._moments[1].assign(total.squares / total.count)

    def write(self, nodes: NodeWriter, x: str) -> str:
        mean, variance = self._statistics()
        deviation = np.maximum(np.sqrt(variance), _SMALLEST_DEVIATION)
        first, second = ("Mul", "Add") if self.invert else ("Sub", "Div")
        one, two = (deviation, mean) if self.invert else (mean, deviation)
        x = nodes.add(first, x, nodes.constant(one), name=f"{self.name}/{first.lower()}")
        return nodes.add(second, x, nodes.constant(two), name=self.name)

    def _statistics(self) -> tuple[Any, Any]:
        if self._moments is not None:
            return self._moments[0].value, self._moments[1].value
        if self._given is None:
            raise InvalidArgument(f"[{self.name}] expected adapt() first")
        return self._given


class _Moments:
    """Running mean and sum of squared distances from it, over all axes but the last, or over all."""

    def __init__(self, whole: bool) -> None:
        self.whole, self.count = whole, 0
        self.row_shape: tuple[int, ...] = ()
        self.mean: Doubles = np.zeros(())
        self.squares: Doubles = np.zeros(())

    def add(self, block: Any) -> None:
        try:
            rows = np.asarray(block, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"[Normalization] expected rows of numbers: {error}") from None
        rows = rows[:, None] if rows.ndim == 1 else rows
        if len(rows) == 0:
            return
        self.row_shape = rows.shape[1:]
        rows = rows.reshape(-1, 1 if self.whole else rows.shape[-1])
        count, mean = len(rows), rows.mean(axis=0)
        squares = np.square(rows - mean).sum(axis=0)
        if self.whole:
            mean, squares = mean[0], squares[0]
        both = self.count + count
        step = mean - self.mean
        self.squares = self.squares + squares + np.square(step) * (self.count * count / both)
        self.mean = self.mean + step * (count / both)
        self.count = both


def _blocks(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        data = np.asarray(data)
    elif hasattr(data, "to_numpy"):  # a frame
        data = data.to_numpy()
    if not isinstance(data, np.ndarray):
        return iter(data)
    rows = max(1, (1 << 20) // max(1, data[:1].size))
    return (data[first : first + rows] for first in range(0, len(data), rows))
