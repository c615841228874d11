"""What fitted networks answer: values, or labels and probabilities, as nodes of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._export import ONNX_INT64, Roles, flat, write_label
from maas_engine.neural_network._graphs import write_scores

Array = NDArray[Any]


def write_values(
    builder: GraphBuilder,
    x: str,
    activation: str,
    coefs: Sequence[Array],
    intercepts: Sequence[Array],
    link: str,
) -> Roles:
    """Write "variable", shape (n,) or, of several outputs, (n, n_outputs); ``link`` is "Exp" or ""."""
    one = coefs[-1].shape[1] == 1
    ends = (bool(link), one)
    values = write_scores(builder, x, activation, coefs, intercepts, "" if any(ends) else "variable")
    if link:
        values = builder.add(link, values, outputs="" if one else "variable")
    if one:
        flat(builder, values, "variable")
    builder.output("variable")
    return {"predict": "variable"}


def write_classes(
    builder: GraphBuilder,
    x: str,
    activation: str,
    coefs: Sequence[Array],
    intercepts: Sequence[Array],
    classes: Array,
) -> Roles:
    """Write "label", the most likely of ``classes``, and "probabilities", a column a class.

    Of two classes each has a score, z and -z, so that the small probability keeps its digits. The label is that
    of the largest score.
    """
    if coefs[-1].shape[1] == 1:
        coefs = [*coefs[:-1], np.concatenate([-coefs[-1], coefs[-1]], axis=1)]
        intercepts = [*intercepts[:-1], np.concatenate([-intercepts[-1], intercepts[-1]])]
        scores = write_scores(builder, x, activation, coefs, intercepts)
        builder.add("Sigmoid", scores, outputs="probabilities")
    else:
        scores = write_scores(builder, x, activation, coefs, intercepts)
        builder.add("Softmax", scores, axis=1, outputs="probabilities")
    write_label(builder, classes, "ArgMax", scores, axis=1, keepdims=0)
    return _labelled(builder)


def write_label_set(
    builder: GraphBuilder, x: str, activation: str, coefs: Sequence[Array], intercepts: Sequence[Array]
) -> Roles:
    """Write "label", int64 of 0 and 1, and "probabilities", both with a column a label."""
    scores = write_scores(builder, x, activation, coefs, intercepts)
    builder.add("Sigmoid", scores, outputs="probabilities")
    positive = builder.add("Greater", scores, builder.constant(np.zeros((), coefs[-1].dtype)))
    builder.add("Cast", positive, to=ONNX_INT64, outputs="label")
    return _labelled(builder)


def _labelled(builder: GraphBuilder) -> Roles:
    builder.output("label", "probabilities")
    return {"predict": "label", "predict_proba": "probabilities"}
