"""Random small graphs: fused programs have the bits of unfused ones, and agree with the interpreter.

The net for mistakes of fusing, folding and planning that single operators cannot show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas_engine import _core, interpreter
from maas_engine.graph import Graph, GraphBuilder

TOLERANCE = {"float32": 2e-4, "float64": 1e-11}  # relative to the largest element of a value, or 1


@dataclass
class Growing:
    """A graph under construction, with the shape of each value's row."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    dtype: str
    builder: GraphBuilder = field(default_factory=GraphBuilder)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: int = 0

    def constant(self, *shape: int, low: float = -1.0, high: float = 1.0) -> str:
        self.constants += 1
        values = np.random.default_rng(self.constants).uniform(low, high, shape)
        return self.builder.constant(values.astype(self.dtype))

    def ints(self, *values: int) -> str:
        return self.builder.constant(np.array(values, np.int64))

    def add(self, shape: tuple[int, ...], op: str, *inputs: str, **attributes: Any) -> str:
        name = self.builder.add(op, *inputs, **attributes)
        self.shapes[name] = shape
        return name

    def any_value(self, rank: int | None = None) -> str:
        fitting = [name for name, shape in self.shapes.items() if rank is None or len(shape) == rank]
        recent_first = fitting[::-1]  # chains, mostly; shrinks to the last value
        return self.draw(st.sampled_from(recent_first))


UNARY: list[tuple[str, dict[str, Any]]] = [
    ("Relu", {}),
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("LeakyRelu", {"alpha": 0.1}),
    ("Elu", {"alpha": 0.5}),
    ("Selu", {}),
    ("Gelu", {}),
    ("Gelu", {"approximate": "tanh"}),
    ("Softplus", {}),
    ("Softsign", {}),
    ("HardSigmoid", {}),
    ("HardSwish", {}),
    ("Mish", {}),
    ("Erf", {}),
    ("Abs", {}),
    ("Neg", {}),
    ("Identity", {}),
]


def unary(g: Growing) -> None:
    x = g.any_value()
    op, attributes = g.draw(st.sampled_from(UNARY))
    g.add(g.shapes[x], op, x, **attributes)


def clip(g: Growing) -> None:
    x = g.any_value()
    g.add(g.shapes[x], "Clip", x, g.constant(low=-1, high=-0.5), g.constant(low=0.2, high=2))


def with_constant(g: Growing) -> None:
    """What scalers and biases are made of, from either side."""
    x = g.any_value()
    shape = g.shapes[x]
    sizes = g.draw(st.sampled_from([(), (shape[-1],), (1, *shape), shape]))
    op = g.draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min"]))
    constant = g.constant(*sizes, low=0.5, high=1.5)
    pair = (constant, x) if op != "Div" and g.draw(st.booleans()) else (x, constant)
    g.add(shape, op, *pair)


def of_two(g: Growing) -> None:
    a = g.any_value()
    same = [name for name, shape in g.shapes.items() if shape == g.shapes[a]]
    b = g.draw(st.sampled_from(same))
    g.add(g.shapes[a], g.draw(st.sampled_from(["Add", "Sub", "Max", "Min", "Mean", "Sum"])), a, b)


def dense(g: Growing) -> None:
    product(g, g.any_value(rank=1))


def product(g: Growing, x: str) -> str:
    (inner,) = g.shapes[x]
    outer = g.draw(st.sampled_from([1, 2, 5, 16, 33]))
    form = g.draw(st.sampled_from(["MatMul", "Gemm", "Gemm+bias", "transB"]))
    if form == "MatMul":
        return g.add((outer,), "MatMul", x, g.constant(inner, outer))
    if form == "transB":
        return g.add((outer,), "Gemm", x, g.constant(outer, inner), g.constant(1, outer), transB=1)
    bias = [g.constant(outer)] if form == "Gemm+bias" else []
    return g.add((outer,), "Gemm", x, g.constant(inner, outer), *bias)


def layer(g: Growing) -> None:
    """What is fused: scaling, product, bias, norm, activation, each of them or not."""
    x = g.any_value(rank=1)
    width = g.shapes[x]
    for op in g.draw(
        st.sampled_from([[], ["Sub"], ["Mul"], ["Div"], ["Sub", "Mul"], ["Sub", "Div"], ["Scaler"]])
    ):
        if op != "Scaler":
            x = g.add(width, op, x, g.constant(*width, low=0.5, high=1.5))
        elif g.dtype == "float32":
            x = g.add(width, op, x, domain="ai.onnx.ml", offset=[0.3], scale=[0.7] * width[0])
    y = product(g, x)
    outer = g.shapes[y]
    if g.draw(st.booleans()):
        pair = [y, g.constant(*g.draw(st.sampled_from([outer, (1, *outer)])))]
        y = g.add(outer, "Add", *(pair[::-1] if g.draw(st.booleans()) else pair))
    if g.draw(st.booleans()):
        y = norm_of(g, y)
    if g.draw(st.booleans()):
        op, attributes = g.draw(st.sampled_from([*UNARY, ("Softmax", {"axis": -1}), ("LogSoftmax", {})]))
        g.add(outer, op, y, **attributes)
    elif g.draw(st.booleans()):
        g.add(outer, "PRelu", y, g.constant(*outer))


def batch_norm(g: Growing) -> None:
    norm_of(g, g.any_value())


def norm_of(g: Growing, x: str) -> str:
    channels = g.shapes[x][0]
    parts = [g.constant(channels) for _ in range(3)]
    return g.add(g.shapes[x], "BatchNormalization", x, *parts, g.constant(channels, low=0.5, high=2))


def normalise(g: Growing) -> None:
    x = g.any_value()
    shape = g.shapes[x]
    op = g.draw(st.sampled_from(["Softmax", "LogSoftmax", "LayerNormalization"]))
    if op == "LayerNormalization":
        g.add(shape, op, x, g.constant(shape[-1]), g.constant(shape[-1]), epsilon=0.1)
    else:
        g.add(shape, op, x, axis=-1)


def reduce_last(g: Growing) -> None:
    x = g.any_value()
    op = g.draw(st.sampled_from(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceLogSumExp"]))
    g.add((*g.shapes[x][:-1], 1), op, x, g.ints(-1), keepdims=1)


def move(g: Growing) -> None:
    x = g.any_value()
    shape = g.shapes[x]
    last = shape[-1]
    kind = g.draw(st.sampled_from(["Gather", "Slice", "Concat", "Split", "Reshape", "Transpose"]))
    if kind == "Gather":
        g.add((*shape[:-1], 3), "Gather", x, g.ints(last - 1, 0, -1), axis=len(shape))
    elif kind == "Slice" and last > 1:
        g.add((*shape[:-1], last - 1), "Slice", x, g.ints(1), g.ints(last), g.ints(-1))
    elif kind == "Concat" and last < 20:
        g.add((*shape[:-1], 2 * last), "Concat", x, x, axis=-1)
    elif kind == "Split" and last > 1:
        first, second = g.builder.add("Split", x, g.ints(1, last - 1), axis=-1, outputs=["", ""])
        g.shapes |= {first: (*shape[:-1], 1), second: (*shape[:-1], last - 1)}
    elif len(shape) == 2 and kind == "Transpose":
        g.add(shape[::-1], "Transpose", x, perm=[0, 2, 1])
    elif len(shape) == 2:
        g.add((shape[0] * shape[1],), "Flatten", x)
    elif last % 2 == 0:
        g.add((2, last // 2), "Reshape", x, g.ints(-1, 2, last // 2))


def choose(g: Growing) -> None:
    """The smaller of two, which no rounding can flip far."""
    x = g.any_value()
    shape = g.shapes[x]
    bound = g.constant(shape[-1])
    less = g.builder.add("Less", x, bound)
    g.add(shape, "Where", less, x, bound)


def folded(g: Growing) -> None:
    x = g.any_value()
    shape = g.shapes[x]
    constant = g.builder.add("Mul", g.constant(shape[-1]), g.constant(1))
    g.add(shape, "Add", x, g.builder.add("Tanh", constant))


def scale_columns(g: Growing) -> None:
    """The operators of ai.onnx.ml put out float32, so they come last in a float32 graph or not at all."""
    x = g.any_value(rank=1)
    if g.dtype != "float32":
        return
    width = g.shapes[x][0]
    op = g.draw(st.sampled_from(["Scaler", "Imputer", "Normalizer", "LinearRegressor"]))
    attributes: dict[str, Any] = {
        "Scaler": {"offset": [0.25] * width, "scale": [1.5]},
        "Imputer": {"imputed_value_floats": [0.5] * width, "replaced_value_float": float("nan")},
        "Normalizer": {"norm": "L2"},
        "LinearRegressor": {"coefficients": [0.5] * (2 * width), "intercepts": [0.1, -0.1], "targets": 2},
    }[op]
    if op == "Normalizer":  # a row near zero would be blown up
        x = g.add((width,), "Max", x, g.constant(width, low=0.5, high=1))
    g.add((2,) if op == "LinearRegressor" else (width,), op, x, domain="ai.onnx.ml", **attributes)


def by_shape(g: Growing) -> None:
    """A reshape to what Shape says, as exporters write it: the batch is known only when it runs."""
    x = g.any_value()
    shape = g.shapes[x]
    batch = g.builder.add("Slice", g.builder.add("Shape", x), g.ints(0), g.ints(1))
    wanted = g.builder.add("Concat", batch, g.ints(int(np.prod(shape))), axis=0)
    g.add((int(np.prod(shape)),), "Reshape", x, wanted)


def square(g: Growing) -> None:
    x = g.any_value()
    bounded = g.add(g.shapes[x], "Tanh", x)
    g.add(g.shapes[x], "Pow", bounded, g.constant(low=2, high=2))


KINDS = [dense, unary, with_constant, batch_norm, of_two, clip, normalise, reduce_last, move, choose, folded]
KINDS += [layer, layer, layer, scale_columns, by_shape, square]


@st.composite
def graphs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Graph:
    g = Growing(draw, draw(st.sampled_from(["float32", "float64"])))
    for name in ["X", "Z"][: draw(st.integers(1, 2))]:
        width = draw(st.sampled_from([1, 3, 8, 17]))
        g.shapes[g.builder.input(name, g.dtype, (None, width))] = (width,)
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=3, max_size=8)):
        kind(g)
    made = [name for name in g.shapes if name not in ("X", "Z")] or list(g.shapes)
    inner = draw(st.lists(st.sampled_from(made), max_size=2))
    g.builder.output(*dict.fromkeys([made[-1], *inner]))
    return g.builder.build()


def inputs_of(graph: Graph, rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    return {name: rng.normal(size=(rows, *shape[1:])).astype(dtype) for name, dtype, shape in graph.inputs}


@given(graph=graphs(), rows=st.sampled_from([1, 2, 7, 64, 130]))
@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_graphs(graph: Graph, rows: int) -> None:
    names = [name for name, *_ in graph.outputs]
    inputs = inputs_of(graph, rows)
    fused, plain = (_core.Program(graph, names, fuse) for fuse in (True, False))
    outputs = fused.run(inputs, 0)
    same = [plain.run(inputs, 0), fused.run(inputs, 2), *on_other_targets(graph, names, inputs)]
    alone = fused.run({name: x[-1:] for name, x in inputs.items()}, 0)
    for name, want in interpreter.run(graph, inputs).items():
        got = outputs[name]
        assert all(other[name].tobytes() == got.tobytes() for other in same), fused.describe()
        assert alone[name].tobytes() == got[-1:].tobytes(), fused.describe()
        scale = max(1.0, float(np.abs(want).max(initial=0)))
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[str(want.dtype)] * scale)


def on_other_targets(
    graph: Graph, names: list[str], inputs: dict[str, np.ndarray]
) -> Iterator[dict[str, np.ndarray]]:
    best = _core.active_target()
    try:
        for target in _core.supported_targets():
            _core.set_target(target)
            if target != best and _core.target_has_fma():
                yield _core.Program(graph, names, True).run(inputs, 0)
    finally:
        _core.set_target(best)
