"""Models: a graph made ready to answer, with its schema, its labels and its file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from maas_engine import _core
from maas_engine._files import write_whole
from maas_engine._schema import PREFIX, ROLES, Schema, read_labels, read_schema
from maas_engine._tables import to_arrays
from maas_engine.errors import InvalidArgument, MissingMethod
from maas_engine.graph import Graph

if TYPE_CHECKING:
    from maas_engine.package import Package

__all__ = ["Model", "load"]


class Model(_core.Model):
    """A graph that predicts. Immutable: Python threads may share one, and copies are the model itself.

    Parameters
    ----------
    graph : Graph
        From a `GraphBuilder`, an estimator's ``to_model().graph``, or a file (`load`).

    Attributes
    ----------
    graph : Graph
    schema : Schema
        Inputs, outputs, feature names, and which value each method gives.
    labels : ndarray of int64 or str, or None
        A classifier's classes, in the order of ``predict_proba``'s columns.
    metadata : dict of str to str
    discrepancy : object or None
        Of a model converted from another library: how far its answers are from that library's.

    Notes
    -----
    ``predict``, ``predict_proba`` and ``decision_function`` take one argument and give a new array; the last two
    exist where the model offers them (``hasattr`` tells). X may be

    - an array of shape (n, features): any strides; float32 goes into a float64 model, small integers into floats;
      a float64 array into a float32 model is refused. Shape (features,) is one row, and gives its result without
      the batch axis: a numpy scalar where a row has one. NaN passes: the model decides what it means;
    - anything with the buffer protocol (``array.array``, ``memoryview``), lists of numbers;
    - a frame (pandas, polars, Arrow) or a dict of columns, by name: a missing column is an error, others are
      dropped. Without names in the model, by position;
    - a dict of plain values, ``{"age": 31, "city": "Oslo"}``: one row; a list of them: rows.

    ``predict_into(X, out)`` writes into ``out``, a contiguous array or buffer of the result's very shape and type
    that shares no memory with X, and returns it.

    A row's result has the same bits alone, in any batch, on any number of threads. Small calls keep the GIL, others
    let it go and share the rows among the engine's threads.

    Raises
    ------
    Unsupported, FormatError : from the constructor: what cannot run.
    InvalidArgument : from the methods: rows that do not fit, or that a step of the model finds no answer for.

    Examples
    --------
    >>> import numpy as np
    >>> from maas_engine.graph import GraphBuilder
    >>> builder = GraphBuilder("twice")
    >>> x = builder.input("X", np.float64, (None, 1))
    >>> builder.output(builder.add("Mul", x, builder.constant(2.0)))
    >>> model = Model(builder.build())
    >>> model.predict([[1.5], [4.0]])
    array([[3.],
           [8.]])
    """

    __slots__ = ("__weakref__", "_discrepancy", "_labels", "_schema")

    _schema: Schema
    _labels: NDArray[Any] | None
    _discrepancy: Any

    def __new__(cls, graph: Graph) -> Model:
        schema, labels = read_schema(graph), read_labels(graph)
        if "predict" not in schema.roles:
            raise InvalidArgument("[model] expected a graph with at least one output")
        if cls is Model:
            cls = _OFFERING["predict_proba" in schema.roles, "decision_function" in schema.roles]
        values = [schema.roles[role].name if role in schema.roles else "" for role in ROLES]
        width = labels.dtype.itemsize // 4 if labels is not None and labels.dtype.kind == "U" else 0
        self = super().__new__(cls, graph, values[0], values[1], values[2], schema.columns, width)
        self._schema, self._labels, self._discrepancy = schema, labels, None
        return self

    @property
    def schema(self) -> Schema:
        return self._schema

    @property
    def labels(self) -> NDArray[Any] | None:
        return self._labels

    @property
    def metadata(self) -> dict[str, str]:
        return self.graph.metadata

    @property
    def discrepancy(self) -> Any:
        return self._discrepancy

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Model:
        """Read a model from an ONNX file or its bytes; see `load`."""
        if isinstance(source, (str, os.PathLike)):
            return cls(_core.read_onnx_file(os.fsencode(source)))
        if isinstance(source, (bytes, bytearray, memoryview)):
            return cls(_core.read_onnx(bytes(source)))
        raise InvalidArgument(f"[load] expected a path or bytes, got {type(source).__name__}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as an ONNX file; the same model gives the same bytes.

        The file is whole or not there: an earlier one stays until the new one is on the disk.

        Raises
        ------
        OSError : the folder is missing, the disk full, ...
        """
        write_whole(path, [self.to_bytes()])

    def to_bytes(self) -> bytes:
        """Return what `save` writes."""
        graph, key = self.graph, PREFIX + "numerics"
        metadata = graph.metadata
        if key not in metadata:
            graph = graph.with_metadata({**metadata, key: str(_core.NUMERICS)})
        return _core.write_onnx(graph)

    def package(
        self,
        folder: str | os.PathLike[str],
        *,
        X_reference: Any = None,
        name: str | None = None,
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, Any] | None = None,
        lineage: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Package:
        """Write the model as a package, a folder that proves itself when it is loaded.

        See `maas_engine.package.write`.
        """
        from maas_engine.package import write

        return write(
            self,
            folder,
            X_reference=X_reference,
            name=name,
            metrics=metrics,
            parameters=parameters,
            lineage=lineage,
            description=description,
        )

    def run(self, X: Any) -> dict[str, Any]:
        """Return every output of the graph by name, for X as ``predict`` takes it."""
        answers = self._run("run", to_arrays(X, self._schema, "run"))
        return {each.name: answer for each, answer in zip(self._schema.outputs, answers, strict=True)}

    def describe(self) -> str:
        """Return the schema and, a line each, the steps that ``predict`` runs."""
        return f"{self._schema}\nsteps\n" + self._describe("predict")

    def to(self, device: str) -> Any:
        """Return the model on a device: ``"cpu"`` (itself) or ``"cuda"``.

        Raises
        ------
        Unsupported : naming what ``"cuda"`` lacks here.
        """
        if device == "cpu":
            return self
        from maas_engine.device import to_device

        return to_device(self, device)

    def _predict_table(self, method: str, X: Any) -> Any:
        return self._run(method, to_arrays(X, self._schema, method))

    def __repr__(self) -> str:
        fields = [str(each) for each in self._schema.inputs]
        fields += [f"{role} -> {each}" for role, each in self._schema.roles.items()]
        return f"<Model {self.graph.name!r} {'; '.join(fields)}>"

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        cls = Model if type(self) in _OFFERING.values() else type(self)
        return _unpickled, (cls, _core.write_onnx(self.graph), self._discrepancy)


class _Absent:
    """In place of a method that a model does not offer."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise MissingMethod(f"[{self._name}] this model does not offer it: see its schema.roles")


# One class a set of methods, so that a method costs no check and hasattr tells the truth.
class _Proba(Model):
    __slots__ = ()
    decision_function = _Absent()


class _Decision(Model):
    __slots__ = ()
    predict_proba = _Absent()


class _Plain(Model):
    __slots__ = ()
    predict_proba = _Absent()
    decision_function = _Absent()


_OFFERING: dict[tuple[bool, bool], type[Model]] = {
    (True, True): Model,
    (True, False): _Proba,
    (False, True): _Decision,
    (False, False): _Plain,
}


def load(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Model:
    """Read a model from an ONNX file or its bytes, from a package, or from the registry.

    Parameters
    ----------
    source : path or bytes-like
        A file: external data are read from its own folder only, and not at all for bytes. A folder is a package,
        verified whole before it is used, under the policy of the environment (`maas_engine.package.open_package`).
        ``"models:/NAME/VERSION"`` and ``"models:/NAME@ALIAS"`` are the registry's.

    Raises
    ------
    NotFound : no such file, version or alias.
    FormatError, Unsupported : a broken file, or an operator the engine does not have; both name the node.
    PermissionDenied : a package without the signature that the policy asks for, or with a wrong key.

    Examples
    --------
    >>> model = maas_engine.load("credit.onnx")  # doctest: +SKIP
    >>> model.predict({"age": 31.0, "income": 52_000.0})  # doctest: +SKIP
    """
    if isinstance(source, str) and source.startswith("models:"):
        from maas_engine.registry import Registry

        registry: Any = Registry()
        try:
            model: Model = registry.load(source)
        finally:
            registry.close()
        return model
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        from maas_engine.package import open_package

        return open_package(source).model()
    return Model.load(source)


def _unpickled(cls: type[Model], data: bytes, discrepancy: Any) -> Model:
    model = cls(_core.read_onnx(data))
    model._discrepancy = discrepancy
    return model
