"""Writes checkpoint_1.safetensors beside itself: a checkpoint that later versions must still take."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maas_engine import nn
from maas_engine.nn import callbacks, optimizers

ROWS = np.linspace(-1, 1, 60).reshape(20, 3)
PATH = Path(__file__).with_name("checkpoint_1.safetensors")


def network() -> nn.Sequential:
    layers = [
        nn.Input((3,)),
        nn.Dense(4, activation="relu", kernel_regularizer="l2"),
        nn.Dropout(0.25),
        nn.BatchNormalization(),
        nn.LayerNormalization(),
        nn.Dense(1),
    ]
    model = nn.Sequential(layers)
    model.compile(optimizers.RMSprop(0.01, momentum=0.5, clipnorm=1.0), "huber", metrics=["mae"])
    return model


def listeners() -> list[callbacks.Callback]:
    return [callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)]


def main() -> None:
    nn.set_random_seed(1)
    saving = callbacks.ModelCheckpoint(PATH, save_checkpoint=True)
    model = network()
    model.fit(ROWS, ROWS[:, :1], epochs=3, batch_size=5, verbose=0, callbacks=[*listeners(), saving])


if __name__ == "__main__":
    main()
