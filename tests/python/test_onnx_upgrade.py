"""Nodes of every opset come out as nodes of one: with the same values, by ONNX's own runtimes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from onnx import helper
from onnx_models import ML, Array, model, run

from maas_engine import _core
from maas_engine.errors import FormatError, Unsupported

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
CUBE = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)
NODE = helper.make_node
INTS = np.array


def same(built: onnx.ModelProto, inputs: dict[str, Array]) -> Any:
    """Reads, writes, and compares both in a runtime; returns the graph."""
    graph = _core.read_onnx(built.SerializeToString())
    written = _core.write_onnx(graph)
    onnx.checker.check_model(onnx.load_from_string(written), full_check=True)
    for got, expected in zip(run(written, inputs), run(built, inputs), strict=True):
        assert np.asarray(got).dtype == np.asarray(expected).dtype
        compare = assert_allclose if np.asarray(expected).dtype.kind == "f" else assert_array_equal
        compare(got, expected, **({"rtol": 1e-6, "atol": 1e-7} if compare is assert_allclose else {}))
    return graph


def ops(graph: Any) -> list[str]:
    return [node.op for node in graph.nodes]


OPSETS = range(6, 29)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "op", ["Relu", "Tanh", "Exp", "Neg", "Selu", "Elu", "LeakyRelu", "Softplus", "Identity", "Flatten"]
)
def test_what_did_not_change(op: str, opset: int) -> None:
    graph = same(model([NODE(op, ["x"], ["y"], name="n")], {"x": X}, ["y"], opset), {"x": X})
    assert [(node.op, node.name) for node in graph.nodes] == [(op, "n")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bounds", [{"min": -0.5, "max": 0.25}, {"min": 0.0}, {"max": 0.5}, {}])
@pytest.mark.parametrize("opset", [9, 10])
def test_clip(opset: int, bounds: dict[str, float], dtype: type) -> None:
    x = X.astype(dtype)
    built = model([NODE("Clip", ["x"], ["y"], **bounds)], {"x": x}, ["y"], opset)
    if dtype == np.float32:
        same(built, {"x": x})
    graph = _core.read_onnx(built.SerializeToString())
    low, high = np.float32(bounds.get("min", -np.inf)), np.float32(bounds.get("max", np.inf))
    assert_array_equal(run(_core.write_onnx(graph), {"x": x})[0], np.clip(x, low, high, dtype=dtype))


@pytest.mark.parametrize("opset", range(11, 27))
def test_clip_with_inputs(opset: int) -> None:
    bounds = {"low": np.float32(-0.5), "high": np.float32(0.5)}
    same(
        model([NODE("Clip", ["x", "low", "high"], ["y"])], {"x": X}, ["y"], opset, initializers=bounds),
        {"x": X},
    )
    same(
        model([NODE("Clip", ["x", "", "high"], ["y"])], {"x": X}, ["y"], opset, initializers=bounds), {"x": X}
    )


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [None, 1, 2, -1, -2])
@pytest.mark.parametrize("opset", [9, 11, 12, 13, 18, 26])
def test_softmax(opset: int, axis: int | None, op: str) -> None:
    if opset < 11 and axis is not None and axis < 0:
        pytest.skip("negative axes came with 11")
    attributes = {} if axis is None else {"axis": axis}
    node = NODE(op, ["x"], ["y"], name="soft", **attributes)
    graph = same(model([node], {"x": CUBE}, ["y"], opset), {"x": CUBE})
    flat = opset < 13 and axis in (None, 1, -2)
    assert ops(graph) == (["Reshape", op, "Reshape"] if flat else [op])
    assert [node.name for node in graph.nodes] == (["soft/flat", "soft", "soft/back"] if flat else ["soft"])
    if axis not in (2, -2):
        assert ops(same(model([node], {"x": X}, ["y"], opset), {"x": X})) == [op]


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax_of_a_graph_without_rows(op: str) -> None:
    built = model([NODE(op, ["x"], ["y"], axis=0)], {"x": CUBE}, ["y"], 12, batched=[])
    assert ops(same(built, {"x": CUBE})) == ["Reshape", op, "Reshape"]
    with pytest.raises(Unsupported, match=rf"\[{op} 'y'\] takes all of \[N, 2, 3\] from axis 0 on as one"):
        _core.read_onnx(model([NODE(op, ["x"], ["y"], axis=0)], {"x": CUBE}, ["y"], 12).SerializeToString())
    with pytest.raises(FormatError, match="has axis 3 for values of shape"):
        _core.read_onnx(model([NODE(op, ["x"], ["y"], axis=3)], {"x": CUBE}, ["y"], 12).SerializeToString())


REDUCTIONS = ["L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]


@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize("opset", [9, 11, 12, 13, 17, 18, 20, 26, 28])
def test_reduce(opset: int, op: str) -> None:
    as_input = opset >= (13 if op == "Sum" else 18)
    for axes, keepdims in (([1], 1), ([1, 2], 0), ([2], 0)):
        attributes = {"keepdims": keepdims} | ({} if as_input else {"axes": axes})
        inputs = ["x", "axes"] if as_input else ["x"]
        built = model(
            [NODE(f"Reduce{op}", inputs, ["y"], **attributes)],
            {"x": CUBE},
            ["y"],
            opset,
            initializers={"axes": INTS(axes)} if as_input else None,
        )
        assert ops(same(built, {"x": CUBE})) == [f"Reduce{op}"]
    same(
        model([NODE(f"Reduce{op}", ["x"], ["y"], keepdims=0)], {"x": CUBE}, ["y"], opset, batched=[]),
        {"x": CUBE},
    )


@pytest.mark.parametrize("opset", [9, 11, 12, 13, 21, 26, 28])
def test_squeeze_and_unsqueeze(opset: int) -> None:
    as_input = opset >= 13
    x = CUBE[:, :1]
    for op in ("Squeeze", "Unsqueeze"):
        node = NODE(op, ["x", "axes"], ["y"]) if as_input else NODE(op, ["x"], ["y"], axes=[1])
        same(
            model([node], {"x": x}, ["y"], opset, initializers={"axes": INTS([1])} if as_input else None),
            {"x": x},
        )
    same(model([NODE("Squeeze", ["x"], ["y"])], {"x": x}, ["y"], opset, batched=[]), {"x": x})


@pytest.mark.parametrize("opset", [9, 11, 12, 13, 17, 18, 26, 28])
def test_split(opset: int) -> None:
    outputs = ["a", "b"]
    sizes = INTS([1, 3])
    if opset < 13:
        same(model([NODE("Split", ["x"], outputs, axis=1, split=[1, 3])], {"x": X}, outputs, opset), {"x": X})
    else:
        node = NODE("Split", ["x", "sizes"], outputs, axis=1)
        same(model([node], {"x": X}, outputs, opset, initializers={"sizes": sizes}), {"x": X})
    even = {} if opset < 18 else {"num_outputs": 2}
    same(
        model(
            [NODE("Split", ["x"], outputs, axis=-1 if opset > 10 else 1, **even)], {"x": X}, outputs, opset
        ),
        {"x": X},
    )


def test_split_was_even_before_18() -> None:
    node = NODE("Split", ["x"], ["a", "b", "c"], axis=1)
    with pytest.raises(
        FormatError, match=r"\[Split 'a'\] cannot split dimension 1 of \[N, 4\] into 3 equal parts"
    ):
        _core.read_onnx(model([node], {"x": X}, ["a"], 13).SerializeToString())
    uneven = NODE("Split", ["x"], ["a", "b"], axis=1, num_outputs=2)
    same(model([uneven], {"x": X[:, :3]}, ["a", "b"], 18), {"x": X[:, :3]})


@pytest.mark.parametrize("opset", [9, 10, 11, 13, 26, 28])
def test_slice(opset: int) -> None:
    if opset < 10:
        same(
            model([NODE("Slice", ["x"], ["y"], starts=[1], ends=[3], axes=[1])], {"x": X}, ["y"], opset),
            {"x": X},
        )
        whole = NODE("Slice", ["x"], ["y"], starts=[1, 0], ends=[3, 99])
        same(model([whole], {"x": X}, ["y"], opset, batched=[]), {"x": X})
        return
    indices = {"s": INTS([3]), "e": INTS([0]), "a": INTS([1]), "t": INTS([-2])}
    same(
        model(
            [NODE("Slice", ["x", "s", "e", "a", "t"], ["y"])], {"x": X}, ["y"], opset, initializers=indices
        ),
        {"x": X},
    )


@pytest.mark.parametrize("opset", [9, 10, 12, 13, 22, 26])
def test_dropout(opset: int) -> None:
    if opset < 12:
        node = NODE("Dropout", ["x"], ["y", "mask"], ratio=0.7)
        constants = {}
    else:
        node = NODE("Dropout", ["x", "ratio", "training"], ["y", "mask"])
        constants = {"ratio": np.float32(0.7), "training": np.bool_(False)}
    constants = {k: np.asarray(v) for k, v in constants.items()}
    assert ops(same(model([node], {"x": X}, ["y"], opset, initializers=constants), {"x": X})) == ["Identity"]
    with pytest.raises(Unsupported, match="mask"):
        _core.read_onnx(
            model([node], {"x": X}, ["y", "mask"], opset, initializers=constants).SerializeToString()
        )
    if opset >= 12:
        constants["training"] = np.asarray(True)
        with pytest.raises(Unsupported, match="training mode"):
            _core.read_onnx(model([node], {"x": X}, ["y"], opset, initializers=constants).SerializeToString())


@pytest.mark.parametrize("opset", [9, 14, 15, 26])
def test_batch_normalization(opset: int) -> None:
    names = ["scale", "bias", "mean", "var"]
    constants = {k: np.linspace(0.5, 1.5, 4).astype(np.float32) for k in names}
    node = NODE("BatchNormalization", ["x", *names], ["y"], epsilon=1e-3, momentum=0.5)
    same(model([node], {"x": X}, ["y"], opset, initializers=constants), {"x": X})
    if opset >= 14:
        train = NODE("BatchNormalization", ["x", *names], ["y", "m", "v"], training_mode=1)
        with pytest.raises(Unsupported, match="training mode"):
            _core.read_onnx(
                model([train], {"x": X}, ["y"], opset, initializers=constants).SerializeToString()
            )


@pytest.mark.parametrize("alpha", [None, 1.0, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_swish(dtype: type, alpha: float | None) -> None:
    x = X.astype(dtype)
    node = NODE("Swish", ["x"], ["y"], name="s", **({} if alpha is None else {"alpha": alpha}))
    built = model([node], {"x": x}, ["y"], 28)
    graph = _core.read_onnx(built.SerializeToString())
    assert ops(graph) == (["Mul"] if alpha == 0.5 else []) + ["Sigmoid", "Mul"]
    assert_allclose(run(_core.write_onnx(graph), {"x": x})[0], x / (1 + np.exp(-(alpha or 1) * x)), rtol=2e-6)


@pytest.mark.parametrize("opset", [9, 13, 19, 24, 26, 28])
def test_cast(opset: int) -> None:
    same(model([NODE("Cast", ["x"], ["y"], to=11)], {"x": X}, ["y"], opset), {"x": X})
    float8 = ({"saturate": 0} if opset >= 19 else {}) | ({"round_mode": "up"} if opset >= 24 else {})
    built = model([NODE("Cast", ["x"], ["y"], to=11, **float8)], {"x": X}, ["y"], opset)
    assert _core.read_onnx(built.SerializeToString()).nodes[0].attributes == {"to": 11}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"value": onnx.numpy_helper.from_array(INTS([[1.5]], dtype=np.float64))}, INTS([[1.5]])),
        ({"value_float": 1.5}, np.float32(1.5)),
        ({"value_floats": [1.5, 2.5]}, INTS([1.5, 2.5], dtype=np.float32)),
        ({"value_int": -3}, np.int64(-3)),
        ({"value_ints": [1, 2]}, INTS([1, 2])),
        ({"value_string": "ä"}, INTS("ä", dtype=object)),
        ({"value_strings": ["a", "b"]}, INTS(["a", "b"], dtype=object)),
    ],
)
def test_constant(attributes: dict[str, Any], expected: Array) -> None:
    built = model(
        [NODE("Constant", [], ["c"], **attributes), NODE("Identity", ["c"], ["y"])], {"x": X}, ["y"], 13
    )
    graph = _core.read_onnx(built.SerializeToString())
    got = graph.initializers["c"]
    assert ops(graph) == ["Identity"]
    assert got.dtype == np.asarray(expected).dtype
    assert got.shape == np.shape(expected)
    assert_array_equal(got, expected)


def test_constants_that_are_none() -> None:
    for attributes, words in (
        ({}, "expected one attribute, got 0"),
        ({"value_int": 1, "value_float": 1.0}, "expected one attribute, got 2"),
        ({"values": 1}, "attribute 'values' is not one of a Constant"),
        ({"value_int": 1.0}, "attribute 'value_int' has another type"),
    ):
        built = model([NODE("Constant", [], ["c"], **attributes)], {"x": X}, ["c"], 13)
        with pytest.raises(FormatError, match=words):
            _core.read_onnx(built.SerializeToString())


def test_label_encoder_of_version_1() -> None:
    text, index = np.array([["b"], ["z"], ["a"]], dtype=object), np.array([[1], [7], [0]])
    classes = {"classes_strings": ["a", "b", "a"]}
    to_index = model(
        [NODE("LabelEncoder", ["x"], ["y"], domain=ML, default_int64=-5, **classes)], {"x": text}, ["y"], 9, 1
    )
    graph = _core.read_onnx(to_index.SerializeToString())
    assert graph.nodes[0].attributes == {
        "keys_strings": ["a", "b"],
        "values_int64s": [0, 1],
        "default_int64": -5,
    }
    assert run(_core.write_onnx(graph), {"x": text})[0].tolist() == [[1], [-5], [0]]
    for default in ({"default_string": "?"}, {}):  # without one, the input's type says which way
        to_text = model(
            [NODE("LabelEncoder", ["x"], ["y"], domain=ML, **classes, **default)], {"x": index}, ["y"], 9, 1
        )
        graph = _core.read_onnx(to_text.SerializeToString())
        unknown = default.get("default_string", "_Unused")
        assert run(_core.write_onnx(graph), {"x": index})[0].tolist() == [["b"], [unknown], ["a"]]
    inner = [NODE("Identity", ["x"], ["z"]), NODE("LabelEncoder", ["z"], ["y"], domain=ML, **classes)]
    with pytest.raises(Unsupported, match="does not say by default_string or default_int64"):
        _core.read_onnx(model(inner, {"x": text}, ["y"], 9, 1).SerializeToString())


@pytest.mark.parametrize("ml", [2, 3, 4, 5])
def test_label_encoder(ml: int) -> None:
    text = np.array([["b"], ["z"]], dtype=object)
    node = NODE("LabelEncoder", ["x"], ["y"], domain=ML, keys_strings=["a", "b"], values_floats=[0.5, 1.5])
    built = model([node], {"x": text}, ["y"], 21, ml)
    graph = _core.read_onnx(built.SerializeToString())
    assert run(_core.write_onnx(graph), {"x": text})[0].tolist() == [[1.5], [0.0]]


def zip_model(nodes: list[onnx.NodeProto], outputs: list[str], **attributes: Any) -> onnx.ModelProto:
    zipped = NODE("ZipMap", ["p"], ["probabilities"], name="zip", domain=ML, **attributes)
    return model([*nodes, zipped], {"x": X}, [*outputs, "probabilities"])


def test_zip_map_leaves_the_values_under_its_name() -> None:
    graph = _core.read_onnx(
        zip_model(
            [NODE("Softmax", ["x"], ["p"]), NODE("ArgMax", ["p"], ["label"], axis=1)],
            ["label"],
            classlabels_int64s=[3, -1, 5, 7],
        ).SerializeToString()
    )
    assert ops(graph) == ["Softmax", "ArgMax"]
    assert graph.nodes[1].inputs == ("probabilities",)
    assert [name for name, _, _ in graph.outputs] == ["label", "probabilities"]
    assert graph.metadata == {"maas_engine.labels": "[3, -1, 5, 7]"}


def test_zip_map_of_an_input_or_an_output() -> None:
    graph = _core.read_onnx(
        zip_model(
            [NODE("Softmax", ["x"], ["p"])], ["p"], classlabels_strings=["a", 'b"', "\n", "é"]
        ).SerializeToString()
    )
    assert ops(graph) == ["Softmax", "Identity"]
    assert graph.metadata["maas_engine.labels"] == '["a", "b\\"", "\\u000a", "é"]'
    direct = model(
        [NODE("ZipMap", ["x"], ["y"], domain=ML, classlabels_int64s=[0, 1, 2, 3])], {"x": X}, ["y"]
    )
    assert ops(_core.read_onnx(direct.SerializeToString())) == ["Identity"]


def test_zip_maps_that_cannot_be() -> None:
    soft = [NODE("Softmax", ["x"], ["p"])]
    with pytest.raises(
        FormatError, match=r"\[ai.onnx.ml.ZipMap 'zip'\] has 2 labels for values of shape \[N, 4\]"
    ):
        _core.read_onnx(zip_model(soft, [], classlabels_int64s=[0, 1]).SerializeToString())
    with pytest.raises(FormatError, match="expected one of classlabels"):
        _core.read_onnx(zip_model(soft, []).SerializeToString())
    second = NODE("ZipMap", ["x"], ["q"], domain=ML, classlabels_int64s=[4, 5, 6, 7])
    with pytest.raises(Unsupported, match="beside others"):
        _core.read_onnx(
            zip_model([*soft, second], ["q"], classlabels_int64s=[0, 1, 2, 3]).SerializeToString()
        )


def test_new_names_are_no_others() -> None:
    nodes = [
        NODE("Clip", ["x"], ["upgraded_0"], min=0.0),
        NODE("Clip", ["upgraded_0"], ["upgraded__"], max=1.0),
    ]
    built = model(nodes, {"x": X}, ["upgraded__"], 9)
    graph = same(built, {"x": X})
    assert sorted(graph.initializers) == ["upgraded___0", "upgraded___1"]
    assert _core.write_onnx(graph) == _core.write_onnx(_core.read_onnx(built.SerializeToString()))
