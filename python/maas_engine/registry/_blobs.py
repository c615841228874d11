"""Rows of blobs while they come into the store: claimed with a lease, put, then confirmed with their version.

A claim keeps garbage collection off until its lease is over, though nothing refers to the blob yet. Whoever dies in
between leaves a row that collection removes.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select, update

from maas_engine.registry import _tables as t
from maas_engine.registry._events import now
from maas_engine.registry._store import LEASE

UPLOADING, PRESENT = "uploading", "present"

_AMONG = t.blobs.c.sha256.in_(bindparam("digests", expanding=True))
_HELD = select(t.blobs.c.sha256, t.blobs.c.state).where(_AMONG)
_RENEW = update(t.blobs).where(_AMONG, t.blobs.c.lease < bindparam("until")).values(lease=bindparam("until"))
_CONFIRM = update(t.blobs).where(_AMONG).values(state=PRESENT)


def claim(connection: Connection, sizes: Mapping[str, int]) -> tuple[set[str], int]:
    """Take a lease on blobs (size by sha256); return those to put into the store, and when the lease is over."""
    lease = now() + LEASE * 10**6
    held = connection.execute(_HELD, {"digests": [*sizes]}).all()
    states = {row.sha256: row.state for row in held}
    if states:
        connection.execute(_RENEW, {"digests": [*states], "until": lease})
    new = [
        {"sha256": sha256, "size": size, "state": UPLOADING, "lease": lease}
        for sha256, size in sizes.items()
        if sha256 not in states
    ]
    if new:
        connection.execute(t.blobs.insert(), new)
    return {sha256 for sha256 in sizes if states.get(sha256) != PRESENT}, lease


def confirm(connection: Connection, sizes: Mapping[str, int], lease: int) -> bool:
    """Mark blobs as present. False when the lease is over: some may be gone again, each with its row."""
    return now() < lease and connection.execute(_CONFIRM, {"digests": [*sizes]}).rowcount == len(sizes)
