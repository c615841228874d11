"""Keras's fit as its users call it, on each backend that is installed."""

from __future__ import annotations

import importlib.util
import os
from functools import partial
from types import SimpleNamespace as Data
from typing import Any

import numpy as np

from .adapter import Run, Setup
from .training import TRAININGS

LABEL = "keras"
BACKENDS = ("jax", "tensorflow", "torch")


def train(data: Data, backend: str) -> Run:
    """Compiled once; each call starts from the first weights and fits all epochs."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    spec = data.spec
    model = keras.Sequential([keras.Input((spec.widths[0],))])
    for width in spec.widths[1:-1]:
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(spec.widths[-1]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if spec.classes else "mse"
    model.compile(keras.optimizers.Adam(), loss)
    first = [array for layer in data.layers for array in layer]
    model.optimizer.build(model.trainable_variables)
    fresh = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.optimizer.variables]

    def run() -> Any:
        model.set_weights(first)
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.fit(data.X, data.y, epochs=spec.epochs, batch_size=spec.batch, shuffle=False, verbose=0)
        weights = model.get_weights()
        return list(zip(weights[::2], weights[1::2], strict=True))

    return run


def cases() -> dict[str, Setup]:
    if importlib.util.find_spec("keras") is None:
        return {}
    backends = [name for name in BACKENDS if importlib.util.find_spec(name)]
    return {f"{kind}:{name}": partial(train, backend=name) for kind in TRAININGS for name in backends}
