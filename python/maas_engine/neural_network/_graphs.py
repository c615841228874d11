"""Multi-layer perceptrons as graphs: the one that is trained, and those that predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.graph import Graph, GraphBuilder

Array = NDArray[Any]

# Keras's, and its slope of leaky_relu; scikit-learn's first four go by its own names.
ACTIVATIONS = (
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
)
_LEAKY_SLOPE = 0.2
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "logistic": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": _LEAKY_SLOPE}),
    "elu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {}),
    "gelu": ("Gelu", {}),
    "softplus": ("Softplus", {}),
}


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
    values = builder.input("X", coefs[0].dtype, (None, len(coefs[0])))
    for layer, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        if layer:
            values = _activate(builder, values, activation)
            if dropout[layer - 1] > 0:
                ratio = builder.constant(np.asarray(dropout[layer - 1], dtype=np.float32))
                values = builder.add("Dropout", values, ratio)
        values = _dense(builder, values, layer, coef, intercept)
    builder.output(values)
    return builder.build()


def write_scores(
    builder: GraphBuilder,
    x: str,
    activation: str,
    coefs: Sequence[Array],
    intercepts: Sequence[Array],
    name: str = "",
) -> str:
    """Add the layers up to the scores before the last activation, named ``name``; return their name."""
    last = len(coefs) - 1
    values = x
    for layer, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        if layer:
            values = _portable(builder, values, activation, coef.dtype)
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


def _activate(builder: GraphBuilder, x: str, activation: str) -> str:
    if activation == "identity":
        return x
    if activation == "silu":
        return str(builder.add("Mul", x, builder.add("Sigmoid", x)))
    op, attributes = _NODES[activation]
    return str(builder.add(op, x, **attributes))


def _portable(builder: GraphBuilder, x: str, activation: str, dtype: Any) -> str:
    """The activation in operators that ONNX Runtime has in ``dtype``; it lacks most in float64.

    The one without such a form is gelu, which needs erf.
    """
    if np.dtype(dtype) == np.float32 or activation not in ("leaky_relu", "elu", "selu", "softplus"):
        return _activate(builder, x, activation)

    def number(value: float) -> str:
        return builder.constant(np.asarray(value, dtype=dtype))

    if activation == "leaky_relu":
        below = builder.add("Mul", x, number(float(np.float32(_LEAKY_SLOPE))))  # attributes are float32
        return str(builder.add("Where", builder.add("Less", x, number(0)), below, x))
    if activation == "softplus":
        small = builder.add("Exp", builder.add("Neg", builder.add("Abs", x)))
        return str(
            builder.add(
                "Add", builder.add("Relu", x), builder.add("Log", builder.add("Add", small, number(1)))
            )
        )
    # Clipped, so that where x is large nothing overflows in the branch that is not taken.
    below = builder.add("Sub", builder.add("Exp", builder.add("Min", x, number(0))), number(1))
    if activation == "selu":
        below = builder.add("Mul", below, number(_SELU_ALPHA))
    chosen = builder.add("Where", builder.add("Greater", x, number(0)), x, below)
    return str(builder.add("Mul", chosen, number(_SELU_SCALE)) if activation == "selu" else chosen)
