"""Cases of the operators that work element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cases.case import NEWEST, Case
from cases.values import (
    FLOATS,
    INTS,
    NUMBERS,
    bools,
    integers,
    normal,
    numbers,
    positive,
    scalar,
    special,
    texts,
)

CONSTANT_1 = frozenset({1})

FLOAT_UNARY = ["Ceil", "Celu", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "IsNaN"]
FLOAT_UNARY += ["LeakyRelu", "Log", "Mish", "Reciprocal", "Round", "Selu", "Sigmoid", "Softplus", "Softsign"]
FLOAT_UNARY += ["Sqrt", "Tanh", "ThresholdedRelu"]
ANY_UNARY = ("Abs", "Identity", "Neg", "Relu", "Sign")
OLDEST = {"Celu": 12, "HardSwish": 14, "Mish": 18, "Gelu": 20, "Round": 11, "ThresholdedRelu": 10}
# Infinity times zero, or infinity minus itself, inside the formula: the standard says nothing of the result.
OPEN_AT_INFINITY = {"Gelu", "HardSwish", "Mish", "Softsign"}
ALPHAS: dict[str, list[dict[str, Any]]] = {
    "Celu": [{"alpha": 0.5}],
    "Elu": [{"alpha": 0.3}],
    "Gelu": [{"approximate": "tanh"}, {"approximate": "none"}],
    "HardSigmoid": [{"alpha": 0.4, "beta": 0.3}],
    "LeakyRelu": [{"alpha": 0.2}, {"alpha": -0.5}],
    "Selu": [{"alpha": 1.2, "gamma": 0.7}],
    "ThresholdedRelu": [{"alpha": 0.5}, {"alpha": -0.5}],
}


def output_type(op: str, dtype: str) -> tuple[str, ...]:
    return ("bool",) if op in ("IsNaN", "IsInf") else (dtype,)


def special_for(op: str, dtype: str) -> np.ndarray:
    x = special(dtype)
    return (
        np.where(np.isinf(x) | (np.abs(x) > 1e30), np.asarray(7, dtype), x) if op in OPEN_AT_INFINITY else x
    )


# The reference evaluator computes erf, and the constants of these, in float32.
FLOAT32_INSIDE = {"Erf", "Gelu", "HardSwish"}
# Others compute exp(x) - 1, which cancels near zero.
CANCELS = {"Celu", "Elu", "Selu"}


def unary() -> Iterator[Case]:
    for op in (*FLOAT_UNARY, *ANY_UNARY):
        oldest = OLDEST.get(op, 9)
        for dtype in FLOATS:
            if (op, dtype) == ("Celu", "float64"):
                continue  # only from opset 28 on
            out = output_type(op, dtype)
            loose = 1e-6 if op in FLOAT32_INSIDE and dtype == "float64" else 2e-5 if op in CANCELS else 0
            x = positive(5, 3, dtype=dtype) if op in ("Log", "Sqrt") else normal(5, 3, dtype=dtype)
            yield Case(op, (x,), types=out, loose=loose)
            yield Case(op, (special_for(op, dtype),), types=out, loose=loose, name="special")
            yield Case(op, (x,), opset=NEWEST, types=out, loose=loose)
            for attributes in ALPHAS.get(op, ()):
                yield Case(op, (x,), attributes, types=out, loose=loose)
        yield Case(op, (normal(4, 2, 3),), opset=oldest, types=output_type(op, "float32"))
        yield Case(op, (normal(6),), types=output_type(op, "float32"))
        yield Case(
            op, (normal(2, 3),), fixed=frozenset({0}), types=output_type(op, "float32"), name="unbatched"
        )
    for op in ANY_UNARY:
        for dtype in INTS:
            yield Case(op, (integers(5, 3, dtype=dtype),))
    yield Case("Identity", (bools(4, 2),))
    yield Case("Identity", (texts("abca"),))


def rounding() -> Iterator[Case]:
    halves = np.arange(-4.5, 5, 0.5)
    for dtype in FLOATS:
        for op in ("Round", "Floor", "Ceil"):
            yield Case(op, (halves.astype(dtype),), name="halves")
        for flags in (
            {},
            {"detect_negative": 0},
            {"detect_positive": 0},
            {"detect_negative": 0, "detect_positive": 0},
        ):
            yield Case("IsInf", (special(dtype),), flags, types=("bool",))
    yield Case("IsInf", (special(),), opset=10, types=("bool",))


ARITHMETIC = ("Add", "Sub", "Mul", "Div")
COMPARE = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")


def nonzero(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, np.asarray(3, x.dtype), x)


def binary() -> Iterator[Case]:
    for op in (*ARITHMETIC, *COMPARE):
        oldest = {"GreaterOrEqual": 12, "LessOrEqual": 12}.get(op, 9)
        for dtype in NUMBERS:
            a, b = numbers(5, 3, dtype=dtype, key="a"), nonzero(numbers(5, 3, dtype=dtype, key="b"))
            out = ("bool",) if op in COMPARE else (dtype,)
            yield Case(op, (a, b), types=out)
            yield Case(op, (a, b[0]), constants=CONSTANT_1, types=out)
            yield Case(op, (b[:1], nonzero(a)), constants=frozenset({0}), types=out, name="left")
        a, b = normal(5, 3, key="a"), normal(5, 3, key="b")
        out = ("bool",) if op in COMPARE else ("float32",)
        yield Case(op, (a, scalar(0.5, "float32")), constants=CONSTANT_1, types=out)
        yield Case(op, (a[:, :1], normal(1, 4)), constants=CONSTANT_1, types=out, name="widened")
        yield Case(op, (normal(5, 2, 3), normal(2, 1)), constants=CONSTANT_1, types=out, name="rank")
        yield Case(op, (normal(4, 1), normal(1, 3)), fixed=frozenset({0, 1}), types=out, name="unbatched")
        yield Case(op, (special(), special()[::-1].copy()), types=out, name="special")
        yield Case(op, (special(), special()), types=out, name="equal")
        yield Case(op, (a, b), opset=oldest, types=out)
        yield Case(op, (a, b), opset=NEWEST, types=out)
    yield Case("Equal", (bools(6, 2), bools(6, 2, key=1)), types=("bool",))
    yield Case("Equal", (texts(["a", "b", ""]), texts(["b"])), constants=CONSTANT_1, types=("bool",))
    yield Case("Equal", (texts(["a", "b"]), texts(["b", "b"])), types=("bool",))


def logic() -> Iterator[Case]:
    for op in ("And", "Or", "Xor"):
        for opset in (9, 21, NEWEST):
            yield Case(op, (bools(6, 2), bools(6, 2, key=1)), opset=opset)
        yield Case(op, (bools(6, 2), bools(2, key=1)), constants=CONSTANT_1)
    for opset in (9, 21, NEWEST):
        yield Case("Not", (bools(6, 2),), opset=opset)


def integer_division() -> Iterator[Case]:
    a, b = np.meshgrid(np.arange(-5, 6), [-3, -2, 2, 3])
    for dtype in INTS:
        pair = (a.reshape(-1, 1).astype(dtype), b.reshape(-1, 1).astype(dtype))
        yield Case("Div", pair, name="signs")
        yield Case("Mod", pair, {"fmod": 0})
        yield Case("Mod", pair, {"fmod": 1})
        yield Case("Mod", pair, opset=10)
        yield Case("Mod", pair, opset=NEWEST)
    for dtype in FLOATS:
        pair = (normal(7, 2, dtype=dtype, scale=9), nonzero(normal(7, 2, dtype=dtype, key=1)))
        yield Case("Mod", pair, {"fmod": 1})
        yield Case("Mod", (special(dtype), np.full((10, 2), 0.75, dtype)), {"fmod": 1}, name="special")


def powers() -> Iterator[Case]:
    for dtype in FLOATS:
        x = positive(5, 3, dtype=dtype)
        yield Case("Pow", (x, normal(5, 3, dtype=dtype)))
        for exponent in (2, 3, 0.5, -1, 0, 1, 1.7):
            yield Case("Pow", (x, scalar(exponent, dtype)), constants=CONSTANT_1, name=str(exponent))
        yield Case("Pow", (normal(5, 3, dtype=dtype), scalar(2, "int64")), constants=CONSTANT_1)
        yield Case("Pow", (normal(5, 3, dtype=dtype), scalar(3, "float32")), constants=CONSTANT_1)
        for exponent in (2, -1, 3):
            yield Case(
                "Pow",
                (special(dtype), scalar(exponent, dtype)),
                constants=CONSTANT_1,
                name=f"special{exponent}",
            )
        yield Case(
            "Pow",
            (special(dtype), scalar(0.5, dtype)),
            constants=CONSTANT_1,
            reference=False,
            note="numpy's power of one 0.5 is its square root: NaN at -inf where C, ONNX Runtime and we have inf",
            name="special0.5",
        )
    for dtype in INTS:
        x = integers(5, 3, dtype=dtype)
        yield Case("Pow", (x, scalar(3, dtype)), constants=CONSTANT_1)
        yield Case("Pow", (x, scalar(2, "float32")), constants=CONSTANT_1)
    yield Case("Pow", (positive(5, 3), normal(3)), opset=9, constants=CONSTANT_1)
    yield Case("Pow", (positive(5, 3), normal(3)), opset=NEWEST, constants=CONSTANT_1)


def variadic() -> Iterator[Case]:
    for op in ("Max", "Min", "Mean", "Sum"):
        for dtype in FLOATS:
            a, b = normal(5, 3, dtype=dtype), normal(5, 3, dtype=dtype, key=1)
            yield Case(op, (a, b))
            yield Case(op, (a, b, normal(3, dtype=dtype)), constants=frozenset({2}))
            yield Case(op, (a,))
            yield Case(op, (special(dtype), special(dtype)[::-1].copy()), name="special")
        yield Case(op, (normal(5, 3), normal(5, 1)), opset=9)
        yield Case(op, (normal(5, 3), normal(5, 1)), opset=NEWEST)
    for op in ("Max", "Min"):
        for dtype in INTS:
            yield Case(op, (integers(5, 3, dtype=dtype), integers(5, 3, dtype=dtype, key=1)))


def bounds() -> Iterator[Case]:
    for dtype in FLOATS:
        x, low, high = normal(5, 3, dtype=dtype), scalar(-1, dtype), scalar(1.5, dtype)
        both = frozenset({1, 2})
        yield Case("Clip", (x, low, high), constants=both)
        yield Case("Clip", (x, None, high), constants=both)
        yield Case("Clip", (x, low), constants=both)
        yield Case("Clip", (x,))
        yield Case("Clip", (special(dtype), low, high), constants=both, name="special")
        yield Case("Clip", (x, high, low), constants=both, name="crossed", note="the upper bound wins")
    for dtype in INTS:
        yield Case(
            "Clip",
            (integers(5, 3, dtype=dtype), scalar(-2, dtype), scalar(4, dtype)),
            constants=frozenset({1, 2}),
        )
    x = normal(5, 3)
    yield Case("Clip", (x,), {"min": -1.0, "max": 0.5}, opset=9)
    yield Case("Clip", (x,), {"max": 0.5}, opset=9)
    yield Case("Clip", (x,), opset=9)
    for opset in (11, 12, 13, NEWEST):
        yield Case(
            "Clip", (x, scalar(-1, "float32"), scalar(1, "float32")), opset=opset, constants=frozenset({1, 2})
        )


def slopes() -> Iterator[Case]:
    for dtype in FLOATS:
        x = normal(5, 3, dtype=dtype)
        yield Case("PRelu", (x, normal(3, dtype=dtype)), constants=CONSTANT_1)
        yield Case("PRelu", (x, normal(1, dtype=dtype)), constants=CONSTANT_1)
        yield Case("PRelu", (special(dtype), normal(2, dtype=dtype)), constants=CONSTANT_1, name="special")
    yield Case("PRelu", (normal(4, 2, 3), normal(2, 1)), constants=CONSTANT_1)
    yield Case("PRelu", (normal(5, 3), normal(3)), opset=9, constants=CONSTANT_1)
    yield Case("PRelu", (normal(5, 3), normal(3)), opset=NEWEST, constants=CONSTANT_1)


def aliases() -> Iterator[Case]:
    """Operators that reading turns into others."""
    x = normal(5, 3)
    for opset in (9, 10):
        yield Case("Dropout", (x,), {"ratio": 0.3}, opset=opset)
    for opset in (12, 13, 22):
        yield Case("Dropout", (x, scalar(0.3, "float32")), opset=opset, constants=CONSTANT_1)
    yield Case("Swish", (x,), opset=24, runtime=False)
    yield Case("Swish", (x,), {"alpha": 0.5}, opset=24, runtime=False)


def cases() -> Iterator[Case]:
    for family in (
        unary,
        rounding,
        binary,
        logic,
        integer_division,
        powers,
        variadic,
        bounds,
        slopes,
        aliases,
    ):
        yield from family()
