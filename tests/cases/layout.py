"""Cases of the operators that move values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cases.case import NEWEST, Case
from cases.values import bools, i64, integers, normal, numbers

AT_1 = frozenset({1})
FIXED = frozenset({0})
DTYPES = ("float32", "float64", "int64", "int32", "bool", "string")


def of_type(*shape: int, dtype: str, key: Any = 0) -> np.ndarray:
    if dtype == "bool":
        return bools(*shape, key=key)
    if dtype == "string":
        letters = np.array(["", "a", "bc", "long enough to be on the heap", "é"], dtype=object)
        return letters[integers(*shape, key=key, low=0, high=5)]
    return numbers(*shape, dtype=dtype, key=key)


def gathers() -> Iterator[Case]:
    for dtype in DTYPES:
        x = of_type(6, 4, dtype=dtype)
        yield Case("Gather", (x, i64(2, 0, -1)), {"axis": 1}, constants=AT_1)
        yield Case("Gather", (x, np.array(1, np.int64)), {"axis": 1}, constants=AT_1)
        table = of_type(5, 3, dtype=dtype)
        note = "ONNX Runtime loses texts of a row but the first" if dtype == "string" else ""
        rows = integers(6, low=0, high=5)
        yield Case(
            "Gather",
            (table, rows),
            constants=FIXED,
            types=(dtype,),
            runtime=not note,
            note=note,
            name="table",
        )
        chosen = integers(6, 2, low=-4, high=4)
        yield Case("GatherElements", (x, chosen), {"axis": 1})
    x = normal(6, 4, 3)
    yield Case("Gather", (x, i64(0, 2).reshape(1, 2)), {"axis": -1}, constants=AT_1)
    yield Case("Gather", (x, np.array([[1, 3]], np.int32)), {"axis": 1}, constants=AT_1)
    yield Case("Gather", (normal(5), integers(6, 1, low=-5, high=5)), constants=FIXED)
    few = integers(6, 4, 2, low=0, high=3)
    note = "the reference evaluator refuses a negative axis"
    yield Case("GatherElements", (x, few), {"axis": -1}, reference=False, note=note)
    yield Case("GatherElements", (normal(3, 2), integers(3, 2, low=0, high=3)), fixed=frozenset({0, 1}))
    for opset in (9, 11, 13, NEWEST):
        yield Case("Gather", (normal(6, 4), i64(2, 0)), {"axis": 1}, opset=opset, constants=AT_1)
    for opset in (11, 13, NEWEST):
        yield Case("GatherElements", (normal(6, 4), integers(6, 2, low=0, high=4)), {"axis": 1}, opset=opset)


def joins() -> Iterator[Case]:
    for dtype in DTYPES:
        a, b = of_type(6, 2, dtype=dtype), of_type(6, 3, dtype=dtype, key=1)
        yield Case("Concat", (a, b), {"axis": 1})
        yield Case("Concat", (a, b, a[:, :1].copy()), {"axis": -1})
        yield Case(
            "Split", (of_type(6, 5, dtype=dtype), i64(2, 3)), {"axis": 1}, constants=AT_1, types=(dtype,) * 2
        )
    yield Case("Concat", (normal(6, 2),), {"axis": 1})
    yield Case("Concat", (normal(6, 2, 3), normal(6, 2, 1), normal(6, 2, 2)), {"axis": 2})
    yield Case("Concat", (normal(2), normal(3)), {"axis": 0}, fixed=frozenset({0, 1}))
    for opset in (9, 11, 13, NEWEST):
        yield Case("Concat", (normal(6, 2), normal(6, 1)), {"axis": 1}, opset=opset)
    three = ("float32",) * 3
    for opset in (9, 11):
        yield Case("Split", (normal(6, 6),), {"axis": 1}, opset=opset, types=three)
        yield Case("Split", (normal(6, 6),), {"axis": 1, "split": [1, 2, 3]}, opset=opset, types=three)
    yield Case("Split", (normal(6, 6),), {"axis": -1}, opset=13, types=three)
    yield Case("Split", (normal(6, 6), i64(3, 0, 3)), {"axis": 1}, opset=13, constants=AT_1, types=three)
    for opset in (18, 21, NEWEST):
        yield Case("Split", (normal(6, 6),), {"axis": 1, "num_outputs": 3}, opset=opset, types=three)
        yield Case(
            "Split", (normal(6, 7),), {"axis": 1, "num_outputs": 3}, opset=opset, types=three, name="uneven"
        )
    note = "ONNX Runtime crashes where an output is left out"
    some = ("float32", "", "float32")
    yield Case(
        "Split",
        (normal(6, 6), i64(1, 2, 3)),
        {"axis": 1},
        constants=AT_1,
        types=some,
        runtime=False,
        note=note,
    )


def shapes() -> Iterator[Case]:
    for dtype in DTYPES:
        x = of_type(6, 4, dtype=dtype)
        yield Case("Reshape", (x, i64(-1, 2, 2)), constants=AT_1)
        yield Case("Reshape", (x, i64(0, 2, -1)), constants=AT_1)
        yield Case("Flatten", (of_type(6, 2, 2, dtype=dtype),))
        yield Case("Squeeze", (of_type(6, 1, 2, dtype=dtype), i64(1)), constants=AT_1)
        yield Case("Unsqueeze", (x, i64(1)), constants=AT_1)
        yield Case("Transpose", (of_type(6, 2, 3, dtype=dtype),), {"perm": [0, 2, 1]})
        yield Case("Tile", (x, i64(1, 2)), constants=AT_1)
        yield Case("Expand", (of_type(6, 1, dtype=dtype), i64(1, 4)), constants=AT_1)
    x = normal(6, 4)
    yield Case("Reshape", (normal(6, 4, 1), i64(-1, 4)), constants=AT_1)
    yield Case("Reshape", (normal(6, 1), i64(-1)), constants=AT_1)
    yield Case("Reshape", (normal(3, 4), i64(2, -1)), constants=AT_1, fixed=FIXED)
    yield Case("Reshape", (normal(3, 4), i64(12)), constants=AT_1, fixed=FIXED)
    yield Case("Reshape", (x, i64(-1, 4)), {"allowzero": 1}, constants=AT_1)
    yield Case("Flatten", (normal(6, 2, 2),), {"axis": -2})
    yield Case("Flatten", (normal(6, 1, 4),), {"axis": 2})
    yield Case("Flatten", (normal(2, 3, 2),), {"axis": 0}, fixed=FIXED)
    yield Case("Flatten", (normal(6),))
    yield Case("Squeeze", (normal(6, 1, 2, 1), i64(-1, 1)), constants=AT_1)
    yield Case("Squeeze", (normal(1, 3, 1),), fixed=FIXED)
    yield Case("Unsqueeze", (x, i64(-1, 1)), constants=AT_1)
    yield Case("Transpose", (normal(2, 3, 4),), fixed=FIXED)
    yield Case("Transpose", (normal(6, 2, 3, 2),), {"perm": [0, 3, 1, 2]})
    yield Case("Tile", (normal(6, 2, 3), i64(1, 3, 2)), constants=AT_1)
    yield Case("Tile", (normal(2, 2), i64(2, 1)), constants=AT_1, fixed=FIXED)
    yield Case("Expand", (normal(6, 1), i64(3, 1, 1)), constants=AT_1, fixed=FIXED)
    yield Case("Expand", (normal(6, 1), i64(1)), constants=AT_1)
    for opset in (9, 13, 14, 19, NEWEST):
        yield Case("Reshape", (x, i64(-1, 2, 2)), opset=opset, constants=AT_1)
    for opset in (9, 11, 13, NEWEST):
        yield Case("Flatten", (normal(6, 2, 2),), opset=opset)
        yield Case("Transpose", (normal(6, 2, 3),), {"perm": [0, 2, 1]}, opset=opset)
        yield Case("Tile", (x, i64(1, 2)), opset=opset, constants=AT_1)
        yield Case("Expand", (normal(6, 1), i64(1, 4)), opset=opset, constants=AT_1)
    for opset in (9, 11):
        yield Case("Squeeze", (normal(6, 1, 2),), {"axes": [1]}, opset=opset)
        yield Case("Unsqueeze", (x,), {"axes": [1, 3]}, opset=opset)
    yield Case("Unsqueeze", (x,), {"axes": [-1]}, opset=11)
    for opset in (13, NEWEST):
        yield Case("Squeeze", (normal(6, 1, 2), i64(1)), opset=opset, constants=AT_1)
        yield Case("Unsqueeze", (x, i64(1)), opset=opset, constants=AT_1)


def slices() -> Iterator[Case]:
    constants = frozenset({1, 2, 3, 4})
    ends = np.iinfo(np.int64).max
    for dtype in DTYPES:
        x = of_type(6, 5, dtype=dtype)
        yield Case("Slice", (x, i64(1), i64(4), i64(1)), constants=constants)
        yield Case("Slice", (x, i64(-1), i64(-6), i64(1), i64(-2)), constants=constants)
    x = normal(6, 5, 4)
    yield Case("Slice", (x, i64(1, 0), i64(ends, 3), i64(1, -1), i64(2, 1)), constants=constants)
    yield Case("Slice", (x, i64(0, 1, 1), i64(ends, 3, 3)), constants=constants)
    yield Case("Slice", (x, i64(3), i64(1), i64(1)), constants=constants, name="empty")
    yield Case("Slice", (x, i64(-100), i64(100), i64(1)), constants=constants, name="clamped")
    yield Case("Slice", (x, i64(4), i64(-100), i64(1), i64(-1)), constants=constants, name="backward")
    yield Case("Slice", (normal(4, 3), i64(1), i64(3)), constants=constants, fixed=FIXED)
    yield Case("Slice", (normal(6, 4), i64(1), i64(3), i64(1), None), constants=constants, name="absent")
    yield Case(
        "Slice",
        (x, np.array([1], np.int32), np.array([3], np.int32), np.array([1], np.int32)),
        constants=constants,
    )
    yield Case("Slice", (x,), {"starts": [1], "ends": [4], "axes": [1]}, opset=9)
    yield Case("Slice", (x,), {"starts": [0, -3], "ends": [ends, -1]}, opset=9)
    for opset in (10, 11, 13, NEWEST):
        yield Case("Slice", (x, i64(1), i64(4), i64(1), i64(2)), opset=opset, constants=constants)


def fills() -> Iterator[Case]:
    for value in (
        np.array([2.5], np.float32),
        np.array([1.5]),
        i64(7),
        np.array([3], np.int32),
        np.array([True]),
    ):
        dtype = str(value.dtype)
        yield Case("ConstantOfShape", (i64(2, 3),), {"value": value}, constants=FIXED, types=(dtype,))
    yield Case("ConstantOfShape", (i64(4),), constants=FIXED, types=("float32",))
    yield Case("ConstantOfShape", (i64(2, 2),), opset=9, constants=FIXED, types=("float32",))
    yield Case("ConstantOfShape", (i64(2, 2),), opset=NEWEST, constants=FIXED, types=("float32",))
    for dtype in DTYPES:
        yield Case("Shape", (of_type(2, 3, 4, dtype=dtype),), types=("int64",), fixed=FIXED)
    for attributes in ({"start": 1}, {"end": -1}, {"start": -2, "end": 100}):
        yield Case("Shape", (normal(2, 3, 4),), attributes, types=("int64",), fixed=FIXED)
    for opset in (9, 13, 15, NEWEST):
        yield Case("Shape", (normal(2, 3),), opset=opset, types=("int64",), fixed=FIXED)


def cases() -> Iterator[Case]:
    for family in (gathers, joins, shapes, slices, fills):
        yield from family()
