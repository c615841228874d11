"""Versions side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from maas_engine.errors import InvalidArgument
from maas_engine.registry._resolve import Resolving
from maas_engine.registry._version import Version

MAX_VERSIONS = 20

_WIDEST = 32  # characters of a cell

_Facts = dict[str, dict[str, Any]]  # by section and name


class Compared(NamedTuple):
    """One fact of each version, None where it has none, and whether all have the same."""

    values: tuple[Any, ...]
    equal: bool


@dataclass(frozen=True, repr=False)
class Comparison:
    """Versions side by side.

    Attributes
    ----------
    versions : tuple of str
        Their URIs, by number.
    sections : dict of dict of Compared
        ``package``, ``metrics``, ``parameters``, ``schema``, ``tags``, ``lineage``; in each the facts by name.
    """

    versions: tuple[str, ...]
    sections: dict[str, dict[str, Compared]]

    def to_dict(self) -> dict[str, Any]:
        sections = {
            section: {
                name: {"values": list(each.values), "equal": each.equal} for name, each in facts.items()
            }
            for section, facts in self.sections.items()
        }
        return {"versions": list(self.versions), "sections": sections}

    def __repr__(self) -> str:
        """A table; ``=`` marks what is equal, and ``-`` stands for what a version does not have."""
        rows = [["", "", *self.versions]]
        for section, facts in self.sections.items():
            if facts:
                rows.append([section])
            for name, (values, equal) in facts.items():
                rows.append(["=" if equal else "≠", _cell(name), *map(_cell, values)])
        full = [row for row in rows if len(row) > 1]
        widths = [max(len(row[i]) for row in full) for i in range(len(rows[0]))]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)


class Comparing(Resolving):
    """Comparison of versions."""

    def compare(self, uris: Iterable[str]) -> Comparison:
        """Return what versions have in common and what not.

        Parameters
        ----------
        uris : two or more of str
            As `resolve` takes them; also of different models.

        Raises
        ------
        NotFound : one names nothing.
        """
        asked = [uris] if isinstance(uris, str) else list(uris)
        if not 2 <= len(asked) <= MAX_VERSIONS:
            raise InvalidArgument(f"[compare] expected 2 to {MAX_VERSIONS} URIs, got {len(asked)}")
        versions = [self.resolve(uri) for uri in asked]
        facts = [_facts(version) for version in versions]
        sections = {section: dict(_side_by_side([each[section] for each in facts])) for section in facts[0]}
        return Comparison(tuple(version.uri for version in versions), sections)


def _facts(version: Version) -> _Facts:
    manifest = version.manifest
    lineage = {**manifest.lineage, **({"parent": version.parent} if version.parent else {})}
    package = {
        "digest": version.digest,
        "description": version.description or None,
        "aliases": list(version.aliases) or None,
        "created": version.created.isoformat(),
        "created_by": version.created_by,
        "engine": manifest.engine,
        "numerics": f"{manifest.numerics} {manifest.tier}",
        "size": sum(file.size for file in version.files.values()),
    }
    return {
        "package": {name: value for name, value in package.items() if value is not None},
        "metrics": version.metrics,
        "parameters": manifest.parameters,
        "schema": dict(_schema(manifest.schema, manifest.labels)),
        "tags": version.tags,
        "lineage": lineage,
    }


def _schema(schema: dict[str, Any], labels: list[Any] | None) -> Iterator[tuple[str, Any]]:
    for side in ("inputs", "outputs"):
        for each in schema[side]:
            shape = ", ".join("n" if size is None else str(size) for size in each["shape"])
            yield f"{side[:-1]} {each['name']}", f"{each['dtype']}[{shape}]"
    if schema["feature_names"] is not None:
        yield "feature_names", schema["feature_names"]
    yield from ((role, output) for role, output in schema["roles"].items())
    if labels is not None:
        yield "labels", labels


def _side_by_side(facts: list[dict[str, Any]]) -> Iterator[tuple[str, Compared]]:
    for name in dict.fromkeys(name for each in facts for name in each):
        texts = {json.dumps(each[name], sort_keys=True) if name in each else "" for each in facts}
        yield name, Compared(tuple(each.get(name) for each in facts), len(texts) == 1)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
