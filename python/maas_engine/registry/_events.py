"""What happened, in order: one chained event a change. History and audit log are this one table."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from maas_engine.registry import _tables as t

FIRST_HASH = "0" * 64


class Event(NamedTuple):
    """One change. ``time`` is in microseconds since 1970 UTC and never runs backwards."""

    sequence: int
    time: int
    actor: str
    action: str
    model: str
    version: int | None
    alias: str | None
    detail: dict[str, Any]
    hash: str


def now() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def append(
    connection: Connection,
    actor: str,
    action: str,
    model: str = "",
    version: int | None = None,
    alias: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Event:
    """Add an event within a transaction of `Database.write` and return it."""
    last = connection.execute(select(t.head)).one()
    fields = {
        "sequence": last.sequence + 1,
        "time": max(now(), last.time),
        "actor": actor,
        "action": action,
        "model": model,
        "version": version,
        "alias": alias,
        "detail": dict(detail or {}),
    }
    event = Event(**fields, hash=chain(last.hash, fields))
    row = event._replace(detail=_canonical(event.detail))._asdict()  # type: ignore[arg-type]
    connection.execute(t.events.insert().values(row))
    connection.execute(t.head.update().values(sequence=event.sequence, time=event.time, hash=event.hash))
    return event


def chain(previous: str, fields: Mapping[str, Any]) -> str:
    """The hash of an event: sha256 of the hash before it and its own fields as canonical JSON."""
    return hashlib.sha256((previous + _canonical(fields)).encode()).hexdigest()


def from_row(row: Row[Any]) -> Event:
    """The event that a row of the table holds."""
    return Event(**{**row._mapping, "detail": json.loads(row.detail)})


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
