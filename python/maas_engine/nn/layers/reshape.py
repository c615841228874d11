"""Flatten and Reshape: the same values in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn.layers.layer import Layer, Shape, refuse


class Flatten(Layer):
    """All values of a sample along one axis."""

    def __init__(self, data_format: None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        refuse(self.name, data_format=data_format)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (input_shape[0], _size(input_shape))

    def write(self, nodes: NodeWriter, x: str) -> str:
        return x if len(self.input_shape) == 2 else nodes.add("Flatten", x, name=self.name, axis=1)


class Reshape(Layer):
    """The values of a sample in another shape.

    Parameters
    ----------
    target_shape : tuple of int
        Without the batch; one axis may be -1.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        if sum(size == -1 for size in self.target_shape) > 1 or any(
            size < 1 and size != -1 for size in self.target_shape
        ):
            raise InvalidArgument(
                f"[{self.name}] expected positive sizes and at most one -1, got {self.target_shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        size = _size(input_shape)
        known = math.prod(each for each in self.target_shape if each != -1)
        if size % known or (-1 not in self.target_shape and size != known):
            raise InvalidArgument(
                f"[{self.name}] expected {self.target_shape} to hold the {size} values of a sample"
            )
        return (input_shape[0], *(size // known if each == -1 else each for each in self.target_shape))

    def write(self, nodes: NodeWriter, x: str) -> str:
        shape = nodes.integers(-1, *(int(size or 0) for size in self.output_shape[1:]))
        return nodes.add("Reshape", x, shape, name=self.name)


def _size(shape: Sequence[int | None]) -> int:
    return math.prod(int(size or 0) for size in shape[1:])
