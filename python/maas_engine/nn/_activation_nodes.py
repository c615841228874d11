"""How each activation is written into a graph, and computed for arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.model import Model
from maas_engine.nn._checks import not_negative
from maas_engine.nn._node_writer import NodeWriter

Array = NDArray[Any]
# Adds nodes for a value, the last of a given name, and returns the result.
Writer: TypeAlias = Callable[[NodeWriter, str, str], str]

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

    def __init__(self, name: str, write: Writer, argument: float | None = None) -> None:
        self.name, self.write, self.argument = name, write, argument

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self.name, self.argument)

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


def restored(name: str, argument: float | None) -> Activation:
    """Return the activation of a name and argument."""
    if argument is None:
        return ACTIVATIONS[name]
    return {"leaky_relu": make_leaky_relu, "elu": make_elu}[name](argument)


def _operator(op: str, **attributes: Any) -> Writer:
    return lambda nodes, x, name: nodes.add(op, x, name=name, **attributes)


def make_leaky_relu(negative_slope: float = 0.2) -> Activation:
    """Return leaky relu with a slope of at least 0."""
    slope = not_negative(negative_slope, "negative_slope", "leaky_relu")

    def write(nodes: NodeWriter, x: str, name: str) -> str:
        # The attribute is float32 where the operator stands: the same number here.
        scaled = nodes.add("Mul", x, nodes.constant(np.float32(slope)))
        return nodes.add("Where", nodes.add("Less", x, nodes.constant(0)), scaled, x, name=name)

    return Activation("leaky_relu", _spelt("LeakyRelu", write, alpha=slope), slope)


def make_elu(alpha: float = 1.0) -> Activation:
    """Return elu with a factor of at least 0."""
    factor = not_negative(alpha, "alpha", "elu")

    def write(nodes: NodeWriter, x: str, name: str) -> str:
        below = nodes.add("Mul", _exp_minus_one(nodes, x), nodes.constant(np.float32(factor)))
        return nodes.add("Where", nodes.add("Greater", x, nodes.constant(0)), x, below, name=name)

    return Activation("elu", _spelt("Elu", write, alpha=factor), factor)


def _spelt(op: str, write: Writer, **attributes: Any) -> Writer:
    """The operator, or in float64 files what ``write`` adds."""
    plain = _operator(op, **attributes)
    return lambda nodes, x, name: (write if nodes.spell_out else plain)(nodes, x, name)


def _exp_minus_one(nodes: NodeWriter, x: str) -> str:
    """exp(min(x, 0)) - 1."""
    below = nodes.add("Min", x, nodes.constant(0))
    return nodes.add("Sub", nodes.add("Exp", below), nodes.constant(1))


def _write_linear(nodes: NodeWriter, x: str, name: str) -> str:
    return x


def _spell_selu(nodes: NodeWriter, x: str, name: str) -> str:
    alpha, scale = (nodes.constant(np.float32(value)) for value in (_SELU_ALPHA, _SELU_SCALE))
    below = nodes.add("Mul", _exp_minus_one(nodes, x), alpha)
    either = nodes.add("Where", nodes.add("Greater", x, nodes.constant(0)), x, below)
    return nodes.add("Mul", either, scale, name=name)


def _write_silu(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Mul", x, nodes.add("Sigmoid", x), name=name)


def _spell_gelu_tanh(nodes: NodeWriter, x: str, name: str) -> str:
    # Other runtimes have the operator in float64, but compute it with constants of float32.
    cubed = nodes.add("Mul", nodes.add("Mul", nodes.add("Mul", x, x), x), nodes.constant(0.044715))
    inner = nodes.add("Mul", nodes.add("Add", x, cubed), nodes.constant(math.sqrt(2 / math.pi)))
    bent = nodes.add("Add", nodes.add("Tanh", inner), nodes.constant(1))
    return nodes.add("Mul", nodes.add("Mul", x, nodes.constant(0.5)), bent, name=name)


def _spell_softplus(nodes: NodeWriter, x: str, name: str) -> str:
    # max(x, 0) + log(1 + exp(-|x|)): no overflow.
    small = nodes.add("Exp", nodes.add("Neg", nodes.add("Abs", x)))
    rest = nodes.add("Log", nodes.add("Add", small, nodes.constant(1)))
    return nodes.add("Add", nodes.add("Max", x, nodes.constant(0)), rest, name=name)


def _spell_softsign(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Div", x, nodes.add("Add", nodes.add("Abs", x), nodes.constant(1)), name=name)


def _spell_hard_sigmoid(nodes: NodeWriter, x: str, name: str) -> str:
    line = nodes.add("Add", nodes.add("Mul", x, nodes.constant(np.float32(1 / 6))), nodes.constant(0.5))
    return nodes.add("Clip", line, nodes.constant(0), nodes.constant(1), name=name)


def _spell_hard_silu(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Mul", x, _spell_hard_sigmoid(nodes, x, ""), name=name)


def _spell_mish(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Mul", x, nodes.add("Tanh", _spell_softplus(nodes, x, "")), name=name)


def _write_relu6(nodes: NodeWriter, x: str, name: str) -> str:
    return nodes.add("Clip", x, nodes.constant(0), nodes.constant(6), name=name)


_SELU = _spelt("Selu", _spell_selu, alpha=_SELU_ALPHA, gamma=_SELU_SCALE)
ACTIVATIONS: dict[str, Activation] = {
    each.name: each
    for each in (
        make_elu(),
        make_leaky_relu(),
        Activation("exponential", _operator("Exp")),
        Activation("gelu", _operator("Gelu")),
        Activation("gelu_tanh", _spelt("Gelu", _spell_gelu_tanh, approximate="tanh")),
        Activation("hard_sigmoid", _spelt("HardSigmoid", _spell_hard_sigmoid, alpha=1 / 6, beta=0.5)),
        Activation("hard_silu", _spelt("HardSwish", _spell_hard_silu)),
        Activation("linear", _write_linear),
        Activation("mish", _spelt("Mish", _spell_mish)),
        Activation("relu", _operator("Relu")),
        Activation("relu6", _write_relu6),
        Activation("selu", _SELU),
        Activation("sigmoid", _operator("Sigmoid")),
        Activation("silu", _write_silu),
        Activation("softmax", _operator("Softmax", axis=-1)),
        Activation("softplus", _spelt("Softplus", _spell_softplus)),
        Activation("softsign", _spelt("Softsign", _spell_softsign)),
        Activation("tanh", _operator("Tanh")),
    )
}


@lru_cache(maxsize=64)
def _model(activation: Activation, dtype: str, width: int) -> Model:
    nodes = NodeWriter(activation.name, dtype, training=True)
    x = nodes.builder.input("input", dtype, (None, width))
    y = activation.write(nodes, x, "")
    nodes.builder.output(nodes.add("Identity", y) if y == x else y)
    return Model(nodes.builder.build())
