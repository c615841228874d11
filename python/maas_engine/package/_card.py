"""The model card: a CycloneDX 1.6 machine-learning bill of materials, in JSON.

The same package gives the same card: its serial number comes from the rest of the manifest.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from maas_engine.package._canonical import canonical

NAME = "card.cdx.json"
_TIERS = {"fma": "with fused multiply-add", "no_fma": "without fused multiply-add"}


def build(document: dict[str, Any]) -> bytes:
    """Return the card of a manifest's document, whose files do not list the card itself yet."""
    seed = hashlib.sha256(canonical(document)).digest()
    card = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=seed[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": document["created"],
            "tools": {
                "components": [{"type": "application", "name": "maas_engine", "version": document["engine"]}]
            },
            "component": _model(document),
        },
        "components": [_file(name, entry) for name, entry in sorted(document["files"].items())],
    }
    return canonical(card)


def _model(document: dict[str, Any]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": document["name"],
        "hashes": _hashes(document["files"]["model.onnx"]),
        "modelCard": _model_card(document),
        "properties": [
            {"name": f"maas_engine:lineage:{key}", "value": value}
            for key, value in sorted(document["lineage"].items())
        ],
    }
    if document["description"]:
        component["description"] = document["description"]
    return component


def _model_card(document: dict[str, Any]) -> dict[str, Any]:
    schema, labels = document["schema"], document["labels"]
    parameters: dict[str, Any] = {
        "task": "regression" if labels is None else "classification",
        "inputs": [{"format": _format(field)} for field in schema["inputs"]],
        "outputs": [{"format": _format(field)} for field in schema["outputs"]],
    }
    if document["lineage"].get("data"):
        parameters["datasets"] = [{"type": "dataset", "name": document["lineage"]["data"]}]
    properties = []
    if schema["feature_names"] is not None:
        properties.append({"name": "maas_engine:feature_names", "value": _text(schema["feature_names"])})
    if labels is not None:
        properties.append({"name": "maas_engine:labels", "value": _text(labels)})
    properties += [
        {"name": f"maas_engine:parameter:{key}", "value": _text(value)}
        for key, value in sorted(document["parameters"].items())
    ]
    return {
        "modelParameters": parameters,
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {"type": name, "value": _text(value)} for name, value in sorted(document["metrics"].items())
            ]
        },
        "considerations": {
            "technicalLimitations": [
                f"The recorded bits are those of arithmetic {document['numerics']} on processors "
                f"{_TIERS[document['tier']]}; elsewhere values agree within a tolerance.",
                "Rows of other types or shapes than the inputs' are refused.",
            ]
        },
        "properties": properties,
    }


def _file(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": _hashes(entry)}


def _hashes(entry: dict[str, Any]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": entry["sha256"]}]


def _format(field: dict[str, Any]) -> str:
    dims = ", ".join("N" if dim is None else str(dim) for dim in field["shape"])
    return f"{field['name']}: {field['dtype']} [{dims}]"


def _text(value: Any) -> str:
    return canonical(value).decode()
