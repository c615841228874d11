"""Comparisons, logic, Where and Cast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maas_engine.interpreter._call import Call
from maas_engine.interpreter._elementwise import Function, binary, unary
from maas_engine.interpreter._functions import dtype_limits
from maas_engine.interpreter._namespace import Array, dtype_name, dtype_of, is_float, is_string

# TensorProto.DataType
DTYPES = {1: "float32", 6: "int32", 7: "int64", 8: "string", 9: "bool", 11: "float64"}


def where(call: Call, condition: Array, x: Array, y: Array) -> Array:
    return call.xp.where(condition, x, y)


def number_text(value: Any, digits: int) -> str:
    """The shortest text that reads back as a float of its type, laid out as by C's ``%.{digits}g``.

    NaN, INF and -INF by name.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    mantissa, exponent = np.format_float_scientific(value, trim="-").split("e")
    if -4 <= int(exponent) < digits:
        return np.format_float_positional(value, trim="-")
    return f"{mantissa}e{int(exponent):+03d}"


def to_strings(x: np.ndarray) -> np.ndarray:
    name = dtype_name(x)
    if name == "string":
        return x
    if is_float(x):
        digits = 17 if name == "float64" else 8
        texts = [number_text(value, digits) for value in x.reshape(-1)]
    else:
        texts = [str(int(value)) for value in x.reshape(-1)]
    return np.array(texts, dtype=object).reshape(x.shape)


def from_strings(call: Call, x: np.ndarray, to: str) -> np.ndarray:
    def parse(text: str) -> Any:
        if to in ("float32", "float64"):
            return float(text)
        try:
            return int(text)
        except ValueError:
            return int(float(text))

    try:
        values = [parse(text) for text in x.reshape(-1)]
        return np.array(values, dtype=np.bool_ if to == "bool" else to).reshape(x.shape)
    except (ValueError, OverflowError) as error:
        call.fail(f"expected texts of {to} numbers: {error}")


def cast(call: Call, x: Array) -> Array:
    """Fractions are cut off; a number that the integer type cannot hold is an error."""
    xp, to = call.xp, DTYPES[call.attribute("to")]
    if to == "string":
        return to_strings(x)
    if is_string(x):
        return from_strings(call, x, to)
    if to in ("int32", "int64") and is_float(x):
        low, _ = dtype_limits(xp, to)
        whole = xp.trunc(x)
        # Both bounds are exact in float32, -low is the first number too large.
        call.check(~((whole >= float(low)) & (whole < -float(low))), f"a number that {to} cannot hold")
        return xp.astype(whole, dtype_of(xp, to))
    if to == "bool":
        return x if dtype_name(x) == "bool" else x != 0
    return call.cast(x, to)


OPERATORS: dict[str, Function] = {
    "And": binary("logical_and"),
    "Cast": cast,
    "Equal": binary("equal"),
    "Greater": binary("greater"),
    "GreaterOrEqual": binary("greater_equal"),
    "Less": binary("less"),
    "LessOrEqual": binary("less_equal"),
    "Not": unary("logical_not"),
    "Or": binary("logical_or"),
    "Where": where,
    "Xor": binary("logical_xor"),
}
