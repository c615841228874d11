"""ONNX's own backend test-suite: what the engine claims passes, all else is refused for a reason on record."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
from cases import onnx_suite
from cases.onnx_suite import LISTED, Outcome, reason
from cases.operator_table import written_lines
from numpy.testing import assert_array_equal
from onnx import TensorProto, helper

import maas_engine.backend
from maas_engine.errors import InvalidArgument, Unsupported

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONNX_HOME", str(tmp_path_factory.mktemp("onnx")))
        return list(onnx_suite.run_suite())


def test_every_case_passes_or_is_refused_for_a_reason(outcomes: list[Outcome]) -> None:
    failed = [
        f"{each}: {type(each.error).__name__} {each.error}" for each in onnx_suite.unexplained(outcomes)
    ]
    assert not failed, "\n".join(failed)
    assert sum(each.error is None for each in outcomes) > 500


def test_refusals_name_the_operator(outcomes: list[Outcome]) -> None:
    for each in outcomes:
        kind, _, names = (reason(each) or "").partition(" ")
        if kind != "operator":
            continue
        text = str(each.error)
        assert any(name in text for name in names.split(", ")), f"{each}: {text}"


def test_the_list_is_right(outcomes: list[Outcome]) -> None:
    version, listed = onnx_suite.read_list()
    found = onnx_suite.skipped(outcomes)
    known = {str(each) for each in outcomes} & set(listed)
    same = version == onnx.__version__
    wrong = [
        name for name in (set(found) | set(listed) if same else known) if listed.get(name) != found.get(name)
    ]
    assert not wrong, f"run tools/write_operators.py: {sorted(wrong)}"
    for pattern, why in LISTED:
        matching = [each for each in outcomes if re.fullmatch(pattern, each.name)]
        assert matching, pattern
        assert all(reason(each) == why for each in matching if "expanded" not in each.name), pattern


def test_the_summary_is_right(outcomes: list[Outcome]) -> None:
    version, _ = onnx_suite.read_list()
    if version != onnx.__version__:
        pytest.skip(f"was written with onnx {version}")
    assert set(onnx_suite.summary(outcomes)) <= set(written_lines())


# --- the adapter itself -------------------------------------------------------------------------------------


def model(nodes: list[onnx.NodeProto], shapes: dict[str, list[int | str] | None]) -> onnx.ModelProto:
    kinds = {"shape": TensorProto.INT64}
    inputs = [
        helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape)
        for name, shape in shapes.items()
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", "columns"])
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, [output]), opset_imports=[helper.make_opsetid("", 21)]
    )


def test_rows_of_any_number() -> None:
    prepared = maas_engine.backend.prepare(model([helper.make_node("Relu", ["x"], ["y"])], {"x": ["N", 4]}))
    for rows in (0, 1, 3):
        outputs = prepared.run([X[:rows]])
        assert_array_equal(outputs[0], np.maximum(X[:rows], 0))
        assert_array_equal(outputs["y"], outputs[0])
    assert_array_equal(prepared.run({"x": X})[0], np.maximum(X, 0))


def test_shapes_that_only_a_run_tells() -> None:
    reshape = model([helper.make_node("Reshape", ["x", "shape"], ["y"])], {"x": ["a", "b"], "shape": [2]})
    prepared = maas_engine.backend.prepare(reshape)
    for shape in ((2, 6), (4, -1)):
        assert_array_equal(prepared.run([X, np.array(shape)])[0], X.reshape(shape))


def test_a_node() -> None:
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    assert maas_engine.backend.run_node(node, [X, X])[0].shape == (3, 3)
    old = helper.make_node("Clip", ["x"], ["y"], min=0.0)
    assert_array_equal(maas_engine.backend.run_node(old, [X], opset_version=9)[0], np.maximum(X, 0))
    scaler = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0], scale=[2.0])
    assert_array_equal(maas_engine.backend.run_node(scaler, [X])[0], (X - 1) * 2)


def test_what_it_refuses() -> None:
    det = model([helper.make_node("Det", ["x"], ["y"])], {"x": ["a", "b", "b"]})
    with pytest.raises(Unsupported, match="operator Det of domain"):
        maas_engine.backend.prepare(det)
    assert not maas_engine.backend.is_compatible(det)
    relu = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [3, 4]})
    assert maas_engine.backend.is_compatible(relu)
    with pytest.raises(Unsupported, match="CUDA"):
        maas_engine.backend.prepare(relu, "CUDA")
    add = maas_engine.backend.prepare(
        model([helper.make_node("Add", ["x", "z"], ["y"])], {"x": ["N", 4], "z": ["N", 4]})
    )
    with pytest.raises(InvalidArgument, match="as many rows"):
        add.run([X, X[:2]])
    prepared = maas_engine.backend.prepare(relu)
    for inputs in ([], [X, X], {"z": X}, [X[:2]]):
        with pytest.raises(InvalidArgument):
            prepared.run(inputs)
