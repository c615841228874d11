"""Every operator case, in every way it can be run."""

from __future__ import annotations

from functools import cache
from typing import Any

import array_api_strict
import numpy as np
import onnx
import pytest
from cases.case import Case, make_model, plain_graph
from cases.op_cases import ALL
from cases.oracles import assert_same, reference_outputs, runtime_outputs

from maas_engine import _core, interpreter

each_case = pytest.mark.parametrize("case", [pytest.param(case, id=str(case)) for case in ALL])


@cache
def model_of(place: int) -> onnx.ModelProto:
    return make_model(ALL[place])


@cache
def graph_of(place: int) -> Any:
    model = model_of(place)
    if hasattr(_core, "read_onnx"):
        return _core.read_onnx(model.SerializeToString())
    case = ALL[place]
    if (case.opset, case.ml_opset) != (21, 4):
        pytest.skip("no reader yet")
    return plain_graph(model)


@cache
def expected(place: int) -> list[np.ndarray]:
    """The interpreter's outputs, in numpy."""
    case = ALL[place]
    return list(interpreter.run(graph_of(place), case.with_rows(case.rows)).values())


def place_of(case: Case) -> int:
    return next(i for i, other in enumerate(ALL) if other is case)


@each_case
def test_interpreter_agrees_with_onnx(case: Case) -> None:
    place = place_of(case)
    onnx.checker.check_model(model_of(place))
    got, inputs = expected(place), case.with_rows(case.rows)
    if case.reference:
        for ours, theirs in zip(got, reference_outputs(model_of(place), inputs), strict=True):
            assert_same(ours, theirs, case.loose or case.tolerance)
    if case.runtime and (outputs := runtime_outputs(model_of(place), inputs)) is not None:
        for ours, theirs in zip(got, outputs, strict=True):
            assert_same(ours, theirs, case.loose or case.tolerance)


@each_case
def test_interpreter_needs_the_array_api_only(case: Case) -> None:
    place = place_of(case)
    inputs = case.with_rows(case.rows)
    outputs = interpreter.run(graph_of(place), inputs, xp=array_api_strict)
    for ours, numpys in zip(outputs.values(), expected(place), strict=True):
        assert_same(np.asarray(ours), numpys, case.tolerance)
