"""ONNX's own backend test-suite on the engine: what runs, and of every other case the reason why not."""

from __future__ import annotations

import re
import unittest
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnx
from onnx import AttributeProto, TensorProto

from cases.case import DTYPES
from maas_engine import _core
from maas_engine.backend import EngineBackend
from maas_engine.errors import Unsupported

LIST = Path(__file__).resolve().parents[1] / "golden" / "onnx_backend.txt"
NEWEST = dict(zip(("", "ai.onnx.ml"), _core.NEWEST_OPSETS, strict=True))

# Of operators that the engine runs, by name of the case. The others are found from the model, see `reason`.
LISTED = (
    (r"test_batchnorm_\w+_training_mode", "BatchNormalization in training mode"),
    (r"test_dropout_default_mask\w*", "the mask of Dropout"),
    (r"test_training_dropout\w*", "Dropout in training mode"),
)


class Outcome(NamedTuple):
    group: str  # Node, Simple, PyTorchOperator, PyTorchConverted, Real
    name: str
    model: onnx.ModelProto
    error: Exception | None  # None: passed

    def __str__(self) -> str:
        return f"{self.group} {self.name}"


class RecordingBackend(EngineBackend):
    """Remembers the model of the running case, and lets the suite try every one."""

    model: onnx.ModelProto

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        return True

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Any:
        cls.model = model
        return super().prepare(model, device, **kwargs)


def run_suite() -> Iterator[Outcome]:
    """Every case of the suite in turn. Set ONNX_HOME to a folder that may be written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the suite's own numpy
        from onnx.backend.test import BackendTest

        groups = BackendTest(RecordingBackend, __name__).test_cases
        for title, group in sorted(groups.items()):
            for name in unittest.defaultTestLoader.getTestCaseNames(group):
                if not name.endswith("_cpu"):
                    continue
                error: Exception | None = None
                try:
                    getattr(group(name), name)()
                except Exception as caught:
                    error = caught
                yield Outcome(
                    re.sub("OnnxBackend|ModelTest", "", title),
                    name.removesuffix("_cpu"),
                    RecordingBackend.model,
                    error,
                )


def reason(outcome: Outcome) -> str | None:
    """Why the case cannot pass; None where it should."""
    if not isinstance(outcome.error, Unsupported):
        return None  # wrong values, or a failure that is not a refusal
    unknown, old = operators_not_read(outcome.model)
    if unknown:
        return "operator " + ", ".join(unknown)
    types = sorted(set(types_of(outcome.model)) - set(DTYPES))
    if types:
        return "type " + ", ".join(types)
    if old:
        return "version " + ", ".join(old)
    return next((why for pattern, why in LISTED if re.fullmatch(pattern, outcome.name)), None)


def operators_not_read(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    """Names of operators that no version is read of, and names with opset of those too old."""
    opsets = {domain_of(entry.domain): entry.version for entry in model.opset_import}
    unknown, old = set(), set()
    for node in model.graph.node:
        domain = domain_of(node.domain)
        if _core.operator_version(domain, node.op_type, NEWEST.get(domain, 0)) is None:
            unknown.add(f"{domain}.{node.op_type}" if domain else node.op_type)
        elif _core.operator_version(domain, node.op_type, opsets[domain]) is None:
            old.add(f"{node.op_type} of opset {opsets[domain]}")
    return sorted(unknown), sorted(old)


def domain_of(written: str) -> str:
    return "" if written == "ai.onnx" else written


def types_of(model: onnx.ModelProto) -> Iterator[str]:
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        kind = value.type.WhichOneof("value")
        if kind == "tensor_type":
            yield type_name(value.type.tensor_type.elem_type)
        elif kind is not None:
            yield kind.removesuffix("_type")
    yield from map(type_name, (tensor.data_type for tensor in tensors_of(model)))


def tensors_of(model: onnx.ModelProto) -> Iterable[TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        yield from (each.t for each in node.attribute if each.type == AttributeProto.TENSOR)


def type_name(number: int) -> str:
    known = {value: name for name, value in DTYPES.items()}
    return known.get(number) or TensorProto.DataType.Name(number).lower()


def unexplained(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Failures: cases that the engine should run, or refuse otherwise than it does."""
    return [each for each in outcomes if each.error is not None and reason(each) is None]


# --- the list ---------------------------------------------------------------------------------------------


def skipped(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {str(each): reason(each) or "" for each in outcomes if each.error is not None}


def write_list(reasons: dict[str, str]) -> None:
    lines = [f"{case}: {why}\n" for case, why in sorted(reasons.items())]
    LIST.write_text(f"# Cases of onnx {onnx.__version__} that are not run, and why.\n" + "".join(lines))


def read_list() -> tuple[str, dict[str, str]]:
    """The version of onnx that the list was made with, and the reasons by case."""
    first, *lines = LIST.read_text().splitlines()
    return first.split()[4], dict(line.split(": ", 1) for line in lines)


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """The rows of a table: how many cases run, and how many not, by kind of reason."""
    counts = Counter(kind_of(reason(each) or "unexplained") for each in outcomes if each.error is not None)
    passed = sum(each.error is None for each in outcomes)
    rows = [f"| {kind} | {count} |" for kind, count in counts.most_common()]
    return ["| not run, because of | cases |", "|---|---|", *rows, f"| *run, and passed* | *{passed}* |"]


def kind_of(why: str) -> str:
    kinds = {"operator": "an operator that the engine does not run", "type": "a type that it does not carry"}
    return kinds.get(why.split()[0], why)
