"""Reductions, arg-max, softmax and the norms over axes."""

from __future__ import annotations

from collections.abc import Callable

from maas_engine.interpreter._call import Call, axis_of, ints
from maas_engine.interpreter._elementwise import Function
from maas_engine.interpreter._functions import dtype_limits, log_sum_exp
from maas_engine.interpreter._namespace import Array, dtype_name, is_float

Axes = tuple[int, ...]


def reduction(reduce: Callable[[Call, Array, Axes, bool], Array]) -> Function:
    """An operator from ``reduce(call, x, axes, keepdims)``. Input 1, on the host: the axes; all without it."""

    def function(call: Call, x: Array, axes: Array | None = None) -> Array:
        chosen = ints(axes) or []
        if not chosen and call.attribute("noop_with_empty_axes", 0):
            result = reduce(call, call.xp.expand_dims(x, axis=-1), (len(x.shape),), False)
            return call.cast(result, dtype_name(x))  # each element by itself: ReduceL1 is Abs
        rank = len(x.shape)
        where = tuple(axis_of(call, axis, rank) for axis in chosen) or tuple(range(rank))
        result = reduce(call, x, where, bool(call.attribute("keepdims", 1)))
        return call.cast(result, dtype_name(x))

    return function


def sum_of(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    return call.xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


def product(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    return call.xp.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


def mean(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    if is_float(x):
        return call.xp.mean(x, axis=axes, keepdims=keepdims)
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    total = sum_of(call, x, axes, keepdims)
    size = call.xp.abs(total) // count  # toward zero
    return call.xp.where(total < 0, -size, size)


def l1(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    return sum_of(call, call.xp.abs(x), axes, keepdims)


def l2(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    if is_float(x):
        return call.xp.sqrt(sum_of(call, x * x, axes, keepdims))
    return call.xp.sqrt(sum_of(call, call.cast(x * x, "float64"), axes, keepdims))


def sum_square(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    return sum_of(call, x * x, axes, keepdims)


def log_sum(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
    return log_sum_exp(call.xp, call.cast(x, "float64") if not is_float(x) else x, axes, keepdims)


def extreme(name: str) -> Callable[[Call, Array, Axes, bool], Array]:
    """``max`` or ``min``; of nothing, the type's least or largest value."""

    def reduce(call: Call, x: Array, axes: Axes, keepdims: bool) -> Array:
        xp, dtype = call.xp, dtype_name(x)
        if dtype == "bool":
            return getattr(xp, "any" if name == "max" else "all")(x, axis=axes, keepdims=keepdims)
        if 0 in (x.shape[axis] for axis in axes):
            like = sum_of(call, x, axes, keepdims)
            return xp.full_like(like, dtype_limits(xp, dtype)[0 if name == "max" else 1])
        return getattr(xp, name)(x, axis=axes, keepdims=keepdims)

    return reduce


def arg_extreme(name: str) -> Function:
    def function(call: Call, x: Array) -> Array:
        xp = call.xp
        axis = axis_of(call, call.attribute("axis", 0), len(x.shape))
        last = bool(call.attribute("select_last_index", 0))
        values = xp.flip(x, axis=axis) if last else x
        index = getattr(xp, name)(values, axis=axis, keepdims=bool(call.attribute("keepdims", 1)))
        return call.cast(x.shape[axis] - 1 - index if last else index, "int64")

    return function


def softmax(call: Call, x: Array) -> Array:
    xp, axis = call.xp, axis_of(call, call.attribute("axis", -1), len(x.shape))
    if x.shape[axis] == 0:
        return x
    powers = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True, dtype=x.dtype)


def log_softmax(call: Call, x: Array) -> Array:
    xp, axis = call.xp, axis_of(call, call.attribute("axis", -1), len(x.shape))
    if x.shape[axis] == 0:
        return x
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True, dtype=x.dtype))


def batch_normalization(call: Call, x: Array, scale: Array, bias: Array, mean: Array, var: Array) -> Array:
    xp = call.xp
    shape = (1, -1) + (1,) * (len(x.shape) - 2) if len(x.shape) > 1 else (-1,)
    scale, bias, mean, var = (xp.reshape(value, shape) for value in (scale, bias, mean, var))
    return (x - mean) / xp.sqrt(var + call.attribute("epsilon", 1e-5)) * scale + bias


def layer_normalization(call: Call, x: Array, scale: Array, bias: Array | None = None) -> tuple[Array, ...]:
    """Normalises over ``axis`` and all that follow; also gives the mean and the inverse deviation, float32."""
    xp, rank = call.xp, len(x.shape)
    axes = tuple(range(axis_of(call, call.attribute("axis", -1), rank), rank))
    center = xp.mean(x, axis=axes, keepdims=True)
    shifted = x - center
    variance = xp.mean(shifted * shifted, axis=axes, keepdims=True)
    inverse = 1.0 / xp.sqrt(variance + call.attribute("epsilon", 1e-5))
    result = shifted * inverse * scale
    result = result if bias is None else result + bias
    return result, call.cast(center, "float32"), call.cast(inverse, "float32")


OPERATORS: dict[str, Function] = {
    "ArgMax": arg_extreme("argmax"),
    "ArgMin": arg_extreme("argmin"),
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "LogSoftmax": log_softmax,
    "ReduceL1": reduction(l1),
    "ReduceL2": reduction(l2),
    "ReduceLogSumExp": reduction(log_sum),
    "ReduceMax": reduction(extreme("max")),
    "ReduceMean": reduction(mean),
    "ReduceMin": reduction(extreme("min")),
    "ReduceProd": reduction(product),
    "ReduceSum": reduction(sum_of),
    "ReduceSumSquare": reduction(sum_square),
    "Softmax": softmax,
}
