"""The command ``monitor``: how a live server's rows drift from the references of its models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from maas_engine.cli._report import PlainTable, number, plain
from maas_engine.client import Client
from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.monitoring import LEVELS


def monitor(url: str, model: str | None, token: str | None, ca: str | None) -> dict[str, Any]:
    """Return ``url``, the highest ``level`` and ``models``: a page each.

    Without a model, all that have a profile.
    """
    if not url.startswith(("http://", "https://")):
        raise InvalidArgument(f"expected a server's address as http://HOST:PORT, got {url!r}")
    with Client(url, token, ca=ca) as client:
        names = [model] if model else sorted({each["name"] for each in client.statistics()["model_stats"]})
        pages = []
        for name in names:
            try:
                pages.append(client.monitoring(name))
            except NotFound:
                if model:
                    raise
    levels = [LEVELS.index(each["level"]) for each in pages if each["level"] is not None]
    return {"url": url, "level": LEVELS[max(levels)] if levels else None, "models": pages}


def exceeds(result: dict[str, Any], limit: str) -> bool:
    """Whether a model drifts as much as ``limit`` or more."""
    return result["level"] is not None and LEVELS.index(result["level"]) >= LEVELS.index(limit)


def check_level(level: str | None) -> None:
    """Raises InvalidArgument for what no level is."""
    if level not in (None, *LEVELS[1:]):
        raise InvalidArgument(f"--fail-on knows {' and '.join(LEVELS[1:])}, got {level!r}")


def tables(result: dict[str, Any]) -> Iterator[Table]:
    """One table a model, one row a column."""
    for page in result["models"]:
        title = f"{page['model']} version {page['version']}: {page['rows']} rows since {page['since']}"
        table = PlainTable(title, caption=f"level: {page['level'] or 'too few rows'}")
        for header in ("column", "of", "rows", "level", "psi", "js", "missing", "unseen"):
            table.add_column(header, justify="left" if header in ("column", "of", "level") else "right")
        for each in page["columns"]:
            shares = [_figure(each[key]) for key in ("psi", "jensen_shannon", "missing", "unseen")]
            level = each["level"] or "too few rows"
            table.add_row(plain(each["name"]), each["of"], str(each["rows"]), level, *shares)
        yield table
    if not result["models"]:
        yield PlainTable(f"{result['url']} serves no model with a profile")


def _figure(value: float | None) -> str:
    return "" if value is None else number(value)
