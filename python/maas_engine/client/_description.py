"""A model as its server describes it: what X becomes on the way there, and what an answer becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from maas_engine._schema import PREFIX, ROLES, Field, Schema
from maas_engine._tables import Input, to_arrays
from maas_engine.client._tensors import Tensor, dtype_of, pack, unpack
from maas_engine.errors import FormatError, InvalidArgument


class Question(NamedTuple):
    """X made ready to travel. ``one_row``: the answer loses its batch axis."""

    tensors: list[Tensor]
    outputs: list[str]
    one_row: bool
    rows: int


class Description:
    """Immutable; made from the JSON of the model's metadata.

    Raises
    ------
    FormatError : from the constructor: JSON that describes no model.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        try:
            inputs = tuple(_field(each) for each in metadata["inputs"])
            outputs = tuple(_field(each) for each in metadata["outputs"])
            known = metadata.get("parameters") or {}
            names = json.loads(known.get(PREFIX + "feature_names", "null"))
            labels = json.loads(known.get(PREFIX + "labels", "null")) or []
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError("[client] expected the metadata of a model with inputs and outputs") from error
        if not outputs:
            raise FormatError("[client] expected the metadata of a model with outputs")
        by_name = {each.name: each for each in outputs}
        roles = {role: by_name[known[PREFIX + role]] for role in ROLES if known.get(PREFIX + role) in by_name}
        roles.setdefault("predict", outputs[0])
        self.labels: list[Any] | None = labels or None  # of a classifier, in the order of its probabilities
        self._label = max((len(each) for each in labels if isinstance(each, str)), default=0)  # characters
        self.schema = Schema(inputs, outputs, None if names is None else tuple(names), roles)

    def ask(self, X: Any, outputs: str | Sequence[str] | None) -> Question:
        """Return X, as ``Model.predict`` takes it, as tensors.

        Raises
        ------
        InvalidArgument : X does not fit the model; an output that it has not.
        """
        return self.pack(to_arrays(X, self.schema, "predict"), outputs)

    def pack(self, arrays: Sequence[Input], outputs: str | Sequence[str] | None) -> Question:
        """`ask` of arrays that fit the inputs, one each."""
        tensors, ones, rows = [], [], 1
        for field, values in zip(self.schema.inputs, arrays, strict=True):
            shape = (len(values[0]) - 1, *field.row_shape) if isinstance(values, tuple) else values.shape
            if field.batched:
                ones.append(len(shape) == len(field.row_shape))
                shape = (1, *shape) if ones[-1] else shape
                rows = shape[0]
            tensors.append(pack(field.name, values, shape))
        if any(ones) and not all(ones):
            raise InvalidArgument("[predict] expected one row or several in every input")
        return Question(tensors, self._wanted(outputs), bool(ones) and all(ones), rows)

    def _wanted(self, outputs: str | Sequence[str] | None) -> list[str]:
        if outputs is None:
            return [self.schema.roles["predict"].name]
        wanted = [outputs] if isinstance(outputs, str) else list(outputs)
        known = [each.name for each in self.schema.outputs]
        for name in wanted or [""]:
            if name not in known:
                raise InvalidArgument(f"[predict] expected outputs of the model, {known}, got {name!r}")
        return wanted

    def take(self, question: Question, answer: Sequence[Tensor], outputs: str | Sequence[str] | None) -> Any:
        """Return an answer's tensors as the caller wants them: an array, or arrays by name.

        Raises
        ------
        FormatError : other outputs, types or shapes than the model's.
        """
        if sorted(each.name for each in answer) != sorted(question.outputs):
            raise FormatError(f"[client] expected outputs {question.outputs}, got others")
        by_name = {each.name: each for each in answer}
        found = {name: self._array(by_name[name], question) for name in question.outputs}
        return found if outputs is not None and not isinstance(outputs, str) else found[question.outputs[0]]

    def _array(self, tensor: Tensor, question: Question) -> Any:
        field = next(each for each in self.schema.outputs if each.name == tensor.name)
        expected = (question.rows, *field.row_shape) if field.batched else field.row_shape
        if dtype_of(tensor.datatype) != field.dtype or tensor.shape != expected:
            raise FormatError(f"[client] expected {field} for {question.rows} rows, got {tensor.shape}")
        array: NDArray[Any] = unpack(tensor)
        if self._label and array.dtype.kind == "O" and field == self.schema.roles["predict"]:
            longest = max(map(len, array.ravel().tolist()), default=0)
            array = array.astype(
                f"U{max(self._label, longest)}"
            )  # as Model.predict has a classifier's labels
        return array[0] if question.one_row and field.batched else array


def _field(described: Mapping[str, Any]) -> Field:
    shape = tuple(None if dim == -1 else int(dim) for dim in described["shape"])
    return Field(str(described["name"]), dtype_of(described["datatype"]), shape)
