"""Protected aliases: only a promotion moves them, and it asks the gates that the registry keeps for them.

A guard against haste, not against who may write to the database; the history tells who went around it, and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from maas_engine._faults import point
from maas_engine.errors import FormatError, InvalidArgument, NotFound, PermissionDenied
from maas_engine.registry import _checks, _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._gates import Gate, MetricThreshold, Signed
from maas_engine.registry._uri import check_alias, check_name
from maas_engine.registry._version import find_model

_KEPT = (
    select(t.protections.c.gates)
    .join(t.models)
    .where(t.models.c.name == bindparam("model"), t.protections.c.alias == bindparam("alias"))
)


class Protecting(RegistryBase):
    """Protection of aliases."""

    def protect_alias(self, name: str, alias: str, gates: Iterable[Gate], *, reason: str = "") -> None:
        """Let nothing but `promote` move an alias from now on, and have it ask these gates besides its own.

        `set_alias` and `delete_alias` then want ``force=True`` and a reason, and the history shows both. `rollback`
        goes on: it knows only versions where the alias was. Protected again, an alias has the new gates alone.

        Parameters
        ----------
        name, alias : str
            The alias need not be there yet.
        gates : MetricThreshold and Signed, at least one
            Others have rows, which the registry does not keep: give them to `promote`.
        reason : str
            For the history.

        Raises
        ------
        NotFound : no such model.
        """
        check_name(name)
        check_alias(alias)
        _checks.check_reason(reason)
        kept = [_to_json(gate) for gate in gates]
        if not kept:
            raise InvalidArgument("[registry] expected at least one gate to protect an alias with, got none")
        with self.database.write() as connection:
            model = find_model(connection, name)
            _remove(connection, model.id, alias)
            row = {"model_id": model.id, "alias": alias, "gates": _events.canonical(kept)}
            connection.execute(t.protections.insert(), row)
            detail = {"protected_by": kept, "reason": reason}
            _events.append(connection, self.actor, "alias.protect", name, None, alias, detail)
            point("protect.before_commit")

    def unprotect_alias(self, name: str, alias: str, *, reason: str = "") -> None:
        """Let `set_alias` and `delete_alias` move an alias again.

        Raises
        ------
        NotFound : no such model, or the alias is not protected.
        """
        check_name(name)
        check_alias(alias)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            model = find_model(connection, name)
            if not _remove(connection, model.id, alias):
                raise NotFound(f"[registry] expected a protected alias of {name!r}, got {alias!r}")
            detail = {"reason": reason}
            _events.append(connection, self.actor, "alias.unprotect", name, None, alias, detail)
            point("unprotect.before_commit")

    def protections(self, name: str) -> dict[str, list[Gate]]:
        """Return the gates of each protected alias of a model.

        Raises
        ------
        NotFound : no such model.
        """
        check_name(name)
        with self.database.read() as connection:
            of = t.protections.c.model_id == find_model(connection, name).id
            rows = connection.execute(select(t.protections).where(of).order_by(t.protections.c.alias))
            return {row.alias: read_gates(row.gates) for row in rows}


def kept_gates(connection: Connection, name: str, alias: str) -> list[Gate]:
    """Return the gates that protect an alias; none where nothing does."""
    text = connection.execute(_KEPT, {"model": name, "alias": alias}).scalar()
    return [] if text is None else read_gates(text)


def read_gates(text: str) -> list[Gate]:
    """Return the gates of a row's text.

    Raises
    ------
    FormatError : none, as `Protecting.protect_alias` writes them.
    """
    gates: list[Gate]
    try:
        gates = [
            Signed() if each == {"signed": True} else MetricThreshold(**each) for each in json.loads(text)
        ]
    except (TypeError, ValueError):
        gates = []
    if not gates:
        raise FormatError("[registry] expected gates of an alias, got other content; audit it")
    return gates


def check_free(connection: Connection, name: str, alias: str, force: bool, reason: str) -> dict[str, Any]:
    """Refuse what goes around the gates of an alias, unless by force; return what the history shall tell of it.

    Raises
    ------
    PermissionDenied : it is protected.
    """
    gates = kept_gates(connection, name, alias)
    if not gates:
        return {}
    if not (force and reason):
        asked = ", ".join(map(str, gates))
        raise PermissionDenied(
            f"[registry] expected a promotion of alias {alias!r} of {name!r}, which is protected by {asked}: promote, "
            "or use force and give a reason"
        )
    return {"forced": True}


def _remove(connection: Connection, model: int, alias: str) -> bool:
    held = t.protections.c.model_id == model, t.protections.c.alias == alias
    return connection.execute(delete(t.protections).where(*held)).rowcount > 0


def _to_json(gate: Gate) -> dict[str, Any]:
    if isinstance(gate, Signed):
        return {"signed": True}
    if isinstance(gate, MetricThreshold):
        return {"metric": gate.metric, "sign": gate.sign, "bound": gate.bound}
    raise InvalidArgument(
        f"[registry] expected MetricThreshold or Signed to protect an alias with, got {gate!r}"
    )
