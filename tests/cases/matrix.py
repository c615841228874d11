"""Cases of the matrix products."""

from __future__ import annotations

from collections.abc import Iterator

from cases.case import NEWEST, Case
from cases.values import FLOATS, INTS, integers, normal, numbers, scalar

WEIGHTS = frozenset({1, 2})
WIDTHS = ((3, 1), (3, 4), (10, 64), (64, 32), (7, 17), (1, 1), (33, 5))  # inner and outer size


def gemms() -> Iterator[Case]:
    for dtype in FLOATS:
        for inner, outer in WIDTHS:
            a, b = normal(5, inner, dtype=dtype), normal(inner, outer, dtype=dtype)
            yield Case(
                "Gemm", (a, b, normal(outer, dtype=dtype)), constants=WEIGHTS, tolerance=tolerance(dtype)
            )
            yield Case("Gemm", (a, b.T.copy()), {"transB": 1}, constants=WEIGHTS, tolerance=tolerance(dtype))
            yield Case("MatMul", (a, b), constants=WEIGHTS, tolerance=tolerance(dtype))
        a, b = normal(5, 3, dtype=dtype), normal(3, 4, dtype=dtype)
        factors = {"alpha": 0.5, "beta": 2.0}
        yield Case(
            "Gemm", (a, b, normal(4, dtype=dtype)), factors, constants=WEIGHTS, tolerance=tolerance(dtype)
        )
        yield Case(
            "Gemm",
            (a, b, normal(1, 4, dtype=dtype)),
            {"beta": -1.5},
            constants=WEIGHTS,
            tolerance=tolerance(dtype),
        )
        yield Case("Gemm", (a, b, scalar(0.7, dtype)), constants=WEIGHTS, tolerance=tolerance(dtype))
        yield Case("Gemm", (a, b), {"alpha": -2.0}, constants=WEIGHTS, tolerance=tolerance(dtype))
        yield Case("Gemm", (a, b, normal(1, dtype=dtype)), constants=WEIGHTS, tolerance=tolerance(dtype))
        yield Case(
            "Gemm",
            (a.T.copy(), b, normal(4, dtype=dtype)),
            {"transA": 1},
            constants=WEIGHTS,
            fixed=frozenset({0}),
            tolerance=tolerance(dtype),
        )
    for opset in (9, 11, 13, NEWEST):
        yield Case("Gemm", (normal(5, 3), normal(3, 2), normal(2)), opset=opset, constants=WEIGHTS)
        yield Case("MatMul", (normal(5, 3), normal(3, 2)), opset=opset, constants=WEIGHTS)
    yield Case("Gemm", (normal(5, 3), normal(3, 2), normal(5, 2)), constants=frozenset({1}), name="added")


def tolerance(dtype: str) -> float:
    return 1e-5 if dtype == "float32" else 1e-13


def products() -> Iterator[Case]:
    yield Case("MatMul", (normal(5, 3), normal(3)), constants=WEIGHTS, tolerance=1e-5)
    yield Case("MatMul", (normal(5, 2, 3), normal(3, 4)), constants=WEIGHTS, tolerance=1e-5)
    yield Case("MatMul", (normal(5, 2, 3), normal(5, 3, 2)), tolerance=1e-5)
    yield Case("MatMul", (normal(5, 2, 3), normal(1, 3, 2)), constants=WEIGHTS, tolerance=1e-5)
    yield Case("MatMul", (normal(3), normal(3, 2)), constants=WEIGHTS, fixed=frozenset({0}), tolerance=1e-5)
    yield Case("MatMul", (normal(3), normal(3)), constants=WEIGHTS, fixed=frozenset({0}), tolerance=1e-5)
    yield Case("MatMul", (normal(2, 4, 3), normal(2, 3, 2)), fixed=frozenset({0, 1}), tolerance=1e-5)
    yield Case(
        "MatMul", (normal(2, 2), normal(4, 2, 3)), constants=frozenset({0}), tolerance=1e-5, name="left"
    )
    for dtype in INTS:
        yield Case("MatMul", (numbers(5, 3, dtype=dtype), integers(3, 4, dtype=dtype)), constants=WEIGHTS)
        yield Case("Gemm", (numbers(5, 3, dtype=dtype), integers(3, 4, dtype=dtype)), constants=WEIGHTS)


def cases() -> Iterator[Case]:
    for family in (gemms, products):
        yield from family()
