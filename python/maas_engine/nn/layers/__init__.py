"""The layers of `maas_engine.nn.Sequential`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maas_engine.nn._lookup import absent
from maas_engine.nn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from maas_engine.nn.layers.batch_normalization import BatchNormalization
from maas_engine.nn.layers.dense import Dense
from maas_engine.nn.layers.dropout import Dropout
from maas_engine.nn.layers.embedding import Embedding
from maas_engine.nn.layers.input_layer import Input, InputLayer
from maas_engine.nn.layers.layer import Layer
from maas_engine.nn.layers.layer_normalization import LayerNormalization
from maas_engine.nn.layers.normalization import Normalization
from maas_engine.nn.layers.rescaling import Rescaling
from maas_engine.nn.layers.reshape import Flatten, Reshape

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
    "Softmax",
]


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, __all__)
