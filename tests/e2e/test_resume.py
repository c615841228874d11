"""A real process killed in the middle of training goes on from its last checkpoint to the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maas_engine import _safetensors

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends POSIX signals")

PROGRAM = """
import hashlib, os, signal, sys
import numpy as np
from maas_engine import nn
from maas_engine.nn import callbacks

path, last = sys.argv[1], int(sys.argv[2])

def tell(epoch, logs):
    print(epoch + 1, flush=True)
    while epoch == last:
        signal.pause()  # whoever is to kill this may be late

rng = np.random.default_rng(0)
X = rng.standard_normal((3000, 20))
y = np.sin(X).sum(1) + rng.standard_normal(3000)

there = os.path.exists(path)
nn.set_random_seed(99 if there else 5)  # the seed of a process that resumes does not matter
model = nn.Sequential([
    nn.Input((20,)),
    nn.Dense(32, activation="relu"),
    nn.Dropout(0.3),
    nn.BatchNormalization(),
    nn.Dense(1),
])
model.compile(nn.optimizers.Adam(0.01, amsgrad=True), "mse", metrics=["mae"])
first = model.load_checkpoint(path) if there else 0
history = model.fit(
    X, y, batch_size=16, epochs=25, initial_epoch=first, verbose=0, validation_split=0.2,
    callbacks=[
        callbacks.LambdaCallback(on_epoch_end=tell),
        callbacks.EarlyStopping(patience=100, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(patience=2, factor=0.7, min_delta=0.01),
        callbacks.CSVLogger(path + ".csv"),
        callbacks.ModelCheckpoint(path, save_checkpoint=True),
    ],
)
digest = hashlib.sha256(b"".join(each.tobytes() for each in model.get_weights()))
digest.update(repr((history.epoch, history.history)).encode())
print("done", digest.hexdigest(), flush=True)
"""  # fmt: skip


def start(path: Path, last: int = -1) -> subprocess.Popen[str]:
    """Start to train, or to go on: to the end, or until epoch ``last`` and no further."""
    command = [sys.executable, "-c", PROGRAM, str(path), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(path: Path) -> tuple[list[int], str]:
    """Let a process end; returns the epochs it did and what came out."""
    with start(path) as process:
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    *epochs, last = out.splitlines()
    return [int(epoch) for epoch in epochs], last


def kill(path: Path, epoch: int, later: float) -> None:
    """Start a process and kill it ``later`` seconds after it has said that an epoch is done."""
    with start(path, last=epoch + 7) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= epoch:
                break
        time.sleep(later)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_killed_and_resumed(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    epochs, expected = finish(whole)
    assert epochs == list(range(1, 26))
    path = tmp_path / "killed.safetensors"
    for epoch, later in ((2, 0.0), (8, 0.004), (15, 0.009)):
        kill(path, epoch, later)
        tensors, _ = _safetensors.read(path)  # a whole file, whenever the process died
        assert "weights/dense/kernel" in tensors
    epochs, got = finish(path)
    assert 15 <= epochs[0] < 25
    assert epochs == list(range(epochs[0], 26))
    assert got == expected
    log = path.with_name(path.name + ".csv")
    assert log.read_bytes() == whole.with_name(whole.name + ".csv").read_bytes()
