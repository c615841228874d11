"""Layers as one graph: for the trainer, or for files and predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.graph import Graph
from maas_engine.model import Model
from maas_engine.nn._config import floatx
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers import Embedding, Layer

OUTPUT = "output"


class Signature(NamedTuple):
    """What a model takes.

    Attributes
    ----------
    name : str
        Of the input.
    shape : tuple
        Of a batch, None first.
    dtype : str
        Of the input: the model's, or ``"int64"`` of indices.
    model_dtype : str
        Of weights and outputs.
    table_rows : int, optional
        Rows of the table that indices are of.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    model_dtype: str
    table_rows: int | None = None

    @property
    def takes_indices(self) -> bool:
        return self.dtype == "int64"


def write_graph(
    name: str,
    layers: Sequence[Layer],
    signature: Signature,
    *,
    training: bool,
    feature_names: Sequence[str] | None = None,
) -> tuple[Graph, list[Variable]]:
    """Return the graph of built layers with their present values, and the variables that a trainer keeps.

    Raises
    ------
    InvalidArgument : indices that no embedding reads, an embedding that is not first, or no layer at all.
    """
    _check_indices(layers, signature)
    nodes = NodeWriter(name, signature.model_dtype, training=training)
    x = given = nodes.builder.input(signature.name, signature.dtype, signature.shape)
    for layer in layers:
        x = layer.write(nodes, x)
    if not training or x == given:
        x = nodes.add("Identity", x, outputs=OUTPUT if given != OUTPUT else f"{OUTPUT}_1")
    nodes.builder.output(x)
    metadata = {"maas_engine.predict": x}
    if feature_names is not None:
        metadata["maas_engine.feature_names"] = json.dumps(list(feature_names))
    return nodes.builder.build(metadata), nodes.variables


def run_layer(layer: Layer, x: ArrayLike) -> NDArray[Any]:
    """Return the outputs of one layer on its own for a batch x, in inference mode; builds it where it is not."""
    dtype = layer.dtype or floatx()
    kind = "int64" if isinstance(layer, Embedding) else dtype
    batch = np.asarray(x).astype(kind, copy=False)
    layer.build((None, *batch.shape[1:]))
    signature = Signature("input", layer.input_shape, kind, dtype)
    graph, _ = write_graph(layer.name, [layer], signature, training=False)
    return np.asarray(Model(graph).predict(batch))


def _check_indices(layers: Sequence[Layer], signature: Signature) -> None:
    for place, layer in enumerate(layers):
        if isinstance(layer, Embedding) and place > 0:
            raise InvalidArgument(f"[{layer.name}] expected an Embedding to be the first layer of its model")
    if signature.takes_indices and not (layers and isinstance(layers[0], Embedding)):
        raise InvalidArgument(
            "[Sequential] expected an Embedding first for an input of integers; other layers take float inputs"
        )
