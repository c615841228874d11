"""Small models to register: each seed's has its own bytes."""

from __future__ import annotations

import numpy as np

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model


def linear(seed: int = 0, features: int = 3) -> Model:
    """y = X w, with weights drawn from the seed."""
    builder = GraphBuilder("linear")
    x = builder.input("X", np.float64, (None, features))
    weights = np.random.default_rng(seed).normal(size=(features, 1))
    builder.output(builder.add("MatMul", x, builder.constant(weights)))
    return Model(builder.build())
