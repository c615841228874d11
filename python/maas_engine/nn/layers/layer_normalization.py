"""Layer normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.nn import initializers, regularizers
from maas_engine.nn._checks import positive
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers.layer import Layer, refuse


class LayerNormalization(Layer):
    """(x - mean) / √(variance + epsilon) · gamma + beta, over the last axis of each row (Ba et al., 2016).

    Parameters
    ----------
    epsilon : float, above 0
    center, scale : bool
        Whether there are beta and gamma.
    beta_initializer, gamma_initializer : str, Initializer or function
    beta_regularizer, gamma_regularizer : Regularizer or str, optional

    Attributes
    ----------
    gamma, beta : Variable of one value a column, or None
    """

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self.name, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint)
        epsilon = positive(epsilon, "epsilon", self.name)
        self.axis, self.epsilon = axis, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def _build(self) -> None:
        if self.axis not in (-1, len(self.input_shape) - 1):
            raise InvalidArgument(f"[{self.name}] expected the last axis, got {self.axis}")
        shape = (self.width,)
        if self.scale:
            self.gamma = self._add("gamma", shape, self.gamma_initializer, regularizer=self.gamma_regularizer)
        if self.center:
            self.beta = self._add("beta", shape, self.beta_initializer, regularizer=self.beta_regularizer)

    def write(self, nodes: NodeWriter, x: str) -> str:
        gamma = nodes.constant(np.ones(self.width)) if self.gamma is None else nodes.parameter(self.gamma)
        shift = [] if self.beta is None else [nodes.parameter(self.beta)]
        return nodes.add(
            "LayerNormalization", x, gamma, *shift, name=self.name, axis=-1, epsilon=self.epsilon
        )
