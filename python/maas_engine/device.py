"""Models on a device: the same graph, run by the interpreter with CuPy, its weights kept there."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine._tables import to_arrays
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.interpreter import Interpreter

__all__ = ["DeviceModel", "device_namespace", "to_device"]


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

    Attributes
    ----------
    model, xp : as given

    Notes
    -----
    ``predict``, ``predict_proba`` and ``decision_function`` take what the model's own take, or an array of the
    device (a dict of them by name, where the model has several inputs).
    """

    def __init__(self, model: Any, xp: Any) -> None:
        self.model = model
        self.xp = xp
        self._roles = {
            role: Interpreter(model.graph, xp=xp, outputs=[each.name])
            for role, each in model.schema.roles.items()
        }

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """The methods that the model offers."""
        if name in self.__dict__.get("_roles", {}):
            return lambda X: self._run(name, X)
        raise AttributeError(f"[{name}] this model does not offer it")

    def _run(self, role: str, X: Any) -> Any:
        arrays, on_device = self._arrays(role, X)
        fields = [each for each in self.model.schema.inputs if each.batched]
        one_row = all(len(arrays[each.name].shape) == len(each.row_shape) for each in fields)
        if one_row:
            arrays |= {each.name: arrays[each.name][None, ...] for each in fields}
        (answer,) = self._roles[role].run(arrays).values()
        if not on_device:
            answer = to_numpy(answer)
            if answer.dtype == object:
                answer = answer.astype(np.str_)
        return answer[0, ...][()] if one_row else answer

    def _arrays(self, role: str, X: Any) -> tuple[dict[str, Any], bool]:
        """The inputs by name, and whether they came from the device."""
        names = [each.name for each in self.model.schema.inputs]
        if is_device_array(X) and len(names) == 1:
            return {names[0]: X}, True
        if isinstance(X, Mapping) and any(is_device_array(value) for value in X.values()):
            return dict(X), True
        fields, arrays = self.model.schema.inputs, to_arrays(X, self.model.schema, role)
        return {
            each.name: from_arrow_text(values).reshape(-1, *each.row_shape)
            if isinstance(values, tuple)
            else values
            for each, values in zip(fields, arrays, strict=True)
        }, False

    def __repr__(self) -> str:
        return f"<DeviceModel {self.model!r} on {self.xp.__name__}>"


def from_arrow_text(values: tuple[Any, Any]) -> NDArray[Any]:
    """The strings of a text column that came as Arrow's offsets and bytes."""
    offsets, data = values
    ends, text = np.asarray(offsets).tolist(), bytes(memoryview(data))
    pieces = [text[begin:end].decode() for begin, end in itertools.pairwise(ends)]
    return np.array(pieces, dtype=object)


def is_device_array(value: Any) -> bool:
    """Whether ``value`` is an array of a namespace other than numpy's."""
    return hasattr(value, "__array_namespace__") and not isinstance(value, (np.ndarray, np.generic))


def to_numpy(value: Any) -> NDArray[Any]:
    return np.asarray(value.get() if hasattr(value, "get") else value)  # CuPy refuses asarray
