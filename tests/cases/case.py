"""One operator case: a node, its inputs, and the graph of one node that it makes in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
MAIN_OPSET, ML_OPSET = 21, 4  # what the engine's graphs speak
NEWEST = onnx.defs.onnx_opset_version()
DTYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}


@dataclass(frozen=True)
class Case:
    """A node with its inputs. Equal results are wanted of every way to run it."""

    op: str
    inputs: tuple[np.ndarray | None, ...]  # None: absent
    attributes: dict[str, Any] = field(default_factory=dict)
    domain: str = ""
    opset: int = MAIN_OPSET
    ml_opset: int = ML_OPSET
    constants: frozenset[int] = frozenset()  # inputs that are initializers
    fixed: frozenset[int] = frozenset()  # inputs that know nothing of rows; the others have one entry a row
    types: tuple[str, ...] = ()  # of the outputs; as the first input
    note: str = ""  # where reference evaluator, ONNX Runtime or the standard differ: who, and why
    reference: bool = True  # compare with onnx.reference
    runtime: bool = True  # compare with ONNX Runtime, where it has the operator for these types
    tolerance: float = 0  # see oracles.assert_same; 0: by dtype
    loose: float = 0  # the same against the reference evaluator and ONNX Runtime; 0: as tolerance
    name: str = ""

    def __str__(self) -> str:
        kinds = "_".join("absent" if x is None else f"{dtype_name(x)}{list(x.shape)}" for x in self.inputs)
        attributes = "_".join(f"{k}={_short(v)}" for k, v in self.attributes.items())
        opset = self.ml_opset if self.domain else self.opset
        return "-".join(filter(None, (f"{self.op}{opset}", self.name, kinds, attributes))).replace(" ", "")

    @property
    def batched(self) -> set[int]:
        """Places of the inputs whose first axis is the batch."""
        return {
            i
            for i, x in enumerate(self.inputs)
            if x is not None and x.ndim and i not in self.constants and i not in self.fixed
        }

    @property
    def output_types(self) -> tuple[str, ...]:
        return self.types or (dtype_name(next(x for x in self.inputs if x is not None)),)

    def with_rows(self, rows: int) -> dict[str, np.ndarray]:
        """The fed inputs by name, the batched ones repeated or cut to ``rows``."""
        fed = {}
        for i, x in enumerate(self.inputs):
            if x is None or i in self.constants:
                continue
            fed[f"x{i}"] = x[np.arange(rows) % len(x)] if i in self.batched else x
        return fed

    @property
    def rows(self) -> int:
        return next((len(self.inputs[i]) for i in sorted(self.batched)), 1)


def _short(value: Any) -> str:
    text = str(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) < 40 else text[:37] + "..."


def dtype_name(x: np.ndarray) -> str:
    return "string" if x.dtype.kind in "OU" else str(x.dtype)


def tensor(name: str, x: np.ndarray) -> onnx.TensorProto:
    if dtype_name(x) == "string":
        return helper.make_tensor(name, TensorProto.STRING, x.shape, [s.encode() for s in x.reshape(-1)])
    return numpy_helper.from_array(x, name)


def value_info(name: str, x: np.ndarray, batched: bool) -> onnx.ValueInfoProto:
    shape: Sequence[int | str] = ("N", *x.shape[1:]) if batched else x.shape
    return helper.make_tensor_value_info(name, DTYPES[dtype_name(x)], shape)


def make_model(case: Case) -> onnx.ModelProto:
    names = ["" if x is None else f"x{i}" for i, x in enumerate(case.inputs)]
    while names and not names[-1]:
        names.pop()
    outputs = [f"y{i}" if kind else "" for i, kind in enumerate(case.output_types)]
    attributes = {
        key: tensor("", value) if isinstance(value, np.ndarray) else value
        for key, value in case.attributes.items()
    }
    node = helper.make_node(case.op, names, outputs, name="node", domain=case.domain, **attributes)
    present = [(i, x) for i, x in enumerate(case.inputs) if x is not None]
    graph = helper.make_graph(
        [node],
        "case",
        [value_info(f"x{i}", x, i in case.batched) for i, x in present if i not in case.constants],
        [
            helper.make_tensor_value_info(name, DTYPES[kind], None)
            for name, kind in zip(outputs, case.output_types, strict=True)
            if kind
        ],
        [tensor(f"x{i}", x) for i, x in present if i in case.constants],
    )
    opsets = [helper.make_opsetid("", case.opset)]
    if case.domain:
        opsets.append(helper.make_opsetid(case.domain, case.ml_opset))
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 10
    return with_shapes(model, len(present[0][1].shape))


def with_shapes(model: onnx.ModelProto, rank: int) -> onnx.ModelProto:
    """The checker wants shapes of the outputs; where ONNX infers none, any of that rank."""
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for output in model.graph.output:
        kind = output.type.tensor_type
        if not kind.HasField("shape"):
            dims = [f"{output.name}_{axis}" for axis in range(rank)]
            kind.CopyFrom(helper.make_tensor_type_proto(kind.elem_type, dims).tensor_type)
    return model
