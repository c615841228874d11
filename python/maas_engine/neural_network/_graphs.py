"""Multi-layer perceptrons as graphs: the one that is trained, and those that predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.graph import Graph, GraphBuilder
from maas_engine.nn import activations
from maas_engine.nn._node_writer import NodeWriter

Array = NDArray[Any]

# scikit-learn's four by its own names, then those of maas_engine.nn.activations.
ACTIVATIONS = (
    *("identity", "logistic", "tanh", "relu"),
    *("leaky_relu", "relu6", "elu", "selu", "gelu", "gelu_tanh", "silu", "hard_silu", "mish", "softplus"),
    *("softsign", "hard_sigmoid"),
)
_NAMES = {"identity": "linear", "logistic": "sigmoid"}


def training_graph(
    activation: str, dropout: Sequence[float], coefs: Sequence[Array], intercepts: Sequence[Array]
) -> Graph:
    """Return the graph that is trained: rows in, scores before the last activation out.

    Parameters
    ----------
    activation : of the hidden layers, one of ``ACTIVATIONS``
    dropout : rates, one a hidden layer
    coefs, intercepts : at the start; initializers "coefs_0", "intercepts_0", ...
    """
    builder = GraphBuilder("training")
    x = builder.input("X", coefs[0].dtype, (None, len(coefs[0])))
    builder.output(write_scores(builder, x, activation, coefs, intercepts, dropout=dropout))
    return builder.build()


def write_scores(
    builder: GraphBuilder,
    x: str,
    activation: str,
    coefs: Sequence[Array],
    intercepts: Sequence[Array],
    name: str = "",
    *,
    dropout: Sequence[float] | None = None,
) -> str:
    """Add the layers up to the scores before the last activation, named ``name``; return their name.

    ``dropout`` has a rate for each hidden layer of a graph that is trained; None: it predicts.
    """
    last = len(coefs) - 1
    values = x
    for layer, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        if layer:
            values = _activate(builder, values, activation, coef.dtype, training=dropout is not None)
            if dropout is not None and dropout[layer - 1] > 0:
                ratio = builder.constant(np.asarray(dropout[layer - 1], dtype=np.float32))
                values = builder.add("Dropout", values, ratio)
        values = _dense(builder, values, layer, coef, intercept, name if layer == last else "")
    return values


def _dense(builder: GraphBuilder, x: str, layer: int, coef: Array, intercept: Array, name: str = "") -> str:
    return str(
        builder.add(
            "Gemm",
            x,
            builder.constant(coef, f"coefs_{layer}"),
            builder.constant(intercept, f"intercepts_{layer}"),
            name=f"layer_{layer}",
            outputs=name,
        )
    )


def _activate(builder: GraphBuilder, x: str, activation: str, dtype: Any, *, training: bool) -> str:
    nodes = NodeWriter("", np.dtype(dtype).name, training=training, builder=builder)
    return activations.get(_NAMES.get(activation, activation)).write(nodes, x, "")
