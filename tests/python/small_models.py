"""Models for tests of `Model`, put together from a few nodes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

import maas_engine
from maas_engine.graph import ML_DOMAIN, GraphBuilder

DRAWS = np.random.default_rng(7)
COEF = DRAWS.normal(size=(20, 3))
BIAS = np.array([0.5, -1.0, 0.25])


def linear(dtype: Any = np.float32, features: int = 20, **metadata: str) -> maas_engine.Model:
    """X @ coef + bias, one target: shape (n,)."""
    builder = GraphBuilder("linear")
    x = builder.input("X", dtype, (None, features))
    coef, bias = COEF[:features, :1].astype(dtype), BIAS[:1].astype(dtype)
    product = builder.add("Gemm", x, builder.constant(coef), builder.constant(bias))
    builder.output(builder.add("Reshape", product, builder.constant(np.array([-1])), outputs="variable"))
    return maas_engine.Model(builder.build({f"maas_engine.{key}": value for key, value in metadata.items()}))


def classifier(labels: list[Any], features: int = 20) -> maas_engine.Model:
    """Softmax of X @ coef + bias, with labels, probabilities and, inside the graph, the scores."""
    builder = GraphBuilder("classifier")
    x = builder.input("X", np.float32, (None, features))
    coef, bias = COEF[:features].astype(np.float32), BIAS.astype(np.float32)
    classes = {"classlabels_strings" if isinstance(labels[0], str) else "classlabels_ints": labels}
    builder.add("Gemm", x, builder.constant(coef), builder.constant(bias), outputs="scores")
    label, probabilities = builder.add(
        "LinearClassifier",
        x,
        domain=ML_DOMAIN,
        outputs=["label", "probabilities"],
        coefficients=coef.T.ravel().tolist(),
        intercepts=bias.tolist(),
        post_transform="SOFTMAX",
        **classes,
    )
    builder.output(label, probabilities)
    roles = {"predict": "label", "predict_proba": "probabilities", "decision_function": "scores"}
    metadata = {f"maas_engine.{key}": value for key, value in roles.items()}
    return maas_engine.Model(builder.build({**metadata, "maas_engine.labels": json.dumps(labels)}))


def mixed() -> maas_engine.Model:
    """One input a column, as skl2onnx has it: age + 10 * height + 100 * (city is Oslo) + 1000 * count."""
    builder = GraphBuilder("mixed")
    age = builder.input("age", np.float64, (None, 1))
    height = builder.input("height", np.float32, (None, 1))
    city = builder.input("city", str, (None, 1))
    count = builder.input("count", np.int64, (None, 1))
    cities = builder.add("OneHotEncoder", city, domain=ML_DOMAIN, cats_strings=["Oslo", "Łódź"], zeros=1)
    first = builder.add("Gather", builder.add("Cast", cities, to=11), builder.constant(0), axis=2)
    parts = [
        age,
        builder.add("Mul", builder.add("Cast", height, to=11), builder.constant(10.0)),
        builder.add("Mul", first, builder.constant(100.0)),
        builder.add("Mul", builder.add("Cast", count, to=11), builder.constant(1000.0)),
    ]
    total = builder.add("Sum", *parts)
    builder.output(builder.add("Reshape", total, builder.constant(np.array([-1])), outputs="variable"))
    return maas_engine.Model(builder.build())


def rows(n: int, features: int = 20, dtype: Any = np.float32) -> NDArray[Any]:
    return np.random.default_rng(n).normal(size=(n, features)).astype(dtype)
