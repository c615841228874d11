"""How models, versions, history and tokens look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from maas_engine.cli._package_tables import description
from maas_engine.cli._report import PlainTable, number, plain


def _second(text: str | None) -> str:
    """A moment to the second, for people."""
    return "" if text is None else text[:19].replace("T", " ")


def _when(text: str | None) -> str:
    """The same in two lines, for narrow columns."""
    return _second(text).replace(" ", "\n")


def _pairs(items: dict[str, Any]) -> str:
    return "\n".join(
        f"{key}={number(value) if isinstance(value, float) else value}" for key, value in items.items()
    )


def models(result: dict[str, Any]) -> Iterator[Table]:
    """One row a model."""
    table = PlainTable(f"models of {result['registry']}")
    table.add_column("model", overflow="fold")
    table.add_column("latest", justify="right")
    table.add_column("aliases", overflow="fold")
    table.add_column("tags", overflow="fold")
    table.add_column("registered (UTC)")
    for each in result["models"]:
        aliases = "\n".join(f"@{alias} → {version}" for alias, version in each["aliases"].items())
        latest = "" if each["latest"] is None else str(each["latest"])
        table.add_row(each["name"], latest, aliases, _pairs(each["tags"]), _when(each["created"]))
    yield table


def model(result: dict[str, Any]) -> Iterator[Table]:
    """A model and its versions."""
    table = PlainTable(result["name"], show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    if result["description"]:
        table.add_row("description", result["description"])
    for alias, version in result["aliases"].items():
        table.add_row(f"@{alias}", str(version))
    for key, value in result["tags"].items():
        table.add_row(f"tag: {key}", value)
    table.add_row("registered", f"{_second(result['created'])} UTC by {result['created_by']}")
    yield table
    yield from versions(result)


def versions(result: dict[str, Any]) -> Iterator[Table]:
    """One row a version."""
    table = PlainTable(f"{len(result['versions'])} version{'s' * (len(result['versions']) != 1)}")
    table.add_column("version", overflow="fold")
    table.add_column("aliases", overflow="fold")
    table.add_column("metrics", overflow="fold")
    table.add_column("tags", overflow="fold")
    table.add_column("registered (UTC)")
    for each in result["versions"]:
        name = f"{each['name']}/{each['version']}"
        aliases = "\n".join(f"@{alias}" for alias in each["aliases"])
        cells = (name, aliases, _pairs(each["metrics"]), _pairs(each["tags"]))
        table.add_row(*cells, f"{_when(each['created'])}\nby {each['created_by']}")
    yield table


def version(result: dict[str, Any]) -> Iterator[Table]:
    """What the registry knows of a version, then what its package says."""
    first = {
        "uri": result["uri"],
        "aliases": ", ".join(f"@{alias}" for alias in result["aliases"]) or "none",
        "registered": f"{_second(result['created'])} UTC by {result['created_by']}",
        "package": result["manifest"]["name"],
        "digest": result["digest"],
        "signed": result["signed"],
        "encrypted": result["encrypted"],
    }
    if result["parent"] is not None:
        first["parent"] = result["parent"]
    first.update({f"tag: {key}": value for key, value in result["tags"].items()})
    shown = {**result["manifest"], "metrics": result["metrics"]}
    shown["description"] = result["description"] or shown["description"]
    yield from description(shown, first, f"{result['name']}/{result['version']}")


def registered(result: dict[str, Any]) -> Iterator[Table]:
    """A new version, in short."""
    table = PlainTable(f"{result['name']}/{result['version']}", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("uri", result["uri"])
    table.add_row("digest", result["digest"])
    for key in ("signed", "encrypted"):
        table.add_row(key, plain(result[key]))
    for key in ("parent", "description"):
        if result[key]:
            table.add_row(key, result[key])
    for key in ("metrics", "tags"):
        if result[key]:
            table.add_row(key, _pairs(result[key]))
    yield table


def history(result: dict[str, Any]) -> Iterator[Table]:
    """One row a change."""
    table = PlainTable("history")
    table.add_column("#", justify="right")
    table.add_column("when (UTC)")
    table.add_column("who", overflow="fold")
    table.add_column("what", overflow="fold")
    table.add_column("why, and more", overflow="fold")
    for each in result["events"]:
        what = each["action"]
        if each["model"]:
            version = f"/{each['version']}" if each["version"] is not None else ""
            alias = f"@{each['alias']}" if each["alias"] is not None else ""
            what += f"\n{each['model']}{version}{alias}"
        why = "\n".join(_details(each["detail"]))
        table.add_row(str(each["sequence"]), _when(each["time"]), each["actor"], what, why)
    yield table


def _details(detail: dict[str, Any]) -> Iterator[str]:
    """The reason, then what fits a line each; --json has it all."""
    if detail.get("reason"):
        yield detail["reason"]
    for key, value in detail.items():
        if key == "reason" or value in (None, "", [], {}) or key == "files":
            continue
        if key == "gates":
            for gate in value:
                yield f"{'passed' if gate['passed'] else 'FAILED'} {gate['gate']}: {gate['found']}"
        elif key == "protected_by":
            for gate in value:
                yield "signed" if "signed" in gate else f"{gate['metric']} {gate['sign']} {gate['bound']:g}"
        elif key == "parent":
            yield f"parent: {value[0]}/{value[1]}"
        elif key == "digest":
            yield f"digest: {value[:12]}…"
        elif isinstance(value, dict):
            yield from _pairs(value).split("\n")
        elif isinstance(value, list):
            yield f"{key}: {', '.join(map(str, value))}"
        else:
            yield f"{key}: {plain(value)}"


def different(result: dict[str, Any]) -> Iterator[Table]:
    """One column a version, one row a fact in which they differ."""
    yield _side_by_side(result, equal=False)


def compared(result: dict[str, Any]) -> Iterator[Table]:
    """The same with all facts; a sign before those that differ."""
    yield _side_by_side(result, equal=True)


def _side_by_side(result: dict[str, Any], equal: bool) -> Table:
    same = sum(each["equal"] for facts in result["sections"].values() for each in facts.values())
    table = PlainTable(caption=None if equal else f"{same} facts are the same (--all)")
    table.add_column("")
    table.add_column("", overflow="fold")
    for uri in result["versions"]:
        table.add_column(uri.removeprefix("models:/"), overflow="fold")
    for section, facts in result["sections"].items():
        shown = {name: each for name, each in facts.items() if equal or not each["equal"]}
        for place, (name, each) in enumerate(shown.items()):
            mark = "≠ " if equal and not each["equal"] else ""
            table.add_row(
                "" if place else section, mark + name, *(_fact(section, value) for value in each["values"])
            )
        table.add_section()
    return table


def _fact(section: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return number(value) if section == "metrics" else plain(value)


def promotion(result: dict[str, Any]) -> Iterator[Table]:
    """One row a gate."""
    asked = f"{result['name']}/{result['version']}"
    verb = "is" if result["promoted"] else "is NOT"
    before = "no version" if result["previous"] is None else f"version {result['previous']}"
    table = PlainTable(f"{asked} {verb} {result['alias']} (before: {before})")
    table.add_column("gate", overflow="fold")
    table.add_column("passed")
    table.add_column("found", overflow="fold")
    for each in result["results"]:
        table.add_row(each["gate"], "yes" if each["passed"] else "NO", each["found"])
    yield table


def garbage(result: dict[str, Any]) -> Iterator[Table]:
    """What went, or would."""
    table = PlainTable(show_header=False)
    gone = "would go" if result["dry_run"] else "removed"
    table.add_row(f"files {gone}", f"{len(result['blobs'])}, {result['size']:,} bytes")
    table.add_row(f"unfinished uploads {gone}", str(result["uploads"]))
    table.add_row("files missing from the store", str(len(result["missing"])))
    yield table


def audit(result: dict[str, Any]) -> Iterator[Table]:
    """Whole or not, the head to keep, and what is wrong."""
    table = PlainTable(show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("history", "whole" if result["whole"] else "NOT WHOLE")
    table.add_row("whole entries", str(result["entries"]))
    table.add_row("head", result["head"])
    if result["first_broken"] is not None:
        table.add_row("first broken entry", str(result["first_broken"]))
    for problem in result["problems"]:
        table.add_row("problem", problem)
    yield table


def tokens(result: dict[str, Any]) -> Iterator[Table]:
    """One row a token."""
    table = PlainTable("tokens")
    table.add_column("id", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("scopes", overflow="fold")
    table.add_column("for", overflow="fold")
    table.add_column("made (UTC)")
    table.add_column("expires (UTC)")
    for each in result["tokens"]:
        scopes = "\n".join(each["scopes"])
        made = f"{_when(each['created'])}\nby {each['created_by']}"
        expires = _when(each["expires"]) or "never"
        table.add_row(each["id"], each["state"], scopes, each["description"], made, expires)
    yield table
