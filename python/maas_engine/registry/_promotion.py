"""Promotion: an alias moves to a version that has passed its gates, and the history tells what they found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from maas_engine._faults import point
from maas_engine.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidArgument,
    MaasError,
    NotFound,
    Overloaded,
    PermissionDenied,
    Unavailable,
)
from maas_engine.registry import _events
from maas_engine.registry._aliases import move_alias
from maas_engine.registry._checks import check_reason
from maas_engine.registry._gates import Case, Gate, GateResult
from maas_engine.registry._protection import kept_gates
from maas_engine.registry._resolve import Resolving
from maas_engine.registry._uri import check_alias, check_name, check_version
from maas_engine.registry._version import Version, build, find_alias, find_version

MAX_GATES = 100


@dataclass(frozen=True)
class Promotion:
    """What came of asking for a promotion.

    Attributes
    ----------
    name, version, alias
        What was to be promoted to what.
    previous : int or None
        The version that it was judged against: where the alias pointed.
    results : tuple of GateResult
        Of every gate, in order.
    """

    name: str
    version: int
    alias: str
    previous: int | None
    results: tuple[GateResult, ...]
    reason: str = ""

    @property
    def failed(self) -> tuple[GateResult, ...]:
        return tuple(result for result in self.results if not result.passed)

    @property
    def promoted(self) -> bool:
        return not self.failed

    def to_dict(self) -> dict[str, Any]:
        gates = [result.to_dict() for result in self.results]
        return {**vars(self), "promoted": self.promoted, "results": gates}

    def __str__(self) -> str:
        passed = len(self.results) - len(self.failed)
        lines = [
            f"{self.name!r} version {self.version} {'is' if self.promoted else 'may not be'} {self.alias!r}: "
            f"{passed} of {len(self.results)} gates passed"
        ]
        for result in self.results:
            lines.append(f"  {'passed' if result.passed else 'FAILED'}  {result.gate}: {result.found}")
        return "\n".join(lines)


class GateFailed(PermissionDenied):
    """A version was not promoted. ``promotion`` has what every gate found."""

    def __init__(self, promotion: Promotion) -> None:
        super().__init__(promotion)
        self.promotion = promotion

    def __str__(self) -> str:
        return f"[promote] {self.promotion}"


class Promoting(Resolving):
    """Promotion of versions."""

    def promote(
        self,
        name: str,
        version: int | str,
        alias: str = "champion",
        *,
        gates: Iterable[Gate] = (),
        reason: str = "",
    ) -> Promotion:
        """Let an alias point to a version if every gate passes.

        The gates that protect the alias are asked too, and all of them also after one has failed; one that cannot be
        judged has failed. What they found is
        part of the event in the history, whatever it is; there is none where the alias points to it already.

        Parameters
        ----------
        name : str
        version : int
        alias : str
        gates : MetricThreshold, BetterThanChampion, Signed, or what else has their ``check``
        reason : str
            For the history.

        Raises
        ------
        GateFailed : naming the gates that did.
        Conflict : the alias was moved, or its gates were changed, while the gates judged.
        NotFound : no such model or version.
        Unavailable, Overloaded : the database or the store; nothing was judged.
        """
        check_name(name)
        check_alias(alias)
        number = check_version(version)
        check_reason(reason)
        asked = _check_gates(gates)
        with self.database.read() as connection:
            candidate = build(connection, [find_version(connection, name, number)])[0]
            champion = _find_champion(connection, name, alias)
            kept = kept_gates(connection, name, alias)
        case = Case(candidate, champion, lambda each: self.package(each.uri))
        results = tuple(_judge(gate, case) for gate in (*kept, *(gate for gate in asked if gate not in kept)))
        previous = None if champion is None else champion.version
        promotion = Promotion(name, number, alias, previous, results, reason)
        point("promote.judged")
        self._record(promotion, kept)
        if not promotion.promoted:
            raise GateFailed(promotion)
        return promotion

    def _record(self, promotion: Promotion, kept: list[Gate]) -> None:
        """Move the alias, or note the refusal; one transaction."""
        name, number, alias, previous = (
            promotion.name,
            promotion.version,
            promotion.alias,
            promotion.previous,
        )
        gates = [result.to_dict() for result in promotion.results]
        detail = {"reason": promotion.reason, "gates": gates}
        with self.database.write() as connection:
            if promotion.promoted:
                if kept_gates(connection, name, alias) != kept:
                    raise Conflict(
                        f"[promote] expected alias {alias!r} of {name!r} protected as before, got other gates: they "
                        "were changed meanwhile"
                    )
                move_alias(connection, self.actor, name, alias, number, detail, expected=previous or 0)
            else:
                refused = {**detail, "previous": previous}
                _events.append(connection, self.actor, "promote.refused", name, number, alias, refused)
            point("promote.before_commit")
        point("promote.committed")


def _check_gates(gates: Iterable[Gate]) -> list[Gate]:
    asked = list(gates)
    for gate in asked:
        if isinstance(gate, type) or not callable(getattr(gate, "check", None)):
            raise InvalidArgument(f"[promote] expected gates such as Signed(), got {gate!r}")
    if len(asked) > MAX_GATES:
        raise InvalidArgument(f"[promote] expected at most {MAX_GATES} gates, got {len(asked)}")
    return asked


def _find_champion(connection: Connection, name: str, alias: str) -> Version | None:
    try:
        return build(connection, [find_alias(connection, name, alias)])[0]
    except NotFound:
        return None


def _judge(gate: Gate, case: Case) -> GateResult:
    try:
        result = gate.check(case)
    except (Unavailable, Overloaded, DeadlineExceeded):  # says nothing about the version
        raise
    except MaasError as error:
        return GateResult(str(gate), False, str(error))
    if not isinstance(result, GateResult) or type(result.passed) is not bool:
        raise InvalidArgument(f"[promote] expected a GateResult, passed or not, of {gate!r}, got {result!r}")
    return result
