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
    """x W' + b with the coefficients of the attributes, one output after the other."""
    xp = call.xp
    work = x if dtype_name(x) == "float64" else call.cast(x, "float32")
    weights = np.asarray(call.attribute("coefficients"), dtype=np.float32).reshape(outputs, -1)
    scores = xp.matmul(work, xp.permute_dims(call.float32s(weights, like=work), (1, 0)))
    intercepts = call.attribute("intercepts", None)
    if intercepts is not None and len(intercepts):
        scores = scores + call.float32s(intercepts, like=work)
    return scores


def softmax_zero(call: Call, scores: Array) -> Array:
    """Softmax in which scores within 1e-7 of zero stay near zero."""
    xp = call.xp
    largest = xp.max(scores, axis=-1, keepdims=True)
    weights = xp.where(xp.abs(scores) > 1e-7, xp.exp(scores - largest), scores * xp.exp(-largest))
    total = xp.sum(weights, axis=-1, keepdims=True, dtype=weights.dtype)
    return xp.where(total == 0, xp.full_like(weights, 0.5), weights / total)


def probit(call: Call, scores: Array) -> Array:
    """Winitzki's approximation of the inverse normal distribution, the one ONNX Runtime uses."""
    xp = call.xp
    x = 2.0 * call.cast(scores, "float64") - 1.0
    log = xp.log((1.0 - x) * (1.0 + x))
    v = 2.0 / (math.pi * 0.147) + 0.5 * log
    root = math.sqrt(2.0) * xp.sqrt(xp.sqrt(v * v - log / 0.147) - v)
    root = xp.where(xp.abs(x) == 1.0, xp.full_like(root, math.inf), root)
    return xp.where(x < 0, -root, root)


def post_transform(call: Call, scores: Array) -> Array:
    transform = call.attribute("post_transform", "NONE")
    if transform == "LOGISTIC":
        return sigmoid(call.xp, scores)
    if transform == "PROBIT":
        return probit(call, scores)
    if transform == "NONE" or scores.shape[1] == 1:  # other evaluators leave a single score alone
        return scores
    return softmax(call, scores) if transform == "SOFTMAX" else softmax_zero(call, scores)


def linear_regressor(call: Call, x: Array) -> Array:
    x = x if len(x.shape) == 2 else call.xp.reshape(x, (1, -1))
    scores = linear_scores(call, x, call.attribute("targets", 1))
    return call.cast(post_transform(call, scores), "float32")


def pair_of_scores(call: Call, score: Array) -> Array:
    """What ONNX Runtime gives for two labels and one row of coefficients."""
    if call.attribute("post_transform", "NONE") == "LOGISTIC":
        return sigmoid(call.xp, call.xp.concat([-score, score], axis=1))
    return call.xp.concat([1.0 - score, score], axis=1)


def linear_classifier(call: Call, x: Array) -> tuple[Array, Array]:
    """The label with the largest score before the transform, and the scores of all labels."""
    xp = call.xp
    x = x if len(x.shape) == 2 else xp.reshape(x, (1, -1))
    texts = call.attribute("classlabels_strings", None)
    labels = (
        np.array(texts, dtype=object)
        if texts is not None and len(texts)
        else np.asarray(call.attribute("classlabels_ints"), np.int64)
    )
    rows = 1 if len(labels) == 2 and len(call.attribute("coefficients")) == x.shape[1] else len(labels)
    scores = linear_scores(call, x, rows)
    if rows == 1 and len(labels) == 2:
        place, values = call.cast(scores[:, 0] > 0, "int64"), pair_of_scores(call, scores)
    else:
        place, values = xp.argmax(scores, axis=1), post_transform(call, scores)
    return to_device(xp, labels[to_host(place)]), call.cast(values, "float32")


OPERATORS: dict[str, Function] = {"Gemm": gemm, "MatMul": matmul}
ML_OPERATORS: dict[str, Function] = {
    "LinearClassifier": linear_classifier,
    "LinearRegressor": linear_regressor,
}
