"""Data, models as good as can be and worse, and a registry with a champion: for tests of promotion."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model
from maas_engine.registry import Registry

RNG = np.random.default_rng(7)
X = RNG.normal(size=(400, 2))
Y = X @ [2.0, -1.0] + RNG.normal(size=400)
LABELS = (Y > 0).astype(np.int64)


def weights(a: float, b: float) -> Model:
    """a X0 + b X1; (2, -1) is as good as can be."""
    builder = GraphBuilder("linear")
    x = builder.input("X", np.float64, (None, 2))
    builder.output(builder.add("MatMul", x, builder.constant(np.array([a, b], float))))
    return Model(builder.build())


GOOD, WORSE, ALIKE = weights(2, -1), weights(1.5, -0.5), weights(2.0001, -1)


def champion(registry: Registry) -> int:
    return registry.resolve("models:/m@champion").version


def two(registry: Registry, ours: Model, theirs: Model) -> Any:
    """Versions 2 and 1, of which 1 is the champion."""
    registry.register("m", theirs)
    registry.register("m", ours)
    registry.set_alias("m", "champion", 1)
    return lambda gate: registry.promote("m", 2, "champion", gates=[gate]).results[0]
