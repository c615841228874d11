"""What a model takes and gives: the fields of its inputs and outputs, and which of its values has which role."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import FormatError
from maas_engine.graph import Graph

PREFIX = "maas_engine."
ROLES = ("predict", "predict_proba", "decision_function")
DTYPES = ("float32", "float64", "int64", "int32", "bool", "string")  # of fields: those that graphs have


class Field(NamedTuple):
    """A named value of a model: a tensor of one type, with None in its shape for the number of rows."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def batched(self) -> bool:
        """Whether it holds one entry a row."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row; all of it where the field knows nothing of rows."""
        return tuple(dim for dim in self.shape if dim is not None)

    @property
    def row_size(self) -> int:
        """Elements of one row."""
        size = 1
        for dim in self.row_shape:
            size *= dim
        return size

    def __str__(self) -> str:
        dims = ", ".join("N" if dim is None else str(dim) for dim in self.shape)
        return f"{self.name}: {self.dtype} [{dims}]"


class Schema(NamedTuple):
    """Inputs, outputs, feature names and roles of a model.

    Attributes
    ----------
    inputs, outputs : tuple of Field
    feature_names : tuple of str, or None
        Of the columns of a single input, where the model knows them.
    roles : dict of str to Field
        What ``predict``, ``predict_proba`` and ``decision_function`` give; only those that the model offers.
    """

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    feature_names: tuple[str, ...] | None
    roles: dict[str, Field]

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names by which frames and dicts give one number or text each; None where columns have no names."""
        if self.feature_names is not None:
            return self.feature_names
        if all(each.batched and each.row_size == 1 for each in self.inputs):
            return tuple(each.name for each in self.inputs)
        return None

    def __str__(self) -> str:
        lines = ["inputs"]
        lines += [f"  {each}" for each in self.inputs]
        if self.feature_names is not None:
            lines += ["features", f"  {', '.join(self.feature_names)}"]
        lines += ["outputs", *(f"  {each}" for each in self.outputs)]
        lines += ["methods", *(f"  {role}: {each.name}" for role, each in self.roles.items())]
        return "\n".join(lines)


def read_schema(graph: Graph) -> Schema:
    """Return the schema of a graph.

    Roles come from the graph's metadata. Without any, a first output of integers or text with a second one of
    one float a class are a classifier's labels and probabilities; else ``predict`` gives the first output.

    Raises
    ------
    FormatError : the metadata name a value or features that the graph does not have.
    """
    inputs = tuple(Field(*each) for each in graph.inputs)
    outputs = tuple(Field(*each) for each in graph.outputs)
    metadata = graph.metadata
    roles = {}
    for role in ROLES:
        name = metadata.get(PREFIX + role)
        if name is not None:
            roles[role] = _field_of(graph, role, name)
    if "predict" not in roles and outputs:
        roles = {"predict": outputs[0], **roles}
        if len(roles) == 1 and _looks_like_classifier(outputs):
            roles["predict_proba"] = outputs[1]
    return Schema(inputs, outputs, _feature_names(metadata, inputs), roles)


def read_labels(graph: Graph) -> NDArray[Any] | None:
    """Return a classifier's classes, int64 or text, or None.

    They are what the metadata list, or else the labels of the node that ``predict`` comes from: the attribute of
    a LinearClassifier, or the constant from which a winner's label is taken.

    Raises
    ------
    FormatError : the metadata are not a JSON list of integers or of text.
    """
    text = graph.metadata.get(PREFIX + "labels")
    labels = _labels_in_nodes(graph) if text is None else _json_list(text, "labels")
    if labels is None:
        return None
    if all(isinstance(label, str) for label in labels):
        array: NDArray[Any] = np.array(labels, dtype=np.str_)
    elif all(isinstance(label, int) and -(2**63) <= label < 2**63 for label in labels):
        array = np.array(labels, dtype=np.int64)
    else:
        raise FormatError("[load] expected labels that are all integers or all text")
    array.setflags(write=False)
    return array


# What leaves a label a label on its way to the output.
_PASSING = ("Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze")


def _labels_in_nodes(graph: Graph) -> list[Any] | None:
    """Follow the first output back to the node that knows the classes."""
    makers = {name: node for node in graph.nodes for name in node.outputs if name}
    if not graph.outputs or graph.outputs[0][1] not in ("int64", "int32", "string"):
        return None
    node = makers.get(graph.outputs[0][0])
    while node is not None and node.op in _PASSING:
        node = makers.get(node.inputs[0])
    if node is None:
        return None
    if node.op == "LinearClassifier":
        for key in ("classlabels_ints", "classlabels_strings"):
            if node.attributes.get(key) is not None:
                return list(node.attributes[key])
    if node.op in ("ArrayFeatureExtractor", "Gather"):
        classes, winner = graph.initializers.get(node.inputs[0]), makers.get(node.inputs[1])
        if (
            classes is not None
            and classes.dtype.kind in "iO"
            and winner is not None
            and winner.op == "ArgMax"
        ):
            return list(classes.reshape(-1).tolist())
    return None


def _field_of(graph: Graph, role: str, name: str) -> Field:
    found = graph.type_of(name)
    if found is None:
        raise FormatError(f"[load] expected {PREFIX}{role} to name a value of the graph, got '{name}'")
    return Field(name, *found)


def _looks_like_classifier(outputs: tuple[Field, ...]) -> bool:
    if len(outputs) < 2:
        return False
    labels, scores = outputs[:2]
    return (
        labels.dtype in ("int64", "int32", "string")
        and labels.batched
        and labels.row_size == 1
        and scores.dtype in ("float32", "float64")
        and scores.batched
        and len(scores.shape) == 2
    )


def _feature_names(metadata: dict[str, str], inputs: tuple[Field, ...]) -> tuple[str, ...] | None:
    text = metadata.get(PREFIX + "feature_names")
    if text is None:
        return None
    names = _json_list(text, "feature_names")
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise FormatError("[load] expected feature names to be text, each once")
    if len(inputs) != 1 or not inputs[0].batched or inputs[0].row_size != len(names):
        raise FormatError(f"[load] expected one input of {len(names)} features, as many as have names")
    return tuple(names)


def _json_list(text: str, what: str) -> list[Any]:
    import json  # few models need it, and importing this package should cost little

    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list):
        raise FormatError(f"[load] expected {PREFIX}{what} to be a JSON list, got {text[:80]!r}")
    return values
