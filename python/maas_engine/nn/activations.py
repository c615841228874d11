"""Activations: functions of arrays, and what layers know by their names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.nn._activation_nodes import ACTIVATIONS, Activation, make_elu, make_leaky_relu
from maas_engine.nn._lookup import by_name

__all__ = [
    "Activation",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

Array = NDArray[Any]


def make_gelu(approximate: bool = False) -> Activation:
    """Return gelu, exact or by tanh."""
    return ACTIVATIONS["gelu_tanh" if approximate else "gelu"]


def linear(x: ArrayLike) -> Array:
    """x itself."""
    return ACTIVATIONS["linear"](x)


def relu(x: ArrayLike) -> Array:
    """max(x, 0)."""
    return ACTIVATIONS["relu"](x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """x, or ``negative_slope`` x below 0."""
    return make_leaky_relu(negative_slope)(x)


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """x, or ``alpha`` (exp(x) - 1) below 0."""
    return make_elu(alpha)(x)


def selu(x: ArrayLike) -> Array:
    """1.0507 x, or 1.0507 · 1.6733 (exp(x) - 1) below 0 (Klambauer et al., 2017)."""
    return ACTIVATIONS["selu"](x)


def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """x Φ(x), Φ the normal distribution; ``approximate`` by tanh (Hendrycks and Gimpel, 2016)."""
    return make_gelu(approximate)(x)


def silu(x: ArrayLike) -> Array:
    """x sigmoid(x)."""
    return ACTIVATIONS["silu"](x)


swish = silu


def exponential(x: ArrayLike) -> Array:
    """exp(x)."""
    return ACTIVATIONS["exponential"](x)


def hard_sigmoid(x: ArrayLike) -> Array:
    """x / 6 + 1/2, within 0 and 1."""
    return ACTIVATIONS["hard_sigmoid"](x)


def hard_silu(x: ArrayLike) -> Array:
    """x hard_sigmoid(x)."""
    return ACTIVATIONS["hard_silu"](x)


hard_swish = hard_silu


def mish(x: ArrayLike) -> Array:
    """x tanh(softplus(x)) (Misra, 2019)."""
    return ACTIVATIONS["mish"](x)


def relu6(x: ArrayLike) -> Array:
    """x, within 0 and 6."""
    return ACTIVATIONS["relu6"](x)


def softsign(x: ArrayLike) -> Array:
    """x / (1 + |x|)."""
    return ACTIVATIONS["softsign"](x)


def tanh(x: ArrayLike) -> Array:
    """The hyperbolic tangent."""
    return ACTIVATIONS["tanh"](x)


def sigmoid(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x))."""
    return ACTIVATIONS["sigmoid"](x)


def softplus(x: ArrayLike) -> Array:
    """log(1 + exp(x))."""
    return ACTIVATIONS["softplus"](x)


def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """exp(x) over its sum along the last axis."""
    if axis not in (-1, np.ndim(x) - 1):
        raise InvalidArgument(f"[softmax] expected the last axis, got {axis}")
    return ACTIVATIONS["softmax"](x)


_BY_NAME = ACTIVATIONS | {"swish": ACTIVATIONS["silu"], "hard_swish": ACTIVATIONS["hard_silu"]}
_FUNCTIONS: tuple[Any, ...] = (
    elu, exponential, gelu, hard_sigmoid, hard_silu, leaky_relu, linear, mish, relu, relu6, selu, sigmoid, silu,
    softmax, softplus, softsign, tanh,
)  # fmt: skip
_WITH_ARGUMENTS: dict[Any, Callable[..., Activation]] = {
    leaky_relu: make_leaky_relu,
    elu: make_elu,
    gelu: make_gelu,
}


def get(identifier: Any) -> Activation:
    """Return an activation by name, of a function of this module, or of a layer such as LeakyReLU; None is linear.

    ``"gelu_tanh"`` is gelu by tanh. Keyword arguments may be bound: ``functools.partial(leaky_relu,
    negative_slope=0.1)``.

    Raises
    ------
    InvalidArgument : a name that is not known, or a function that is not of this module.
    """
    if identifier is None:
        return ACTIVATIONS["linear"]
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(getattr(identifier, "activation", None), Activation):
        return get(identifier.activation)
    if isinstance(identifier, str):
        return by_name(_BY_NAME, identifier, "activations")
    if isinstance(identifier, partial) and not identifier.args and identifier.func in _WITH_ARGUMENTS:
        made: Activation = _WITH_ARGUMENTS[identifier.func](**identifier.keywords)
        return made
    if identifier in _FUNCTIONS:
        return by_name(_BY_NAME, identifier.__name__, "activations")
    raise InvalidArgument(
        f"[activations] expected a name or a function of maas_engine.nn.activations, got {identifier!r}"
    )
