"""Rows and networks to train on them, for the tests of `maas_engine.nn`."""

from __future__ import annotations

from typing import Any

import numpy as np

import maas_engine
from maas_engine import nn
from maas_engine.nn import Sequential

rng = np.random.default_rng(1)
X = rng.standard_normal((200, 6))
Y = (X[:, :2] * [[1.0, -2.0]]).sum(axis=1) + 0.1 * rng.standard_normal(200)
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def regressor(optimizer: Any = "adam", seed: int = 3, metrics: Any = None, dtype: Any = None) -> Sequential:
    nn.set_random_seed(seed)
    model = Sequential([nn.Input((6,)), nn.Dense(16, activation="relu"), nn.Dense(1)], dtype=dtype)
    model.compile(optimizer, "mse", metrics=metrics)
    maas_engine.set_seed(None)
    return model


def classifier(loss: str = "sparse_categorical_crossentropy", **options: Any) -> Sequential:
    nn.set_random_seed(5)
    model = Sequential([nn.Input((6,)), nn.Dense(16, activation="tanh"), nn.Dense(3, activation="softmax")])
    model.compile(options.pop("optimizer", "adam"), loss, metrics=["accuracy"], **options)
    maas_engine.set_seed(None)
    return model


def same_weights(*models: Sequential) -> bool:
    first, *others = (model.get_weights() for model in models)
    return all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))
