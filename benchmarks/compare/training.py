"""The networks that are trained: widths, batches, the same first weights for everyone, and what makes two
rivals' work the same: the loss over all rows after the last step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace as Data
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .problems import Problem

Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Training:
    """A network with relu between its layers; `classes`: cross-entropy of a softmax, else squared error."""

    widths: tuple[int, ...]
    batch: int
    epochs: int
    classes: bool = True
    moments_in_memory: bool = False  # weights and moments are too large for the caches

    @property
    def parameters(self) -> int:
        return sum(a * b + b for a, b in pairwise(self.widths))

    def steps(self, rows: int) -> int:
        return self.epochs * -(-rows // self.batch)

    def multiply_adds(self) -> int:
        """Of one row: forward, the weights' gradients, and the inputs' gradients of all layers but the first."""
        products = [a * b for a, b in pairwise(self.widths)]
        return 3 * sum(products) - products[0]


TRAININGS = {
    "train_textbook": Training((10, 64, 32, 1), batch=32, epochs=10, classes=False),
    "train_digits": Training((64, 128, 10), batch=64, epochs=20),
    "train_large": Training((784, 1024, 1024, 10), batch=256, epochs=1, moments_in_memory=True),
    "train_epoch": Training((784, 256, 128, 10), batch=128, epochs=1),
}


def data(p: Problem, rng: np.random.Generator) -> Data:
    """X, y (float32 values or int64 classes), spec and the first weights (Glorot's uniform, zero biases)."""
    spec = TRAININGS[p.kind]
    layers = [
        (
            rng.uniform(-1, 1, (a, b)).astype(np.float32) * np.float32(np.sqrt(6 / (a + b))),
            np.zeros(b, np.float32),
        )
        for a, b in pairwise(spec.widths)
    ]
    if p.kind == "train_digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        X, y = (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)
    else:
        X = rng.standard_normal((p.rows, spec.widths[0])).astype(np.float32)
        W = rng.standard_normal((spec.widths[0], spec.widths[-1])).astype(np.float32)
        scores = X @ W / np.sqrt(np.float32(spec.widths[0]))
        if spec.classes:
            y = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
        else:
            y = np.sin(scores[:, 0]) + 0.1 * rng.standard_normal(p.rows).astype(np.float32)
            y = y.astype(np.float32)
    return Data(X=X, y=y, spec=spec, layers=layers)


def floor_work(p: Problem) -> tuple[float, float]:
    """Bytes and operations: Adam reads and writes weight and two moments and reads the gradient."""
    spec = TRAININGS[p.kind]
    moved = 28.0 * spec.parameters * spec.steps(p.rows) if spec.moments_in_memory else 0.0
    return moved, 2.0 * spec.multiply_adds() * p.rows * spec.epochs


def final_loss(data: Data, layers: Any) -> float:
    """Over all rows, in float64, from the weights a rival ended with: W is (inputs, outputs)."""
    h = np.asarray(data.X, np.float64)
    for i, (W, b) in enumerate(layers):
        h = h @ np.asarray(W, np.float64) + np.asarray(b, np.float64)
        if i + 1 < len(layers):
            h = np.maximum(h, 0)
    if not data.spec.classes:
        return float(((h[:, 0] - data.y) ** 2).mean())
    h -= h.max(axis=1, keepdims=True)
    return float((np.log(np.exp(h).sum(axis=1)) - h[np.arange(len(h)), data.y]).mean())
