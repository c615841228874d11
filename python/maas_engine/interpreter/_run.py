"""Walks the nodes of a graph, one function an operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from maas_engine.errors import InvalidArgument, NotFound, Unsupported
from maas_engine.interpreter import _compare, _elementwise, _layout, _linear, _ml, _reduce
from maas_engine.interpreter._call import Call
from maas_engine.interpreter._elementwise import Function
from maas_engine.interpreter._namespace import (
    Array,
    Namespace,
    dtype_name,
    is_string,
    standard,
    to_device,
    to_host,
)

ML_DOMAIN = "ai.onnx.ml"
OPERATORS: dict[tuple[str, str], Function] = {
    **{
        ("", name): function
        for family in (_compare, _elementwise, _layout, _linear, _reduce)
        for name, function in family.OPERATORS.items()
    },
    **{
        (ML_DOMAIN, name): function
        for family in (_linear, _ml)
        for name, function in family.ML_OPERATORS.items()
    },
}

# Inputs that are read on the host (shapes, axes, …), by place. All other inputs are on the device.
HOST_INPUTS: dict[str, tuple[int, ...]] = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "LabelEncoder": (0,),
    "Reshape": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "Unsqueeze": (1,),
    **{name: (1,) for name in _reduce.OPERATORS if name.startswith("Reduce")},
}


class RunNode(NamedTuple):
    """A node's parts, fetched once: a graph of the extension makes them anew each time."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class Interpreter:
    """A graph whose weights lie on a device, ready to run with the functions of one array API namespace.

    Not for speed: each node is one or more calls of the namespace, and nothing is fused. Threads may share it
    where they may share the namespace's arrays.

    Parameters
    ----------
    graph : object with ``inputs``, ``outputs``, ``nodes`` and ``initializers`` as ``_core.Graph`` has them
    xp : namespace of the array API standard, 2023.12
        Strings, and operators on them, stay on the host as numpy arrays.
    outputs : names of values of the graph, inner ones too; its outputs if None

    Raises
    ------
    Unsupported : a node's operator is unknown.
    """

    def __init__(self, graph: Any, *, xp: Namespace = np, outputs: Iterable[str] | None = None) -> None:
        self.xp = standard(xp)
        self.inputs = list(graph.inputs)
        self.outputs = [name for name, *_ in graph.outputs] if outputs is None else list(outputs)
        self._nodes, needed = _needed_nodes(graph.nodes, self.outputs)
        self._batched = _batched_values(self.inputs, self._nodes)
        self._host = {name: _plain(value) for name, value in graph.initializers.items() if name in needed}
        self._weights = {name: to_device(self.xp, value) for name, value in self._host.items()}

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Return the outputs by name, on the device; strings as numpy arrays of objects.

        Parameters
        ----------
        inputs : arrays by name, of the graph's types or narrower; numpy's, or the namespace's own
        """
        values = dict(self._weights)
        for name, dtype, _ in self.inputs:
            if name not in inputs:
                raise InvalidArgument(f"[interpreter] expected an input {name!r}, got {', '.join(inputs)}")
            values[name] = self._input(inputs[name], dtype)
        with np.errstate(all="ignore"):
            for node in self._nodes:
                self._run_node(node, values)
        missing = [name for name in self.outputs if name not in values]
        if missing:
            raise NotFound(f"[interpreter] expected names of values, got {', '.join(missing)}")
        return {name: to_device(self.xp, values[name]) for name in self.outputs}

    def _input(self, value: Any, dtype: str) -> Array:
        if dtype == "string":
            return _plain(value)
        xp = self.xp
        value = xp.asarray(value)
        return value if dtype_name(value) == dtype else xp.astype(value, getattr(xp, dtype))

    def _run_node(self, node: Any, values: dict[str, Array]) -> None:
        read = [values[name] if name else None for name in node.inputs]
        on_host = any(is_string(value) for value in read) or _makes_strings(node)
        xp = np if on_host else self.xp
        host = HOST_INPUTS.get(node.op, ())
        arguments = [
            None
            if value is None
            else self._host_value(name, value)
            if on_host or i in host
            else to_device(xp, value)
            for i, (name, value) in enumerate(zip(node.inputs, read, strict=True))
        ]
        batched = frozenset(i for i, name in enumerate(node.inputs) if name in self._batched)
        results = OPERATORS[node.domain, node.op](Call(node, standard(xp), batched), *arguments)
        results = results if isinstance(results, tuple) else (results,)
        for name, result in zip(node.outputs, results, strict=False):
            if name:
                values[name] = result

    def _host_value(self, name: str, value: Array) -> np.ndarray:
        return self._host[name] if name in self._host else to_host(value)


def run(
    graph: Any, inputs: Mapping[str, Any], *, xp: Namespace = np, outputs: Iterable[str] | None = None
) -> dict[str, Array]:
    """Run ``graph`` once, see :class:`Interpreter`."""
    return Interpreter(graph, xp=xp, outputs=outputs).run(inputs)


def _plain(value: Any) -> np.ndarray:
    """A numpy array; texts as objects, whatever their type."""
    array = np.asarray(value)
    return array.astype(object) if array.dtype.kind in "UT" else array


def _makes_strings(node: Any) -> bool:
    return node.op == "Cast" and _compare.DTYPES.get(node.attributes.get("to")) == "string"


def _needed_nodes(nodes: Iterable[Any], outputs: Iterable[str]) -> tuple[list[Any], set[str]]:
    """The nodes that the outputs depend on, in order, and all names they read."""
    needed, kept = set(outputs), []
    for node in reversed(list(nodes)):
        if needed.isdisjoint(node.outputs):
            continue
        if (node.domain, node.op) not in OPERATORS:
            raise Unsupported(f"[interpreter] no operator {node.op} of domain {node.domain!r}")
        needed.update(filter(None, node.inputs))
        kept.append(RunNode(*(getattr(node, each) for each in RunNode._fields)))
    return kept[::-1], needed


def _batched_values(inputs: Iterable[tuple[str, str, Any]], nodes: Iterable[Any]) -> set[str]:
    """Names of the values that have one entry a row: those computed from such an input, but for its shape."""
    batched = {name for name, _, shape in inputs if len(shape) and shape[0] is None}
    for node in nodes:
        if node.op != "Shape" and not batched.isdisjoint(node.inputs):
            batched.update(filter(None, node.outputs))
    return batched
