"""Small ONNX models for tests, of any opset, and their values in ONNX's own runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Array = NDArray[Any]
ML = "ai.onnx.ml"
RUNTIME_OPSET = 26  # the newest that onnxruntime reads


def value(name: str, array_type: Any, shape: Sequence[int | str | None] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(array_type)), shape)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, Array],
    outputs: Sequence[str],
    opset: int = 21,
    ml: int = 4,
    initializers: dict[str, Array] | None = None,
    batched: Sequence[str] | None = None,
    metadata: dict[str, str] | None = None,
) -> onnx.ModelProto:
    """The first dimension of the inputs in `batched` (by default all) is symbolic."""
    names = inputs if batched is None else batched
    graph = helper.make_graph(
        nodes,
        "graph",
        [
            value(
                k,
                object if v.dtype.kind in "UO" else v.dtype,
                ["N" if k in names else v.shape[0], *v.shape[1:]],
            )
            if v.ndim
            else value(k, v.dtype, [])
            for k, v in inputs.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(v, k) for k, v in (initializers or {}).items()],
    )
    built = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(ML, ml)], ir_version=8
    )
    helper.set_model_props(built, metadata or {})
    return built


def run(built: onnx.ModelProto | bytes, inputs: dict[str, Array]) -> list[Any]:
    """The outputs, by onnxruntime; by the reference evaluator where it knows the opset no longer."""
    proto = onnx.load_from_string(built) if isinstance(built, bytes) else built
    opset = max(entry.version for entry in proto.opset_import if entry.domain == "")
    if opset > RUNTIME_OPSET:
        return list(ReferenceEvaluator(proto).run(None, inputs))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, ["CPUExecutionProvider"])
    return list(session.run(None, inputs))
