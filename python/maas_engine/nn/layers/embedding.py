"""Embedding: a learned row for each index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maas_engine.nn import initializers, regularizers
from maas_engine.nn._checks import whole_number
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers.layer import Layer, Shape, refuse


class Embedding(Layer):
    """A row of a table for each index: the first layer of a model of integers.

    Inputs of shape (n, length) give outputs of shape (n, length, output_dim); a `Flatten` makes features of them.

    Parameters
    ----------
    input_dim : int
        Rows of the table; indices are 0 ... input_dim - 1.
    output_dim : int
        Columns of the table.
    embeddings_initializer : str, Initializer or function
    embeddings_regularizer : Regularizer or str, optional
    input_length : int, optional
        Indices a sample; the same as ``input_shape=(input_length,)``.

    Attributes
    ----------
    embeddings : Variable of shape (input_dim, output_dim)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_length is not None:
            kwargs.setdefault("input_shape", (input_length,))
        super().__init__(**kwargs)
        refuse(self.name, embeddings_constraint=embeddings_constraint, mask_zero=mask_zero)
        self.input_dim = whole_number(input_dim, "input_dim", self.name)
        self.output_dim = whole_number(output_dim, "output_dim", self.name)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings: Variable | None = None

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (*input_shape, self.output_dim)

    def _build(self) -> None:
        self.embeddings = self._add(
            "embeddings",
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
        )

    def write(self, nodes: NodeWriter, x: str) -> str:
        assert self.embeddings is not None
        return nodes.add("Gather", nodes.parameter(self.embeddings), x, name=self.name, axis=0)
