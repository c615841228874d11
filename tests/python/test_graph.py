"""Graphs from Python: what goes in comes back, and what does not fit is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maas_engine.errors import InvalidArgument, MaasError
from maas_engine.graph import ML_DOMAIN, Graph, GraphBuilder


def scaled(**attributes: Any) -> Graph:
    builder = GraphBuilder("scaled")
    x = builder.input("X", np.float32, (None, 2))
    builder.output(builder.add("Scaler", x, domain=ML_DOMAIN, outputs="variable", **attributes))
    return builder.build({"key": "välue", "empty": ""})


def test_a_graph_gives_back_what_it_was_made_of() -> None:
    graph = scaled(offset=[0.5, -1.0], scale=[2.0])
    assert graph.name == "scaled"
    assert graph.inputs == [("X", "float32", (None, 2))]
    assert graph.outputs == [("variable", "float32", (None, 2))]
    assert graph.metadata == {"key": "välue", "empty": ""}
    (node,) = graph.nodes
    assert (node.op, node.domain, node.name) == ("Scaler", ML_DOMAIN, "variable")
    assert (node.inputs, node.outputs) == (("X",), ("variable",))
    assert node.attributes == {"offset": [0.5, -1.0], "scale": [2.0]}
    assert "Scaler" in repr(node)
    assert graph.type_of("X") == ("float32", (None, 2))
    assert graph.type_of("nothing") is None


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, np.nan], [-0.0, np.inf]], np.float32),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(4, dtype=np.int64)[::-2],
        np.arange(3, dtype=np.int32).astype(">i4"),
        np.array(True),
        np.zeros((0, 3), np.float32),
        np.array(["a", "", "żółw\0"], object),
        np.array([["a", "bc"]]),
    ],
)
def test_constants_come_back_with_their_bits(value: np.ndarray[Any, Any]) -> None:
    builder = GraphBuilder()
    builder.input("X", np.float32, (None, 2))
    builder.output(builder.add("Identity", "X"))
    builder.constant(value, "c")
    back = builder.build().initializers["c"]
    assert back.shape == value.shape
    assert not back.flags.writeable
    assert back.dtype == (object if value.dtype.kind == "U" else value.dtype.newbyteorder("="))
    np.testing.assert_array_equal(back, value)


def test_constants_outlive_their_graph() -> None:
    builder = GraphBuilder()
    builder.input("X", np.float32, (None, 2))
    builder.output(builder.add("Identity", "X"))
    builder.constant(np.arange(1000.0), "c")
    graph = builder.build()
    constants, node = graph.initializers, graph.nodes[0]
    del graph
    assert constants["c"].sum() == 499500
    assert node.op == "Identity"


def test_constants_of_other_types_are_refused_by_name() -> None:
    builder = GraphBuilder()
    builder.input("X", np.float32, (None, 2))
    builder.output(builder.add("Identity", "X"))
    builder.constant(np.ones(2, np.float16), "halves")
    with pytest.raises(InvalidArgument, match=r"initializer 'halves' to be float32, .* got float16"):
        builder.build()


def test_attributes_that_do_not_fit_float32_are_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"attribute 'scale' of .*Scaler.* must fit in float32"):
        scaled(offset=[0.0, 0.0], scale=[1e300, 1.0])


def test_an_attribute_that_is_none_is_left_out() -> None:
    (node,) = scaled(offset=[0.0], scale=[1.0], other=None).nodes
    assert set(node.attributes) == {"offset", "scale"}


def test_names_are_made_up_and_never_clash() -> None:
    builder = GraphBuilder()
    x = builder.input("relu", np.float64, (None,))
    first, second = builder.add("Relu", x), builder.add("Relu", x)
    assert len({x, first, second, builder.constant(1.0), builder.constant(2.0)}) == 5
    with pytest.raises(InvalidArgument, match="'relu' again"):
        builder.add("Abs", x, outputs="relu")


def test_with_metadata_leaves_the_graph_alone() -> None:
    graph = scaled(offset=[0.0], scale=[1.0])
    other = graph.with_metadata({"k": "v"})
    assert (other.metadata, graph.metadata["empty"]) == ({"k": "v"}, "")
    assert other.outputs == graph.outputs


@pytest.mark.parametrize(
    "arguments",
    [
        ("g", [("X", "float16", [None])], ["X"], [], {}, {}),
        ("g", [("X", "float32", [-3])], ["X"], [], {}, {}),
        ("g", [("X", "float32", [None])], ["X"], [("Abs",)], {}, {}),
        ("g", [("X", "float32", [None])], ["nowhere"], [], {}, {}),
    ],
)
def test_malformed_parts_are_refused(arguments: Any) -> None:
    with pytest.raises(MaasError):
        Graph(*arguments)
