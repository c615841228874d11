"""The server's own description, as OpenAPI 3.1 has it: every page, what it takes, what it gives."""

from __future__ import annotations

from typing import Any

from maas_engine._core import __version__

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
DATATYPES = [
    "BOOL", "UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64", "BYTES",
]  # fmt: skip


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "maas_engine",
            "version": __version__,
            "description": "The Open Inference Protocol v2 with Triton's repository extension.",
        },
        "paths": {**_data_plane(), **_control_plane()},
        "components": {"schemas": SCHEMAS},
    }


def _data_plane() -> dict[str, Any]:
    live = {"type": "object", "required": ["live"], "properties": {"live": {"type": "boolean"}}}
    ready = {
        "type": "object",
        "required": ["ready"],
        "properties": {"ready": {"type": "boolean"}, "note": {"type": "string"}},
    }
    paths: dict[str, Any] = {
        "/v2": _get("The server's name, version and extensions", ref("ServerMetadata")),
        "/v2/health/live": _get("Whether the process answers", live),
        "/v2/health/ready": _get("Whether all models are there", ready, 503),
    }
    infer = {
        "post": {
            "summary": "Answer rows",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("InferRequest")}},
            },
            "responses": _responses(ref("InferResponse"), 400, 404, 413, 415, 429, 501, 503, 504),
        }
    }
    for path, names in _of_models():
        paths[path] = _get("The model's inputs and outputs", ref("ModelMetadata"), 404, 503, names=names)
        paths[f"{path}/ready"] = _get("Whether the model is there", ref("ModelReady"), 404, 503, names=names)
        paths[f"{path}/infer"] = {**infer, "parameters": _parameters(names)}
    return paths


def _control_plane() -> dict[str, Any]:
    paths: dict[str, Any] = {"/openapi.json": _get("This document", {"type": "object"}, 503)}
    for path, names in _of_models():
        paths[f"{path}/config"] = _get("Triton's configuration", ref("ModelConfig"), 404, 503, names=names)
    paths["/metrics"] = {
        "get": {
            "summary": "Figures for Prometheus",
            "responses": {
                **_responses(TEXT, 503),
                "200": {"description": "done", "content": {"text/plain": {"schema": TEXT}}},
            },
        }
    }
    paths["/v2/models/{model}/monitoring"] = _get(
        "How rows drift from the model's reference", ref("Monitoring"), 404, 503, names=["model"]
    )
    stats = _object({"model_stats": _list({"type": "object"})})
    paths["/v2/models/stats"] = _get("Triton's statistics of all models", stats, 503)
    for path, names in _of_models():
        paths[f"{path}/stats"] = _get("Triton's statistics", stats, 404, 503, names=names)
    asked = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
    rows = {"type": "array", "items": ref("RepositoryRow")}
    paths["/v2/repository/index"] = _post(
        "The models that the server was told to serve", asked, rows, 400, 503
    )
    for verb, words in (("load", "Read a model anew"), ("unload", "Answer a model no longer")):
        paths[f"/v2/repository/models/{{model}}/{verb}"] = {
            **_post(words, {"type": "object"}, {"type": "object"}, 400, 403, 404, 409, 500, 501, 503),
            "parameters": _parameters(["model"]),
        }
    return paths


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _of_models() -> list[tuple[str, list[str]]]:
    return [
        ("/v2/models/{model}", ["model"]),
        ("/v2/models/{model}/versions/{version}", ["model", "version"]),
    ]


def _parameters(names: list[str]) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in names
    ]


def _get(summary: str, answer: Schema, *errors: int, names: list[str] | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"get": {"summary": summary, "responses": _responses(answer, *errors)}}
    return {**page, "parameters": _parameters(names)} if names else page


def _post(summary: str, asked: Schema, answer: Schema, *errors: int) -> dict[str, Any]:
    body = {"required": False, "content": {"application/json": {"schema": asked}}}
    return {"post": {"summary": summary, "requestBody": body, "responses": _responses(answer, *errors)}}


def _responses(answer: Schema, *errors: int) -> dict[str, Any]:
    good = {"description": "done", "content": {"application/json": {"schema": answer}}}
    bad = {"description": "why not", "content": {"application/json": {"schema": ref("Error")}}}
    return {"200": good, **{str(status): bad for status in (*errors, 431)}}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> Schema:
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_SHAPE = _list({"type": "integer"})
_PARAMETERS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
_DATATYPE: Schema = {"type": "string", "enum": DATATYPES}
_DESCRIBED = _object({"name": TEXT, "datatype": _DATATYPE, "shape": _SHAPE})
_CONFIGURED = _object({"name": TEXT, "data_type": TEXT, "dims": _SHAPE})

SCHEMAS: dict[str, Schema] = {
    "Error": _object({"error": TEXT}),
    "ServerMetadata": _object({"name": TEXT, "version": TEXT, "extensions": _list(TEXT)}),
    "ModelMetadata": _object(
        {"name": TEXT, "platform": TEXT, "inputs": _list(_DESCRIBED), "outputs": _list(_DESCRIBED)},
        {"versions": _list(TEXT)},
    ),
    "ModelReady": _object({"name": TEXT, "ready": {"type": "boolean"}}),
    "ModelConfig": _object(
        {"name": TEXT, "platform": TEXT, "input": _list(_CONFIGURED), "output": _list(_CONFIGURED)},
        {"backend": TEXT, "max_batch_size": {"type": "integer"}},
    ),
    "Monitoring": _object(
        {
            "model": TEXT,
            "version": TEXT,
            "since": TEXT,
            "rows": {"type": "integer"},
            "level": {"enum": ["none", "moderate", "major", None]},
            "columns": _list({"type": "object"}),
        }
    ),
    "RepositoryRow": _object({"name": TEXT, "version": TEXT, "state": TEXT, "reason": TEXT}),
    "InputTensor": _object(
        {
            "name": TEXT,
            "datatype": _DATATYPE,
            "shape": _list({"type": "integer", "minimum": 0}),
            "data": {"type": "array"},
        },
        {"parameters": _PARAMETERS},
    ),
    "InferRequest": _object(
        {"inputs": {"type": "array", "minItems": 1, "items": ref("InputTensor")}},
        {
            "id": TEXT,
            "parameters": _PARAMETERS,
            "outputs": _list(_object({"name": TEXT}, {"parameters": _PARAMETERS})),
        },
    ),
    "InferResponse": _object(
        {
            "model_name": TEXT,
            "outputs": _list(
                _object({"name": TEXT, "datatype": _DATATYPE, "shape": _SHAPE, "data": {"type": "array"}})
            ),
        },
        {"model_version": TEXT, "id": TEXT},
    ),
}
