"""Rows of blobs while they come into the store: claimed with a lease, put, then confirmed with their version.

A claim keeps garbage collection off until its lease is over, though nothing refers to the blob yet. Whoever dies in
between leaves a row that collection removes.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from maas_engine.registry import _tables as t
from maas_engine.registry._events import now
from maas_engine.registry._store import LEASE

UPLOADING, PRESENT = "uploading", "present"


def claim(connection: Connection, sizes: Mapping[str, int]) -> tuple[set[str], int]:
    """Take a lease on blobs (size by sha256); return those to put into the store, and when the lease is over."""
    lease = now() + LEASE * 10**6
    states = _states(connection, sizes)
    held = t.blobs.c.sha256.in_(states)
    connection.execute(update(t.blobs).where(held, t.blobs.c.lease < lease).values(lease=lease))
    new = [
        {"sha256": sha256, "size": size, "state": UPLOADING, "lease": lease}
        for sha256, size in sizes.items()
        if sha256 not in states
    ]
    if new:
        connection.execute(t.blobs.insert(), new)
    return {sha256 for sha256 in sizes if states.get(sha256) != PRESENT}, lease


def confirm(connection: Connection, sizes: Mapping[str, int], lease: int) -> bool:
    """Mark blobs as present. False, and nothing is done, when the lease is over: they may be gone again."""
    if now() >= lease or len(_states(connection, sizes)) < len(sizes):
        return False
    connection.execute(update(t.blobs).where(t.blobs.c.sha256.in_(sizes)).values(state=PRESENT))
    return True


def _states(connection: Connection, sizes: Mapping[str, int]) -> dict[str, str]:
    query = select(t.blobs.c.sha256, t.blobs.c.state).where(t.blobs.c.sha256.in_(sizes))
    return {row.sha256: row.state for row in connection.execute(query)}
