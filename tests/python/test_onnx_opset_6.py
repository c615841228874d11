"""What changed between main opsets 6 and 9, and Mod of floats: no runtime knows all of it, so numpy says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from onnx import helper
from onnx_models import Array, model, run

from maas_engine import _core
from maas_engine.errors import FormatError, Unsupported

NODE = helper.make_node
X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
CUBE = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)
PAIR = np.array([3, -2], np.float32)
CONSTANTS = {"b": PAIR}


def read(
    nodes: Sequence[onnx.NodeProto], inputs: dict[str, Array], constants: dict[str, Array], opset: int = 6
) -> _core.Graph:
    return _core.read_onnx(model(nodes, inputs, ["y"], opset, initializers=constants).SerializeToString())


def value(graph: _core.Graph, inputs: dict[str, Array]) -> Array:
    """The one output, which what is written and read again gives too."""
    (result,) = _core.Program(graph, ["y"], True).run(inputs, 0).values()
    assert_allclose(result, run(_core.write_onnx(graph), inputs)[0], rtol=1e-6, atol=1e-6)
    return result


ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}
COMPARISONS = {"Greater": np.greater, "Less": np.less}


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
def test_operands_are_lined_up_from_an_axis_on(op: str) -> None:
    expected = (ARITHMETIC | COMPARISONS)[op]
    base = np.abs(CUBE)
    for axis in (1, -2):
        graph = read([NODE(op, ["x", "b"], ["y"], broadcast=1, axis=axis)], {"x": base}, CONSTANTS)
        assert_allclose(value(graph, {"x": base}), expected(base, PAIR[:, None]), rtol=1e-6)


@pytest.mark.parametrize(
    ("op", "expected"), [("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor)]
)
def test_flags_are_lined_up_too(op: str, expected: np.ufunc) -> None:
    x, b = CUBE > 0, np.array([True, False])
    graph = read([NODE(op, ["x", "b"], ["y"], broadcast=1, axis=1)], {"x": x}, {"b": b})
    assert_array_equal(value(graph, {"x": x}), expected(x, b[:, None]))


def test_integers_are_equal_from_an_axis_on() -> None:
    x, b = (CUBE > 0).astype(np.int64), np.array([1, 0])
    graph = read([NODE("Equal", ["x", "b"], ["y"], broadcast=1, axis=1)], {"x": x}, {"b": b})
    assert_array_equal(value(graph, {"x": x}), x == b[:, None])


def test_operands_without_an_axis() -> None:
    three, one = np.arange(3, dtype=np.float32), np.ones((1, 1), np.float32)
    for b, more in (
        (three, {"broadcast": 1}),
        (one, {"broadcast": 1, "axis": 0}),
        (three, {"broadcast": 1, "axis": 2}),
    ):
        graph = read([NODE("Add", ["x", "b"], ["y"], **more)], {"x": CUBE}, {"b": b})
        assert_allclose(value(graph, {"x": CUBE}), CUBE + b, rtol=1e-6)


def test_an_axis_of_an_inner_value() -> None:
    nodes = [NODE("Neg", ["x"], ["h"]), NODE("Add", ["h", "b"], ["y"], broadcast=1, axis=1)]
    two = X[:, :2].copy()
    assert_allclose(value(read(nodes, {"x": two}, CONSTANTS), {"x": two}), PAIR - two, rtol=1e-6)
    square = CUBE[:, :, :2].copy()  # the axis is not the last, and numpy would take it for that
    with pytest.raises(Unsupported, match=r"Add 'y'.* last dimensions"):
        read(nodes, {"x": square}, CONSTANTS)
    swapped = [NODE("Neg", ["x"], ["h"]), NODE("Add", ["x", "h"], ["y"], broadcast=1, axis=0)]
    with pytest.raises(Unsupported, match="a constant second one"):
        read(swapped, {"x": CUBE}, {})


def test_an_axis_that_does_not_fit() -> None:
    for axis in (2, -1, -4, 3):
        with pytest.raises(FormatError, match="line up"):
            read([NODE("Add", ["x", "b"], ["y"], broadcast=1, axis=axis)], {"x": X}, {"b": X})


def test_slopes_are_of_channels() -> None:
    for x in (CUBE, X[:, :2].copy()):
        graph = read([NODE("PRelu", ["x", "b"], ["y"])], {"x": x}, CONSTANTS)
        slope = PAIR[:, None] if x.ndim == 3 else PAIR
        assert_allclose(value(graph, {"x": x}), np.where(x < 0, x * slope, x), rtol=1e-6)
    square = CUBE[:, :, :2].copy()
    seven = read([NODE("PRelu", ["x", "b"], ["y"])], {"x": square}, CONSTANTS, 7)
    assert_allclose(value(seven, {"x": square}), np.where(square < 0, square * PAIR, square), rtol=1e-6)


def test_gemm() -> None:
    w, c = np.ones((4, 3), np.float32), np.arange(3, dtype=np.float32)
    graph = read([NODE("Gemm", ["x", "w", "c"], ["y"], broadcast=1)], {"x": X}, {"w": w, "c": c})
    assert_allclose(value(graph, {"x": X}), X @ w + c, rtol=1e-5)


@pytest.mark.parametrize("opset", [6, 7, 8])
def test_batch_normalization(opset: int) -> None:
    constants = {name: np.array([1, 2], np.float32) for name in ("scale", "bias", "mean", "var")}
    names, test = ["x", *constants], {"is_test": 1} if opset < 7 else {}
    graph = read([NODE("BatchNormalization", names, ["y"], spatial=1, **test)], {"x": CUBE}, constants, opset)
    v = constants["mean"][:, None]
    assert_allclose(value(graph, {"x": CUBE}), (CUBE - v) / np.sqrt(v + 1e-5) * v + v, rtol=1e-5, atol=1e-6)
    with pytest.raises(Unsupported, match="spatial 1"):
        read([NODE("BatchNormalization", names, ["y"], spatial=0, **test)], {"x": CUBE}, constants, opset)
    if opset < 7:
        with pytest.raises(Unsupported, match="is_test 1"):
            read([NODE("BatchNormalization", names, ["y"])], {"x": CUBE}, constants, opset)


def test_dropout() -> None:
    graph = read([NODE("Dropout", ["x"], ["y"], is_test=1, ratio=0.25)], {"x": X}, {})
    assert_array_equal(value(graph, {"x": X}), X)
    with pytest.raises(Unsupported, match="is_test 1"):
        read([NODE("Dropout", ["x"], ["y"])], {"x": X}, {})


def test_older_opsets_where_nothing_changed() -> None:
    graph = read([NODE("Softmax", ["x"], ["y"])], {"x": X}, {}, 1)
    assert_allclose(value(graph, {"x": X}).sum(axis=1), 1, rtol=1e-6)
    with pytest.raises(Unsupported, match=r"opset 5 of domain ai.onnx; expected 6 to"):
        read([NODE("Exp", ["x"], ["y"])], {"x": X}, {}, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_remainder_with_the_sign_of_the_divisor(dtype: type) -> None:
    if onnx.defs.onnx_opset_version() < 28:
        pytest.skip("came with opset 28")
    inf, nan = np.inf, np.nan
    a = np.array([5.3, -5.3, 5.3, -5.3, 0.0, -0.0, 0.0, 4, -4, inf, nan, 1, -1, 1, 2, 0.0], dtype)
    b = np.array([2, 2, -2, -2, 3, 3, -3, -2, 2, 2, 2, inf, inf, -inf, 0, -inf], dtype)
    graph = read([NODE("Mod", ["a", "b"], ["y"])], {"a": a, "b": b}, {}, 28)
    got = value(graph, {"a": a, "b": b})
    with np.errstate(invalid="ignore"):
        expected = np.mod(a, b)
    assert_array_equal(got, expected)
    assert_array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(expected[~np.isnan(expected)]))
    with pytest.raises(FormatError, match="'fmod' of 1 for floats"):
        read([NODE("Mod", ["a", "b"], ["y"])], {"a": a, "b": b}, {}, 13)
    for fmod in (0, 1):
        whole = {"a": np.array([7, -7, 7, -7]), "b": np.array([3, 3, -3, -3])}
        integers = read([NODE("Mod", ["a", "b"], ["y"], fmod=fmod)], whole, {}, 28)
        assert [node.op for node in integers.nodes] == ["Mod"]
        assert_array_equal(value(integers, whole), (np.fmod if fmod else np.mod)(whole["a"], whole["b"]))
