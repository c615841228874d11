"""Files: what is written is the same every time, right by ONNX's checker, and reads back as it was."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal
from onnx import helper, numpy_helper
from onnx_models import ML, Array, model, run
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from maas_engine import _core
from maas_engine.errors import FormatError, NotFound, Unsupported

NODE = helper.make_node
X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)

# --- the writer -----------------------------------------------------------------------------------------

EVERY_KIND = """
import numpy as np
from maas_engine import _core

def every_kind():
    nodes = [
        ("Gemm", "", "dense", ["x", "w", "b"], ["h"], {"transB": 1, "alpha": 0.5}),
        ("Scaler", "ai.onnx.ml", "scaled", ["h"], ["s"], {"offset": [1.0, 2.0], "scale": [0.5, 0.25]}),
        ("LabelEncoder", "ai.onnx.ml", "", ["t"], ["code"],
         {"keys_strings": ["a", "ü"], "values_tensor": np.array([1, 2]), "default_tensor": np.array([-1])}),
        ("Identity", "", "", ["words"], ["w2"], {}),
        ("Identity", "", "", ["flag"], ["f2"], {}),
    ]
    initializers = {
        "w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([0.5, -0.0], np.float32),
        "words": np.array([["a", "ß"]], dtype=object), "flag": np.array(True), "empty": np.zeros((0, 2)),
    }
    inputs = [("x", "float32", [None, 3]), ("t", "string", [None, 1])]
    return _core.Graph("every kind", inputs, ["s", "code", "w2", "f2"], nodes, initializers, {"z": "1", "a": "ö"})
"""
SCOPE: dict[str, Any] = {}
exec(EVERY_KIND, SCOPE)
every_kind = SCOPE["every_kind"]


def same_graph(a: Any, b: Any) -> None:
    assert (a.name, a.inputs, a.outputs, a.metadata) == (b.name, b.inputs, b.outputs, b.metadata)
    assert list(a.initializers) == list(b.initializers)
    for name, array in a.initializers.items():
        assert array.dtype == b.initializers[name].dtype
        assert array.shape == b.initializers[name].shape
        assert array.dtype == object or array.tobytes() == b.initializers[name].tobytes()
        assert_array_equal(array, b.initializers[name])
    for one, other in zip(a.nodes, b.nodes, strict=True):
        assert (one.op, one.domain, one.name) == (other.op, other.domain, other.name)
        assert (one.inputs, one.outputs) == (other.inputs, other.outputs)
        assert repr(one.attributes) == repr(other.attributes)


def test_every_kind_of_value_reads_back() -> None:
    graph = every_kind()
    written = _core.write_onnx(graph)
    same_graph(graph, _core.read_onnx(written))
    assert _core.write_onnx(_core.read_onnx(written)) == written


def test_the_same_graph_gives_the_same_bytes_in_any_process() -> None:
    script = EVERY_KIND + "import sys; sys.stdout.buffer.write(_core.write_onnx(every_kind()))"
    here = _core.write_onnx(every_kind())
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == here


def test_what_a_file_says_of_itself() -> None:
    written = _core.write_onnx(every_kind())
    onnx.checker.check_model(written, full_check=True)
    proto = onnx.load_from_string(written)
    assert (proto.producer_name, proto.producer_version) == ("maas_engine", _core.__version__)
    assert proto.ir_version == 10
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 21), (ML, 4)]
    assert [entry.key for entry in proto.metadata_props] == ["a", "z"]
    assert [tensor.name for tensor in proto.graph.initializer] == sorted(every_kind().initializers)
    x = proto.graph.input[0].type.tensor_type
    assert [dim.dim_param or dim.dim_value for dim in x.shape.dim] == ["N", 3]
    assert [dim.dim_param or dim.dim_value for dim in proto.graph.output[0].type.tensor_type.shape.dim] == [
        "N",
        2,
    ]
    for node in proto.graph.node:
        names = [attribute.name for attribute in node.attribute]
        assert names == sorted(names)


def test_a_name_given_twice_is_written_once() -> None:
    nodes = [("Relu", "", "a", ["x"], ["h"], {}), ("Neg", "", "a", ["h"], ["y"], {})]
    written = _core.write_onnx(_core.Graph("", [("x", "float32", [None, 3])], ["y"], nodes, {}, {}))
    assert [node.name for node in onnx.load_from_string(written).graph.node] == ["a", ""]
    assert_array_equal(run(written, {"x": X})[0], -np.maximum(X, 0))


# --- round trips ----------------------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
FLOATS = st.floats(width=32)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int64, np.int32, np.bool_, object]))
    if dtype is object:
        texts = draw(st.lists(NAMES, min_size=math.prod(shape), max_size=math.prod(shape)))
        flat = np.empty(len(texts), dtype=object)
        flat[:] = texts
        return flat.reshape(shape)
    return draw(hnp.arrays(dtype, shape))


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """Chains of element-wise nodes on x, beside any initializers, with any names and attributes."""
    constants = draw(st.dictionaries(NAMES, arrays(), max_size=4))
    names = draw(
        st.lists(NAMES.filter(lambda name: name not in constants), min_size=2, max_size=6, unique=True)
    )
    width = draw(st.integers(1, 5))
    chain = [
        draw(
            st.sampled_from(
                [
                    ("Relu", "", {}),
                    ("Elu", "", {"alpha": draw(FLOATS)}),
                    ("Softmax", "", {"axis": 1}),
                    ("Binarizer", ML, {"threshold": draw(FLOATS)}),
                    (
                        "Scaler",
                        ML,
                        {"offset": draw(st.lists(FLOATS, min_size=width, max_size=width)), "scale": [1.0]},
                    ),
                ]
            )
        )
        for _ in names[1:]
    ]
    nodes = [
        (op, domain, f"{i}", [names[i]], [names[i + 1]], attributes)
        for i, (op, domain, attributes) in enumerate(chain)
    ]
    metadata = draw(st.dictionaries(NAMES, NAMES, max_size=3))
    return _core.Graph(
        draw(NAMES), [(names[0], "float32", [None, width])], [names[-1]], nodes, constants, metadata
    )


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_graphs_read_back(graph: Any) -> None:
    written = _core.write_onnx(graph)
    same_graph(graph, _core.read_onnx(written))
    assert _core.write_onnx(_core.read_onnx(written)) == written


@settings(max_examples=100, deadline=None)
@given(arrays())
def test_onnx_reads_our_constants_and_we_read_its(array: Array) -> None:
    graph = _core.Graph("g", [], ["w"], [], {"w": array}, {})
    theirs = numpy_helper.to_array(onnx.load_from_string(_core.write_onnx(graph)).graph.initializer[0])
    assert theirs.shape == array.shape
    assert_array_equal(theirs, array)
    typed = helper.make_tensor(
        "w", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.ravel().tolist()
    )
    built = model([], {}, ["w"])
    for tensor in (typed, numpy_helper.from_array(array, "w")):
        built.graph.initializer.clear()
        built.graph.initializer.append(tensor)
        ours = _core.read_onnx(built.SerializeToString()).initializers["w"]
        assert (ours.dtype, ours.shape) == (array.dtype, array.shape)
        assert_array_equal(ours, array)


# --- files by others --------------------------------------------------------------------------------------

IRIS, FLOWER = load_iris(return_X_y=True)
DIABETES, DISEASE = load_diabetes(return_X_y=True)
TABLE = np.array([["a", "x"], ["b", "y"], ["a", "y"]] * 10, dtype=object)
ESTIMATORS = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "binary": make_pipeline(SimpleImputer(), Normalizer(), LogisticRegression()),
    "linear": make_pipeline(MinMaxScaler(), LinearRegression()),
    "polynomial": make_pipeline(PolynomialFeatures(2), Ridge()),
    "mlp": MLPClassifier(hidden_layer_sizes=(5,), activation="tanh", max_iter=5),
    "mlp regressor": MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", max_iter=5),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("opset", [9, 12, 15, 18, 21])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_files_by_skl2onnx(name: str, dtype: type, opset: int) -> None:
    from skl2onnx import to_onnx

    if dtype == np.float64 and name in ("binary", "polynomial"):
        pytest.skip("its float64 files are of mixed types, or of no kernel of onnxruntime")
    regressor = name in ("linear", "polynomial", "mlp regressor")
    X, y = (DIABETES, DISEASE) if regressor else (IRIS, FLOWER > 0 if name == "binary" else FLOWER)
    fitted = ESTIMATORS[name].fit(X, y)
    ml = {9: 1, 12: 2}.get(opset, 3)
    options = None if regressor else {"zipmap": False}
    rows = X.astype(dtype)
    built = to_onnx(fitted, rows[:1], target_opset={"": opset, ML: ml}, options=options)
    graph = _core.read_onnx(built.SerializeToString())
    written = _core.write_onnx(graph)
    onnx.checker.check_model(written, full_check=True)
    for ours, theirs in zip(run(written, {"X": rows}), run(built, {"X": rows}), strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore")
def test_a_file_by_skl2onnx_of_columns_of_text() -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    fitted = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0, 1]), (StandardScaler(), [2])),
        LogisticRegression(),
    ).fit(np.column_stack([TABLE, np.arange(30.0)]), np.tile(["no", "yes", "no"], 10))
    inputs = [
        ("a", StringTensorType([None, 1])),
        ("b", StringTensorType([None, 1])),
        ("c", FloatTensorType([None, 1])),
    ]
    built = to_onnx(fitted, initial_types=inputs)
    graph = _core.read_onnx(built.SerializeToString())
    assert graph.metadata == {"maas_engine.labels": '["no", "yes"]'}
    assert [(name, dtype) for name, dtype, _ in graph.inputs] == [
        ("a", "string"),
        ("b", "string"),
        ("c", "float32"),
    ]
    rows = {"a": TABLE[:, :1], "b": TABLE[:, 1:], "c": np.arange(30, dtype=np.float32)[:, None]}
    labels, probabilities = run(_core.write_onnx(graph), rows)
    expected_labels, expected = run(built, rows)
    assert labels.tolist() == expected_labels.tolist()
    assert_array_equal(probabilities, [[row["no"], row["yes"]] for row in expected])


# --- external data ----------------------------------------------------------------------------------------


@pytest.fixture
def external(tmp_path: Path) -> Path:
    weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    built = model([NODE("MatMul", ["x", "w"], ["y"])], {"x": X}, ["y"], initializers={"w": weights})
    path = tmp_path / "model.onnx"
    onnx.save(built, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def test_external_data_are_read_from_the_folder(external: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert_array_equal(_core.read_onnx_file(str(external)).initializers["w"], expected)
    monkeypatch.chdir(external.parent)
    assert_array_equal(_core.read_onnx_file("model.onnx").initializers["w"], expected)
    with pytest.raises(
        Unsupported, match=r"initializer 'w'\] is external data 'weights.bin', which is read only"
    ):
        _core.read_onnx(external.read_bytes())


def test_a_link_inside_the_folder_is_followed(external: Path) -> None:
    real = external.parent / "blobs"
    real.mkdir()
    (external.parent / "weights.bin").rename(real / "data")
    (external.parent / "weights.bin").symlink_to(Path("blobs") / "data")
    assert _core.read_onnx_file(str(external)).initializers["w"][0, 3] == 3


def test_external_data_that_end_early(external: Path) -> None:
    (external.parent / "weights.bin").write_bytes(b"short")
    with pytest.raises(
        FormatError, match=r"expected 48 bytes at 0 of external data 'weights\.bin', which has 5"
    ):
        _core.read_onnx_file(str(external))
    (external.parent / "weights.bin").unlink()
    with pytest.raises(NotFound, match=r"external data 'weights\.bin' cannot be found"):
        _core.read_onnx_file(str(external))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        _core.read_onnx_file(str(tmp_path / "none.onnx"))
    with pytest.raises(FormatError, match="expected a regular file"):
        _core.read_onnx_file(str(tmp_path))
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(FormatError, match="no graph"):
        _core.read_onnx_file(str(tmp_path / "empty.onnx"))
