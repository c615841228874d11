"""Activations: functions of arrays, and what layers write into graphs by their names."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.model import Model
from maas_engine.nn._lookup import by_name
from maas_engine.nn._nodes import NodeWriter

__all__ = [
    "Activation",
    "elu",
    "gelu",
    "get",
    "leaky_relu",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swish",
    "tanh",
]

Array = NDArray[Any]

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


class Activation:
    """An activation with its parameters, as layers keep it; ``activation(x)`` computes it.

    Parameters
    ----------
    name : str
    write : function of (NodeWriter, value, name of the node)
        Adds its nodes and returns the result's name.
    argument : float, optional
        The slope of leaky relu, the factor of elu.
    """

    def __init__(
        self, name: str, write: Callable[[NodeWriter, str, str], str], argument: float | None = None
    ) -> None:
        self.name, self.write, self.argument = name, write, argument

    def __reduce__(self) -> tuple[Any, ...]:
        if self.argument is None:
            return get, (self.name,)
        return {"leaky_relu": make_leaky_relu, "elu": make_elu}[self.name], (self.argument,)

    def __call__(self, x: ArrayLike) -> Array:
        array = np.asarray(x)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float32)
        if array.size == 0:
            return array.copy()
        rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
        return np.asarray(_model(self, array.dtype.name, rows.shape[1]).predict(rows)).reshape(array.shape)

    def __repr__(self) -> str:
        return f"<Activation {self.name}>"


def linear(x: ArrayLike) -> Array:
    """x itself."""
    return _LINEAR(x)


def relu(x: ArrayLike) -> Array:
    """max(x, 0)."""
    return _RELU(x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """x, or ``negative_slope`` x below 0."""
    return make_leaky_relu(negative_slope)(x)


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """x, or ``alpha`` (exp(x) - 1) below 0."""
    return make_elu(alpha)(x)


def selu(x: ArrayLike) -> Array:
    """1.0507 x, or 1.0507 · 1.6733 (exp(x) - 1) below 0 (Klambauer et al., 2017)."""
    return _SELU(x)


def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """x Φ(x), Φ the normal distribution; ``approximate`` by tanh (Hendrycks and Gimpel, 2016)."""
    return (_GELU_TANH if approximate else _GELU)(x)


def silu(x: ArrayLike) -> Array:
    """x sigmoid(x)."""
    return _SILU(x)


swish = silu


def tanh(x: ArrayLike) -> Array:
    """The hyperbolic tangent."""
    return _TANH(x)


def sigmoid(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x))."""
    return _SIGMOID(x)


def softplus(x: ArrayLike) -> Array:
    """log(1 + exp(x))."""
    return _SOFTPLUS(x)


def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """exp(x) over its sum along the last axis."""
    if axis not in (-1, np.ndim(x) - 1):
        raise InvalidArgument(f"[softmax] expected the last axis, got {axis}")
    return _SOFTMAX(x)


def get(identifier: Any) -> Activation:
    """Return an activation by name, or for a function of this module; None is linear.

    ``"gelu_tanh"`` is gelu by tanh. Keyword arguments may be bound: ``functools.partial(leaky_relu,
    negative_slope=0.1)``.

    Raises
    ------
    InvalidArgument : a name that is not known, or a function that is not of this module.
    """
    if identifier is None:
        return _LINEAR
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str):
        return by_name(_BY_NAME, identifier, "activations")
    if isinstance(identifier, partial) and not identifier.args and identifier.func in _WITH_ARGUMENTS:
        made: Activation = _WITH_ARGUMENTS[identifier.func](**identifier.keywords)
        return made
    if callable(identifier) and identifier in _BY_FUNCTION:
        return _BY_FUNCTION[identifier]
    raise InvalidArgument(
        f"[activations] expected a name or a function of maas_engine.nn.activations, got {identifier!r}"
    )


# --- how they are written ----------------------------------------------------------------------------


def _operator(op: str, **attributes: Any) -> Callable[[NodeWriter, str, str], str]:
    return lambda nodes, x, name: nodes.add(op, x, name=name, **attributes)


def make_leaky_relu(negative_slope: float = 0.2) -> Activation:
    """Return leaky relu with a slope of at least 0."""
    slope = _parameter("leaky_relu", "negative_slope", negative_slope)

    def write(nodes: NodeWriter, x: str, name: str) -> str:
        if not nodes.spell_out:
            return nodes.add("LeakyRelu", x, name=name, alpha=slope)
        # The attribute is float32 where the operator stands: the same number here.
        scaled = nodes.add("Mul", x, nodes.constant(np.float32(slope)))
        return nodes.add("Where", nodes.add("Less", x, nodes.constant(0)), scaled, x, name=name)

    return Activation("leaky_relu", write, slope)


def make_elu(alpha: float = 1.0) -> Activation:
    """Return elu with a factor of at least 0."""
    factor = _parameter("elu", "alpha", alpha)

    def write(nodes: NodeWriter, x: str, name: str) -> str:
        if not nodes.spell_out:
            return nodes.add("Elu", x, name=name, alpha=factor)
        below = nodes.add("Mul", _exp_minus_one(nodes, x), nodes.constant(np.float32(factor)))
        return nodes.add("Where", nodes.add("Greater", x, nodes.constant(0)), x, below, name=name)

    return Activation("elu", write, factor)


def _parameter(where: str, name: str, value: float) -> float:
    value = float(value)
    if not 0 <= value < np.inf:
        raise InvalidArgument(f"[{where}] expected {name} to be finite and at least 0, got {value}")
    return value


def _exp_minus_one(nodes: NodeWriter, x: str) -> str:
    """exp(min(x, 0)) - 1."""
    below = nodes.add("Min", x, nodes.constant(0))
    return nodes.add("Sub", nodes.add("Exp", below), nodes.constant(1))


def _write_linear(nodes: NodeWriter, x: str, name: str) -> str:
    return x


def _write_selu(nodes: NodeWriter, x: str, name: str) -> str:
    if not nodes.spell_out:
        return nodes.add("Selu", x, name=name, alpha=_SELU_ALPHA, gamma=_SELU_SCALE)
    alpha, scale = (nodes.constant(np.float32(value)) for value in (_SELU_ALPHA, _SELU_SCALE))
    below = nodes.add("Mul", _exp_minus_one(nodes, x), alpha)
    either = nodes.add("Where", nodes.add("Greater", x, nodes.constant(0)), x, below)
    return nodes.add("Mul", either, scale, name=name)


def _write_silu(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Mul", x, nodes.add("Sigmoid", x), name=name)


def _write_gelu_tanh(nodes: NodeWriter, x: str, name: str) -> str:
    if not nodes.spell_out:
        return nodes.add("Gelu", x, name=name, approximate="tanh")
    # The operator is there in float64, but elsewhere computed with constants of float32.
    cubed = nodes.add("Mul", nodes.add("Mul", nodes.add("Mul", x, x), x), nodes.constant(0.044715))
    inner = nodes.add("Mul", nodes.add("Add", x, cubed), nodes.constant(math.sqrt(2 / math.pi)))
    bent = nodes.add("Add", nodes.add("Tanh", inner), nodes.constant(1))
    return nodes.add("Mul", nodes.add("Mul", x, nodes.constant(0.5)), bent, name=name)


def _write_softplus(nodes: NodeWriter, x: str, name: str) -> str:
    if not nodes.spell_out:
        return nodes.add("Softplus", x, name=name)
    # max(x, 0) + log(1 + exp(-|x|)): no overflow.
    small = nodes.add("Exp", nodes.add("Neg", nodes.add("Abs", x)))
    rest = nodes.add("Log", nodes.add("Add", small, nodes.constant(1)))
    return nodes.add("Add", nodes.add("Max", x, nodes.constant(0)), rest, name=name)


_LINEAR = Activation("linear", _write_linear)
_RELU = Activation("relu", _operator("Relu"))
_SELU = Activation("selu", _write_selu)
_GELU = Activation("gelu", _operator("Gelu"))
_GELU_TANH = Activation("gelu_tanh", _write_gelu_tanh)
_SILU = Activation("silu", _write_silu)
_TANH = Activation("tanh", _operator("Tanh"))
_SIGMOID = Activation("sigmoid", _operator("Sigmoid"))
_SOFTPLUS = Activation("softplus", _write_softplus)
_SOFTMAX = Activation("softmax", _operator("Softmax", axis=-1))

_BY_FUNCTION: dict[Any, Activation] = {
    linear: _LINEAR,
    relu: _RELU,
    leaky_relu: make_leaky_relu(),
    elu: make_elu(),
    selu: _SELU,
    gelu: _GELU,
    silu: _SILU,
    tanh: _TANH,
    sigmoid: _SIGMOID,
    softplus: _SOFTPLUS,
    softmax: _SOFTMAX,
}
_BY_NAME = {function.__name__: activation for function, activation in _BY_FUNCTION.items()}
_BY_NAME |= {"swish": _SILU, "gelu_tanh": _GELU_TANH}
_WITH_ARGUMENTS: dict[Any, Callable[..., Activation]] = {
    leaky_relu: make_leaky_relu,
    elu: make_elu,
    gelu: lambda approximate=False: _GELU_TANH if approximate else _GELU,
}


@cache
def _model(activation: Activation, dtype: str, width: int) -> Model:
    nodes = NodeWriter(activation.name, dtype, training=True)
    x = nodes.builder.input("input", dtype, (None, width))
    y = activation.write(nodes, x, "")
    nodes.builder.output(nodes.add("Identity", y) if y == x else y)
    return Model(nodes.builder.build())
