"""Every kind of node that networks are trained through: small chains, their parameters and inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cases.values import integers, normal, positive
from maas_engine import _core

ROWS = 13


@dataclass(frozen=True)
class TrainingNode:
    """One node of a chain; ``inputs`` are initializers, beside the value that comes in."""

    op: str
    inputs: tuple[np.ndarray, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    trainable: int = 0  # how many of the inputs are trained
    moving: int = 0  # how many after those are parameters that are not
    place: int = 0  # of the incoming value among the node's inputs
    also: str = ""  # another value that is read: "before", what the node before this one read


@dataclass(frozen=True)
class TrainingCase:
    """A chain of nodes from rows of ``shape`` to a matrix."""

    name: str
    nodes: tuple[TrainingNode, ...]
    shape: tuple[int, ...]
    table: int = 0  # rows of what indices look up; 0: the input is real
    infers: bool = True  # training mode predicts as inference does

    def __str__(self) -> str:
        return self.name

    def x(self, rows: int = ROWS, dtype: str = "float64") -> np.ndarray:
        if self.table:
            return integers(rows, *self.shape, low=0, high=self.table, key=self.name)
        return normal(rows, *self.shape, dtype=dtype, key=self.name, scale=1.0)

    def graph(self, dtype: str = "float64") -> tuple[Any, list[tuple[str, bool, float, float, bool]]]:
        """The Graph, and what a Trainer wants to know of its parameters."""
        initializers: dict[str, np.ndarray] = {}
        parameters, nodes = [], []
        value = before = "x"
        for i, node in enumerate(self.nodes):
            names = [f"n{i}_{j}" for j in range(len(node.inputs))]
            for j, (name, array) in enumerate(zip(names, node.inputs, strict=True)):
                real = array.dtype.kind == "f"
                initializers[name] = array.astype(dtype) if real else array
                if j < node.trainable + node.moving:
                    parameters.append((name, j < node.trainable, 0.0, 0.0, True))
            if node.also:
                names.append(before)
            names.insert(node.place, value)
            nodes.append((node.op, "", f"node{i}", names, [f"v{i}"], node.attributes))
            before, value = value, f"v{i}"
        kind = "int64" if self.table else dtype
        graph = _core.Graph("case", [("x", kind, [None, *self.shape])], [value], nodes, initializers, {})
        return graph, parameters


def weights(*shape: int, key: Any = 0) -> np.ndarray:
    return normal(*shape, dtype="float64", key=("weights", key), scale=1 / np.sqrt(shape[0]))


def dense(rows: int, cols: int, key: Any = 0) -> TrainingNode:
    bias = normal(cols, dtype="float64", key=("bias", key), scale=0.3)
    return TrainingNode("Gemm", (weights(rows, cols, key=key), bias), trainable=2)


def one(node: TrainingNode, *shape: int, **others: Any) -> TrainingCase:
    return TrainingCase(f"{node.op}-alone", (node,), shape, **others)


def between(name: str, *nodes: TrainingNode, width: int = 6, **others: Any) -> TrainingCase:
    """The nodes between two dense layers, so that gradients go through them."""
    return TrainingCase(name, (dense(4, width, "in"), *nodes, dense(width, 3, "out")), (4,), **others)


def products() -> Iterator[TrainingCase]:
    for rows, cols in ((5, 1), (5, 15), (3, 16), (70, 20), (9, 33), (2, 65)):
        yield TrainingCase(f"Gemm-{rows}x{cols}", (dense(rows, cols),), (rows,))
    bare = TrainingNode("Gemm", (weights(5, 4),), trainable=1)
    yield TrainingCase("Gemm-without-bias", (bare,), (5,))
    for units in (4, 20):
        turned = TrainingNode(
            "Gemm", (weights(units, 5), normal(units, dtype="float64")), {"transB": 1}, trainable=2
        )
        yield TrainingCase(f"Gemm-transposed-{units}", (turned, dense(units, 2)), (5,))
    product = TrainingNode("MatMul", (weights(5, 4),), trainable=1)
    add = TrainingNode("Add", (normal(4, dtype="float64"),), trainable=1)
    yield TrainingCase("MatMul", (product, dense(4, 2)), (5,))
    yield TrainingCase("MatMul-Add", (product, add, dense(4, 2)), (5,))
    first = TrainingNode("Add", (normal(4, dtype="float64"),), trainable=1, place=1)
    yield TrainingCase("MatMul-Add-bias-first", (product, first, TrainingNode("Tanh"), dense(4, 2)), (5,))
    frozen = TrainingNode("Gemm", (weights(6, 6), normal(6, dtype="float64")), moving=2)
    yield between("Gemm-frozen", frozen)
    constant = TrainingNode("Gemm", (weights(6, 6), normal(6, dtype="float64")))
    yield between("Gemm-constant", constant)
    deep = [
        part
        for i, width in enumerate((20, 33, 7))
        for part in (TrainingNode("Relu"), dense(width, (33, 7, 2)[i], i))
    ]
    yield TrainingCase("deep", (dense(5, 20, "first"), *deep), (5,))


def activations() -> Iterator[TrainingCase]:
    known: list[tuple[str, dict[str, Any]]] = [
        ("Relu", {}),
        ("LeakyRelu", {"alpha": 0.2}),
        ("Elu", {}),
        ("Elu", {"alpha": 0.7}),
        ("Selu", {}),
        ("Sigmoid", {}),
        ("Tanh", {}),
        ("Softplus", {}),
        ("Gelu", {}),
        ("Gelu", {"approximate": "tanh"}),
        ("Softsign", {}),
        ("HardSigmoid", {}),
        ("Mish", {}),
    ]
    for op, attributes in known:
        node = TrainingNode(op, (), attributes)
        name = op + "".join(f"-{value}" for value in attributes.values())
        yield between(name, node)
        yield between(f"{name}-twice", node, node)
        yield between(f"{name}-wide", node, width=33)
        yield TrainingCase(f"{name}-last", (dense(4, 3), node), (4,))
    for turned in (False, True):
        silu = (TrainingNode("Sigmoid"), TrainingNode("Mul", place=int(turned), also="before"))
        yield between(f"silu-{turned}", *silu)
        yield TrainingCase(f"silu-{turned}-last", (dense(4, 3), *silu), (4,))
    for width in (2, 20):
        yield between(f"Softmax-{width}", TrainingNode("Softmax"), width=width)
    yield TrainingCase("Softmax-last", (dense(4, 3), TrainingNode("Softmax", (), {"axis": 1})), (4,))


def norms() -> Iterator[TrainingCase]:
    for cols in (6, 20):
        affine = (positive(cols, dtype="float64"), normal(cols, dtype="float64", scale=0.5))
        moving = (normal(cols, dtype="float64", key="mean"), positive(cols, dtype="float64", key="variance"))
        batch = TrainingNode(
            "BatchNormalization", (*affine, *moving), {"momentum": 0.9}, trainable=2, moving=2
        )
        yield between(f"BatchNormalization-{cols}", batch, width=cols, infers=False)
        yield (
            one(batch, cols, infers=False)
            if cols == 6
            else between("BatchNormalization-Relu", batch, TrainingNode("Relu"), width=cols, infers=False)
        )
        layer = TrainingNode("LayerNormalization", affine, {"axis": -1, "epsilon": 1e-3}, trainable=2)
        yield between(f"LayerNormalization-{cols}", layer, width=cols)
        bare = TrainingNode("LayerNormalization", affine[:1], {"axis": 1}, trainable=1)
        yield between(f"LayerNormalization-without-shift-{cols}", bare, width=cols)
    cols = 6
    yield one(TrainingNode("LayerNormalization", affine_of(cols), {"axis": 1}, trainable=2), cols)
    ones = (np.ones(cols), np.zeros(cols), np.zeros(cols), np.ones(cols))
    frozen = TrainingNode("BatchNormalization", ones, moving=4)
    yield between("BatchNormalization-without-scale", frozen, infers=False)


def affine_of(cols: int) -> tuple[np.ndarray, np.ndarray]:
    return positive(cols, dtype="float64", key="affine"), normal(cols, dtype="float64", key="affine")


def layouts() -> Iterator[TrainingCase]:
    table = TrainingNode("Gather", (normal(7, 5, dtype="float64", scale=1.0),), trainable=1, place=1)
    flat = TrainingNode("Flatten")
    yield TrainingCase("Gather", (table,), (), table=7)
    yield TrainingCase("Gather-Flatten", (table, flat, dense(15, 2)), (3,), table=7)
    wide = TrainingNode(
        "Gather", (normal(9, 16, dtype="float64", scale=1.0),), {"axis": 0}, trainable=1, place=1
    )
    yield TrainingCase("Gather-wide", (wide, flat, TrainingNode("Tanh"), dense(32, 2)), (2,), table=9)
    positions = TrainingNode("MatMul", (weights(5, 4),), trainable=1)
    add = TrainingNode("Add", (normal(4, dtype="float64"),), trainable=1)
    yield TrainingCase(
        "Gather-MatMul", (table, positions, add, TrainingNode("Relu"), flat, dense(12, 2)), (3,), table=7
    )
    layer = TrainingNode("LayerNormalization", affine_of(5), {"axis": -1}, trainable=2)
    yield TrainingCase("Gather-LayerNormalization", (table, layer, flat, dense(15, 2)), (3,), table=7)
    yield TrainingCase("Flatten-input", (flat, dense(6, 2)), (2, 3))
    yield TrainingCase("Flatten-output", (positions, add, flat), (3, 5))
    for shape in ((2, 3), (1, 6), (3, 2), (2, 3, 1)):
        there = TrainingNode("Reshape", (np.array([-1, *shape]),))
        back = TrainingNode("Reshape", (np.array([-1, 6]),))
        yield between(f"Reshape-{len(shape)}-{shape[0]}", there, back)
        yield between(f"Reshape-{len(shape)}-{shape[0]}-Tanh", there, TrainingNode("Tanh"), back)
    yield between("Identity", TrainingNode("Identity"))


def arithmetic() -> Iterator[TrainingCase]:
    offset, scale = normal(6, dtype="float64", key="offset"), positive(6, dtype="float64", key="scale")
    number = np.array(1.7)
    for op in ("Sub", "Add", "Mul", "Div"):
        for values in (scale, number, number.reshape(1, 1), scale.reshape(1, 6)):
            yield between(f"{op}-{values.ndim}-{values.size}", TrainingNode(op, (values,)))
    for op in ("Add", "Mul"):
        yield between(f"{op}-constant-first", TrainingNode(op, (scale,), place=1))
    for op in ("Mul", "Div"):
        yield between(f"Sub-{op}", TrainingNode("Sub", (offset,)), TrainingNode(op, (scale,)))
    standard = (TrainingNode("Sub", (offset[:4],), moving=1), TrainingNode("Div", (scale[:4],), moving=1))
    yield TrainingCase("standardised", (*standard, dense(4, 3)), (4,))


def dropouts() -> Iterator[TrainingCase]:
    half = TrainingNode("Dropout")
    some = TrainingNode("Dropout", (np.float64(0.3),))
    none = TrainingNode("Dropout", (np.float64(0.0),))
    yield between("Dropout", half, infers=False)
    yield between("Dropout-some-twice", some, TrainingNode("Relu"), some, width=20, infers=False)
    yield between("Dropout-none", none)
    yield TrainingCase("Dropout-input", (some, dense(4, 3)), (4,), infers=False)


ALL = [case for family in (products, activations, norms, layouts, arithmetic, dropouts) for case in family()]
