"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn import initializers, regularizers
from maas_engine.nn._checks import check_rate, positive
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers.layer import Layer, refuse


class BatchNormalization(Layer):
    """(x - mean) / √(variance + epsilon) · gamma + beta, column by column (Ioffe and Szegedy, 2015).

    While training, mean and variance are the batch's and moving averages follow them; in inference, and with
    ``trainable`` False, they are the moving averages.

    Parameters
    ----------
    momentum : float, 0 <= momentum < 1
        moving = momentum · moving + (1 - momentum) · batch.
    epsilon : float, above 0
    center, scale : bool
        Whether there are beta and gamma.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer
    beta_regularizer, gamma_regularizer : Regularizer or str, optional

    Attributes
    ----------
    gamma, beta, moving_mean, moving_variance : Variable of one value a column; the first two may be None
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self.name, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint)
        momentum = check_rate(momentum, "momentum", self.name)
        epsilon = positive(epsilon, "epsilon", self.name)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        self.moving_mean: Variable | None = None
        self.moving_variance: Variable | None = None

    def _build(self) -> None:
        if len(self.input_shape) != 2:
            raise Unsupported(f"[{self.name}] expected inputs of one axis a sample, got {self.input_shape}")
        if self.axis not in (-1, 1):
            raise InvalidArgument(f"[{self.name}] expected the last axis, got {self.axis}")
        shape = (self.width,)
        if self.scale:
            self.gamma = self._add("gamma", shape, self.gamma_initializer, regularizer=self.gamma_regularizer)
        if self.center:
            self.beta = self._add("beta", shape, self.beta_initializer, regularizer=self.beta_regularizer)
        self.moving_mean = self._add("moving_mean", shape, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self._add(
            "moving_variance", shape, self.moving_variance_initializer, trainable=False
        )

    def write(self, nodes: NodeWriter, x: str) -> str:
        assert self.moving_mean is not None
        assert self.moving_variance is not None
        if nodes.training and not self.trainable:
            return self._write_fixed(nodes, x, self.moving_mean.value, self.moving_variance.value)
        gamma = nodes.constant(np.ones(self.width)) if self.gamma is None else nodes.parameter(self.gamma)
        beta = nodes.constant(np.zeros(self.width)) if self.beta is None else nodes.parameter(self.beta)
        return nodes.add(
            "BatchNormalization",
            x,
            gamma,
            beta,
            nodes.parameter(self.moving_mean),
            nodes.parameter(self.moving_variance),
            name=self.name,
            epsilon=self.epsilon,
            momentum=self.momentum,
        )

    def _write_fixed(self, nodes: NodeWriter, x: str, mean: Any, variance: Any) -> str:
        """The layer as constants: a frozen one normalises with its moving averages in training too."""
        factor = 1 / np.sqrt(variance + self.epsilon)
        factor = factor if self.gamma is None else factor * self.gamma.value
        x = nodes.add(
            "Mul", nodes.add("Sub", x, nodes.constant(mean)), nodes.constant(factor), name=self.name
        )
        return x if self.beta is None else nodes.add("Add", x, nodes.constant(self.beta.value))
