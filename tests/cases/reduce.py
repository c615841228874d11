"""Cases of reductions, arg-max, softmax and the norms over axes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cases.case import NEWEST, Case
from cases.values import FLOATS, INTS, NUMBERS, bools, i64, integers, normal, numbers, positive, special

AXES = frozenset({1})
REDUCTIONS = [
    f"Reduce{name}" for name in ("L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")
]


def reductions() -> Iterator[Case]:
    for op in REDUCTIONS:
        for dtype in FLOATS:
            x = normal(5, 7, dtype=dtype)
            for keepdims in (0, 1):
                yield Case(op, (x, i64(1)), {"keepdims": keepdims}, constants=AXES)
                yield Case(
                    op, (normal(4, 2, 3, dtype=dtype), i64(-1)), {"keepdims": keepdims}, constants=AXES
                )
            yield Case(op, (normal(4, 2, 3, dtype=dtype), i64(1)), constants=AXES)
            yield Case(op, (normal(4, 2, 3, dtype=dtype), i64(2, 1)), {"keepdims": 0}, constants=AXES)
            yield Case(op, (normal(3, 100, dtype=dtype, scale=0.5), i64(1)), constants=AXES, name="long")
            yield Case(op, (x,), {"noop_with_empty_axes": 1}, name="noop")
            yield Case(op, (normal(3, 4, dtype=dtype),), fixed=frozenset({0}), name="all")
        yield Case(op, (normal(5, 7), i64(1)), opset=NEWEST, constants=AXES)
        yield Case(op, (normal(5, 1), i64(1)), constants=AXES, name="one")
        for opset in (9, 11, 13) if op != "ReduceSum" else (9, 11):
            for keepdims in (0, 1):
                yield Case(op, (normal(5, 7),), {"axes": [1], "keepdims": keepdims}, opset=opset)
        yield Case(op, (normal(4, 2, 3),), {"axes": [-1]}, opset=11)
    for op in ("ReduceMax", "ReduceMin"):
        yield Case(op, (special(), i64(1)), constants=AXES, name="special")
        yield Case(op, (bools(6, 3), i64(1)), constants=AXES, runtime=True)
    yield Case(
        "ReduceLogSumExp",
        (np.array([[1000.0, 1001.0], [-1000.0, -1001.0], [0.0, -np.inf]], np.float32), i64(1)),
        constants=AXES,
        reference=False,
        note="the reference evaluator overflows",
        name="large",
    )


def integer_reductions() -> Iterator[Case]:
    for dtype in INTS:
        x = integers(5, 4, dtype=dtype)
        for op in ("ReduceL1", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"):
            widens = (op, dtype) == ("ReduceSumSquare", "int32")
            note = "the reference evaluator widens to int64" if widens else ""
            yield Case(op, (x, i64(1)), constants=AXES, reference=not widens, note=note)
        yield Case("ReduceMean", (x, i64(1)), constants=AXES, note="rounded toward zero")
        yield Case("ReduceL2", (x, i64(1)), constants=AXES, runtime=False, note="rounded toward zero")


def arg_extremes() -> Iterator[Case]:
    ties = np.array([[1, 3, 3], [2, 2, 2], [5, 1, 5], [-1, -1, -3]])
    for op in ("ArgMax", "ArgMin"):
        for dtype in NUMBERS:
            for last in (0, 1):
                for keepdims in (0, 1):
                    attributes = {"axis": 1, "keepdims": keepdims, "select_last_index": last}
                    yield Case(op, (ties.astype(dtype),), attributes, types=("int64",))
            yield Case(op, (numbers(4, 3, 5, dtype=dtype),), {"axis": -2}, types=("int64",))
        yield Case(op, (normal(5, 7),), {"axis": 1}, opset=9, types=("int64",))
        yield Case(op, (normal(5, 7),), {"axis": -1}, opset=11, types=("int64",))
        yield Case(op, (normal(5, 7),), {"axis": -1}, opset=NEWEST, types=("int64",))
        yield Case(op, (normal(5, 7),), types=("int64",), fixed=frozenset({0}))
        holes = np.array([[1, np.nan, 3], [np.nan, 2, np.nan], [np.inf, 1, np.inf]], np.float32)
        note = "ONNX Runtime passes over NaN; numpy, the reference evaluator and we answer with the first"
        yield Case(op, (holes,), {"axis": 1}, types=("int64",), runtime=False, note=note)


def softmaxes() -> Iterator[Case]:
    for op in ("Softmax", "LogSoftmax"):
        for dtype in FLOATS:
            yield Case(op, (normal(5, 7, dtype=dtype),))
            yield Case(op, (normal(5, 1, dtype=dtype),))
            yield Case(op, (normal(3, 70, dtype=dtype),))
            yield Case(op, (normal(4, 3, 2, dtype=dtype),), {"axis": 1})
            yield Case(op, (normal(4, 3, 2, dtype=dtype),), {"axis": -1})
            large = np.array([[1000, 1001, 999], [-1000, 0, 1000], [-2000, -2001, -2000]], dtype)
            note = "the reference evaluator takes the logarithm of 0"
            yield Case(op, (large,), reference=op == "Softmax", note=note, name="large")
        yield Case(op, (normal(5, 7),), opset=NEWEST)
        yield Case(op, (normal(3, 4),), {"axis": 0}, fixed=frozenset({0}))
        for opset in (9, 11):  # the axes from `axis` on count as one
            yield Case(
                op,
                (normal(4, 3, 2),),
                {"axis": 1},
                opset=opset,
                reference=False,
                note="the evaluator knows 13",
            )
            yield Case(op, (normal(5, 7),), opset=opset)
            yield Case(
                op,
                (normal(4, 3, 2),),
                {"axis": 2},
                opset=opset,
                reference=False,
                note="the evaluator knows 13",
            )
    yield Case("Softmax", (np.array([[-np.inf, 0, 1], [-np.inf, -np.inf, 2]], np.float32),), name="masked")


def norms() -> Iterator[Case]:
    constants = frozenset({1, 2, 3, 4})
    for dtype in FLOATS:
        for shape in ((5, 3), (4, 3, 2)):
            inputs = (normal(*shape, dtype=dtype), *(normal(3, dtype=dtype, key=k) for k in range(3)))
            variance = positive(3, dtype=dtype)
            yield Case("BatchNormalization", (*inputs, variance), constants=constants, loose=1e-5)
            yield Case(
                "BatchNormalization", (*inputs, variance), {"epsilon": 0.1}, constants=constants, loose=1e-5
            )
        for opset in (9, 14, 15, NEWEST):
            case = (normal(5, 3, dtype=dtype), *(normal(3, dtype=dtype, key=k) for k in range(3)))
            note = "the reference evaluator takes the statistics of the rows" if opset == 9 else ""
            options = {
                "opset": opset,
                "constants": constants,
                "reference": not note,
                "note": note,
                "loose": 1e-5,
            }
            yield Case("BatchNormalization", (*case, positive(3, dtype=dtype)), **options)
        x = normal(4, 3, 5, dtype=dtype)
        yield Case("LayerNormalization", (x, normal(5, dtype=dtype)), constants=constants, loose=1e-5)
        yield Case(
            "LayerNormalization",
            (x, normal(5, dtype=dtype), normal(5, dtype=dtype, key=1)),
            constants=constants,
            loose=1e-5,
        )
        yield Case(
            "LayerNormalization",
            (x, normal(3, 5, dtype=dtype), normal(3, 5, dtype=dtype, key=1)),
            {"axis": 1, "epsilon": 0.01},
            constants=constants,
            loose=1e-5,
        )
    x = normal(4, 3, 5)
    three = ("float32",) * 3
    yield Case("LayerNormalization", (x, normal(5)), types=three, constants=constants, loose=1e-5)
    yield Case("LayerNormalization", (x, normal(5)), opset=17, constants=constants, loose=1e-5)
    yield Case("LayerNormalization", (x, normal(5)), opset=NEWEST, constants=constants, loose=1e-5)


def cases() -> Iterator[Case]:
    for family in (reductions, integer_reductions, arg_extremes, softmaxes, norms):
        yield from family()
