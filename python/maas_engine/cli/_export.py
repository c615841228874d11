"""The trained pipeline as one model that takes the table's own columns: numbers, and text as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.data import Dataset
from maas_engine.graph import ML_DOMAIN, GraphBuilder
from maas_engine.model import Model

MISSING_TEXT = ""  # how a missing value of a column of text reaches the model


def export(pipeline: Any, data: Dataset) -> Model:
    """Return what :func:`maas_engine.cli._models.pipeline` built, fitted on ``data``, as a Model.

    Its inputs are the columns of ``data``, shape [N, 1] each: float64 with NaN for what is missing, or
    text with "" for what is missing. Its outputs are those of the estimator.
    """
    builder = GraphBuilder("maas_engine")
    columns = {
        name: builder.input(name, str if name in data.categories else np.float64, (None, 1))
        for name in data.names
    }
    parts = []
    for kind, transformer, places in pipeline["prepare"].transformers_:
        names = [data.names[j] for j in places]
        if kind == "numbers":
            parts.append(_numbers(builder, transformer, [columns[name] for name in names]))
        elif kind == "text":
            for j, name in enumerate(names):
                parts.append(_one_hot(builder, transformer, j, columns[name], data.categories[name]))
    features = (
        parts[0]
        if len(parts) == 1
        else builder.add("Concat", *parts, axis=1, outputs=_free("features", data))
    )
    graph = pipeline["model"].to_model().graph
    if graph.inputs[0][1] == "float32":
        features = builder.add("Cast", features, to=FLOAT)
    return Model(_append(builder, graph, features, data))


def _free(name: str, data: Dataset) -> str:
    """The name, or a longer one where a column has it."""
    while name in data.names:
        name += "_"
    return name


def _numbers(builder: GraphBuilder, steps: Any, columns: list[str]) -> str:
    """Mean for what is missing, then (x - mean) / deviation."""
    x = columns[0] if len(columns) == 1 else builder.add("Concat", *columns, axis=1)
    means = builder.constant(steps["simpleimputer"].statistics_[None, :])
    x = builder.add("Where", builder.add("IsNaN", x), means, x)
    scaler = steps["standardscaler"]
    x = builder.add("Sub", x, builder.constant(scaler.mean_[None, :]))
    return str(builder.add("Div", x, builder.constant(scaler.scale_[None, :])))


def _one_hot(builder: GraphBuilder, encoder: Any, j: int, column: str, values: list[str]) -> str:
    """Text to its place among the encoder's columns for column j; unknown text to where the encoder puts it."""
    places, width, otherwise = _places(encoder, j, len(values))
    known = [
        (value, place) for value, place in zip([*values, MISSING_TEXT], places, strict=True) if place >= 0
    ]
    codes = builder.add(
        "LabelEncoder",
        column,
        domain=ML_DOMAIN,
        keys_strings=[value for value, _ in known],
        values_int64s=[place for _, place in known],
        default_int64=otherwise,
    )
    hot = builder.add("OneHotEncoder", codes, domain=ML_DOMAIN, cats_int64s=list(range(width)), zeros=1)
    flat = builder.add("Reshape", hot, builder.constant(np.array([-1, width])))
    return str(builder.add("Cast", flat, to=DOUBLE))


FLOAT, DOUBLE = 1, 11  # of TensorProto


def _places(encoder: Any, j: int, count: int) -> tuple[NDArray[np.int64], int, int]:
    """The encoder's column of each of ``count`` codes and of a missing value, how many columns it has for
    column j, and the column of unknown codes; -1 for none."""
    widths = [len(names) for names in _columns_of(encoder)]
    begin = sum(widths[:j])
    codes = np.append(np.arange(count, dtype=np.float64), [np.nan, count + 1.0])  # the last is unknown
    filler = [categories[0] for categories in encoder.categories_]
    rows = np.tile(np.array(filler, dtype=np.float64), (len(codes), 1))
    rows[:, j] = codes
    hot = encoder.transform(rows)[:, begin : begin + widths[j]].toarray()
    places = np.where(hot.any(axis=1), hot.argmax(axis=1), -1)
    return places[:-1], widths[j], int(places[-1])


def _columns_of(encoder: Any) -> list[NDArray[Any]]:
    """The encoder's output columns, one array for each input column."""
    infrequent = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return [
        categories if rare is None else categories[: len(categories) - len(rare) + 1]
        for categories, rare in zip(encoder.categories_, infrequent, strict=True)
    ]


def _append(builder: GraphBuilder, graph: Any, features: str, data: Dataset) -> Any:
    """The nodes of ``graph`` after those of the builder, its one input being ``features``."""
    names = {graph.inputs[0][0]: features, "": ""}
    outputs = [name for name, _, _ in graph.outputs]
    for name, value in graph.initializers.items():
        names[name] = builder.constant(value)
    for node in graph.nodes:
        given = [
            _free(name, data) if name in outputs or name in graph.metadata.values() else ""
            for name in node.outputs
        ]
        made = builder.add(
            node.op,
            *(names[name] for name in node.inputs),
            domain=node.domain,
            outputs=given,
            **node.attributes,
        )
        names.update(zip(node.outputs, [made] if isinstance(made, str) else made, strict=True))
    builder.output(*(names[name] for name in outputs))
    metadata = {key: names.get(value, value) for key, value in graph.metadata.items()}
    metadata.pop("maas_engine.feature_names", None)
    return builder.build(metadata)
