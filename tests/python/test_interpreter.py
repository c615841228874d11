"""The interpreter beyond single operators: whole graphs, other namespaces, its own functions, its errors."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import array_api_strict
import numpy as np
import pytest
from scipy import special

from maas_engine import _core, interpreter
from maas_engine.errors import InvalidArgument, NotFound, Unsupported
from maas_engine.graph import Graph, GraphBuilder
from maas_engine.interpreter._functions import erf, normal_cdf

SOURCES = sorted(Path(interpreter.__file__).parent.glob("*.py"))


def small_classifier() -> Graph:
    builder = GraphBuilder("classifier")
    x = builder.input("X", np.float32, (None, 3))
    scores = builder.add("Gemm", x, builder.constant(np.eye(3, 2, dtype=np.float32)), outputs="scores")
    builder.add("Softmax", scores, axis=-1, outputs="probabilities")
    place = builder.add("ArgMax", scores, axis=1, keepdims=0)
    names = builder.constant(np.array(["no", "yes"]))
    builder.add("ArrayFeatureExtractor", names, place, domain="ai.onnx.ml", outputs="label")
    builder.output("label", "probabilities")
    return builder.build()


X = np.array([[1, 2, 0], [3, 0, 1]], np.float32)


def test_whole_graph_and_its_inner_values() -> None:
    outputs = interpreter.run(small_classifier(), {"X": X})
    assert list(outputs) == ["label", "probabilities"]
    assert outputs["label"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(outputs["probabilities"].sum(axis=1), 1, rtol=1e-6)
    inner = interpreter.run(small_classifier(), {"X": X}, outputs=["scores"])
    np.testing.assert_array_equal(inner["scores"], X[:, :2])


def test_weights_are_moved_once() -> None:
    moved = []

    class Counting(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

        def asarray(self, x: Any, *args: Any) -> Any:
            moved.append(x)
            return np.asarray(x, *args)

    runs = interpreter.Interpreter(small_classifier(), xp=Counting(), outputs=["scores"])
    weights = sum(np.shape(x) == (3, 2) for x in moved)
    moved.clear()
    runs.run({"X": X})
    assert weights == 1
    assert all(x is X or np.shape(x) != (3, 2) for x in moved if isinstance(x, np.ndarray) and x.base is None)


def test_text_stays_on_the_host() -> None:
    outputs = interpreter.run(small_classifier(), {"X": array_api_strict.asarray(X)}, xp=array_api_strict)
    assert isinstance(outputs["label"], np.ndarray)
    assert isinstance(outputs["probabilities"], type(array_api_strict.asarray(X)))


def test_inputs_widen_and_are_not_changed() -> None:
    builder = GraphBuilder()
    x = builder.input("X", np.float64, (None, 2))
    builder.output(builder.add("Add", x, builder.constant(np.array([0.5, 1.5]))))
    given = np.array([[1, 2]], np.int32)
    (sums,) = interpreter.run(builder.build(), {"X": given}).values()
    assert sums.dtype == np.float64
    assert sums.tolist() == [[1.5, 3.5]]
    assert given.tolist() == [[1, 2]]


def test_unneeded_nodes_are_left_out() -> None:
    graph = SimpleNamespace(
        inputs=[("X", "float32", (None, 1))],
        outputs=[("y", "float32", (None, 1))],
        initializers={},
        nodes=[node("Relu", "X", "y"), node("Conv", "X", "z")],
    )
    assert interpreter.run(graph, {"X": X[:, :1]})["y"].shape == (2, 1)
    with pytest.raises(Unsupported, match="Conv"):
        interpreter.run(graph, {"X": X}, outputs=["z"])


def node(op: str, x: str, y: str, **attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(op=op, domain="", name="", inputs=[x], outputs=[y], attributes=attributes)


def test_missing_input_and_unknown_output() -> None:
    with pytest.raises(InvalidArgument, match=r"\[interpreter\] expected an input 'X', got Y"):
        interpreter.run(small_classifier(), {"Y": X})
    with pytest.raises(NotFound, match="nothing"):
        interpreter.run(small_classifier(), {"X": X}, outputs=["nothing"])


@pytest.mark.parametrize(
    ("op", "domain", "inputs", "attributes", "message"),
    [
        ("Div", "", [np.array([1, 2]), np.array([1, 0])], {}, "by zero"),
        ("Mod", "", [np.array([1, 2]), np.array([1, 0])], {}, "by zero"),
        ("Cast", "", [np.array([1.0, np.nan])], {"to": 7}, "int64 cannot hold"),
        ("Cast", "", [np.array([2.0**31, 0.0])], {"to": 6}, "int32 cannot hold"),
        ("Cast", "", [np.array(["1", "x"], dtype=object)], {"to": 1}, "float32"),
        ("Gather", "", [np.eye(2), np.array([0, 2])], {}, "indices"),
        ("GatherElements", "", [np.eye(2), np.array([[0, -3]])], {"axis": 1}, "indices"),
        ("OneHotEncoder", "ai.onnx.ml", [np.array([3])], {"cats_int64s": [1], "zeros": 0}, "categories"),
    ],
)
def test_what_a_row_may_get_wrong(
    op: str, domain: str, inputs: list[np.ndarray], attributes: dict[str, Any], message: str
) -> None:
    names = [f"x{i}" for i in range(len(inputs))]
    only = SimpleNamespace(op=op, domain=domain, name="n", inputs=names, outputs=["y"], attributes=attributes)
    kinds = ["string" if x.dtype == object else str(x.dtype) for x in inputs]
    graph = SimpleNamespace(
        inputs=[(name, kind, x.shape) for name, kind, x in zip(names, kinds, inputs, strict=True)],
        outputs=[("y", "float32", ())],
        initializers={},
        nodes=[only],
    )
    with pytest.raises(InvalidArgument, match=rf"{op} 'n'\] .*{message}"):
        interpreter.run(graph, dict(zip(names, inputs, strict=True)))
    # A program refuses the same rows.
    parts = [(op, domain, "n", names, ["y"], attributes)]
    program = _core.Program(_core.Graph("wrong", graph.inputs, ["y"], parts, {}, {}), ["y"], True)
    with pytest.raises(InvalidArgument, match=rf"{op} 'n'\]"):
        program.run(dict(zip(names, inputs, strict=True)), 0)


def test_erf_within_its_stated_error() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20001), [0.0, -0.0, 1e-300, 1.0, -1.0, np.inf, -np.inf]])
    want = np.array([math.erf(value) for value in x])
    assert np.all(np.abs(erf(np, x) - want) <= 4 * np.spacing(np.abs(want)))
    single = x.astype(np.float32)
    exact = np.array([math.erf(value) for value in single.astype(float)], np.float32)
    assert np.all(np.abs(erf(np, single) - exact) <= np.spacing(np.abs(exact)))
    assert np.isnan(erf(np, np.array([np.nan]))[0])


def test_normal_cdf_does_not_cancel() -> None:
    x = np.linspace(-36, 10, 20001)
    np.testing.assert_allclose(normal_cdf(np, x), special.ndtr(x), rtol=2e-13)


# Of the array API standard 2023.12, what the interpreter may call.
STANDARD = """abs add all any arange argmax argmin asarray astype bool broadcast_to ceil concat copysign divide
equal exp expand_dims expm1 flip float32 float64 floor floor_divide full_like greater greater_equal iinfo int32 int64
isfinite isinf isnan less less_equal log log1p logical_and logical_not logical_or logical_xor matmul max maximum mean
min minimum multiply negative ones_like permute_dims pow prod remainder reshape round sign sqrt squeeze subtract sum
take tanh tile trunc where zeros zeros_like""".split()  # noqa: SIM905


def test_only_names_of_the_standard_are_used() -> None:
    used = {name for path in SOURCES for name in re.findall(r"\bxp\.([a-z]\w*)", path.read_text())}
    assert used <= set(STANDARD)
    assert all(hasattr(array_api_strict, name) for name in STANDARD)


def test_older_namespaces_get_the_standards_names() -> None:
    """As numpy before 2.0 and CuPy before 14 are."""

    class Older(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            if name in ("bool", "concat", "permute_dims", "pow", "astype"):
                raise AttributeError(name)
            return getattr(np, name)

    builder = GraphBuilder()
    x = builder.input("X", np.float32, (None, 3))
    joined = builder.add("Concat", x, x, axis=1)
    builder.output(builder.add("Cast", builder.add("Pow", joined, builder.constant(np.float32(2))), to=7))
    graph = builder.build()
    (old,), (new,) = (interpreter.run(graph, {"X": X}, xp=xp).values() for xp in (Older(), np))
    np.testing.assert_array_equal(old, new)


def test_the_extension_is_not_used() -> None:
    assert not any("_core" in re.sub(r"``.*?``", "", path.read_text()) for path in SOURCES)
