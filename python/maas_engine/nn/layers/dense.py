"""Dense: activation(x · kernel + bias)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maas_engine.nn import activations, initializers, regularizers
from maas_engine.nn._checks import whole_number
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers.layer import Layer, Shape, refuse


class Dense(Layer):
    """activation(x · kernel + bias), over the last axis.

    Parameters
    ----------
    units : int
        Outputs.
    activation : str or function of `maas_engine.nn.activations`, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str, Initializer or function
    kernel_regularizer, bias_regularizer : Regularizer or str, optional
        Penalties added to the loss.
    input_dim, input_shape : optional
        Of one sample, where the layer is a model's first.
    name : str, optional
    trainable : bool

    Attributes
    ----------
    kernel : Variable of shape (inputs, units)
    bias : Variable of shape (units,), or None
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(
            self.name,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.units = whole_number(units, "units", self.name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel: Variable | None = None
        self.bias: Variable | None = None

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (*input_shape[:-1], self.units)

    def _build(self) -> None:
        shape = (self.width, self.units)
        self.kernel = self._add("kernel", shape, self.kernel_initializer, regularizer=self.kernel_regularizer)
        if self.use_bias:
            self.bias = self._add(
                "bias", (self.units,), self.bias_initializer, regularizer=self.bias_regularizer
            )

    def write(self, nodes: NodeWriter, x: str) -> str:
        assert self.kernel is not None
        kernel = nodes.parameter(self.kernel)
        bias = None if self.bias is None else nodes.parameter(self.bias)
        if bias is not None and len(self.input_shape) == 2:
            x = nodes.add("Gemm", x, kernel, bias, name=self.name)
        else:
            x = nodes.add("MatMul", x, kernel, name=self.name)
            if bias is not None:
                x = nodes.add("Add", x, bias, name=f"{self.name}/bias")
        return self.activation.write(nodes, x, f"{self.name}/{self.activation.name}")
