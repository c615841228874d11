"""The tokens in a server's memory."""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from sqlalchemy import or_, select

from maas_engine.errors import Overloaded, Unavailable
from maas_engine.registry import _events
from maas_engine.registry import _tables as t
from maas_engine.registry._database import Database
from maas_engine.registry._token_check import KnownToken, TokenInfo, from_row, id_to_look_up, judge

REFRESH = 0.5  # seconds from one reading to the next
LATE = 1.0  # seconds after which a thread waits for another's reading, at most as long again
OUTLIVES = 60.0  # seconds for which tokens are still good while the database gives no answer


class TokenRow(NamedTuple):
    """A good token for a server's own table. ``expires``: microseconds since 1970 UTC, or None for never."""

    id: str
    sha256: bytes
    scopes: tuple[str, ...]
    expires: int | None


class _Snapshot(NamedTuple):
    tokens: dict[str, KnownToken]
    time: float  # by time.monotonic, before it was read


class TokenTable:
    """Tokens read from the database when they are asked for, at most every `REFRESH` seconds.

    A token made or revoked counts at most that and one reading later. While the database gives no answer the last
    reading counts for `OUTLIVES` seconds, then every check raises Unavailable. Threads may share a table: one of
    them reads, the others go on with what there is. A forked child reads for itself.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._snapshot = _Snapshot({}, -float("inf"))
        self._tried, self._failed = -float("inf"), False
        self._lock = threading.Lock()  # held by the thread that reads
        self._process = os.getpid()

    def check(self, text: str, scope: str) -> TokenInfo:
        """Return what is known of a token that allows a scope.

        Raises
        ------
        PermissionDenied : as from `Registry.check_token`.
        Unavailable : the database has given no answer for too long.
        """
        wanted = id_to_look_up(text)
        return judge(self._current().tokens.get(wanted), text, scope)

    def rows(self) -> list[TokenRow]:
        """The tokens that are good now, by id.

        A server takes a text's id (its characters 5 to 20) and compares sha256 of the text with the row's.
        """
        good = [known for _, known in sorted(self._current().tokens.items()) if known.info.state == "active"]
        return [TokenRow(info.id, sha256, info.scopes, info.expires) for info, sha256 in good]

    def _current(self) -> _Snapshot:
        if self._process != os.getpid():  # the thread that held the lock stayed behind
            self._lock, self._process = threading.Lock(), os.getpid()
        if self._due(time.monotonic()):
            age = time.monotonic() - self._snapshot.time
            # Whoever finds an old reading waits for the new one, but not for a database that is known to be down.
            wait = LATE if age > LATE and not self._failed else 0.0
            if self._lock.acquire(timeout=wait) if wait else self._lock.acquire(blocking=False):
                try:
                    if self._due(time.monotonic()):
                        self._read()
                finally:
                    self._lock.release()
        snapshot = self._snapshot
        if time.monotonic() - snapshot.time > OUTLIVES:
            raise Unavailable(f"[token] no answer from the registry's database for {OUTLIVES:.0f} s")
        return snapshot

    def _due(self, now: float) -> bool:
        return now - self._tried > REFRESH

    def _read(self) -> None:
        begun = time.monotonic()
        query = select(t.tokens).where(
            t.tokens.c.revoked.is_(None),
            or_(t.tokens.c.expires.is_(None), t.tokens.c.expires > _events.now()),
        )
        try:
            with self._database.read() as connection:
                tokens = {row.id: from_row(row) for row in connection.execute(query)}
        except (Unavailable, Overloaded):
            self._tried, self._failed = time.monotonic(), True
        else:
            self._snapshot, self._tried, self._failed = _Snapshot(tokens, begun), begun, False
