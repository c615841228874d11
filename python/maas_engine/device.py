"""Models on a device: the same graph, run by the interpreter with CuPy, its weights kept there."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.interpreter import Interpreter

__all__ = ["DeviceModel", "device_namespace", "to_device"]

ROLES = ("predict", "predict_proba", "decision_function")


def device_namespace(device: str) -> Any:
    """Return the array namespace of ``"cuda"``, which is CuPy.

    Raises
    ------
    InvalidArgument : another device.
    Unsupported : CuPy is not installed, or finds no GPU; says which, and what to do.
    """
    if device != "cuda":
        raise InvalidArgument(f"[device] expected 'cpu' or 'cuda', got {device!r}")
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        raise Unsupported("[device] CuPy is not installed: pip install maas_engine[gpu]") from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError: no driver, no device, ...
        raise Unsupported(f"[device] CuPy found no GPU: {error}") from error
    if count == 0:
        raise Unsupported("[device] CuPy found no GPU: the driver lists none")
    return cupy


def to_device(model: Any, device: str) -> DeviceModel:
    """Return ``model`` on a device: what ``Model.to`` does."""
    return DeviceModel(model, device_namespace(device))


class DeviceModel:
    """A model whose weights lie on a device; each node is run with the device's own functions.

    Answers are close to those of the CPU, not bit for bit the same, and come back where the rows came from: an
    array of the device for an array of the device, else a numpy array. Text stays on the host.

    Parameters
    ----------
    model : Model
    xp : namespace of the array API standard
        Whose arrays hold the weights: CuPy; numpy for tests.
    """

    def __init__(self, model: Any, xp: Any) -> None:
        self.model = model
        self.xp = xp
        roles = {role: each.name for role, each in model.schema.roles.items()}
        self._roles = {
            role: Interpreter(model.graph, xp=xp, outputs=[roles[role]]) for role in ROLES if role in roles
        }
        self._inputs = list(model.graph.inputs)

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """``predict``, ``predict_proba`` and ``decision_function``, where the model offers them."""
        if name in ROLES and name in self.__dict__.get("_roles", {}):
            return lambda X: self._run(name, X)
        raise AttributeError(f"[{name}] this model does not offer it")

    def _run(self, role: str, X: Any) -> Any:
        arrays = self._arrays(role, X)
        interpreter = self._roles[role]
        on_device = any(is_device_array(each) for each in arrays.values())
        single = len(arrays) == 1 and self._lacks_rows(arrays)
        if single:
            arrays = {name: self._with_rows(each) for name, each in arrays.items()}
        (answer,) = interpreter.run(arrays).values()
        answer = answer if on_device else to_numpy(answer)
        return answer[0, ...] if single else answer

    def _arrays(self, role: str, X: Any) -> dict[str, Any]:
        """X by the names of the inputs; numpy arrays, or the device's as they are."""
        names = [name for name, *_ in self._inputs]
        if not isinstance(X, Mapping):
            if len(names) != 1:
                raise InvalidArgument(f"[{role}] expected a dict of arrays by name: {', '.join(names)}")
            X = {names[0]: X}
        missing = [name for name in names if name not in X]
        if missing:
            raise InvalidArgument(
                f"[{role}] expected inputs {', '.join(names)}; {', '.join(missing)} missing"
            )
        return {name: X[name] if is_device_array(X[name]) else np.asarray(X[name]) for name in names}

    def _lacks_rows(self, arrays: Mapping[str, Any]) -> bool:
        ((name, _, shape),) = self._inputs
        return bool(shape) and shape[0] is None and len(arrays[name].shape) == len(shape) - 1

    @staticmethod
    def _with_rows(array: Any) -> Any:
        return array[None, ...]

    def __repr__(self) -> str:
        return f"<DeviceModel {self.model!r} on {self.xp.__name__}>"


def is_device_array(value: Any) -> bool:
    """Whether ``value`` is an array of a namespace other than numpy's."""
    return hasattr(value, "__array_namespace__") and not isinstance(value, (np.ndarray, np.generic))


def to_numpy(value: Any) -> np.ndarray:
    return value.get() if hasattr(value, "get") else np.asarray(value)
