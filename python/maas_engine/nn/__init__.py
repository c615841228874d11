"""Neural networks with Keras 3's manners: `Sequential`, its layers, and what they are trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maas_engine.nn import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
    utils,
)
from maas_engine.nn._config import floatx, set_floatx, set_random_seed
from maas_engine.nn._lookup import absent
from maas_engine.nn.layers import (
    ELU,
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Layer,
    LayerNormalization,
    LeakyReLU,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    Softmax,
)
from maas_engine.nn.sequential import Sequential

__all__ = [
    "ELU",
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Sequential",
    "Softmax",
    "activations",
    "callbacks",
    "floatx",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "schedules",
    "set_floatx",
    "set_random_seed",
    "utils",
]


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, __all__)
