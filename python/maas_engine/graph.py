"""Graphs: models as plain data, in the operators of ONNX (main opset 21, ai.onnx.ml 4).

A `GraphBuilder` collects inputs, constants and nodes and makes a checked, immutable `Graph`; ``maas_engine.Model``
runs one. ``graph.nodes``, ``.initializers`` and the like read it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maas_engine._core import Graph, Node
from maas_engine.errors import InvalidArgument

__all__ = ["ML_DOMAIN", "Graph", "GraphBuilder", "Node"]

ML_DOMAIN = "ai.onnx.ml"

AttributeValue: TypeAlias = int | float | str | Sequence[int] | Sequence[float] | Sequence[str] | NDArray[Any]

_TEXT_KINDS = "UOT"


class GraphBuilder:
    """Collects the parts of a `Graph`; names that are left out are made up and never clash.

    Parameters
    ----------
    name : str
        Of the graph, as ONNX files carry it.

    Examples
    --------
    >>> import numpy as np
    >>> builder = GraphBuilder("linear")
    >>> x = builder.input("X", np.float32, (None, 2))
    >>> w = builder.constant(np.array([[2.0], [-1.0]], np.float32))
    >>> builder.output(builder.add("MatMul", x, w, outputs="variable"))
    >>> builder.build().outputs
    [('variable', 'float32', (None, 1))]
    """

    def __init__(self, name: str = "maas_engine") -> None:
        self._name = name
        self._inputs: list[tuple[str, str, list[int | None]]] = []
        self._outputs: list[str] = []
        self._nodes: list[tuple[str, str, str, list[str], list[str], dict[str, Any]]] = []
        self._initializers: dict[str, NDArray[Any]] = {}
        self._names: set[str] = set()

    def input(self, name: str, dtype: DTypeLike, shape: Sequence[int | None]) -> str:
        """Declare an input and return its name.

        Parameters
        ----------
        name : str
        dtype : float32, float64, int64, int32, bool, or text (``str``, ``"string"``)
        shape : sequence of int or None
            None is the number of rows of a run; it may stand only first.
        """
        self._inputs.append((self._claim(name), dtype_name(dtype), list(shape)))
        return name

    def constant(self, value: ArrayLike, name: str = "") -> str:
        """Add a constant (an ONNX initializer) and return its name.

        Parameters
        ----------
        value : array_like
            float32, float64, int64, int32, bool or text. Python floats become float64, Python ints int64: give
            arrays of the type you mean.
        name : str, optional
        """
        name = self._claim(name) if name else self._unused("constant")
        array = np.asarray(value)
        self._initializers[name] = array.astype(object) if array.dtype.kind in "UT" else array
        return name

    def add(
        self,
        op: str,
        *inputs: str,
        domain: str = "",
        name: str = "",
        outputs: str | Sequence[str] = "",
        **attributes: AttributeValue | None,
    ) -> Any:
        """Add a node and return the name of its output, or a tuple of names if it has several.

        Parameters
        ----------
        op : str
            The operator's name in ONNX: ``"Gemm"``, ``"LinearClassifier"``.
        *inputs : str
            Names of inputs, constants or other nodes' outputs; ``""`` where an optional one is absent.
        domain : str
            ``""`` for the main operators, `ML_DOMAIN` for those of ai.onnx.ml.
        name : str
            Of the node, as messages show it. Default: the name of its first output.
        outputs : str or sequence of str
            Their names. Default: one output, its name made up from the operator's.
        **attributes : int, float, str, sequences of these, or ndarray
            ONNX's attributes. Floats are kept in float32, as ONNX does. None: left out.

        Raises
        ------
        InvalidArgument : an output's name is taken, or an attribute's value has no ONNX type (by `build`).
        """
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        names = [self._claim(given) if given else self._unused(op.lower()) for given in names]
        given = {key: value for key, value in attributes.items() if value is not None}
        self._nodes.append((op, domain, name or names[0], list(inputs), names, given))
        return names[0] if len(names) == 1 else tuple(names)

    def output(self, *names: str) -> None:
        """Make values outputs of the graph, in this order. Their types are found by `build`."""
        self._outputs += names

    def build(self, metadata: Mapping[str, str] | None = None) -> Graph:
        """Check everything and return the `Graph`.

        Parameters
        ----------
        metadata : mapping of str to str, optional
            Kept with the graph and in its file.

        Raises
        ------
        FormatError, Unsupported : naming the node, the operator and its domain.
        """
        return Graph(
            self._name, self._inputs, self._outputs, self._nodes, self._initializers, dict(metadata or {})
        )

    def _claim(self, name: str) -> str:
        if name in self._names:
            raise InvalidArgument(f"[graph] expected names that are used once, got '{name}' again")
        self._names.add(name)
        return name

    def _unused(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        return self._claim(name)


def dtype_name(dtype: DTypeLike) -> str:
    """Return a graph's word for a numpy dtype: ``"float32"``, ..., ``"string"`` for text."""
    if isinstance(dtype, str) and dtype == "string":
        return dtype
    found = np.dtype(dtype)
    return "string" if found.kind in _TEXT_KINDS else found.name
