"""Fitted estimators as graphs: what ``to_model`` and ``save`` write, and the linear models' nodes.

A graph is in the type of ``coef_`` and repeats the estimator's own arithmetic node by node, with main-domain
operators that ONNX Runtime has in float32 and float64. So its results have the bits of the estimator's for rows of
that type or a narrower one.
"""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from maas_engine.errors import Unsupported
from maas_engine.graph import Graph, GraphBuilder
from maas_engine.model import Model

Array = NDArray[Any]
Roles = dict[str, str]  # a method of Model -> the value it gives


class ExportMixin:
    """``to_model`` and ``save`` of fitted estimators; needs ``coef_``, or a ``_row_type`` of one's own."""

    coef_: Array

    def to_model(self) -> Model:
        """Return the fitted estimator as a :class:`maas_engine.Model`, which predicts without scikit-learn.

        Its input is "X"; its outputs are "variable" of a regressor, "label" and "probabilities" (or "scores"
        where there are none) of a classifier. Labels come out as int64 or text.

        Raises
        ------
        NotFittedError : before ``fit``.
        Unsupported : labels that are neither whole numbers, bools nor text.
        """
        return Model(self._to_graph())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted estimator to an ONNX file; :func:`maas_engine.load` and ONNX Runtime read it.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        NotFittedError, Unsupported : as :meth:`to_model`.
        """
        self.to_model().save(path)

    def _to_graph(self) -> Graph:
        check_is_fitted(self)
        dtype, features = self._row_type()
        builder = GraphBuilder(type(self).__name__)
        x = builder.input("X", dtype, (None, features))
        metadata = {f"maas_engine.{role}": value for role, value in self._write(builder, x).items()}
        if hasattr(self, "classes_"):
            metadata["maas_engine.labels"] = json.dumps(label_table(self.classes_).tolist())
        if hasattr(self, "feature_names_in_"):
            metadata["maas_engine.feature_names"] = json.dumps([str(name) for name in self.feature_names_in_])
        return builder.build(metadata)

    def _row_type(self) -> tuple[np.dtype[Any], int]:
        """The type of the weights, and how many features a row has."""
        coef = np.asarray(self.coef_)
        return coef.dtype, coef.shape[-1]

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        """Add the nodes and outputs to ``builder``, for rows named ``x``."""
        raise NotImplementedError


def label_table(classes: Array) -> Array:
    """Return the classes as int64 or as text, the types that labels have in ONNX.

    Raises
    ------
    Unsupported : they are neither whole numbers within int64, bools nor text.
    """
    labels = np.asarray(classes)
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        return labels.astype(str)
    if labels.dtype.kind == "U":
        return labels
    try:
        whole = np.array([int(label) for label in labels.tolist()], dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        whole = np.empty(0, np.int64)
    if labels.dtype.kind not in "biufO" or not np.array_equal(whole, labels):
        raise Unsupported(
            f"[to_model] expected labels that are whole numbers, bools or text, as ONNX has them, got {labels!r}"
        )
    return whole


def write_regressor(builder: GraphBuilder, x: str, coef: Array, intercept: Any, link: str = "") -> Roles:
    """Write "variable", shape (n,) or, for ``coef`` of two dimensions, (n, n_outputs).

    ``link`` is the operator that makes predictions of scores, such as "Exp".
    """
    one_target = np.ndim(coef) == 1
    last = link or ("Squeeze" if one_target else "Gemm")
    scores = _linear(builder, x, coef, intercept, "variable" if last == "Gemm" else "")
    if one_target:
        scores = flat(builder, scores, "variable" if last == "Squeeze" else "")
    if link:
        builder.add(link, scores, outputs="variable")
    builder.output("variable")
    return {"predict": "variable"}


def write_decisions(builder: GraphBuilder, x: str, coef: Array, intercept: Any, classes: Array) -> str:
    """Write "label" and "scores" of a classifier whose scores decide; return the scores as (n, n_outputs)."""
    columns = _linear(builder, x, coef, intercept, "scores" if len(coef) > 1 else "")
    if len(coef) > 1:
        write_label(builder, classes, "ArgMax", columns, axis=1, keepdims=0)
    else:
        scores = flat(builder, columns, "scores")
        positive = builder.add("Greater", scores, _scalar(builder, 0, coef.dtype))
        write_label(builder, classes, "Cast", positive, to=ONNX_INT64)
    return columns


def write_logistic(builder: GraphBuilder, x: str, coef: Array, intercept: Any, classes: Array) -> None:
    """Write "label", "scores" and "probabilities" of a logistic regression: softmax, or the logistic function.

    Of two classes each has a column of margins, z and -z, so that the small probability keeps its digits.
    """
    if len(coef) > 1:
        scores = write_decisions(builder, x, coef, intercept, classes)
        builder.add("Softmax", scores, axis=1, outputs="probabilities")
        return
    bias = np.broadcast_to(np.asarray(intercept, dtype=coef.dtype), 1) + coef.dtype.type(0)
    margins = _linear(builder, x, np.concatenate([-coef, coef]), np.concatenate([-bias, bias]), "margins")
    builder.add("Sigmoid", margins, outputs="probabilities")
    write_label(builder, classes, "ArgMax", margins, axis=1, keepdims=0)
    builder.add("Gather", margins, builder.constant(np.int64(1)), axis=1, outputs="scores")


def write_one_vs_rest(builder: GraphBuilder, columns: str, dtype: Any, n_outputs: int, loss: str) -> None:
    """Write "probabilities" of classes that were each trained against the rest, as ``SGDClassifier`` has them.

    Parameters
    ----------
    columns : scores of shape (n, n_outputs)
    loss : "log_loss" or "modified_huber"
    """

    def constant(value: float) -> str:
        return _scalar(builder, value, dtype)

    if loss == "log_loss" and n_outputs == 1:
        positive = builder.add("Sigmoid", columns)
    elif loss == "log_loss":
        # Written out as our Sigmoid computes it. ONNX Runtime's keeps no digits of small values, and where no class
        # is likely the quotients below are of small values alone.
        small = builder.add("Exp", builder.add("Neg", builder.add("Abs", columns)))
        upper = builder.add("Where", builder.add("Less", columns, constant(0)), small, constant(1))
        positive = builder.add("Div", upper, builder.add("Add", small, constant(1)))
    else:
        clipped = builder.add("Clip", columns, constant(-1), constant(1))
        positive = builder.add("Div", builder.add("Add", clipped, constant(1)), constant(2))
    if n_outputs == 1:
        negative = builder.add("Sub", constant(1), positive)
        builder.add("Concat", negative, positive, axis=1, outputs="probabilities")
        return
    total = builder.add("MatMul", positive, builder.constant(np.ones((n_outputs, 1), dtype)))
    some = builder.add("Greater", total, constant(0))
    share = builder.add("Where", some, positive, constant(1))
    whole = builder.add("Where", some, total, constant(n_outputs))
    builder.add("Div", share, whole, outputs="probabilities")


ONNX_INT64 = 7


def _linear(builder: GraphBuilder, x: str, coef: Array, intercept: Any, name: str) -> str:
    """Add scores of shape (n, n_outputs), as ``linear_predict`` computes them."""
    weights = np.ascontiguousarray(np.atleast_2d(coef))
    bias = np.zeros(len(weights), dtype=weights.dtype) + np.asarray(intercept, dtype=weights.dtype)
    return str(
        builder.add(
            "Gemm",
            x,
            builder.constant(weights, "coef"),
            builder.constant(bias, "intercept"),
            transB=1,
            name="linear",
            outputs=name,
        )
    )


def flat(builder: GraphBuilder, columns: str, name: str) -> str:
    return str(builder.add("Squeeze", columns, builder.constant(np.array([1])), outputs=name))


def _scalar(builder: GraphBuilder, value: float, dtype: Any) -> str:
    return builder.constant(np.asarray(value, dtype=dtype))


def write_label(builder: GraphBuilder, classes: Array, op: str, *inputs: str, **attributes: Any) -> None:
    """Write "label": the class at the position that ``op`` finds."""
    table = label_table(classes)
    if table.dtype == np.int64 and np.array_equal(table, np.arange(len(table))):
        builder.add(op, *inputs, outputs="label", **attributes)
        return
    position = builder.add(op, *inputs, **attributes)
    builder.add("Gather", builder.constant(table, "classes"), position, axis=0, outputs="label")
