"""Rescaling: the same change of scale for every value."""

from __future__ import annotations

from typing import Any

from maas_engine.nn._checks import number
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn.layers.layer import Layer


class Rescaling(Layer):
    """x · scale + offset: ``Rescaling(1 / 255)`` for bytes of pictures.

    Parameters
    ----------
    scale, offset : float
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = number(scale, "scale", self.name), number(offset, "offset", self.name)

    def write(self, nodes: NodeWriter, x: str) -> str:
        x = nodes.add("Mul", x, nodes.constant(self.scale), name=self.name)
        return (
            nodes.add("Add", x, nodes.constant(self.offset), name=f"{self.name}/offset") if self.offset else x
        )
