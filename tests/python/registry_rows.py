"""Rows of a registry's tables, written without packages: for tests of what only reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from maas_engine.package._canonical import canonical
from maas_engine.registry import Registry
from maas_engine.registry import _tables as t

DAY = 86_400_000_000  # microseconds


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(name: str, **fields: Any) -> str:
    """The text of a manifest that reads well."""
    value = {"name": "y", "dtype": "float64", "shape": [None]}
    document = {
        "version": 1,
        "name": name,
        "created": "2026-01-31T09:05:00Z",
        "engine": "1.0",
        "numerics": 1,
        "tier": "fma",
        "schema": {
            "inputs": [{"name": "X", "dtype": "float64", "shape": [None, 2]}],
            "outputs": [value],
            "feature_names": ["age", "income"],
            "roles": {"predict": "y"},
        },
        "labels": None,
        "metrics": {},
        "parameters": {},
        "lineage": {},
        "description": "",
        "files": {
            each: {"sha256": digest(f"{name} {each}"), "size": 10}
            for each in ("model.onnx", "golden.safetensors", "card.cdx.json")
        },
        **fields,
    }
    return canonical(document).decode()


class Rows:
    """Rows to insert; `add` numbers the versions of each model."""

    def __init__(self) -> None:
        self._models: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in t.metadata.sorted_tables}

    def add(
        self,
        name: str,
        *,
        metrics: dict[str, float] | None = None,
        tags: dict[str, str] | None = None,
        aliases: Iterable[str] = (),
        created: int = 0,
        created_by: str = "ann",
        description: str = "",
        text: str | None = None,
    ) -> int:
        """Add a version and return its number."""
        if name not in self._models:
            self.add_model(name)
        model, id = self._models[name], len(self._rows["versions"]) + 1
        self._latest[name] += 1
        number = self._latest[name]
        self._rows["versions"].append(
            {"id": id, "model_id": model, "version": number, "digest": digest(f"{name}/{number}"),
             "description": description, "created": created,
             "created_by": created_by}
        )  # fmt: skip
        self._rows["manifests"].append({"version_id": id, "manifest": text or manifest(name)})
        for table, values in (("metrics", metrics), ("version_tags", tags)):
            self._rows[table] += [{"version_id": id, "key": k, "value": v} for k, v in (values or {}).items()]
        self._rows["aliases"] += [{"model_id": model, "alias": each, "version_id": id} for each in aliases]
        return number

    def add_model(self, name: str, tags: dict[str, str] | None = None) -> None:
        id = self._models[name] = len(self._models) + 1
        self._latest[name] = 0
        self._rows["models"].append(
            {"id": id, "name": name, "description": "", "last_version": 0, "created": 0, "created_by": "ann"}
        )
        self._rows["model_tags"] += [{"model_id": id, "key": k, "value": v} for k, v in (tags or {}).items()]

    def write(self, registry: Registry) -> None:
        for row in self._rows["models"]:
            row["last_version"] = self._latest[row["name"]]
        with registry.database.write() as connection:
            for table in t.metadata.sorted_tables:
                if self._rows[table.name]:
                    connection.execute(table.insert(), self._rows[table.name])
