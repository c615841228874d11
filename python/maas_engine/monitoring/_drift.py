"""How live rows differ from a reference, from two profiles alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.monitoring._columns import Column, ColumnState
from maas_engine.monitoring._distances import (
    Counts,
    chance_level,
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
)
from maas_engine.monitoring._profile import Profile

MODERATE, MAJOR = 0.1, 0.25
LEVELS = ("none", "moderate", "major")


@dataclass(frozen=True)
class ColumnDrift:
    """How one column differs.

    Attributes
    ----------
    name, of : str
        ``of`` is "input" or "output".
    rows, reference_rows : int
    psi : float
        Population stability index over all bins, missing and unseen values among them.
    jensen_shannon : float
        Distance to the base 2 over the same bins, 0 to 1.
    ks, ks_error : float or None
        Kolmogorov-Smirnov distance of numbers that are there, from their bins; that of the rows themselves is at most
        ``ks_error`` larger. None for categories.
    missing, missing_change : float
        Share of live rows without a value, and how much larger than in the reference.
    unseen, unseen_change : float
        Share of live rows whose value the reference did not have: another category, or a number outside its range.
    chance : float
        What ``psi`` exceeds once in a thousand times where nothing changed.
    level : str or None
        "none", "moderate" (psi of 0.1 and more) or "major" (0.25). None where rows are too few to say: ``chance`` is
        0.1 or more, and psi not above it by the 0.25 that make a change a major one even so.
    """

    name: str
    of: str
    rows: int
    reference_rows: int
    psi: float
    jensen_shannon: float
    ks: float | None
    ks_error: float | None
    missing: float
    missing_change: float
    unseen: float
    unseen_change: float
    chance: float
    level: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, None for those that have no rows to come from."""
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(self).items()
        }


class Drift:
    """How the columns of two profiles differ: a sequence of `ColumnDrift`, also by name."""

    def __init__(self, columns: tuple[ColumnDrift, ...]) -> None:
        self.columns = columns

    @property
    def level(self) -> str | None:
        """The highest level of a column; None where no column has enough rows."""
        levels = [LEVELS.index(each.level) for each in self.columns if each.level is not None]
        return LEVELS[max(levels)] if levels else None

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: ``level`` and ``columns``, a dict of figures each."""
        return {"level": self.level, "columns": [each.to_dict() for each in self.columns]}

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[ColumnDrift]:
        return iter(self.columns)

    def __getitem__(self, key: int | str) -> ColumnDrift:
        """A column by number or name; inputs come before outputs of the same name."""
        if isinstance(key, str):
            for each in self.columns:
                if each.name == key:
                    return each
            raise NotFound(f"[drift] no column '{key}'")
        return self.columns[key]

    def __repr__(self) -> str:
        head = ("column", "of", "rows", "level", "psi", "js", "ks", "missing", "unseen")
        lines = [head, *map(_line, self.columns)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if k < 2 or k == 3 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )


def drift(reference: Profile, live: Profile) -> Drift:
    """Compare live rows with a reference, column by column.

    Parameters
    ----------
    reference, live : Profile
        Of the same columns, bins and categories: ``live`` comes from ``reference.empty()``, or from another process's.

    Raises
    ------
    InvalidArgument : profiles of other columns.
    """
    for each in (reference, live):
        if not isinstance(each, Profile):
            raise InvalidArgument(f"[drift] expected profiles, got {type(each).__name__}")
    if reference.columns != live.columns:
        raise InvalidArgument("[drift] expected profiles of the same columns")
    pairs = zip(reference.columns, reference.states, live.states, strict=True)
    return Drift(tuple(_column_drift(*each) for each in pairs))


def _column_drift(column: Column, reference: ColumnState, live: ColumnState) -> ColumnDrift:
    if _frame(reference) != _frame(live):
        raise InvalidArgument(f"[drift] expected profiles of the same bins, got others for '{column.name}'")
    p, q = _all_counts(reference), _all_counts(live)
    psi = population_stability_index(p, q)
    bins = int(np.count_nonzero(p + q))
    chance = chance_level(bins, reference.rows, live.rows)
    ks, ks_error = None, None
    if isinstance(live, _core.HistogramState):
        ks, ks_error = kolmogorov_smirnov(p[:-1], q[:-1])
    missing = [_share(state.missing, state.rows) for state in (reference, live)]
    unseen = [_share(_unseen(state), state.rows) for state in (reference, live)]
    return ColumnDrift(
        column.name,
        column.of,
        live.rows,
        reference.rows,
        psi,
        jensen_shannon_distance(p, q),
        ks,
        ks_error,
        missing[1],
        missing[1] - missing[0],
        unseen[1],
        unseen[1] - unseen[0],
        chance,
        _level(psi, chance),
    )


def _frame(state: ColumnState) -> Any:
    """What must be equal for counts to be comparable."""
    return state.edges if isinstance(state, _core.HistogramState) else state.vocabulary


def _all_counts(state: ColumnState) -> Counts:
    """Every row in one bin: those in order, then the missing."""
    if isinstance(state, _core.HistogramState):
        parts: list[Any] = [state.below, *state.counts.tolist(), state.above, state.missing]
    else:
        parts = [*state.counts.tolist(), state.unseen, state.missing]
    return np.array(parts, np.float64)


def _unseen(state: ColumnState) -> int:
    return state.below + state.above if isinstance(state, _core.HistogramState) else state.unseen


def _share(count: int, rows: int) -> float:
    return count / rows if rows else math.nan


def _level(psi: float, chance: float) -> str | None:
    if not chance < MODERATE:
        return "major" if psi - chance >= MAJOR else None
    return LEVELS[(psi >= MODERATE) + (psi >= MAJOR)]


def _line(each: ColumnDrift) -> tuple[str, ...]:
    def figure(value: float | None) -> str:
        return "" if value is None or not math.isfinite(value) else f"{value:.3f}"

    return (
        each.name,
        each.of,
        str(each.rows),
        each.level or "too few rows",
        figure(each.psi),
        figure(each.jensen_shannon),
        figure(each.ks),
        f"{100 * each.missing:.1f} %" if each.rows else "",
        f"{100 * each.unseen:.1f} %" if each.rows else "",
    )
