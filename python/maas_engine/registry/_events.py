"""What happened, in order: one chained event a change. History and audit log are this one table."""

from __future__ import annotations

import datetime
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from maas_engine.errors import FormatError
from maas_engine.registry import _tables as t

FIRST_HASH = "0" * 64

# The actions after which an alias points elsewhere; a refused promotion names an alias too.
ALIAS_MOVES = ("alias.set", "alias.delete")

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)


class Event(NamedTuple):
    """One change. ``time`` is in microseconds since 1970 UTC and never runs backwards; ``moment`` is the same.

    ``action`` is one of alias.set, alias.delete, alias.protect, alias.unprotect, model.create, model.delete,
    model.describe, model.tag, model.untag, version.register, version.delete, version.describe, version.tag,
    version.untag, version.metrics, promote.refused, token.create, token.revoke, ...; ``model`` is "" for what
    concerns none.
    """

    sequence: int
    time: int
    actor: str
    action: str
    model: str
    version: int | None
    alias: str | None
    detail: dict[str, Any]
    hash: str

    @property
    def moment(self) -> datetime.datetime:
        return to_datetime(self.time)

    @property
    def reason(self) -> str:
        """Why, as the one who acted put it."""
        return str(self.detail.get("reason", ""))


def now() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def to_datetime(microseconds: int) -> datetime.datetime:
    """Return a moment of the registry's tables as an aware datetime."""
    return _EPOCH + datetime.timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime.datetime) -> int:
    """Return an aware datetime as the registry's tables have it."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


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
    row = event._asdict() | {"detail": canonical(event.detail)}
    connection.execute(t.events.insert(), row)
    connection.execute(update(t.head), {"sequence": event.sequence, "time": event.time, "hash": event.hash})
    return event


def chain(previous: str, fields: Mapping[str, Any]) -> str:
    """The hash of an event: sha256 of the hash before it and its own fields as canonical JSON."""
    return hashlib.sha256((previous + canonical(fields)).encode()).hexdigest()


def from_row(row: Row[Any]) -> Event:
    """The event that a row of the table holds.

    Raises
    ------
    FormatError : none, as `append` writes them.
    """
    try:
        event = Event(**{**row._mapping, "detail": json.loads(row.detail)})
        if isinstance(event.detail, dict) and type(event.sequence) is type(event.time) is int:
            return event
    except (TypeError, ValueError, RecursionError):
        pass
    raise FormatError(
        f"[registry] entry {row.sequence} of the history: expected an event, got other content; audit it"
    )


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the one text that is hashed and kept."""
    return _encoder.encode(value)
