"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine.nn._checks import check_rate
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn.layers.layer import Layer, refuse


class Dropout(Layer):
    """While training, each value is 0 with probability ``rate``, else divided by 1 - ``rate``.

    Parameters
    ----------
    rate : float, 0 <= rate < 1
    seed : int, optional
        Of the masks: that of the first dropout of a model that has one counts for all. Default: the model's.
    """

    def __init__(self, rate: float, noise_shape: None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        refuse(self.name, noise_shape=noise_shape)
        self.rate, self.seed = check_rate(rate, "rate", self.name), seed

    def write(self, nodes: NodeWriter, x: str) -> str:
        if not nodes.training or self.rate == 0:
            return x
        ratio = nodes.builder.constant(np.float32(self.rate))
        return nodes.add("Dropout", x, ratio, name=self.name)
