"""Models on a device: the interpreter with a namespace that is not numpy, and what is said without a GPU."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import array_api_strict
import numpy as np
import pytest

from maas_engine import _core
from maas_engine.device import DeviceModel, device_namespace
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.graph import GraphBuilder

X = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])
COEFFICIENTS = np.array([[1.0], [0.5], [-2.0]])


def logistic() -> Any:
    """What `DeviceModel` needs of a Model."""
    builder = GraphBuilder("logistic")
    x = builder.input("X", np.float64, (None, 3))
    scores = builder.add("MatMul", x, builder.constant(COEFFICIENTS), outputs="scores")
    builder.output(builder.add("Sigmoid", scores, outputs="probabilities"))
    roles = {
        "predict": SimpleNamespace(name="probabilities"),
        "decision_function": SimpleNamespace(name="scores"),
    }
    return SimpleNamespace(graph=builder.build(), schema=SimpleNamespace(roles=roles))


def on_cpu(X: np.ndarray, output: str) -> np.ndarray:
    return _core.Program(logistic().graph, [output], True).run({"X": X}, 0)[output]


@pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "array_api_strict"])
def test_answers_are_close_to_the_programs(xp: Any) -> None:
    model = DeviceModel(logistic(), xp)
    np.testing.assert_allclose(model.predict(X), on_cpu(X, "probabilities"), rtol=1e-14)
    np.testing.assert_allclose(model.decision_function(X.tolist()), on_cpu(X, "scores"), rtol=1e-14)
    np.testing.assert_array_equal(model.predict({"X": X}), model.predict(X))
    np.testing.assert_array_equal(model.predict(X[0]), model.predict(X)[0])


def test_answers_come_back_where_the_rows_came_from() -> None:
    model = DeviceModel(logistic(), array_api_strict)
    rows = array_api_strict.asarray(X)
    assert isinstance(model.predict(X), np.ndarray)
    assert isinstance(model.predict(rows), type(rows))
    np.testing.assert_array_equal(np.asarray(model.predict(rows)), model.predict(X))


def test_methods_are_those_of_the_model() -> None:
    model = DeviceModel(logistic(), np)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match=r"\[predict_proba\] this model does not offer it"):
        model.predict_proba(X)
    with pytest.raises(InvalidArgument, match=r"\[predict\] expected inputs X; X missing"):
        model.predict({"Z": X})


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
