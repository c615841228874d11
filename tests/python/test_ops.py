"""Every operator case, in every way it can be run."""

from __future__ import annotations

from functools import cache
from typing import Any

import array_api_strict
import numpy as np
import onnx
import pytest
from cases.case import make_model
from cases.op_cases import ALL
from cases.oracles import assert_same, reference_outputs, runtime_outputs

from maas_engine import _core, interpreter

ROWS = (0, 1, 2, 7, 64)

each_case = pytest.mark.parametrize("place", [pytest.param(i, id=str(case)) for i, case in enumerate(ALL)])


@cache
def model_of(place: int) -> onnx.ModelProto:
    return make_model(ALL[place])


@cache
def graph_of(place: int) -> Any:
    return _core.read_onnx(model_of(place).SerializeToString())


def interpreted(place: int, rows: int) -> list[np.ndarray]:
    return list(interpreter.run(graph_of(place), ALL[place].with_rows(rows)).values())


@cache
def expected(place: int) -> list[np.ndarray]:
    return interpreted(place, ALL[place].rows)


@each_case
def test_interpreter_agrees_with_onnx(place: int) -> None:
    case = ALL[place]
    onnx.checker.check_model(model_of(place))
    inputs = case.with_rows(case.rows)
    others = [reference_outputs(model_of(place), inputs)] if case.reference else []
    others += filter(None, [runtime_outputs(model_of(place), inputs)]) if case.runtime else []
    for outputs in others:
        for ours, theirs in zip(expected(place), outputs, strict=True):
            assert_same(ours, theirs, case.loose or case.tolerance)


@each_case
def test_interpreter_needs_the_array_api_only(place: int) -> None:
    case = ALL[place]
    outputs = interpreter.run(graph_of(place), case.with_rows(case.rows), xp=array_api_strict)
    for ours, numpys in zip(outputs.values(), expected(place), strict=True):
        assert_same(np.asarray(ours), numpys, case.tolerance)


@each_case
def test_program_agrees_with_the_interpreter(place: int) -> None:
    case = ALL[place]
    names = [name for name, *_ in graph_of(place).outputs]
    fused, plain = (_core.Program(graph_of(place), names, fuse) for fuse in (True, False))
    whole = fused.run(case.with_rows(case.rows), 0)
    for name, want in zip(names, expected(place), strict=True):
        assert_same(whole[name], want, case.tolerance)
    for rows in ROWS if case.batched else ():
        inputs = case.with_rows(rows)
        outputs = fused.run(inputs, 0)
        assert_same_bits(outputs, plain.run(inputs, 0))
        assert_same_bits(outputs, fused.run(inputs, 2))
        for (name, output), want in zip(outputs.items(), interpreted(place, rows), strict=True):
            assert_same(output, want, case.tolerance)
            if len(output) == rows:  # each row as in any other batch
                assert_same_bits({name: output}, {name: whole[name][np.arange(rows) % case.rows]})


def assert_same_bits(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> None:
    for name, values in want.items():
        assert got[name].shape == values.shape
        assert (
            got[name].tobytes() == values.tobytes() if values.dtype != object else (got[name] == values).all()
        )
