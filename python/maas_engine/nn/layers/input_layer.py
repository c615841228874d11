"""The shape of a model's inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral

import numpy as np
from numpy.typing import DTypeLike

from maas_engine.errors import InvalidArgument
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn.layers.layer import Layer


class InputLayer(Layer):
    """Says what one sample is; `maas_engine.nn.Input` makes one.

    Parameters
    ----------
    shape : tuple of int
        Of one sample, without the batch. An int is one axis.
    dtype : optional
        float32 or float64 makes the model's type; an integer type is that of indices for an `Embedding`.
    name : str, optional
        Of the graph's input; default ``"input"``.
    """

    def __init__(
        self, shape: Sequence[int] | int, *, dtype: DTypeLike | None = None, name: str | None = None
    ) -> None:
        kind = "f" if dtype is None else np.dtype(dtype).kind
        super().__init__(name=name or "input", dtype=dtype if kind == "f" else None, trainable=False)
        self.takes_integers = kind in "iu"
        if kind not in "fiu":
            raise InvalidArgument(f"[Input] expected numbers, got {np.dtype(dtype).name}")
        sample = tuple(shape) if isinstance(shape, Iterable) else (shape,)
        if not sample or not all(isinstance(size, Integral) and size >= 1 for size in sample):
            raise InvalidArgument(
                f"[Input] expected the shape of one sample, without the batch, such as (10,), got {shape!r}"
            )
        self.build((None, *map(int, sample)))

    def write(self, nodes: NodeWriter, x: str) -> str:
        return x


def Input(
    shape: Sequence[int] | int,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> InputLayer:
    """Return the first entry of a `Sequential`: what one sample is.

    Parameters
    ----------
    shape : tuple of int
        Of one sample, without the batch: ``(10,)``.
    batch_size : ignored
        Models take batches of any size.
    dtype : optional
        float32 or float64 makes the model's type; an integer type is that of indices for an `Embedding`.
    name : str, optional
        Of the graph's input; default ``"input"``.
    """
    return InputLayer(shape, dtype=dtype, name=name)
