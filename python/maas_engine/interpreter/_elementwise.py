"""Arithmetic, activations and the other operators of the main domain that work element by element."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

from maas_engine.interpreter._call import Call
from maas_engine.interpreter._functions import erf, normal_cdf, sigmoid, softplus
from maas_engine.interpreter._namespace import Array, broadcast_shapes, is_float

Function = Callable[..., Array]


def unary(name: str) -> Function:
    """The namespace's own function of one array."""
    return lambda call, x: getattr(call.xp, name)(x)


def binary(name: str) -> Function:
    return lambda call, a, b: getattr(call.xp, name)(a, b)


def variadic(name: str) -> Function:
    return lambda call, *arrays: reduce(getattr(call.xp, name), arrays)


def mean(call: Call, *arrays: Array) -> Array:
    return reduce(call.xp.add, arrays) / float(len(arrays))


def divide(call: Call, a: Array, b: Array) -> Array:
    if is_float(a):
        return call.xp.divide(a, b)
    call.check(b == 0, "division of an integer by zero")
    floor = call.xp.floor_divide(a, b)  # ONNX rounds toward zero
    up = ((a % b) != 0) & ((a < 0) != (b < 0))
    return floor + call.xp.astype(up, floor.dtype)


def mod(call: Call, a: Array, b: Array) -> Array:
    """``fmod`` 0: the divisor's sign, integers only; 1: the dividend's."""
    xp = call.xp
    if not is_float(a):
        call.check(b == 0, "division of an integer by zero")
    if not call.attribute("fmod", 0):
        return xp.remainder(a, b)
    size = xp.remainder(xp.abs(a), xp.abs(b))  # exact
    return xp.where(a < 0, -size, size)


def power(call: Call, base: Array, exponent: Array) -> Array:
    """The result has the base's type."""
    xp = call.xp
    if is_float(base):
        # numpy takes the square root for a single 0.5, which differs at -inf.
        many = xp.zeros(broadcast_shapes(base.shape, exponent.shape), dtype=base.dtype)
        return xp.pow(base, many + xp.astype(exponent, base.dtype))
    if is_float(exponent):
        return xp.astype(xp.pow(xp.astype(base, xp.float64), xp.astype(exponent, xp.float64)), base.dtype)
    exponent = xp.astype(exponent, xp.int64)
    whole = xp.pow(xp.astype(base, xp.int64), xp.where(exponent < 0, -exponent % 2, exponent))
    vanishes = (exponent < 0) & (xp.abs(base) != 1)  # 1 / base^n rounds to zero
    return xp.astype(xp.where(vanishes, xp.zeros_like(whole), whole), base.dtype)


def clip(call: Call, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    if low is not None:
        x = call.xp.maximum(x, low)
    return x if high is None else call.xp.minimum(x, high)  # the upper bound wins where they cross


def is_inf(call: Call, x: Array) -> Array:
    xp = call.xp
    either = xp.isinf(x)
    if not call.attribute("detect_negative", 1):
        either = either & (x > 0)
    if not call.attribute("detect_positive", 1):
        either = either & (x < 0)
    return either


def cut(call: Call, x: Array, low: float, high: float) -> Array:
    xp = call.xp
    return xp.minimum(xp.maximum(x, xp.full_like(x, low)), xp.full_like(x, high))


def positive_part(call: Call, x: Array) -> Array:
    return call.xp.maximum(x, call.xp.zeros_like(x))


def reciprocal(call: Call, x: Array) -> Array:
    return 1.0 / x


def leaky_relu(call: Call, x: Array) -> Array:
    return call.xp.where(x < 0, call.attribute("alpha", 0.01) * x, x)


def p_relu(call: Call, x: Array, slope: Array) -> Array:
    return call.xp.where(x < 0, slope * x, x)


def thresholded_relu(call: Call, x: Array) -> Array:
    return call.xp.where(x > call.attribute("alpha", 1.0), x, call.xp.zeros_like(x))


def elu(call: Call, x: Array) -> Array:
    return call.xp.where(x < 0, call.attribute("alpha", 1.0) * call.xp.expm1(x), x)


def celu(call: Call, x: Array) -> Array:
    alpha = call.attribute("alpha", 1.0)
    return call.xp.where(x < 0, alpha * call.xp.expm1(x / alpha), x)


def selu(call: Call, x: Array) -> Array:
    alpha = call.attribute("alpha", 1.67326319217681884765625)
    gamma = call.attribute("gamma", 1.05070102214813232421875)
    return gamma * call.xp.where(x < 0, alpha * call.xp.expm1(x), x)


def hard_sigmoid(call: Call, x: Array) -> Array:
    return cut(call, call.attribute("alpha", 0.2) * x + call.attribute("beta", 0.5), 0.0, 1.0)


def hard_swish(call: Call, x: Array) -> Array:
    return x * cut(call, x / 6.0 + 0.5, 0.0, 1.0)


def softsign(call: Call, x: Array) -> Array:
    return x / (1.0 + call.xp.abs(x))


def mish(call: Call, x: Array) -> Array:
    return x * call.xp.tanh(softplus(call.xp, x))


def gelu(call: Call, x: Array) -> Array:
    xp = call.xp
    if call.attribute("approximate", "none") == "tanh":
        # (1 + tanh u) / 2 = sigmoid(2u), which does not cancel
        return x * sigmoid(xp, 2.0 * math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))
    return x * normal_cdf(xp, x)


OPERATORS: dict[str, Function] = {
    "Abs": unary("abs"),
    "Add": binary("add"),
    "Ceil": unary("ceil"),
    "Celu": celu,
    "Clip": clip,
    "Div": divide,
    "Dropout": lambda call, x, *unused: x,
    "Elu": elu,
    "Erf": lambda call, x: erf(call.xp, x),
    "Exp": unary("exp"),
    "Floor": unary("floor"),
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "Identity": lambda call, x: x,
    "IsInf": is_inf,
    "IsNaN": unary("isnan"),
    "LeakyRelu": leaky_relu,
    "Log": unary("log"),
    "Max": variadic("maximum"),
    "Mean": mean,
    "Min": variadic("minimum"),
    "Mish": mish,
    "Mod": mod,
    "Mul": binary("multiply"),
    "Neg": unary("negative"),
    "PRelu": p_relu,
    "Pow": power,
    "Reciprocal": reciprocal,
    "Relu": positive_part,
    "Round": unary("round"),  # halves to even
    "Selu": selu,
    "Sigmoid": lambda call, x: sigmoid(call.xp, x),
    "Sign": unary("sign"),
    "Softplus": lambda call, x: softplus(call.xp, x),
    "Softsign": softsign,
    "Sqrt": unary("sqrt"),
    "Sub": binary("subtract"),
    "Sum": variadic("add"),
    "Tanh": unary("tanh"),
    "ThresholdedRelu": thresholded_relu,
}
