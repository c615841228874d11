"""Models on a device: the interpreter with a namespace that is not numpy, and what is said without a GPU."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import array_api_strict
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from maas_engine import from_sklearn
from maas_engine.device import DeviceModel, device_namespace
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.graph import GraphBuilder
from maas_engine.model import Model

X = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])


def classifier(labels: Any) -> Model:
    builder = GraphBuilder("logistic")
    x = builder.input("X", np.float64, (None, 3))
    weights = builder.constant(np.array([[1.0, 0.0], [0.5, 1.0], [-2.0, 0.5]]))
    scores = builder.add("MatMul", x, weights, outputs="scores")
    place = builder.add("ArgMax", scores, axis=1, keepdims=0)
    builder.add(
        "ArrayFeatureExtractor", builder.constant(labels), place, domain="ai.onnx.ml", outputs="label"
    )
    builder.add("Softmax", scores, outputs="probabilities")
    builder.output("label", "probabilities")
    return Model(
        builder.build(
            {
                "maas_engine.predict": "label",
                "maas_engine.predict_proba": "probabilities",
                "maas_engine.decision_function": "scores",
                "maas_engine.feature_names": '["a", "b", "c"]',
            }
        )
    )


@pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "array_api_strict"])
@pytest.mark.parametrize("labels", [np.array([3, 7]), np.array(["no", "yes"])], ids=["int", "text"])
@pytest.mark.parametrize(
    "rows", [X, X[0], X.tolist(), {"a": [1.0], "c": [2.0], "b": [0.0]}, {"a": 1.0, "b": 2.0, "c": 0.5}]
)
def test_answers_are_the_models(xp: Any, labels: Any, rows: Any) -> None:
    model = classifier(labels)
    there = DeviceModel(model, xp)
    np.testing.assert_array_equal(there.predict(rows), model.predict(rows))
    for method in ("predict_proba", "decision_function"):
        got, want = getattr(there, method)(rows), getattr(model, method)(rows)
        assert type(got) is type(want)
        np.testing.assert_allclose(got, want, rtol=1e-13)


def test_a_pipeline_of_scikit_learn() -> None:
    pytest.importorskip("skl2onnx")
    frame = pd.DataFrame(
        {"age": [20.0, np.nan, 35.0, 61.0] * 5, "city": ["Oslo", "Rome", "Oslo", "Bonn"] * 5}
    )
    prepare = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    fitted = make_pipeline(prepare, LogisticRegression()).fit(frame, ["no", "yes", "no", "maybe"] * 5)
    model = from_sklearn(fitted, frame)
    there = DeviceModel(model, array_api_strict)
    assert there.predict(frame).tolist() == model.predict(frame).tolist()
    np.testing.assert_allclose(there.predict_proba(frame), model.predict_proba(frame), rtol=1e-5)


def test_answers_come_back_where_the_rows_came_from() -> None:
    there = DeviceModel(classifier(np.array([3, 7])), array_api_strict)
    rows = array_api_strict.asarray(X)
    assert isinstance(there.predict(X), np.ndarray)
    assert isinstance(there.predict(rows), type(rows))
    np.testing.assert_array_equal(np.asarray(there.predict({"X": rows})), there.predict(X))


def test_methods_are_those_of_the_model() -> None:
    builder = GraphBuilder()
    builder.output(builder.add("Neg", builder.input("X", np.float64, (None, 3))))
    there = DeviceModel(Model(builder.build()), np)
    np.testing.assert_array_equal(there.predict(X), -X)
    assert not hasattr(there, "predict_proba")
    with pytest.raises(AttributeError, match=r"\[predict_proba\] this model does not offer it"):
        there.predict_proba(X)
    with pytest.raises(InvalidArgument, match=r"\[predict\] expected 3 features"):
        there.predict(X[:, :2])


def test_to_cuda_asks_for_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    model = classifier(np.array([3, 7]))
    assert model.to("cpu") is model
    with pytest.raises(Unsupported, match=r"maas_engine\[gpu\]"):
        model.to("cuda")


def test_to_cuda_with_something_like_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = fake_cupy(lambda: 1)
    module.__dict__.update({name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
    monkeypatch.setitem(sys.modules, "cupy", module)
    model = classifier(np.array([3, 7]))
    np.testing.assert_array_equal(model.to("cuda").predict(X), model.predict(X))


def test_without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(Unsupported) as caught:
        device_namespace("cuda")
    assert str(caught.value) == "[device] CuPy is not installed: pip install maas_engine[gpu]"


def fake_cupy(count: Any) -> ModuleType:
    module: Any = ModuleType("cupy")
    module.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=count))
    return module


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> int:
        raise RuntimeError("cudaErrorInsufficientDriver")

    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(no_driver))
    with pytest.raises(Unsupported, match=r"^\[device\] CuPy found no GPU: cudaErrorInsufficientDriver$"):
        device_namespace("cuda")
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(lambda: 0))
    with pytest.raises(Unsupported, match=r"^\[device\] CuPy found no GPU: the driver lists none$"):
        device_namespace("cuda")
    with pytest.raises(InvalidArgument, match=r"^\[device\] expected 'cpu' or 'cuda', got 'tpu'$"):
        device_namespace("tpu")
