"""Model cards: valid CycloneDX 1.6, true to the package, the same for the same package."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from small_models import classifier, linear, mixed, rows

import maas_engine
from maas_engine.package import _card


def problem(data: bytes) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the schema's library
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())
    return None if error is None else str(error)


def card(path: Path) -> Any:
    data = (path / "card.cdx.json").read_bytes()
    assert problem(data) is None
    return json.loads(data)


HARD: dict[str, Any] = {
    "name": "Ω\n\x1b[31m<script>",
    "metrics": {"auc": 0.75, "loss": 1e-300, "huge": 1e300, "": 0.0} | {f"m{i}": i / 7 for i in range(50)},
    "parameters": {"nested": [[{"a": None}], True, 'quote"\\'], "C": 0.1},
    "lineage": {"data": "sha256:" + "0" * 64, "parent": "models:/credit/7", "command": "train --x 'y'\n"},
    "description": "Line\nline\u2028" * 50,
}


@pytest.mark.parametrize(
    "model",
    [linear(), classifier(["a", "Ω", ""]), classifier([3, 1, -2]), mixed(), linear(features=1, feature_names='["a"]')],
    ids=["regression", "texts", "integers", "mixed", "named"],
)  # fmt: skip
@pytest.mark.parametrize("hard", [False, True], ids=["plain", "hard"])
def test_cards_are_valid(tmp_path: Path, model: maas_engine.Model, hard: bool) -> None:
    given = {**HARD, "metrics": {k: v for k, v in HARD["metrics"].items() if k}} if hard else {}
    model.package(tmp_path / "p", **given)
    found = card(tmp_path / "p")
    assert found["specVersion"] == "1.6"


def test_the_validator_sees_mistakes(tmp_path: Path) -> None:
    linear().package(tmp_path / "p")
    good = card(tmp_path / "p")
    for change in (
        lambda c: c["metadata"]["component"].update(type="model"),
        lambda c: c["metadata"]["component"]["modelCard"].update(inputs=[]),
        lambda c: c["metadata"]["component"]["hashes"][0].update(content="xyz"),
        lambda c: c.update(serialNumber="1"),
    ):
        bad = json.loads(json.dumps(good))
        change(bad)
        assert problem(json.dumps(bad).encode()) is not None


def test_a_card_says_what_the_package_is(tmp_path: Path) -> None:
    model = classifier(["no", "yes", "Ω"])
    package = model.package(tmp_path / "p", name="credit", metrics={"auc": 0.75}, **{
        "parameters": {"C": 1.0}, "lineage": {"data": "sha256:00", "parent": "x"}, "description": "Who pays back."
    })  # fmt: skip
    found = card(tmp_path / "p")
    component = found["metadata"]["component"]
    assert (component["type"], component["name"]) == ("machine-learning-model", "credit")
    assert component["description"] == "Who pays back."
    for item in (component, *found["components"]):
        name = item["name"].replace("credit", "model.onnx")
        data = (tmp_path / "p" / name).read_bytes()
        assert item["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]
    assert {item["name"] for item in found["components"]} == {"model.onnx", "golden.safetensors"}
    parts = component["modelCard"]
    assert parts["modelParameters"] == {
        "task": "classification",
        "inputs": [{"format": "X: float32 [N, 20]"}],
        "outputs": [{"format": "label: string [N]"}, {"format": "probabilities: float32 [N, 3]"}],
        "datasets": [{"type": "dataset", "name": "sha256:00"}],
    }
    assert parts["quantitativeAnalysis"] == {"performanceMetrics": [{"type": "auc", "value": "0.75"}]}
    assert {"name": "maas_engine:labels", "value": '["no","yes","Ω"]'} in parts["properties"]
    assert {"name": "maas_engine:parameter:C", "value": "1"} in parts["properties"]
    assert {"name": "maas_engine:lineage:parent", "value": "x"} in component["properties"]
    assert found["metadata"]["timestamp"] == package.manifest.created


def test_cards_differ_with_the_package_alone(tmp_path: Path) -> None:
    given: dict[str, Any] = {key: {"b": 1.5, "a": 2.5} for key in ("metrics", "parameters")}
    given["lineage"] = {"b": "1", "a": "2"}
    document = linear().package(tmp_path / "p", X_reference=rows(5), **given).manifest.to_document()
    del document["files"]["card.cdx.json"]
    again = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(document.items())
    }
    assert _card.build(document) == _card.build(again) == (tmp_path / "p" / "card.cdx.json").read_bytes()
    other = json.loads(_card.build({**document, "description": "other"}))
    assert other["serialNumber"] != json.loads(_card.build(document))["serialNumber"]
    assert (
        np.unique(
            [json.loads(_card.build({**document, "numerics": i}))["serialNumber"] for i in range(9)]
        ).size
        == 9
    )
