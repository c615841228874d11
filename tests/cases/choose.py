"""Cases of Where and Cast."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cases.case import DTYPES, NEWEST, Case
from cases.layout import of_type
from cases.values import NUMBERS, bools, normal, scalar, special, texts


def wheres() -> Iterator[Case]:
    for dtype in DTYPES:
        x, y = of_type(6, 3, dtype=dtype), of_type(6, 3, dtype=dtype, key=1)
        yield Case("Where", (bools(6, 3), x, y), types=(dtype,))
        yield Case("Where", (bools(6, 1), x, y[0]), constants=frozenset({2}), types=(dtype,))
    yield Case(
        "Where",
        (bools(6, 3), special()[:6, :1], scalar(0, "float32")),
        constants=frozenset({2}),
        types=("float32",),
    )
    yield Case("Where", (bools(3), normal(6, 3), normal(6, 1)), constants=frozenset({0}), types=("float32",))
    for opset in (9, 16, NEWEST):
        yield Case("Where", (bools(6, 3), normal(6, 3), normal(6, 3, key=1)), opset=opset, types=("float32",))


def casts() -> Iterator[Case]:
    for source in (*NUMBERS, "bool"):
        for target in (*NUMBERS, "bool"):
            yield Case("Cast", (of_type(6, 3, dtype=source),), {"to": DTYPES[target]}, types=(target,))
    values = np.array([[0.0, -0.0], [0.9, -0.9], [1.5, -2.5], [2.0**31 - 128, -(2.0**31)]])
    for source in ("float32", "float64"):
        for target in ("int64", "int32"):
            yield Case("Cast", (values.astype(source),), {"to": DTYPES[target]}, types=(target,), name="cut")
        yield Case("Cast", (special(source),), {"to": DTYPES["bool"]}, types=("bool",), name="special")
    yield Case("Cast", (special("float64"),), {"to": DTYPES["float32"]}, types=("float32",), name="special")
    yield Case(
        "Cast", (np.array([2**53 + 1, -(2**63), 2**62]),), {"to": DTYPES["float64"]}, types=("float64",)
    )
    for opset in (9, 13, 19, NEWEST):
        yield Case("Cast", (normal(6, 2),), {"to": DTYPES["int64"]}, opset=opset, types=("int64",))


def string_casts() -> Iterator[Case]:
    numbers = texts(["0", "-1", "12345", "+7", "0042"])
    for target in NUMBERS:
        yield Case("Cast", (numbers,), {"to": DTYPES[target]}, types=(target,))
    floats = texts(["1.5", "-2e3", "1E-5", ".5", "5.", "NaN", "INF", "-INF", "+INF", "-0"])
    for target in ("float32", "float64"):
        yield Case("Cast", (floats,), {"to": DTYPES[target]}, types=(target,))
    for source in ("int64", "int32"):
        yield Case("Cast", (np.array([0, -1, 12345], source),), {"to": DTYPES["string"]}, types=("string",))
    reals = np.array([0.0, -0.0, 1, 0.1, -2.5, 2 / 3, 1e-4, 1e-5, 12345678, 1e8, np.nan, np.inf, -np.inf])
    for source in ("float32", "float64"):
        note = "ONNX Runtime writes eight digits, the reference evaluator 1.0 for 1; we what reads back"
        yield Case(
            "Cast",
            (reals.astype(source),),
            {"to": DTYPES["string"]},
            types=("string",),
            reference=False,
            runtime=False,
            note=note,
        )
    yield Case("Cast", (texts(["a", ""]),), {"to": DTYPES["string"]})
    yield Case("Cast", (texts(["1.5", "-2"]),), {"to": DTYPES["float32"]}, opset=9, types=("float32",))


def cases() -> Iterator[Case]:
    for family in (wheres, casts, string_casts):
        yield from family()
