"""The graph that layers write themselves into: for training, or to be filed and run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from maas_engine.graph import GraphBuilder
from maas_engine.nn._variable import Variable


class NodeWriter:
    """Adds a model's nodes to a graph, one layer after another.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the model.
    training : bool
        Whether the graph is for the trainer. Otherwise it is for files: dropout is left out, and float64
        activations that other runtimes lack in that type are written out in operators they have.
    variables : list of Variable
        What `parameter` was called with, in order.
    """

    def __init__(self, name: str, dtype: str, *, training: bool, builder: GraphBuilder | None = None) -> None:
        self.builder = GraphBuilder(name) if builder is None else builder
        self.dtype = np.dtype(dtype)
        self.training = training
        self.variables: list[Variable] = []

    @property
    def spell_out(self) -> bool:
        """Whether to avoid operators that runtimes commonly have in float32 only."""
        return not self.training and self.dtype == np.float64

    def add(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node of one output, also called ``name``."""
        return str(self.builder.add(op, *inputs, name=name, **attributes))

    def parameter(self, variable: Variable) -> str:
        """Add a variable that the trainer keeps."""
        self.variables.append(variable)
        return self.builder.constant(variable.value, variable.path)

    def constant(self, value: ArrayLike, name: str = "") -> str:
        """Add a constant of the model's type."""
        return self.builder.constant(np.asarray(value, dtype=self.dtype), name)

    def integers(self, *values: int) -> str:
        return self.builder.constant(np.array(values, dtype=np.int64))
