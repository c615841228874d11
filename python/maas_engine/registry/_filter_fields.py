"""What a search filter may ask about: each field's column, the values it takes and how they compare."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import ColumnElement, Table, collate, exists, not_, select

from maas_engine.registry import _tables as t
from maas_engine.registry._uri import MAX_VERSION

Condition = ColumnElement[bool]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Text has no order: databases sort letters differently.
_EQUAL = ("=", "!=")
_ORDERED = ("<", "<=", ">", ">=")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Kind:
    """A type of values: what to call it, how to read one (None: it is none), the signs that compare it."""

    what: str
    read: Callable[[str | float], Any]
    signs: tuple[str, ...]


def _read_version(raw: str | float) -> int | None:
    return int(raw) if isinstance(raw, float) and raw.is_integer() and abs(raw) <= MAX_VERSION else None


def _read_time(raw: str | float) -> int | None:
    """Microseconds since 1970 of an ISO 8601 date or time, in UTC where it names no zone."""
    if not isinstance(raw, str):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", raw))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(microseconds=1)


TEXT = Kind("a text in quotes", lambda raw: raw if isinstance(raw, str) else None, _EQUAL)
NUMBER = Kind("a number", lambda raw: raw if isinstance(raw, float) else None, _EQUAL + _ORDERED)
VERSION = Kind("a version's number", _read_version, _EQUAL + _ORDERED)
TIME = Kind("a time like '2026-01-31' or '2026-01-31T12:00:00Z'", _read_time, _ORDERED)


@dataclass(frozen=True)
class Field:
    """A field of a version.

    ``rows`` makes a condition on the column one on the version: that such a row exists. Where a version may have
    ``many`` rows, the opposite of a condition is that none of them meets it; else that the one there is does not.
    """

    column: ColumnElement[Any]
    kind: Kind
    rows: Callable[[Condition], Condition] = lambda condition: condition
    many: bool = False
    sort_by: ColumnElement[Any] | None = None

    def compare(self, sign: str, value: Any) -> Condition:
        if sign == "!=":
            return self._condition(self.column == value, negated=True)
        return self._condition(_OPERATORS[sign](self.column, value))

    def one_of(self, values: list[Any], negated: bool) -> Condition:
        return self._condition(self.column.in_(values), negated)

    def like(self, pattern: str, any_case: bool, negated: bool, dialect: str) -> Condition:
        """``%`` stands for any text, ``_`` for one character, a backslash takes the next one as it is.

        ``any_case`` knows the letters A to Z alone on SQLite.
        """
        if dialect == "sqlite" and not any_case:  # whose LIKE ignores case
            condition: Condition = self.column.op("GLOB", is_comparison=True)(_translate(pattern, _GLOB))
        else:
            like = self.column.ilike if any_case and dialect != "sqlite" else self.column.like
            condition = like(_translate(pattern, _LIKE), escape="/")
        return self._condition(condition, negated)

    def order(self, dialect: str) -> ColumnElement[Any] | None:
        """The column to sort by; text by its characters' numbers on every database."""
        if self.sort_by is None or self.kind is not TEXT or dialect == "sqlite":
            return self.sort_by
        return collate(self.sort_by, "C")

    def _condition(self, condition: Condition, negated: bool = False) -> Condition:
        if negated and not self.many:
            return self.rows(not_(condition))
        return not_(self.rows(condition)) if negated else self.rows(condition)


def find_field(group: str, key: str | None) -> Field | None:
    """The field of a name such as ``version``, or of a group and a key such as ``metrics`` and ``auc``."""
    if key is None:
        return _FIELDS.get(group)
    if group not in _GROUPS:
        return None
    table, owner, kind = _GROUPS[group]
    mine = (table.primary_key.columns[0] == owner) & (table.c.key == key)
    return Field(
        table.c.value,
        kind,
        lambda condition: exists().where(mine, condition),
        sort_by=select(table.c.value).where(mine).correlate(t.versions).scalar_subquery(),
    )


def _column(column: Any, kind: Kind) -> Field:
    return Field(column, kind, sort_by=column)


_FIELDS = {
    "name": Field(
        t.models.c.name,
        TEXT,
        lambda condition: t.versions.c.model_id.in_(select(t.models.c.id).where(condition)),
        sort_by=select(t.models.c.name)
        .where(t.models.c.id == t.versions.c.model_id)
        .correlate(t.versions)
        .scalar_subquery(),
    ),
    "version": _column(t.versions.c.version, VERSION),
    "created": _column(t.versions.c.created, TIME),
    "created_by": _column(t.versions.c.created_by, TEXT),
    "description": _column(t.versions.c.description, TEXT),
    "digest": _column(t.versions.c.digest, TEXT),
    "alias": Field(
        t.aliases.c.alias,
        TEXT,
        lambda condition: t.versions.c.id.in_(select(t.aliases.c.version_id).where(condition)),
        many=True,
    ),
}
# A table of keys and values, and what of a version its first column refers to.
_GROUPS: dict[str, tuple[Table, ColumnElement[Any], Kind]] = {
    "metrics": (t.metrics, t.versions.c.id, NUMBER),
    "tags": (t.version_tags, t.versions.c.id, TEXT),
    "model_tags": (t.model_tags, t.versions.c.model_id, TEXT),
}

# What stands for any text, for any character, and for a character that would else mean more than itself.
_GLOB = ("*", "?", {c: f"[{c}]" for c in "*?["})
_LIKE = ("%", "_", {c: f"/{c}" for c in "%_/"})


def _translate(pattern: str, target: tuple[str, str, dict[str, str]]) -> str:
    any_text, any_character, special = target
    pieces = []
    for escaped, wild, plain in re.findall(r"\\(.)|([%_])|(.)", pattern, re.DOTALL):
        if wild:
            pieces.append(any_text if wild == "%" else any_character)
        else:
            pieces.append(special.get(escaped or plain, escaped or plain))
    return "".join(pieces)
