"""Drift of the rows that a live model is asked and answers from those of its reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas_engine.monitoring import Profile


def states_of(profile: Profile | None) -> list[tuple[bool, str, int, bytes]] | None:
    """Return what the data plane counts by: whether of an output, field, item and state of each column."""
    if profile is None:
        return None
    return [
        (column.of == "output", column.field, column.item, state.to_bytes())
        for column, state in zip(profile.columns, profile.states, strict=True)
    ]


def drift_page(
    name: str, version: str, reference: Profile, since: float, states: Sequence[bytes]
) -> dict[str, Any]:
    """Return the page: what is compared, since when, and `Drift.to_dict`."""
    from maas_engine.monitoring import drift

    live = reference.counted(states)
    found = drift(reference, live).to_dict()
    begun = datetime.fromtimestamp(since, timezone.utc).isoformat(timespec="seconds")
    return {"model": name, "version": version, "since": begun, "rows": live.rows, **found}
