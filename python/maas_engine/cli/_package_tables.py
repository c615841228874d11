"""How packages look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from maas_engine.cli._report import PlainTable, number, plain


def package(result: dict[str, Any]) -> Iterator[Table]:
    """What the manifest says: the facts, then the schema, then the files."""
    manifest = result["manifest"]
    first = {key: result[key] for key in ("folder", "digest", "signed", "encrypted")}
    yield from description(manifest, first, manifest["name"])
    files = PlainTable("files")
    files.add_column("file", overflow="fold")
    files.add_column("bytes", justify="right")
    files.add_column("sha256", overflow="fold")
    for name, entry in manifest["files"].items():
        files.add_row(name, f"{entry['size']:,}", entry["sha256"])
    yield files


def description(manifest: dict[str, Any], first: dict[str, Any], title: str) -> Iterator[Table]:
    """Facts of a package, or of a registered version, under the name; then what it takes and gives."""
    table = PlainTable(title, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in first.items():
        table.add_row(name, plain(value))
    if manifest["description"]:
        table.add_row("description", manifest["description"])
    table.add_row("made", f"{manifest['created']} by maas_engine {manifest['engine']}")
    table.add_row("arithmetic", f"numerics {manifest['numerics']}, {manifest['tier']}")
    if manifest["labels"] is not None:
        table.add_row("labels", ", ".join(map(str, manifest["labels"])))
    yield table
    for part in ("metrics", "parameters", "lineage"):
        if manifest[part]:
            yield _named(part, manifest[part])
    yield _schema(manifest["schema"])


def _named(title: str, items: dict[str, Any]) -> Table:
    table = PlainTable(title, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in items.items():
        table.add_row(name, number(value) if title == "metrics" else plain(value))
    return table


def _schema(schema: dict[str, Any]) -> Table:
    table = PlainTable("inputs and outputs")
    table.add_column("")
    table.add_column("name", overflow="fold")
    table.add_column("type")
    table.add_column("shape")
    roles: dict[str, list[str]] = {}
    for role, name in schema["roles"].items():
        roles.setdefault(name, []).append(role)
    for each in schema["inputs"]:
        table.add_row("input", *_value(each))
    table.add_section()
    for each in schema["outputs"]:
        table.add_row(", ".join(roles.get(each["name"], ["output"])), *_value(each))
    return table


def _value(value: dict[str, Any]) -> tuple[str, str, str]:
    shape = ", ".join("N" if size is None else str(size) for size in value["shape"])
    return value["name"], value["dtype"], f"[{shape}]"
