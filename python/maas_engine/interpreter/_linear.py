"""Matrix products, the linear models of ai.onnx.ml, and what follows their scores."""

from __future__ import annotations

import math

import numpy as np

from maas_engine.interpreter._call import Call
from maas_engine.interpreter._elementwise import Function
from maas_engine.interpreter._functions import sigmoid
from maas_engine.interpreter._namespace import Array, dtype_name, is_float, to_device, to_host
from maas_engine.interpreter._reduce import softmax


def gemm(call: Call, a: Array, b: Array, c: Array | None = None) -> Array:
    """alpha A' B' + beta C; integers with integer factors."""
    xp = call.xp
    a = xp.permute_dims(a, (1, 0)) if call.attribute("transA", 0) else a
    b = xp.permute_dims(b, (1, 0)) if call.attribute("transB", 0) else b
    product = xp.matmul(a, b)
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    if not is_float(product):
        alpha, beta = int(alpha), int(beta)
    product = product if alpha == 1 else alpha * product
    return product if c is None else product + (c if beta == 1 else beta * c)


def matmul(call: Call, a: Array, b: Array) -> Array:
    return call.xp.matmul(a, b)


def linear_scores(call: Call, x: Array, outputs: int) -> Array:
    """x W' + b with the coefficients of the attributes, one output after the other; float32."""
    xp = call.xp
    work = x if dtype_name(x) == "float64" else call.cast(x, "float32")
    weights = np.asarray(call.attribute("coefficients"), dtype=np.float32).reshape(outputs, -1)
    scores = xp.matmul(work, xp.permute_dims(call.float32s(weights, like=work), (1, 0)))
    intercepts = call.attribute("intercepts", None)
    if intercepts is not None and len(intercepts):
        scores = scores + call.float32s(intercepts, like=work)
    return call.cast(scores, "float32")


def softmax_zero(call: Call, scores: Array) -> Array:
    """Softmax in which scores within 1e-7 of zero count for nothing."""
    xp = call.xp
    largest = xp.max(scores, axis=-1, keepdims=True)
    counts = xp.abs(scores) > 1e-7
    powers = xp.where(counts, xp.exp(scores - largest), scores * xp.exp(-largest))
    return powers / xp.sum(xp.where(counts, powers, xp.zeros_like(powers)), axis=-1, keepdims=True)


def probit(call: Call, scores: Array) -> Array:
    """Winitzki's approximation of the inverse normal distribution, the one ONNX Runtime uses."""
    xp = call.xp
    x = 2.0 * scores - 1.0
    log = xp.log((1.0 - x) * (1.0 + x))
    v = 2.0 / (math.pi * 0.147) + 0.5 * log
    root = xp.sqrt(xp.sqrt(v * v - log / 0.147) - v)
    return math.sqrt(2.0) * xp.where(x < 0, -root, root)


def post_transform(call: Call, scores: Array) -> Array:
    transform = call.attribute("post_transform", "NONE")
    if transform == "LOGISTIC":
        return sigmoid(call.xp, scores)
    if transform == "SOFTMAX":
        return softmax(call, scores)
    if transform == "SOFTMAX_ZERO":
        return softmax_zero(call, scores)
    if transform == "PROBIT":
        return probit(call, scores)
    return scores


def linear_regressor(call: Call, x: Array) -> Array:
    x = x if len(x.shape) == 2 else call.xp.reshape(x, (1, -1))
    return post_transform(call, linear_scores(call, x, call.attribute("targets", 1)))


def linear_classifier(call: Call, x: Array) -> tuple[Array, Array]:
    """The label with the largest score, and the scores. One row of coefficients for two labels gives -s and s."""
    xp = call.xp
    x = x if len(x.shape) == 2 else xp.reshape(x, (1, -1))
    texts = call.attribute("classlabels_strings", None)
    labels = (
        np.array(texts, dtype=object) if texts else np.asarray(call.attribute("classlabels_ints"), np.int64)
    )
    rows = len(call.attribute("coefficients")) // x.shape[1]
    scores = linear_scores(call, x, rows)
    if rows == 1 and len(labels) == 2:
        scores = xp.concat([-scores, scores], axis=1)
    chosen = to_host(xp.argmax(scores, axis=1))
    return to_device(xp, labels[chosen]), post_transform(call, scores)


OPERATORS: dict[str, Function] = {"Gemm": gemm, "MatMul": matmul}
ML_OPERATORS: dict[str, Function] = {
    "LinearClassifier": linear_classifier,
    "LinearRegressor": linear_regressor,
}
