"""Aliases: movable names of versions, and their history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from maas_engine._faults import point
from maas_engine.errors import Conflict, InvalidArgument, NotFound
from maas_engine.registry import _checks, _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._events import Event
from maas_engine.registry._protection import check_free
from maas_engine.registry._uri import check_alias, check_name, check_version
from maas_engine.registry._version import find_model, find_version


class Aliases(RegistryBase):
    """Aliases of versions."""

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int | str,
        *,
        reason: str = "",
        expected: int | None = None,
        force: bool = False,
    ) -> None:
        """Let an alias point to a version, from now on. To where it points already is no change, and no event.

        Parameters
        ----------
        name, alias : str
        version : int
        reason : str
            For the history.
        expected : int or None
            The version it must point to until now, 0 for an alias that is new: of two that move it at once, one is
            refused.
        force : bool
            Go around the gates of a protected alias, which takes a reason.

        Raises
        ------
        NotFound : no such model or version.
        Conflict : it does not point to the version expected.
        PermissionDenied : it is protected, see `protect_alias`.
        """
        check_name(name)
        check_alias(alias)
        number = check_version(version)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            detail = {"reason": reason, **check_free(connection, name, alias, force, reason)}
            move_alias(connection, self.actor, name, alias, number, detail, expected)
            point("set_alias.before_commit")
        point("set_alias.committed")

    def delete_alias(self, name: str, alias: str, *, reason: str = "", force: bool = False) -> None:
        """Delete an alias. `rollback` brings it back.

        Raises
        ------
        NotFound : no such model or alias.
        PermissionDenied : it is protected, see `protect_alias`; ``force`` and a reason go around that.
        """
        check_name(name)
        check_alias(alias)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            model = find_model(connection, name)
            previous = current_version(connection, model.id, alias)
            if previous is None:
                raise NotFound(f"[registry] expected an alias of {name!r}, got {alias!r}")
            forced = check_free(connection, name, alias, force, reason)
            detail = {"previous": previous, "reason": reason, **forced}
            _events.append(connection, self.actor, "alias.delete", name, None, alias, detail)
            held = t.aliases.c.model_id == model.id, t.aliases.c.alias == alias
            connection.execute(delete(t.aliases).where(*held))
            point("delete_alias.before_commit")

    def rollback(self, name: str, alias: str, *, reason: str = "") -> int:
        """Let an alias point to the version before, and return its number. Again goes one further back.

        A deleted alias comes back; versions that are gone are left out.

        Raises
        ------
        NotFound : there is none before.
        """
        check_name(name)
        check_alias(alias)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            model = find_model(connection, name)
            there = select(t.versions.c.version).where(t.versions.c.model_id == model.id)
            versions = set(connection.execute(there).scalars())
            current = current_version(connection, model.id, alias)
            positions = _positions(connection, name, alias)[:-1]
            before = [each for each in positions if each is not None and each in versions]
            while before and before[-1] == current:
                before.pop()
            if not before:
                raise NotFound(
                    f"[registry] expected a version before this one at alias {alias!r} of {name!r}, got none"
                )
            detail = {"reason": reason, "rollback": True}
            move_alias(connection, self.actor, name, alias, before[-1], detail)
            point("rollback.before_commit")
        return before[-1]

    def history(
        self, name: str | None = None, alias: str | None = None, limit: int | None = None
    ) -> list[Event]:
        """Return what happened, in order: to all, to a model, to an alias; or only the last ``limit`` of it."""
        query = select(t.events)
        if name is not None:
            query = query.where(t.events.c.model == check_name(name))
        if alias is not None:
            query = query.where(t.events.c.alias == check_alias(alias))
        query = query.order_by(t.events.c.sequence.desc())
        if limit is not None:
            if type(limit) is not int or limit < 1:
                raise InvalidArgument(f"[registry] expected a limit of 1 or more events, got {limit!r}")
            query = query.limit(limit)
        with self.database.read() as connection:
            return [_events.from_row(row) for row in connection.execute(query)][::-1]


def move_alias(
    connection: Connection,
    actor: str,
    name: str,
    alias: str,
    version: int,
    detail: Mapping[str, Any],
    expected: int | None = None,
) -> Event | None:
    """Point an alias to a version within a transaction of `Database.write`; return the event, if it moved.

    ``detail`` is kept with the event, beside ``previous``: the version before, or None.
    """
    row = find_version(connection, name, version)
    previous = current_version(connection, row.model_id, alias)
    if expected is not None and (previous or 0) != expected:
        raise Conflict(
            f"[registry] expected alias {alias!r} of {name!r} at version {expected}, got {previous or 'no alias'}: "
            "it was moved meanwhile"
        )
    if previous == version:
        return None
    given = {**detail, "previous": previous}
    event = _events.append(connection, actor, "alias.set", name, version, alias, given)
    connection.execute(
        delete(t.aliases).where(t.aliases.c.model_id == row.model_id, t.aliases.c.alias == alias)
    )
    values = {"model_id": row.model_id, "alias": alias, "version_id": row.id}
    connection.execute(t.aliases.insert(), values)
    return event


def current_version(connection: Connection, model_id: int, alias: str) -> int | None:
    """Return the number that an alias points to, None without such an alias."""
    query = select(t.versions.c.version).join(t.aliases, t.aliases.c.version_id == t.versions.c.id)
    return connection.execute(
        query.where(t.aliases.c.model_id == model_id, t.aliases.c.alias == alias)
    ).scalar()


def _positions(connection: Connection, name: str, alias: str) -> list[int | None]:
    """Where an alias was, the latest last; None while it was deleted. What was rolled back is left out."""
    query = select(t.events).where(t.events.c.model == name, t.events.c.alias == alias)
    query = query.where(t.events.c.action.in_(_events.ALIAS_MOVES))
    positions: list[int | None] = []
    for row in connection.execute(query.order_by(t.events.c.sequence)):
        event = _events.from_row(row)
        if event.detail.get("rollback"):
            while positions and positions[-1] != event.version:
                positions.pop()
        if not positions or positions[-1] != event.version:
            positions.append(event.version)
    return positions
