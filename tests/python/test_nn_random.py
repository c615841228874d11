"""Networks drawn at random: trained, evaluated against formulas in numpy, filed, and run by ONNX Runtime."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import maas_engine
from maas_engine import nn
from maas_engine.nn import Sequential, layers

ACTIVATIONS = (
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu_tanh",
    "silu",
    "tanh",
    "sigmoid",
    "softplus",
)
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
# Kind of target: losses, and the closing activations.
TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "numbers": (("mse", "mae", "huber"), ("linear", "softplus")),
    "binary": (("binary_crossentropy",), ("sigmoid",)),
    "one-hot": (("categorical_crossentropy",), ("softmax",)),
    "classes": (("sparse_categorical_crossentropy",), ("softmax",)),
}


def draw_input(draw: random.Random, rng: np.random.Generator) -> tuple[list[Any], np.ndarray]:
    """The first layers, up to one axis a sample, and rows for them."""
    rows, kind = draw.choice([1, 7, 33, 100]), draw.random()
    if kind < 0.15:
        length, table = draw.randint(1, 5), layers.Embedding(draw.randint(1, 30), draw.randint(1, 20))
        return [table, layers.Flatten()], rng.integers(0, table.input_dim, (rows, length))
    if kind < 0.35:
        shape = draw.randint(1, 5), draw.randint(1, 20)
        first = [nn.Input(shape), layers.Dense(draw.randint(1, 20), draw.choice(ACTIVATIONS))]
        return [*first, draw.choice([layers.Flatten(), layers.Reshape((-1,))])], rng.standard_normal(
            (rows, *shape)
        )
    width = draw.choice([1, 2, 5, 10, 17, 64, 100])
    return [nn.Input((width,))], rng.standard_normal((rows, width))


def draw_layer(draw: random.Random) -> layers.Layer:
    some = draw.random() < 0.7
    return draw.choice(
        [
            lambda: layers.Dense(draw.choice([1, 3, 8, 16, 17, 40, 70]), draw.choice(ACTIVATIONS)),
            lambda: layers.Dense(
                draw.randint(1, 20), use_bias=some, kernel_regularizer=draw.choice(["l1", "l2"])
            ),
            lambda: layers.Dropout(draw.random() * 0.8),
            lambda: layers.BatchNormalization(center=some, scale=draw.random() < 0.7, momentum=0.5),
            lambda: layers.LayerNormalization(center=some, scale=draw.random() < 0.7),
            lambda: layers.Activation(draw.choice(ACTIVATIONS)),
            lambda: layers.Normalization(mean=0.5, variance=2.0),
        ]
    )()


def draw_target(kind: str, columns: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "numbers":
        return rng.standard_normal((rows, columns))
    if kind == "binary":
        return rng.integers(0, 2, (rows, columns))
    classes = rng.integers(0, columns, rows)
    return classes if kind == "classes" else np.eye(columns)[classes]


def mean_loss(loss: str, y: np.ndarray, p: np.ndarray) -> float:
    distance = np.abs(p - y.reshape(len(y), -1)) if y.ndim == 2 else p
    if loss == "mse":
        return float(np.square(distance).mean())
    if loss == "mae":
        return float(distance.mean())
    if loss == "huber":
        return float(np.where(distance <= 1, distance**2 / 2, distance - 0.5).mean())
    if loss == "binary_crossentropy":
        return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())
    if loss == "categorical_crossentropy":
        return float(-(y * np.log(p)).sum(axis=1).mean())
    return float(-np.log(p[np.arange(len(y)), y]).mean())


@pytest.mark.parametrize("seed", range(48))
def test_random_network(seed: int, tmp_path: Path) -> None:
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    dtype, kind = draw.choice(["float32", "float64"]), draw.choice(list(TARGETS))
    first, x = draw_input(draw, rng)
    columns = draw.randint(2, 12) if kind in ("one-hot", "classes") else draw.randint(1, 4)
    (losses, closings), y = TARGETS[kind], draw_target(kind, columns, len(x), rng)
    middle = [draw_layer(draw) for _ in range(draw.randint(0, 4))]
    model = Sequential([*first, *middle, layers.Dense(columns, draw.choice(closings))], dtype=dtype)
    for layer in model.layers:
        layer.trainable = draw.random() < 0.85
    loss = draw.choice(losses)
    model.compile(draw.choice(OPTIMIZERS), loss, metrics=["mae" if kind == "numbers" else "accuracy"])
    share = 0.3 if len(x) > 5 else 0.0
    model.fit(x, y, epochs=2, batch_size=draw.choice([1, 5, 16, 32]), verbose=0, validation_split=share)

    rows = x if x.dtype.kind == "i" else x.astype(dtype)
    predicted = model.predict(rows)
    penalty = sum(each.regularizer(each) for each in model.trainable_weights if each.regularizer)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = mean_loss(loss, y, predicted.astype(float)) + penalty
    if kind == "numbers" or 1e-6 < predicted.min() <= predicted.max() < 1 - 1e-6:  # others know their logits
        assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(expected, rel=1e-3, abs=1e-5)

    path = tmp_path / "m.onnx"
    model.save(path)
    assert maas_engine.load(path).predict(rows).tobytes() == predicted.tobytes()
    onnx.checker.check_model(str(path), full_check=True)
    if dtype == "float64" and any(isinstance(layer, layers.LayerNormalization) for layer in model.layers):
        return  # ONNX says that mean and deviation are float32
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answer = session.run(None, {session.get_inputs()[0].name: rows})[0]
    close = {"rtol": 2e-4, "atol": 2e-5} if dtype == "float32" else {"rtol": 1e-8, "atol": 1e-9}
    np.testing.assert_allclose(answer, predicted, **close)
