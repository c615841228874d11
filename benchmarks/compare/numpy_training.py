"""Training by hand in numpy, with Adam."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import numpy as np

from .adapter import Run, Setup
from .training import TRAININGS


def train(data: Data) -> Run:
    spec, y = data.spec, data.y

    def output_gradient(out: np.ndarray, target: np.ndarray) -> np.ndarray:
        if not spec.classes:
            return 2 * (out - target[:, None]) / len(out)
        out = np.exp(out - out.max(axis=1, keepdims=True))
        out /= out.sum(axis=1, keepdims=True)
        out[np.arange(len(out)), target] -= 1
        return out / np.float32(len(out))

    def step(weights: list[np.ndarray], m: Any, v: Any, rate: np.float32, rows: slice) -> None:
        inputs = [data.X[rows]]
        for i in range(0, len(weights) - 2, 2):
            h = inputs[-1] @ weights[i]
            h += weights[i + 1]
            inputs.append(np.maximum(h, 0, out=h))
        delta = output_gradient(inputs[-1] @ weights[-2] + weights[-1], y[rows])
        for i in range(len(weights) - 2, -1, -2):
            gradients = inputs[i // 2].T @ delta, delta.sum(axis=0)
            if i:
                delta = (delta @ weights[i].T) * (inputs[i // 2] > 0)
            for j, g in zip((i, i + 1), gradients, strict=True):
                m[j] += (g - m[j]) * np.float32(0.1)
                v[j] += (g * g - v[j]) * np.float32(0.001)
                weights[j] -= rate * m[j] / (np.sqrt(v[j]) + np.float32(1e-7))

    def run() -> Any:
        weights = [array.copy() for layer in data.layers for array in layer]
        m, v = ([np.zeros_like(w) for w in weights] for _ in range(2))
        t = 0
        for _ in range(spec.epochs):
            for begin in range(0, len(data.X), spec.batch):
                t += 1
                rate = np.float32(1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
                step(weights, m, v, rate, slice(begin, begin + spec.batch))
        return list(zip(weights[::2], weights[1::2], strict=True))

    return run


def cases() -> dict[str, Setup]:
    return dict.fromkeys(TRAININGS, train)
