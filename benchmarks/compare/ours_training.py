"""Training as a user of maas_engine.nn calls it: compile and fit."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

from maas_engine import nn

from .adapter import Run, Setup
from .training import TRAININGS


def train(data: Data) -> Run:
    """Each call starts from the first weights and a new optimizer, and fits all epochs."""
    spec = data.spec
    model = nn.Sequential([nn.Input((spec.widths[0],))])
    for width in spec.widths[1:-1]:
        model.add(nn.Dense(width, activation="relu"))
    model.add(nn.Dense(spec.widths[-1]))
    loss = nn.losses.SparseCategoricalCrossentropy(from_logits=True) if spec.classes else "mse"
    first = [array for layer in data.layers for array in layer]

    def run() -> Any:
        model.compile(nn.optimizers.Adam(), loss)
        model.set_weights(first)
        model.fit(data.X, data.y, epochs=spec.epochs, batch_size=spec.batch, shuffle=False, verbose=0)
        weights = model.get_weights()
        return list(zip(weights[::2], weights[1::2], strict=True))

    return run


def cases() -> dict[str, Setup]:
    return dict.fromkeys(TRAININGS, train)
