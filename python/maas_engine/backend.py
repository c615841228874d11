"""The engine behind ONNX's own backend interface, for its test-suite and for tools that speak it.

``prepare`` reads a model, ``run_model`` runs one once, ``run_node`` one node; arrays are numpy's. Needs the
package ``onnx``. Programs that serve a model use ``maas_engine.load``: it knows nothing of this and is faster.

Examples
--------
>>> import onnx.backend.test
>>> import maas_engine.backend
>>> tests = onnx.backend.test.BackendTest(maas_engine.backend, __name__)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.backend.base import Backend, BackendRep, Device, DeviceType, namedtupledict

from maas_engine import _core
from maas_engine.errors import InvalidArgument, Unsupported

__all__ = [
    "EngineBackend",
    "PreparedModel",
    "is_compatible",
    "prepare",
    "run_model",
    "run_node",
    "supports_device",
]

_ML_DOMAIN = "ai.onnx.ml"
_DECIDING_TYPES = (onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL)
_TYPES = (*_DECIDING_TYPES, onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.STRING)


class PreparedModel(BackendRep):
    """A model that is ready to run.

    The engine knows every size but the number of rows before a run. A model whose shapes depend on its inputs,
    by symbolic dimensions or by the values of such as Reshape's ``shape``, is compiled in `run`, for the inputs
    of that run: it is as slow as `prepare`.

    Parameters
    ----------
    model : onnx.ModelProto

    Raises
    ------
    FormatError, Unsupported : naming the node, the operator and its domain.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        constants = {tensor.name for tensor in model.graph.initializer}
        self._inputs = [value for value in model.graph.input if value.name not in constants]
        self._outputs = [value.name for value in model.graph.output]
        self._model = model
        self._program: _core.Program | None = None  # None: is compiled for each run
        try:
            self._program = _compile(model)
        except Unsupported:
            if not _depends_on_inputs(model, self._inputs):
                raise

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs, in the model's order and also by name.

        Parameters
        ----------
        inputs : sequence of array_like in the order of the model's inputs, or mapping by name
        **kwargs : ignored, as the interface wants

        Raises
        ------
        InvalidArgument : not these inputs, or not of the model's types and shapes.
        FormatError, Unsupported : a model that was to be compiled for its inputs, as by the constructor.
        """
        arrays = self._named(inputs)
        program = self._program or _compile(_specialised(self._model, arrays))
        results = program.run(arrays, 0)
        outputs = namedtupledict("Outputs", self._outputs)(*(results[name] for name in self._outputs))
        assert isinstance(outputs, tuple)
        return outputs

    def _named(self, inputs: Any) -> dict[str, NDArray[Any]]:
        names = [value.name for value in self._inputs]
        if not isinstance(inputs, Mapping):
            values = list(inputs) if isinstance(inputs, Sequence) else [inputs]
            if len(values) != len(names):
                raise InvalidArgument(f"[backend] expected {len(names)} inputs, got {len(values)}")
            inputs = dict(zip(names, values, strict=True))
        if set(inputs) != set(names):
            raise InvalidArgument(f"[backend] expected inputs {', '.join(names)}, got {', '.join(inputs)}")
        return {name: np.asarray(inputs[name]) for name in names}


class EngineBackend(Backend):
    """The interface itself; the module has the same functions."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Tell whether `prepare` takes the model."""
        try:
            cls.prepare(model, device)
        except (Unsupported, onnx.checker.ValidationError):
            return False
        return True

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> PreparedModel:
        """Return the model, ready to run; other keywords are ignored, as the interface wants."""
        if not cls.supports_device(device):
            raise Unsupported(f"[backend] expected device CPU, got {device}")
        super().prepare(model, device, **kwargs)
        return PreparedModel(model)

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[tuple[np.dtype[Any], tuple[int, ...]]] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Return the outputs of one node.

        Parameters
        ----------
        node : onnx.NodeProto
        inputs : sequence of array_like, one for each of the node's inputs that are present
        device : "CPU"
        outputs_info : unused: the engine finds types and shapes
        **kwargs : ``opset_version``, of the node's domain; the newest that both sides know if left out
        """
        version = int(kwargs.get("opset_version", _newest_opset(node.domain)))
        names = list(dict.fromkeys(name for name in node.input if name))
        arrays = [np.asarray(value) for value in inputs]
        values = [
            helper.make_tensor_value_info(name, _element_type(array), array.shape)
            for name, array in zip(names, arrays, strict=True)
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        model = helper.make_model(
            helper.make_graph([node], "node", values, outputs),
            opset_imports=[helper.make_opsetid(node.domain, version)],
        )
        if not cls.supports_device(device):
            raise Unsupported(f"[backend] expected device CPU, got {device}")
        return PreparedModel(model).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Tell whether a device such as ``"CPU"`` or ``"CUDA:1"`` can be used: the processor only."""
        return bool(Device(device).type == DeviceType.CPU)


def _compile(model: onnx.ModelProto) -> _core.Program:
    graph = _core.read_onnx(model.SerializeToString())
    return _core.Program(graph, [name for name, *_ in graph.outputs], True)


def _newest_opset(domain: str) -> int:
    """The newest that both sides know."""
    main, ml = _core.NEWEST_OPSETS
    known = helper.OP_SET_ID_VERSION_MAP
    newest = max(int(version) for (name, version) in known if name == (domain or "ai.onnx"))
    return min(newest, ml if domain == _ML_DOMAIN else main)


def _depends_on_inputs(model: onnx.ModelProto, inputs: Sequence[onnx.ValueInfoProto]) -> bool:
    """Whether a model that cannot be compiled may be once its inputs are known."""
    opsets = {_domain(entry.domain): entry.version for entry in model.opset_import}
    return (
        all(value.type.tensor_type.elem_type in _TYPES for value in inputs)
        and any(_may_decide(value) or _is_open(value) for value in inputs)
        and all(
            _core.operator_version(_domain(node.domain), node.op_type, opsets.get(_domain(node.domain), 0))
            for node in model.graph.node
        )
    )


def _domain(written: str) -> str:
    return "" if written == "ai.onnx" else written


def _may_decide(value: onnx.ValueInfoProto) -> bool:
    """Whether an input may be one whose values decide about shapes: integers or flags of one dimension or none."""
    tensor = value.type.tensor_type
    return tensor.elem_type in _DECIDING_TYPES and tensor.HasField("shape") and len(tensor.shape.dim) <= 1


def _is_open(value: onnx.ValueInfoProto) -> bool:
    """Whether an input has sizes that only a run tells."""
    tensor = value.type.tensor_type
    return not tensor.HasField("shape") or any(not dim.HasField("dim_value") for dim in tensor.shape.dim)


def _specialised(model: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """The model for these inputs alone: with their sizes, and their values where those may decide about shapes."""
    special = onnx.ModelProto()
    special.CopyFrom(model)
    for value in special.graph.input:
        if value.name not in arrays:
            continue
        array = arrays[value.name]
        value.CopyFrom(helper.make_tensor_value_info(value.name, _element_type(array), array.shape))
        if _may_decide(value):
            special.graph.initializer.append(numpy_helper.from_array(array, value.name))
    return special


def _element_type(array: NDArray[Any]) -> int:
    if array.dtype.kind in "OUT":
        return int(onnx.TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


is_compatible = EngineBackend.is_compatible
prepare = EngineBackend.prepare
run_model = EngineBackend.run_model
run_node = EngineBackend.run_node
supports_device = EngineBackend.supports_device
