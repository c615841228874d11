"""The proof that nothing was changed behind the registry's back: the chain of events, then the tables against it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from maas_engine.errors import InvalidArgument
from maas_engine.registry import _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._events import FIRST_HASH, Event
from maas_engine.registry._replay import Replay, read_tables

_MOST = 20  # differences told


@dataclass(frozen=True)
class AuditReport:
    """What an audit found. True in a condition when all is whole.

    Attributes
    ----------
    entries : int
        Of the log, as far as it is whole.
    head : str
        The hash of the last of them. Kept elsewhere, it proves later that nothing up to it was taken away:
        ``audit(expected_head=…)``.
    first_broken : int or None
        The number of the first entry that does not follow from those before.
    problems : tuple of str
        What is wrong: with that entry, or, where the log is whole, with tables that say otherwise than it does.
    """

    entries: int
    head: str
    first_broken: int | None
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.problems

    def __bool__(self) -> bool:
        return self.whole


class Auditing(RegistryBase):
    """The audit."""

    def audit(self, *, expected_head: str | None = None) -> AuditReport:
        """Prove the history whole, and the tables what it made them.

        Each entry's hash covers its fields and the hash before it, so one that is edited, removed, added or moved
        breaks the chain there. Whoever may write to the database can compute a whole new chain, or cut off its end:
        against that, keep a report's ``head`` elsewhere and expect it here.

        Parameters
        ----------
        expected_head : str or None
            The head of an earlier audit: an entry with this hash must be in the log.
        """
        if expected_head is not None and not isinstance(expected_head, str):
            raise InvalidArgument(f"[registry] expected a head's hash as text, got {expected_head!r}")
        with self.database.read() as connection:
            return _Audit(connection, expected_head).run()


class _Audit:
    def __init__(self, connection: Connection, expected_head: str | None) -> None:
        self._connection = connection
        self._expected = expected_head
        self._found = expected_head in (None, FIRST_HASH)
        self._replay = Replay()
        self._entries = 0
        self._hash = FIRST_HASH

    def run(self) -> AuditReport:
        problem = self._follow_chain()
        if problem is not None:
            return self._report(self._entries + 1, problem)
        heads = self._connection.execute(select(t.head)).all()
        if len(heads) != 1 or (heads[0].sequence, heads[0].hash) != (self._entries, self._hash):
            told = f"entry {heads[0].sequence}" if len(heads) == 1 else f"{len(heads)} heads"
            return self._report(
                self._entries + 1,
                f"expected the log to end as its head says, at {told}, got {self._entries} entries: the last were "
                "removed or changed",
            )
        if not self._found:
            return self._report(
                None,
                f"expected an entry of hash {self._expected}, got none: the log was cut off or written anew",
            )
        differences = self._replay.differences(read_tables(self._connection))
        return self._report(None, *islice(differences, _MOST))

    def _follow_chain(self) -> str | None:
        """Go as far as it is whole; return what is wrong with the entry after that."""
        time = 0
        query = select(t.events).order_by(t.events.c.sequence).execution_options(yield_per=1000)
        with closing(self._connection.execute(query)) as rows:
            for row in rows:
                event, problem = _check_entry(row, self._entries + 1, self._hash, time)
                if event is None:
                    return problem
                try:
                    self._replay.apply(event)
                except (
                    AttributeError,
                    KeyError,
                    TypeError,
                    ValueError,
                ):  # well chained, yet of no registry's making
                    return f"entry {event.sequence}: expected a change of what was there then, got another"
                self._entries, self._hash, time = event.sequence, event.hash, event.time
                self._found = self._found or event.hash == self._expected
        return None

    def _report(self, first_broken: int | None, *problems: str) -> AuditReport:
        return AuditReport(self._entries, self._hash, first_broken, problems)


def _check_entry(row: Any, sequence: int, previous: str, time: int) -> tuple[Event | None, str]:
    """The event of a row that follows from what came before; else None, and what is wrong."""
    if row.sequence != sequence:
        return None, f"expected entry {sequence}, got {row.sequence}: entries are missing, or moved"
    try:
        event = _events.from_row(row)
        fields = event._asdict()
        del fields["hash"]
        same = _events.canonical(event.detail) == row.detail and _events.chain(previous, fields) == event.hash
    except (TypeError, ValueError):
        same = False
    if not same:
        return (
            None,
            f"entry {sequence}: expected the hash of its content and of entry {sequence - 1}, got another",
        )
    if event.time < time:
        return (
            None,
            f"entry {sequence}: expected a time not before that of entry {sequence - 1}, got an earlier one",
        )
    return event, ""
