"""ONNX files that other tools wrote (tests/golden/onnx): each agrees with its tool, or is refused in words.

The scripts of tests/golden write them. The tests need none of the tools.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import maas_engine

Array = NDArray[Any]
ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "golden" / "onnx"
FILES = {f"{path.parent.name}/{path.stem}": path for path in sorted(GOLDEN.glob("*/*.onnx"))}

UNKNOWN = "is not one that the engine runs"
# What is refused, the node and why. All else loads and agrees.
REFUSED = {
    "keras_tensorflow/conv1d": ("Conv 'sequential_12_1/conv1d_1/convolution'", UNKNOWN),
    "keras_tensorflow/lstm": ("LSTM 'LSTM__", UNKNOWN),
    # tf2onnx 1.17 writes an operator that ONNX does not have.
    "keras_tensorflow/mlp_binary": ("Erfc 'sequential_2_1/dense_8_1/Gelu/Erfc'", UNKNOWN),
    "keras_torch/conv1d": ("Conv '/Conv'", UNKNOWN),
    "onnxmltools/lightgbm": ("TreeEnsembleRegressor 'LgbmRegressor'", UNKNOWN),
    "skl2onnx/boosting": ("TreeEnsembleRegressor", UNKNOWN),
    "skl2onnx/forest": ("TreeEnsembleClassifier", UNKNOWN),
    # skl2onnx 1.20 writes a Reshape to one column that strings the outputs of several rows together.
    "skl2onnx/mlp_multi_output": ("Reshape 'Reshape'", "would spread the rows of the batch"),
    "skl2onnx/nearest": ("Scan 'Sc_Scan'", "control flow is not run"),
    "skl2onnx/svc": ("SVMClassifier 'SVMc'", UNKNOWN),
    "skl2onnx/tfidf": ("StringNormalizer 'StringNormalizer'", UNKNOWN),
    "skl2onnx/tree": ("TreeEnsembleClassifier", UNKNOWN),
    "torch_dynamo/conv1d": ("Conv 'node_conv1d'", UNKNOWN),
    "torch_dynamo/cumsum": ("CumSum 'node_cumsum'", UNKNOWN),
    "torch_dynamo/einsum": ("Einsum 'node_einsum'", UNKNOWN),
    "torch_dynamo/group_norm": ("InstanceNormalization 'node_", UNKNOWN),
    "torch_dynamo/lstm": ("LSTM 'node_lstm__2'", UNKNOWN),
    "torch_script/conv1d": ("Conv '/0/Conv'", UNKNOWN),
    "torch_script/cumsum": ("CumSum '/CumSum'", UNKNOWN),
    "torch_script/einsum": ("Einsum '/Einsum'", UNKNOWN),
    "torch_script/group_norm": ("InstanceNormalization '/1/InstanceNormalization'", UNKNOWN),
    "torch_script/lstm": ("LSTM '/parts.0/LSTM'", UNKNOWN),
}

LOADED = [name for name in FILES if name not in REFUSED]


def _record(name: str) -> tuple[list[Array], list[Array]]:
    """The inputs of a file and what its tool gives for them."""
    with np.load(FILES[name].with_suffix(".npz")) as arrays:
        numbered = {kind: sum(key.startswith(kind) for key in arrays) for kind in ("input", "output")}
        inputs, outputs = ([arrays[f"{kind}_{i}"] for i in range(n)] for kind, n in numbered.items())
    return inputs, outputs


def _run(model: Any, inputs: list[Array]) -> list[Array]:
    named = {field.name: each for field, each in zip(model.schema.inputs, inputs, strict=True)}
    return list(model.run(named if len(inputs) > 1 else inputs[0]).values())


def _assert_close(got: Array, expected: Array, probability: bool) -> None:
    """Within what every file promises (float32, float64, probabilities); text and whole numbers are equal."""
    if got.shape == (len(expected), 1) and expected.ndim == 1:
        expected = expected[:, None]  # converters keep the column that scikit-learn drops
    assert got.shape == expected.shape
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected.astype(got.dtype))
        return
    largest = np.abs(expected).reshape(len(expected), -1).max(axis=1).reshape((-1,) + (1,) * (got.ndim - 1))
    if got.dtype == np.float64:
        bound = 1e-10 * np.maximum(1.0, largest)
    else:
        within_one = bool(np.all((expected >= 0) & (expected <= 1)))  # else scores in their place
        bound = np.full_like(largest, 1e-5) if probability and within_one else 1e-6 + 1e-4 * largest
    assert np.all(np.abs(got - expected.astype(np.float64)) <= bound)


@pytest.mark.parametrize("name", LOADED)
def test_agrees_with_its_tool(name: str) -> None:
    model = maas_engine.load(FILES[name])
    inputs, expected = _record(name)
    got = _run(model, inputs)
    assert len(got) == len(expected)
    proba = model.schema.roles.get("predict_proba")
    for field, each, wanted in zip(model.schema.outputs, got, expected, strict=True):
        _assert_close(each, wanted, field == proba)


@pytest.mark.parametrize("name", LOADED)
def test_row_alone_is_the_row_in_the_batch(name: str) -> None:
    model = maas_engine.load(FILES[name])
    inputs, _ = _record(name)
    batch = _run(model, inputs)
    fields = model.schema.inputs
    if not any(each.batched for each in fields):
        assert name.endswith("/static")
        return
    for i in range(len(batch[0])):
        row = [each[i : i + 1] if field.batched else each for field, each in zip(fields, inputs, strict=True)]
        for alone, together in zip(_run(model, row), batch, strict=True):
            assert alone.tobytes() == together[i : i + 1].tobytes()


@pytest.mark.parametrize("name", LOADED)
def test_own_file_gives_the_same_bits(name: str) -> None:
    model = maas_engine.load(FILES[name])
    again = maas_engine.load(model.to_bytes())
    inputs, _ = _record(name)
    for a, b in zip(_run(model, inputs), _run(again, inputs), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_name(name: str) -> None:
    node, reason = REFUSED[name]
    with pytest.raises(maas_engine.errors.Unsupported) as caught:
        maas_engine.load(FILES[name])
    assert node in str(caught.value)
    assert reason in str(caught.value)


def test_each_file_has_its_record_and_none_is_large() -> None:
    kept = sorted(path for path in GOLDEN.glob("*/*") if path.suffix in (".onnx", ".npz"))
    assert kept == sorted(path.with_suffix(suffix) for path in FILES.values() for suffix in (".npz", ".onnx"))
    assert max(path.stat().st_size for path in kept) <= 20_000
    assert sum(path.stat().st_size for path in kept) <= 400_000


def test_docs_list_every_file() -> None:
    section = (ROOT.parent / "docs" / "models.md").read_text().split("## Files from other tools\n")[1]
    listed: dict[str, tuple[set[str], set[str]]] = {}
    for line in re.findall(r"^\| .*`\w+` .*\|$", section.split("\n## ")[0], re.MULTILINE):
        tool, loads, refused = (re.findall(r"`(\w+)`", cell) for cell in line.strip("|").split("|"))
        listed[tool[0]] = set(loads), set(refused)
    tools = {name.split("/")[0] for name in FILES}
    assert listed == {
        tool: (
            {name.split("/")[1] for name in LOADED if name.startswith(tool + "/")},
            {name.split("/")[1] for name in REFUSED if name.startswith(tool + "/")},
        )
        for tool in tools
    }
