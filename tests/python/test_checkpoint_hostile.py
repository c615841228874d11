"""Checkpoints that were changed: taken, or refused in words, in bounded memory."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_models import ROWS, TARGET, TRAIN, listeners, network, saver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas_engine import _safetensors, nn
from maas_engine.errors import FormatError, InvalidArgument, MaasError
from maas_engine.nn import callbacks


def small() -> nn.Sequential:
    model = nn.Sequential([nn.Input((2,)), nn.Dense(1)])
    model.compile("sgd", "mse")
    return model


def hostile(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Change a checkpoint's state and arrays."""
    tensors, metadata = _safetensors.read(path)
    state = json.loads(metadata["maas_engine.checkpoint"])
    change(state, tensors)
    _safetensors.write(path, tensors, {"maas_engine.checkpoint": json.dumps(state)})


HOSTILE: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], str]] = {
    "version": (lambda state, _: state.update(version=2), "version 1, got 2"),
    "no epoch": (lambda state, _: state.pop("epoch"), "epoch to be an integer, got None"),
    "epoch true": (lambda state, _: state.update(epoch=True), "epoch to be an integer"),
    "seed": (lambda state, _: state.update(seed=-1), "seed to be an integer, got -1"),
    "iterations": (lambda state, _: state.update(iterations=2**64), "iterations to be an integer"),
    "shuffles": (lambda state, _: state.update(shuffles=1.5), "shuffles to be an integer"),
    "rate": (lambda state, _: state.update(learning_rate=float("nan")), "learning_rate to be a number"),
    "names": (lambda state, _: state.update(feature_names=[1]), "feature_names to be texts"),
    "model": (lambda state, _: state.update(model=3), "description to be texts"),
    "shorter model": (lambda state, _: state["model"].pop(), "there 'nothing more'"),
    "callbacks": (lambda state, _: state.update(callbacks=[1]), "callbacks to be names and states"),
    "wait": (lambda state, _: state["callbacks"][0][1].update(wait="x"), "wait to be a whole number"),
    "best": (lambda state, _: state["callbacks"][0][1].update(best=[]), "best to be a number"),
    "history": (lambda state, _: state["callbacks"][-1][1].update(history={"loss": "x"}), "loss to be numbers"),
    "arrays": (
        lambda state, _: state["callbacks"][0][1].update(best_weights="arrays:1000000000"),
        "'arrays:1000000000' of",
    ),
    "best weights": (
        lambda _, tensors: tensors.update({"callbacks/0/best_weights/0": np.zeros(3, np.float32)}),
        "best_weights to be arrays as the model's weights",
    ),
    "slot gone": (lambda _, tensors: tensors.pop("optimizer/momentum/dense/kernel"), "got none"),
    "more": (lambda _, tensors: tensors.update({"optimizer/x": np.zeros(3)}), "got 'optimizer/x'"),
    "slot type": (
        lambda _, tensors: tensors.update({"optimizer/momentum/dense/kernel": np.zeros((6, 12))}),
        r"momentum/dense/kernel of float32\[6, 12\], got float64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_checkpoints(name: str, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model = network()
    model.fit(ROWS, TARGET, epochs=1, callbacks=listeners(True), **TRAIN)
    model.save_checkpoint(path)
    change, words = HOSTILE[name]
    hostile(path, change)
    again = network()
    with pytest.raises(FormatError, match=words):
        again.fit(
            ROWS,
            TARGET,
            epochs=2,
            initial_epoch=again.load_checkpoint(path),
            callbacks=listeners(True),
            **TRAIN,
        )


def test_arrays_of_callbacks_are_bounded(tmp_path: Path) -> None:
    class Hoarding(callbacks.Callback):
        def __init__(self, size: int) -> None:
            self.arrays = [np.zeros(size, np.uint8)]

        def get_state(self) -> dict[str, Any]:
            return {"arrays": self.arrays}

        def set_state(self, state: dict[str, Any]) -> None:
            self.arrays = state["arrays"]

    path, model = tmp_path / "c.safetensors", network()
    with pytest.raises(InvalidArgument, match="arrays of callbacks of"):
        model.fit(ROWS, TARGET, callbacks=[Hoarding(2**27), saver(path)], **TRAIN)
    model.fit(ROWS, TARGET, callbacks=[Hoarding(999), saver(path)], **TRAIN)
    resumed = Hoarding(0)
    again = network()
    again.fit(ROWS, TARGET, epochs=2, initial_epoch=again.load_checkpoint(path), callbacks=[resumed], **TRAIN)
    assert resumed.arrays[0].shape == (999,)
    tensors, metadata = _safetensors.read(path)
    header = _safetensors.to_bytes({**tensors, "callbacks/0/arrays/1": np.zeros(2**27, np.uint8)}, metadata)
    path.write_bytes(header[: 2**16])
    os.truncate(path, len(header))  # most of it is a hole
    with pytest.raises(FormatError, match="arrays of callbacks of"):
        again.load_checkpoint(path)


def test_metadata_that_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model = network()
    model.save_checkpoint(path)
    tensors, _ = _safetensors.read(path)
    for text in ("", "[]", "[" * 100_000, "3"):
        _safetensors.write(path, tensors, {"maas_engine.checkpoint": text})
        with pytest.raises(FormatError, match="to be a JSON object"):
            model.load_checkpoint(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of everything inside a state."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_changed_states_are_taken_or_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    path, changed = tmp_path / "c.safetensors", tmp_path / "changed.safetensors"
    if not path.exists():
        small().fit(ROWS[:8, :2], ROWS[:8, :1], callbacks=[*listeners(True), saver(path)], **TRAIN)
    tensors, metadata = _safetensors.read(path)
    state = json.loads(metadata["maas_engine.checkpoint"])
    place = data.draw(st.sampled_from(places(state)[1:]))
    within = state
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = data.draw(JSON)
    _safetensors.write(changed, tensors, {"maas_engine.checkpoint": json.dumps(state)})
    model = small()
    with contextlib.suppress(MaasError):
        first = model.load_checkpoint(changed)
        last = min(first, 2**40) + 1
        model.fit(
            ROWS[:8, :2],
            ROWS[:8, :1],
            epochs=last,
            initial_epoch=last - 1,
            callbacks=listeners(True),
            **TRAIN,
        )
