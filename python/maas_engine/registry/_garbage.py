"""Garbage: files that no version refers to any more, or that an upload left behind.

A file is removed under the lock that every claim of a file and every new version needs, so none can begin to refer to
it meanwhile. Before that, in a transaction of its own, its row says that the store may not have it: whoever comes
after a collection that died puts the file again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, delete, select, update

from maas_engine._faults import point
from maas_engine.errors import InvalidArgument
from maas_engine.registry import _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._blobs import UPLOADING
from maas_engine.registry._store import LEASE, Stored

GRACE = 3600.0  # seconds

_BATCH = 500  # files removed while others wait for the lock: some ten milliseconds, or one request to S3


@dataclass(frozen=True)
class GarbageReport:
    """What a collection removed, or would.

    Attributes
    ----------
    blobs : tuple of str
        Digests of the files.
    size : int
        Bytes that they took in the store.
    uploads : int
        Uploads that were never finished.
    missing : tuple of str
        Digests of files that versions refer to and the store has not. Registering the package again brings them back.
    dry_run : bool
    """

    blobs: tuple[str, ...]
    size: int
    uploads: int
    missing: tuple[str, ...]
    dry_run: bool


class Garbage(RegistryBase):
    """Collection of what no version needs."""

    def collect_garbage(self, *, grace: float = GRACE, dry_run: bool = False) -> GarbageReport:
        """Remove files that no version refers to, and look for those that are missing.

        Others may register, delete and collect at the same time: what a version refers to is never removed.

        Parameters
        ----------
        grace : float
            Seconds: what came later than that is left alone, as is what a running upload has claimed.
        dry_run : bool
            Only say what would go.

        Raises
        ------
        Unavailable : the database or the store does not serve. What is left is for the next collection.
        """
        if not math.isfinite(grace) or grace < 0:
            raise InvalidArgument(f"[registry] expected a grace of 0 seconds or more, got {grace}")
        moment = _events.now()
        before = moment - int(grace * 1e6)
        stored = {blob.sha256: blob for blob in self.store.list()}
        uploads = self.store.sweep(min(before, moment - LEASE * 10**6), dry_run=dry_run)
        old = [blob for blob in stored.values() if blob.modified < before]
        if dry_run:
            with self.database.read() as connection:
                blobs = [*_unreferenced(connection, before), *_strays(connection, old)]
        else:
            blobs = list(self._collect(before, stored))
            collected = set(blobs)
            blobs += self._collect_strays([blob for blob in old if blob.sha256 not in collected])
        size = sum(stored[sha256].size for sha256 in blobs if sha256 in stored)
        missing = self._missing(set(stored), dry_run)
        return GarbageReport(tuple(sorted(blobs)), size, uploads, tuple(sorted(missing)), dry_run)

    def _collect(self, before: int, stored: dict[str, Stored]) -> Iterator[str]:
        """Remove files whose rows no version refers to."""
        while True:
            with self.database.write() as connection:
                batch = _unreferenced(connection, before, _BATCH)
                rows = update(t.blobs).where(t.blobs.c.sha256.in_(batch))
                connection.execute(rows.values(state=UPLOADING))
                point("gc.marking")
            if not batch:
                return
            point("gc.marked")
            with self.database.write() as connection:
                batch = _unreferenced(connection, before, among=batch)  # others have claimed some since
                self._remove(
                    connection, batch, sum(stored[sha256].size for sha256 in batch if sha256 in stored)
                )
                connection.execute(delete(t.blobs).where(t.blobs.c.sha256.in_(batch)))
                point("gc.unlisted")
            point("gc.committed")
            yield from batch

    def _collect_strays(self, old: list[Stored]) -> Iterator[str]:
        """Remove files in the store that have no row: of a database that was restored from an older copy."""
        rest = iter(old)
        while batch := list(islice(rest, _BATCH)):
            with self.database.write() as connection:
                strays = _strays(connection, batch)
                if strays:
                    self._remove(
                        connection, strays, sum(blob.size for blob in batch if blob.sha256 in set(strays))
                    )
            yield from strays

    def _remove(self, connection: Connection, digests: list[str], size: int) -> None:
        if digests:
            detail = {"blobs": len(digests), "size": size}
            _events.append(connection, self.actor, "garbage.collect", detail=detail)
            point("gc.removing")
            self.store.delete(*digests)
            point("gc.removed")

    def _missing(self, stored: set[str], dry_run: bool) -> set[str]:
        missing = self._referenced() - stored
        if missing:  # or else come since the store was listed, or gone with its version
            missing -= {blob.sha256 for blob in self.store.list()}
            missing &= self._referenced()
        if missing and not dry_run:
            rest = iter(missing)
            while batch := list(islice(rest, _BATCH)):
                with self.database.write() as connection:
                    rows = update(t.blobs).where(t.blobs.c.sha256.in_(batch))
                    connection.execute(rows.values(state=UPLOADING))
        return missing

    def _referenced(self) -> set[str]:
        with self.database.read() as connection:
            return set(connection.execute(select(t.files.c.sha256).distinct()).scalars())


def _unreferenced(
    connection: Connection, before: int, limit: int | None = None, among: list[str] | None = None
) -> list[str]:
    """Digests of rows that no version refers to, that no running upload claims, and that came before a moment."""
    lease = min(_events.now(), before + LEASE * 10**6)
    query = select(t.blobs.c.sha256).where(
        t.blobs.c.lease < lease, ~select(t.files.c.path).where(t.files.c.sha256 == t.blobs.c.sha256).exists()
    )
    if among is not None:
        query = query.where(t.blobs.c.sha256.in_(among))
    return list(connection.execute(query.limit(limit)).scalars())


def _strays(connection: Connection, blobs: list[Stored]) -> list[str]:
    """Digests of those without a row."""
    listed: set[str] = set()
    for start in range(0, len(blobs), _BATCH):
        digests = [blob.sha256 for blob in blobs[start : start + _BATCH]]
        listed |= set(
            connection.execute(select(t.blobs.c.sha256).where(t.blobs.c.sha256.in_(digests))).scalars()
        )
    return [blob.sha256 for blob in blobs if blob.sha256 not in listed]
