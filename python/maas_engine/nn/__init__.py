"""Neural networks with Keras 3's manners: `Sequential`, its layers, and what they are trained with."""

from __future__ import annotations

from maas_engine.nn import activations, initializers, layers, losses, metrics, optimizers, regularizers
from maas_engine.nn._config import floatx, set_floatx, set_random_seed
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
    "Reshape",
    "Sequential",
    "Softmax",
    "activations",
    "floatx",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "set_floatx",
    "set_random_seed",
]
