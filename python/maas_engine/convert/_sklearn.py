"""``from_sklearn``: a fitted scikit-learn estimator or pipeline as a `Model`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from maas_engine.convert import _skl2onnx
from maas_engine.convert._compose import cast, column, copy_nodes, declare, first_column
from maas_engine.convert._discrepancy import Discrepancy, measure
from maas_engine.convert._inputs import Plan, plans
from maas_engine.errors import FormatError, InvalidArgument, MaasError, Unsupported
from maas_engine.graph import Graph, GraphBuilder
from maas_engine.linear_model._export import ExportMixin, label_table
from maas_engine.model import Model

# Differences over the largest value that need no second try in another type: float32's rounding.
_CLOSE = 1e-6


def from_sklearn(estimator: Any, X: Any = None, *, name: str | None = None) -> Model:
    """Return a fitted scikit-learn estimator or pipeline as a `Model`, which predicts without scikit-learn.

    Whatever skl2onnx converts to operators of the engine: linear models, neural networks, preprocessing,
    ``ColumnTransformer``, pipelines of them; the engine's own estimators too, alone or as a
    pipeline's last step. Text columns and missing numbers pass as they do in scikit-learn.

    Parameters
    ----------
    estimator : fitted estimator
    X : array or frame of shape (n, features), optional
        Rows as the estimator takes them. They decide the types and names of the inputs, and on them the model is
        compared with the estimator (``model.discrepancy``). Without X the model takes float64 features, as many
        as ``estimator.n_features_in_``, by name where ``feature_names_in_`` has names.
    name : str, optional
        Of the graph; default: the class of the estimator, or of the last step of a pipeline.

    Returns
    -------
    Model
        ``predict`` gives what the estimator's does (``transform`` of a transformer), ``predict_proba`` or else
        ``decision_function`` a classifier's scores. float64 rows are computed in float64 where skl2onnx can, and
        in the type that comes closer to the estimator where types differ. Labels come as int64 or text.

    Raises
    ------
    Unsupported : an estimator that skl2onnx does not convert, or an operator (of trees, say) that the engine does
        not have; the message names it.
    InvalidArgument : X that is no table of numbers and text.
    ImportError : skl2onnx is missing: the extra ``onnx`` brings it.

    Examples
    --------
    >>> model = maas_engine.from_sklearn(pipeline, X_test)  # doctest: +SKIP
    >>> model.discrepancy.label_flips  # doctest: +SKIP
    0
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(estimator)
    X = _rows(X)
    best: tuple[Discrepancy, Model] | None = None
    problem: MaasError | None = None
    for plan in plans(estimator, X):
        try:
            model = Model(_graph(estimator, plan, X, name or type(_last_step(estimator)).__name__))
            if X is None:
                return model
            found = measure(model, estimator, X)
        except (Unsupported, FormatError, InvalidArgument) as error:
            problem = error
            continue
        if best is None or best[0].worse_than(found):
            best = found, model
        if found.label_flips == 0 and found.max_rel <= _CLOSE:
            break
    if best is None:
        raise problem or Unsupported("[from_sklearn] found no way to convert it")
    best[1]._discrepancy = best[0]
    return best[1]


def _rows(X: Any) -> Any:
    if X is None or hasattr(X, "columns"):
        return X
    if hasattr(X, "toarray"):
        raise InvalidArgument("[from_sklearn] expected X to be dense, got a sparse matrix: X.toarray()")
    return np.asarray(X)


def _steps(estimator: Any) -> list[Any] | None:
    """The estimators of a pipeline in order, or None."""
    from sklearn.pipeline import Pipeline

    return [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else None


def _last_step(estimator: Any) -> Any:
    steps = _steps(estimator)
    return steps[-1] if steps else estimator


def _graph(estimator: Any, plan: Plan, X: Any, name: str) -> Graph:
    builder = GraphBuilder(name)
    inputs = declare(builder, plan)
    last = _last_step(estimator)
    if isinstance(last, ExportMixin):
        roles = _append_own(builder, _features(builder, estimator, plan, inputs), last)
    else:
        _skl2onnx.require()
        graph = _skl2onnx.convert(estimator, plan)
        if hasattr(estimator, "classes_"):
            roles = _write_classifier(builder, graph, inputs, estimator)
        else:
            roles = _write_numbers(builder, graph, inputs, _gives_vector(estimator, plan, X))
    metadata = {f"maas_engine.{role}": value for role, value in roles.items()}
    if hasattr(estimator, "classes_"):
        metadata["maas_engine.labels"] = json.dumps(label_table(estimator.classes_).tolist())
    if plan.feature_names is not None:
        metadata["maas_engine.feature_names"] = json.dumps(plan.feature_names)
    return builder.build(metadata)


def _features(builder: GraphBuilder, estimator: Any, plan: Plan, inputs: dict[str, str]) -> str:
    """The rows that reach a pipeline's last step."""
    steps = _steps(estimator)
    if steps is None or all(step in (None, "passthrough") for step in steps[:-1]):
        if len(inputs) > 1:
            raise Unsupported("[from_sklearn] expected numbers for an estimator without preprocessing")
        return next(iter(inputs.values()))
    _skl2onnx.require()
    graph = _skl2onnx.convert(estimator[:-1], plan)
    if len(graph.outputs) != 1:
        raise Unsupported(f"[from_sklearn] expected one output before the last step, got {graph.outputs}")
    return copy_nodes(builder, graph, inputs, {})[graph.outputs[0][0]]


def _append_own(builder: GraphBuilder, features: str, last: Any) -> dict[str, str]:
    model = last.to_model()
    graph = model.graph
    (name, dtype, _) = graph.inputs[0]
    kept = {value: value for value, _, _ in graph.outputs}
    kept |= {field.name: field.name for field in model.schema.roles.values()}
    copy_nodes(builder, graph, {name: cast(builder, features, dtype)}, kept)
    builder.output(*(value for value, _, _ in graph.outputs))
    return {role: field.name for role, field in model.schema.roles.items()}


def _write_classifier(
    builder: GraphBuilder, graph: Graph, inputs: dict[str, str], estimator: Any
) -> dict[str, str]:
    """Write "label", and "probabilities" or "scores", of skl2onnx's first two outputs."""
    if len(graph.outputs) < 2:
        raise Unsupported(f"[from_sklearn] expected labels and scores of a classifier, got {graph.outputs}")
    (label, _, label_shape), (scores, _, shape) = graph.outputs[:2]
    flat_label, width = len(label_shape) == 1, shape[-1] if len(shape) == 2 else None
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    one_score = method == "decision_function" and len(estimator.classes_) == 2 and width in (1, 2)
    outputs = {label: "label"} if flat_label else {}
    value = "probabilities" if method == "predict_proba" else "scores"
    if not one_score:
        outputs[scores] = value
    names = copy_nodes(builder, graph, inputs, outputs)
    if not flat_label:
        first_column(builder, names[label], "label")
    if one_score and width == 1:
        first_column(builder, names[scores], value)
    elif one_score:
        column(builder, names[scores], 1, value)
    builder.output("label", value)
    return {"predict": "label", method: value}


def _write_numbers(
    builder: GraphBuilder, graph: Graph, inputs: dict[str, str], vector: bool
) -> dict[str, str]:
    """Write "variable": skl2onnx's first output, of shape (n,) where the estimator's is."""
    name, _, shape = graph.outputs[0]
    flatten = vector and len(shape) == 2 and shape[1] == 1
    names = copy_nodes(builder, graph, inputs, {} if flatten else {name: "variable"})
    if flatten:
        first_column(builder, names[name], "variable")
    builder.output("variable")
    return {"predict": "variable"}


def _gives_vector(estimator: Any, plan: Plan, X: Any) -> bool:
    """Whether ``predict`` gives one number a row, without a second axis."""
    if not hasattr(estimator, "predict"):
        return False
    if X is None:
        target = getattr(_last_step(estimator), "coef_", None)
        return target is None or np.ndim(target) == 1
    return bool(np.ndim(estimator.predict(X[:1])) == 1)
