"""Weights and the whole state of training as safetensors files.

A checkpoint holds the weights, the optimizer's state, how far the random sequences are, the epoch, the learning rate
and the state of the callbacks. ``fit`` goes on from it as if it had never stopped, bit for bit, where it is given the
same rows, batch size and callbacks.

====================================  ==================================================
``weights/dense/kernel``              a weight, by its path
``optimizer/momentum/dense/kernel``   the optimizer's state for it
``callbacks/0/best_weights/3``        arrays of a callback's state
metadata ``maas_engine.checkpoint``   JSON: everything else
====================================  ==================================================
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import _safetensors
from maas_engine._safetensors import Entry
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.nn._description import describe, first_difference

if TYPE_CHECKING:
    from maas_engine.nn._variable import Variable
    from maas_engine.nn.sequential import Sequential

Array = NDArray[Any]

_KEY = "maas_engine.checkpoint"
_VERSION = 1
_ARRAYS = "arrays:"  # in a callback's state, before the number of them


def save_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write the weights by their paths (``"dense/kernel"``)."""
    _safetensors.write(_checked(path, "save_weights"), {each.path: each.value for each in model.weights})


def load_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Replace the weights by those of a file of weights, or of a checkpoint. All or, in an error, none."""
    _checked(path, "load_weights")
    prefix = ""

    def check(entries: list[Entry], metadata: dict[str, str]) -> None:
        nonlocal prefix
        prefix = "weights/" if _KEY in metadata else ""
        others = _check_arrays(_by_path(model, prefix), entries, "load_weights")
        if others and not prefix:
            raise FormatError(
                f"[load_weights] expected no more weights than the model's, got {others[0].name!r:.80}"
            )

    tensors, _ = _safetensors.read(path, check)
    model.set_weights([tensors[prefix + each.path] for each in model.weights])


def save_checkpoint(model: Sequential, path: str | os.PathLike[str], epoch: int | None = None) -> None:
    """Write the whole state of training; ``epoch`` says how many are done (default: those of the last fit)."""
    _checked(path, "save_checkpoint")
    session, optimizer = model._session, model.optimizer
    tensors: dict[str, Any] = {f"weights/{each.path}": each.value for each in model.weights}
    for variable, slots in session.slots().items():
        for name, slot in zip(session.slot_names(), slots, strict=True):
            tensors[f"optimizer/{name}/{variable.path}"] = slot
    callbacks = []
    if session.callbacks is not None:
        for place, (name, state) in enumerate(session.callbacks.get_states()):
            callbacks.append([name, _to_json(state, f"callbacks/{place}", tensors)])
    kept = sum(np.asarray(each).nbytes for name, each in tensors.items() if name.startswith("callbacks/"))
    if kept > _room(model):
        raise InvalidArgument(
            f"[save_checkpoint] expected arrays of callbacks of {_room(model)} bytes at most, got {kept}"
        )
    state = {
        "version": _VERSION,
        "model": describe(model),
        "epoch": _epochs_done(session.callbacks) if epoch is None else epoch,
        "iterations": optimizer.iterations,
        "learning_rate": None if optimizer.schedule else optimizer.learning_rate,
        "seed": session.seed,
        "shuffles": session.shuffles,
        "feature_names": session.feature_names,
        "callbacks": callbacks,
    }
    _safetensors.write(path, tensors, {_KEY: json.dumps(state, default=_plain)})


def load_checkpoint(model: Sequential, path: str | os.PathLike[str]) -> int:
    """Take over the state of training from a checkpoint and return the number of epochs done. All or nothing."""
    _checked(path, "load_checkpoint")
    session, optimizer = model._session, model.optimizer
    names = session.slot_names()
    trained = model.trainable_weights
    state: dict[str, Any] = {}

    def check(entries: list[Entry], metadata: dict[str, str]) -> None:
        state.update(_parse(metadata))
        _check_model(model, state)
        slots = {f"optimizer/{name}/{each.path}": each for name in names for each in trained}
        others = _check_arrays({**_by_path(model, "weights/"), **slots}, entries, "load_checkpoint")
        _check_callbacks(model, others)

    tensors, _ = _safetensors.read(path, check)
    callbacks = [
        (name, {key: _from_json(value, f"callbacks/{place}/{key}", tensors) for key, value in item.items()})
        for place, (name, item) in enumerate(state["callbacks"])
    ]
    model.set_weights([tensors[f"weights/{each.path}"] for each in model.weights])
    slots = {each: [tensors[f"optimizer/{name}/{each.path}"] for name in names] for each in trained}
    optimizer.iterations = state["iterations"]
    if state["learning_rate"] is not None:
        optimizer.learning_rate = state["learning_rate"]
    session.resume(state["seed"], state["shuffles"], slots, callbacks)
    if state["feature_names"] is not None:
        session.name_features(tuple(state["feature_names"]))
    return int(state["epoch"])


# --- what a file must be -------------------------------------------------------------------------------


def _checked(path: str | os.PathLike[str], where: str) -> str:
    text = os.fspath(path)
    if not text.endswith(".safetensors"):
        raise InvalidArgument(f"[{where}] expected a path that ends in .safetensors, got '{text}'")
    return text


def _by_path(model: Sequential, prefix: str) -> dict[str, Variable]:
    return {prefix + each.path: each for each in model.weights}


def _check_arrays(expected: dict[str, Variable], entries: list[Entry], where: str) -> list[Entry]:
    """Check that arrays are there, as the variables they are of; returns the other entries."""
    found = {entry.name: entry for entry in entries}
    for name, each in expected.items():
        there = found.pop(name, None)
        got = "none" if there is None else f"{there.dtype.name}{list(there.shape)}"
        if got != f"{each.dtype}{list(each.shape)}":
            raise FormatError(f"[{where}] expected {name} of {each.dtype}{list(each.shape)}, got {got}")
    return list(found.values())


def _room(model: Sequential) -> int:
    """Bytes that the arrays of callbacks may take, most of them copies of weights."""
    return int(2**26 + 16 * sum(each.value.nbytes for each in model.weights))


def _check_callbacks(model: Sequential, entries: list[Entry]) -> None:
    for entry in entries:
        if not entry.name.startswith("callbacks/"):
            raise FormatError(f"[load_checkpoint] expected arrays of callbacks, got {entry.name!r:.80}")
    size = sum(entry.end - entry.begin for entry in entries)
    if size > _room(model):
        raise FormatError(
            f"[load_checkpoint] expected arrays of callbacks of {_room(model)} bytes at most, got {size}"
        )


def _parse(metadata: dict[str, str]) -> dict[str, Any]:
    if _KEY not in metadata:
        raise FormatError("[load_checkpoint] expected a checkpoint, got a file of weights: use load_weights")
    try:
        state = json.loads(metadata[_KEY])
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict):
        raise FormatError(f"[load_checkpoint] expected {_KEY} to be a JSON object")
    if state.get("version") != _VERSION:
        raise FormatError(
            f"[load_checkpoint] expected a checkpoint of version {_VERSION}, got {state.get('version')!r:.40}"
        )
    for name in ("epoch", "iterations", "seed", "shuffles"):
        if type(state.get(name)) is not int or not 0 <= state[name] < 2**64:
            raise FormatError(
                f"[load_checkpoint] expected {name} to be an integer, got {state.get(name)!r:.40}"
            )
    rate = state.get("learning_rate")
    if rate is not None and (type(rate) not in (int, float) or not 0 <= rate < float("inf")):
        raise FormatError(f"[load_checkpoint] expected learning_rate to be a number, got {rate!r:.40}")
    names = state.get("feature_names")
    if names is not None and not _texts(names):
        raise FormatError(f"[load_checkpoint] expected feature_names to be texts, got {names!r:.40}")
    if not _texts(state.get("model")):
        raise FormatError("[load_checkpoint] expected the model's description to be texts")
    items = state.get("callbacks")
    if not isinstance(items, list) or not all(_is_callback(item) for item in items):
        raise FormatError(f"[load_checkpoint] expected callbacks to be names and states, got {items!r:.60}")
    return state


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_callback(item: Any) -> bool:
    return (
        isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], dict)
    )


def _check_model(model: Sequential, state: dict[str, Any]) -> None:
    difference = first_difference(describe(model), state["model"])
    if difference is not None:
        own, other = difference
        raise FormatError(
            f"[load_checkpoint] the checkpoint is of another model: here is {own!r:.200}, there {other!r:.200}"
        )


# --- the states of callbacks ---------------------------------------------------------------------------


def _epochs_done(callbacks: Any) -> int:
    history = None if callbacks is None else callbacks.history
    return 0 if history is None or not history.epoch else int(history.epoch[-1]) + 1


def _to_json(state: dict[str, Any], prefix: str, tensors: dict[str, Any]) -> dict[str, Any]:
    """Return a state with lists of arrays moved to ``tensors``."""
    plain = {}
    for key, value in state.items():
        if isinstance(value, list) and value and all(isinstance(each, np.ndarray) for each in value):
            tensors.update({f"{prefix}/{key}/{number}": each for number, each in enumerate(value)})
            value = f"{_ARRAYS}{len(value)}"
        plain[key] = value
    return plain


def _from_json(value: Any, prefix: str, tensors: dict[str, Array]) -> Any:
    if not isinstance(value, str) or not value.startswith(_ARRAYS):
        return value
    found: list[Array] = []
    while f"{prefix}/{len(found)}" in tensors:
        found.append(tensors[f"{prefix}/{len(found)}"])
    if value != f"{_ARRAYS}{len(found)}":
        raise FormatError(f"[load_checkpoint] expected {value!r:.40} of {prefix!r:.60}, got {len(found)}")
    return found


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise InvalidArgument(
        f"[save_checkpoint] expected a callback's state of numbers and texts, got {value!r:.80}"
    )
