"""Activations as layers of their own."""

from __future__ import annotations

from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn import activations
from maas_engine.nn._activation_nodes import make_elu, make_leaky_relu
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn.layers.layer import Layer, refuse


class Activation(Layer):
    """An activation by name, or a function of `maas_engine.nn.activations`."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def write(self, nodes: NodeWriter, x: str) -> str:
        return self.activation.write(nodes, x, self.name)


class ReLU(Activation):
    """max(x, 0), or ``negative_slope`` x below 0; ``max_value`` 6: at most 6."""

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        kind = make_leaky_relu(negative_slope) if negative_slope else "relu6" if max_value == 6 else "relu"
        super().__init__(kind, **kwargs)
        used = max_value == 6 and not negative_slope
        refuse(self.name, max_value=None if used else max_value, threshold=threshold or None)
        self.max_value, self.negative_slope = max_value, negative_slope


class LeakyReLU(Activation):
    """x, or ``negative_slope`` x below 0."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(make_leaky_relu(negative_slope), **kwargs)
        self.negative_slope = negative_slope


class ELU(Activation):
    """x, or ``alpha`` (exp(x) - 1) below 0."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(make_elu(alpha), **kwargs)
        self.alpha = alpha


class Softmax(Activation):
    """exp(x) over its sum along the last axis."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__("softmax", **kwargs)
        self.axis = axis

    def _build(self) -> None:
        if self.axis not in (-1, len(self.input_shape) - 1):
            raise InvalidArgument(f"[{self.name}] expected the last axis, got {self.axis}")
