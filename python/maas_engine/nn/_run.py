"""One layer on its own, in inference mode."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maas_engine.model import Model
from maas_engine.nn._config import floatx
from maas_engine.nn._graph import Signature, write_graph
from maas_engine.nn.layers import Embedding, Layer


def run_layer(layer: Layer, x: ArrayLike) -> NDArray[Any]:
    """Return a layer's outputs for a batch x, in inference mode."""
    dtype = layer.dtype or floatx()
    kind = "int64" if isinstance(layer, Embedding) else dtype
    batch = np.asarray(x).astype(kind, copy=False)
    layer.build((None, *batch.shape[1:]))
    graph, _ = write_graph(
        layer.name, [layer], Signature("input", layer.input_shape, kind, dtype), training=False
    )
    return np.asarray(Model(graph).predict(batch))
