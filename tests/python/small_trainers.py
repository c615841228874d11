"""Trainers of small networks that hold all that a step changes, and rows for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases.training import ALL, TrainingCase, TrainingNode, dense
from cases.values import rng

from maas_engine import _core

ADAM = {"rule": "adam"}
ROWS = 100
CASES = {case.name: case for case in ALL}
X = rng("x").normal(size=(ROWS, 4))
Y = rng("y").normal(size=(ROWS, 3))

# All that a step changes or draws: batch norm's averages, dropout, a table, layer norm.
TABLE = TrainingCase(
    "table",
    (
        *CASES["Gather-LayerNormalization"].nodes[:3],
        dense(15, 20, "t"),
        TrainingNode("Dropout", (np.float64(0.3),)),
        *CASES["BatchNormalization-20"].nodes[1:2],
        TrainingNode("Relu"),
        dense(20, 3, "out"),
    ),
    (3,),
    table=7,
)
MIXED = TrainingCase(
    "mixed",
    (
        dense(4, 20, "in"),
        *CASES["BatchNormalization-20"].nodes[1:2],
        TrainingNode("Relu"),
        TrainingNode("Dropout", (np.float64(0.3),)),
        dense(20, 70, "middle"),
        TrainingNode("Gelu"),
        TrainingNode("Dropout"),
        dense(70, 3, "out"),
    ),
    (4,),
)


def make_trainer(
    case: TrainingCase = MIXED,
    dtype: str = "float32",
    loss: str = "mse",
    metrics: tuple[str, ...] = (),
    optimizer: dict[str, Any] | None = None,
    l2: float = 0.0,
    per_row: bool = False,
) -> Any:
    graph, parameters = case.graph(dtype)
    parameters = [(name, trains, 0.0, l2, decays) for name, trains, _, _, decays in parameters]
    return _core.Trainer(graph, parameters, {"name": loss}, list(metrics), optimizer or ADAM, 5, per_row)


def rates(n: int) -> np.ndarray:
    return np.full(n, 0.01)


def train(trainer: Any, x: np.ndarray = X, y: np.ndarray = Y, epochs: int = 2, batch: int = 16) -> Any:
    for epoch in range(epochs):
        order = _core.random_permutation(1, epoch, len(x))
        result = trainer.run(x, y, None, order, batch, rates(len(x) // batch + 1))
    return result


def state(trainer: Any) -> bytes:
    arrays = [*trainer.get_parameters(), *(array for slot in trainer.get_slots() for array in slot)]
    return b"".join(array.tobytes() for array in arrays)
