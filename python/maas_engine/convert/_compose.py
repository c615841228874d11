"""Graphs put together: converted nodes behind a model's inputs, and before its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from maas_engine.convert._inputs import Plan
from maas_engine.graph import Graph, GraphBuilder

_ONNX_TYPES = {"float32": 1, "string": 8, "int64": 7, "float64": 11}


def declare(builder: GraphBuilder, plan: Plan) -> dict[str, str]:
    """Add the plan's inputs; return the value that stands for each in the converted nodes."""
    values = {}
    for each in plan.inputs:
        value = builder.input(each.name, each.dtype, (None, each.width))
        values[each.name] = value if each.dtype == each.inner else cast(builder, value, each.inner)
    return values


def cast(builder: GraphBuilder, value: str, dtype: str) -> str:
    return str(builder.add("Cast", value, to=_ONNX_TYPES[dtype]))


def copy_nodes(
    builder: GraphBuilder, graph: Graph, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> dict[str, str]:
    """Add the constants and nodes of ``graph``; return what each of its values is called now.

    Parameters
    ----------
    inputs : its inputs -> values of the builder
    outputs : values of it -> the names that they are to have; others get new ones

    Notes
    -----
    skl2onnx writes ``Normalizer(norm="max")`` as ONNX's MAX, which divides by the largest value where scikit-learn
    divides by the largest magnitude; here it becomes what scikit-learn means.
    """
    names = dict(inputs)
    for name, value in graph.initializers.items():
        names[name] = builder.constant(value)
    for node in graph.nodes:
        given = [names[name] if name else "" for name in node.inputs]
        attributes: dict[str, Any] = dict(node.attributes)
        if node.op == "Normalizer" and attributes.get("norm", "MAX") == "MAX":
            names[node.outputs[0]] = _by_largest_magnitude(
                builder, given[0], outputs.get(node.outputs[0], "")
            )
            continue
        added = builder.add(
            node.op,
            *given,
            domain=node.domain,
            name=node.name,
            outputs=[outputs.get(name, "") for name in node.outputs],
            **attributes,
        )
        names.update(zip(node.outputs, [added] if isinstance(added, str) else added, strict=True))
    return names


def first_column(builder: GraphBuilder, value: str, name: str) -> str:
    """[N, 1] as [N]."""
    return str(builder.add("Squeeze", value, builder.constant(np.array([1])), outputs=name))


def column(builder: GraphBuilder, value: str, index: int, name: str) -> str:
    """One column of [N, C] as [N]."""
    return str(builder.add("Gather", value, builder.constant(np.int64(index)), axis=1, outputs=name))


def _by_largest_magnitude(builder: GraphBuilder, value: str, name: str) -> str:
    value = cast(builder, value, "float32")
    last = builder.constant(np.array([-1]))
    largest = builder.add("ReduceMax", builder.add("Abs", value), last, keepdims=1)
    zero, one = builder.constant(np.float32(0)), builder.constant(np.float32(1))
    divisor = builder.add("Where", builder.add("Equal", largest, zero), one, largest)
    return str(builder.add("Div", value, divisor, outputs=name))
