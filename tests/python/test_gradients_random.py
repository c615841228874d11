"""Random chains of layers: what they compute, and their gradients, whatever follows what."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from cases.training import ROWS, TrainingCase, TrainingNode, dense
from cases.values import rng
from test_gradients import Trained

from maas_engine import interpreter

SMOOTH = ("Tanh", "Sigmoid", "Softplus", "Gelu", "Elu", "Mish", "Softmax")
SHAPES = {2: ((2, 1), (1, 2)), 6: ((2, 3), (3, 2), (1, 6)), 16: ((4, 4), (1, 16)), 36: ((2, 18), (3, 12))}


def random_nodes(numbers: np.random.Generator) -> Iterator[TrainingNode]:
    width = 4
    for layer in range(numbers.integers(1, 5)):
        units = int(numbers.choice([1, *SHAPES]))
        yield dense(width, units, (layer, width, units))
        width = units
        for _ in range(numbers.integers(0, 3)):
            yield from random_part(numbers, width)
    yield dense(width, 3, "last")


def random_part(numbers: np.random.Generator, width: int) -> Iterator[TrainingNode]:
    vector = numbers.normal(size=width), np.abs(numbers.normal(size=width)) + 0.5
    kind = numbers.integers(0, 9)
    if kind < 4:
        yield TrainingNode(str(numbers.choice(SMOOTH)))
    elif kind == 4:
        yield from (TrainingNode("Sigmoid"), TrainingNode("Mul", also="before"))
    elif kind == 5 and width > 1:
        yield TrainingNode("LayerNormalization", vector, {"epsilon": 0.1}, trainable=2)
    elif kind == 6:
        averages = np.zeros(width), np.ones(width)
        yield TrainingNode(
            "BatchNormalization", (*vector, *averages), {"epsilon": 0.1}, trainable=2, moving=2
        )
    elif kind == 7:
        yield TrainingNode("Dropout", (np.float64(0.2),))
    elif width in SHAPES:
        shapes = SHAPES[width]
        there = TrainingNode("Reshape", (np.array([-1, *shapes[numbers.integers(len(shapes))]]),))
        back = TrainingNode("Flatten")
        yield from (there, TrainingNode("Tanh"), back) if numbers.random() < 0.5 else (there, back)


@pytest.mark.parametrize("seed", range(60))
def test_random_chains(seed: int) -> None:
    case = TrainingCase(f"random-{seed}", tuple(random_nodes(rng("chain", seed))), (4,))
    trained = Trained(case, {"name": "mse"})
    x, y = case.x(), rng("targets", seed).normal(size=(ROWS, 3))
    trained.assert_gradients(x, y)
    (predicted,) = interpreter.run(trained.graph, {"x": x}).values()
    assert trained.trainer.evaluate(x, y, None).loss == pytest.approx(
        np.mean((predicted - y) ** 2), rel=1e-12
    )
    if not {"Dropout", "BatchNormalization"} & {node.op for node in case.nodes}:
        assert trained.trainer.gradient(x, y, None) == pytest.approx(
            trained.trainer.evaluate(x, y, None).loss, rel=1e-13
        )
