"""The textbook Keras program as it is printed, and with nothing but its import lines changed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

KERAS = """\
from keras import Sequential
from keras.layers import Dense
"""
OURS = """\
from maas_engine.nn import Sequential
from maas_engine.nn.layers import Dense
"""
# Initial weights come from a file, so that both start alike: the only line a reader would not write.
PROGRAM = """\
import sys

import numpy as np

np.random.seed(0)
X = np.random.rand(1000, 10)
y = np.random.rand(1000, 1)

model = Sequential()
model.add(Dense(64, activation="relu", input_dim=10))
model.add(Dense(32, activation="relu"))
model.add(Dense(1, activation="linear"))
model.set_weights([value for _, value in sorted(np.load(sys.argv[1]).items())])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
model.summary()
history = model.fit(X, y, epochs=10, batch_size=32, shuffle=False)
loss, mae = model.evaluate(X, y)
print("loss", loss, "mae", mae)
predictions = model.predict(X[:5])
model.save(sys.argv[2])
np.savez(
    sys.argv[3], loss=history.history["loss"], mae=history.history["mae"], evaluated=[loss, mae],
    predictions=predictions,
)
"""


def _run(imports: str, file: str, folder: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = [(10, 64), (64,), (64, 32), (32,), (32, 1), (1,)]
    weights = [(rng.random(s) - 0.5) * 0.6 * (len(s) > 1) for s in shapes]
    np.savez(folder / "weights.npz", **{str(i): w for i, w in enumerate(weights)})
    environment = os.environ | {"KERAS_BACKEND": _backend() or "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    arguments = [str(folder / name) for name in ("weights.npz", file, "results.npz")]
    subprocess.run(
        [sys.executable, "-c", imports + PROGRAM, *arguments],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (folder / file).stat().st_size > 0
    with np.load(folder / "results.npz") as results:
        return dict(results)


def _backend() -> str | None:
    return next((name for name in ("jax", "torch", "tensorflow") if find_spec(name)), None)


def test_it_runs(tmp_path: Path) -> None:
    ours = _run(OURS, "model.onnx", tmp_path)
    assert ours["loss"].shape == (10,)
    assert ours["loss"][-1] < ours["loss"][0]
    assert ours["predictions"].shape == (5, 1)


@pytest.mark.skipif(find_spec("keras") is None or _backend() is None, reason="needs Keras with a backend")
def test_its_losses_are_kerass(tmp_path: Path) -> None:
    keras = _run(KERAS, "model.keras", tmp_path)
    ours = _run(OURS, "model.onnx", tmp_path)
    for name in ("loss", "mae", "evaluated"):
        np.testing.assert_allclose(ours[name], keras[name], rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(ours["predictions"], keras["predictions"], atol=1e-3)
