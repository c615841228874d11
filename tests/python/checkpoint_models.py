"""A network with everything that a checkpoint must keep, and rows to train it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maas_engine import nn
from maas_engine.nn import callbacks

ROWS = np.random.default_rng(0).standard_normal((90, 6))
TARGET = np.column_stack([np.sin(ROWS).sum(1), ROWS[:, 0] * ROWS[:, 1]])
TRAIN = {"batch_size": 16, "verbose": 0, "validation_split": 0.2}


def network(dtype: str = "float32", **change: Any) -> nn.Sequential:
    layers = [
        nn.Input((6,)),
        nn.Dense(change.get("units", 12), activation=change.get("activation", "relu")),
        nn.Dropout(change.get("rate", 0.3)),
        nn.BatchNormalization(),
        nn.Dense(8, activation="tanh", kernel_regularizer=change.get("regularizer", "l2")),
        nn.Dropout(0.2),
        nn.Dense(2),
    ]
    model = nn.Sequential(layers, dtype=dtype)
    model.compile(change.get("optimizer", "adam"), change.get("loss", "mse"), metrics=["mae"])
    return model


def listeners(changing: bool) -> list[callbacks.Callback]:
    found: list[callbacks.Callback] = [
        callbacks.EarlyStopping(patience=3, min_delta=0.01, restore_best_weights=True)
    ]
    if changing:
        found.append(callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.05, cooldown=1))
    return found


def saver(path: Path) -> callbacks.Callback:
    return callbacks.ModelCheckpoint(path, save_checkpoint=True)
