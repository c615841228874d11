"""How models, versions, history and tokens look."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from maas_engine.cli._package_tables import description
from maas_engine.cli._report import PlainTable, number, plain


def moment(value: datetime.datetime | int | None) -> str | None:
    """A moment, or microseconds since 1970, as RFC 3339 text in UTC."""
    if value is None:
        return None
    if isinstance(value, int):
        epoch = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
        value = epoch + datetime.timedelta(microseconds=value)
    return value.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _minute(text: str | None) -> str:
    """A moment to the second, for people."""
    return "" if text is None else text[:19].replace("T", " ")


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
        table.add_row(each["name"], latest, aliases, _pairs(each["tags"]), _minute(each["created"]))
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
    table.add_row("registered", f"{_minute(result['created'])} UTC by {result['created_by']}")
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
        table.add_row(*cells, f"{_minute(each['created'])}\nby {each['created_by']}")
    yield table


def version(result: dict[str, Any]) -> Iterator[Table]:
    """What the registry knows of a version, then what its package says."""
    first = {
        "uri": result["uri"],
        "aliases": ", ".join(f"@{alias}" for alias in result["aliases"]) or "none",
        "registered": f"{_minute(result['created'])} UTC by {result['created_by']}",
        "digest": result["digest"],
        "signed": result["signed"],
        "encrypted": result["encrypted"],
    }
    if result["parent"] is not None:
        first["parent"] = result["parent"]
    first.update({f"tag: {key}": value for key, value in result["tags"].items()})
    shown = {**result["manifest"], "metrics": result["metrics"]}
    shown["description"] = result["description"] or shown["description"]
    yield from description(shown, first)


def history(result: dict[str, Any]) -> Iterator[Table]:
    """One row a change."""
    table = PlainTable("history")
    table.add_column("#", justify="right")
    table.add_column("when (UTC)")
    table.add_column("who", overflow="fold")
    table.add_column("what", overflow="fold")
    table.add_column("why and more", overflow="fold")
    for each in result["events"]:
        what = each["action"]
        if each["model"]:
            at = f"@{each['alias']}" if each["alias"] is not None else ""
            number_ = f"/{each['version']}" if each["version"] is not None else ""
            what += f"\n{each['model']}{number_}{at}"
        detail = dict(each["detail"])
        reason = detail.pop("reason", "")
        more = [reason] * bool(reason) + [f"{key}: {plain(value)}" for key, value in detail.items() if value]
        table.add_row(str(each["sequence"]), _minute(each["time"]), each["actor"], what, "\n".join(more))
    yield table


def tokens(result: dict[str, Any]) -> Iterator[Table]:
    """One row a token."""
    table = PlainTable("tokens")
    table.add_column("id")
    table.add_column("state")
    table.add_column("scopes", overflow="fold")
    table.add_column("for", overflow="fold")
    table.add_column("made (UTC)")
    table.add_column("expires (UTC)")
    for each in result["tokens"]:
        scopes = "\n".join(each["scopes"])
        made = f"{_minute(each['created'])}\nby {each['created_by']}"
        expires = _minute(each["expires"]) or "never"
        table.add_row(each["id"], each["state"], scopes, each["description"], made, expires)
    yield table
