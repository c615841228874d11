"""From a URI to a version, now or as of a moment; and to its package and model."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select

from maas_engine.errors import FormatError, InvalidArgument, NotFound, Overloaded, Unavailable
from maas_engine.model import Model
from maas_engine.package import Package, open_package
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._events import ALIAS_MOVES, to_microseconds
from maas_engine.registry._uri import ModelUri, parse_uri
from maas_engine.registry._version import File, Version, build, find_alias, find_version

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Resolving(RegistryBase):
    """Reading by URI."""

    def resolve(self, uri: str, as_of: datetime.datetime | str | None = None) -> Version:
        """Return the version that a URI names, or named at a moment.

        Parameters
        ----------
        uri : str
            ``models:/credit/7``, ``models:/credit/latest`` or ``models:/credit@champion``.
        as_of : datetime, or text as RFC 3339 has it; or None
            With a time zone: ``2026-01-31T09:00:00Z``. The history tells what the URI meant then; by the clocks of
            those who acted.

        Raises
        ------
        InvalidArgument : not such a URI or moment.
        NotFound : nothing of that name, now or then.
        """
        parsed = parse_uri(uri)
        moment = None if as_of is None else to_microseconds(_parse_moment(as_of))
        with self.database.read() as connection:
            if moment is not None:
                row = _find_then(connection, parsed, moment)
            elif parsed.alias is not None:
                row = find_alias(connection, parsed.name, parsed.alias)
            else:
                row = find_version(connection, parsed.name, parsed.version)
            return build(connection, [row])[0]

    def last_event(self) -> int:
        """Return the number of the newest event. While it stays, no version, alias or token has changed."""
        with self.database.read() as connection:
            return connection.execute(select(func.max(t.events.c.sequence))).scalar() or 0

    def package(self, uri: str, *, as_of: datetime.datetime | str | None = None) -> Package:
        """Return the package that a URI names, from the cache or the store, verified under the registry's policy.

        While the database does not answer, a URI means what it meant when it was last loaded here; unless it is a
        version's number, a warning says so. A number is known from any URI that has meant that version.
        The package's ``path`` is the copy in the cache, which goes when others need its room; its model does not.

        Raises
        ------
        FormatError, PermissionDenied : it is not what was registered, or not signed as the policy asks.
        Unavailable : the database or the store gives no answer, and the cache does not have it.
        """
        parsed = parse_uri(uri)
        registry = str(self.database)
        try:
            version = self.resolve(uri, as_of)
        except (Unavailable, Overloaded) as error:
            recalled = self.cache.recall(registry, str(parsed)) if as_of is None else None
            if recalled is None:
                raise
            if parsed.version is None:  # a number means the same for ever
                warnings.warn(
                    f"{error}; {uri} is version {recalled.version}, as of {recalled.age} ago", stacklevel=2
                )
            return self._open(recalled.digest, {}, error)
        package = self._open(version.digest, version.files)
        if as_of is None and parsed.version is None:
            self.cache.remember(registry, str(parsed), version.version, version.digest)
        known = self.cache.recall(registry, version.uri)
        if known is None or known.digest != version.digest:
            self.cache.remember(registry, version.uri, version.version, version.digest)
        return package

    def load(self, uri: str, *, as_of: datetime.datetime | str | None = None) -> Model:
        """Return the model that a URI names; see `package`."""
        return self.package(uri, as_of=as_of).model()

    def _open(
        self, digest: str, files: Mapping[str, File], refusal: Unavailable | Overloaded | None = None
    ) -> Package:
        """The package of a digest, its files those of the store unless it is in the cache."""

        def fill(folder: Path) -> None:
            if refusal is not None:
                raise refusal
            for name, file in files.items():
                if name in ("", ".", "..") or "/" in name or "\\" in name:
                    raise FormatError(
                        f"[registry] expected a file's plain name in package {digest}, got {name!r}"
                    )
                (folder / name).write_bytes(self.store.read(file.sha256, file.size))

        def use(folder: Path) -> Package:
            return open_package(folder, self.policy, digest)

        return replace(self.cache.load(digest, fill, use), path=self.cache.place(digest))


def _parse_moment(moment: datetime.datetime | str) -> datetime.datetime:
    if isinstance(moment, datetime.datetime) and moment.tzinfo is not None:
        return moment
    match = _RFC3339.fullmatch(moment) if isinstance(moment, str) else None
    if match is not None:
        day, clock, fraction, zone = match.groups()
        zone = "+00:00" if zone in "Zz" else zone
        try:
            return datetime.datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}{zone}")
        except ValueError:
            pass
    raise InvalidArgument(
        f"[registry] expected a moment with its time zone, like 2026-01-31T09:00:00Z, got {str(moment)[:40]!r}"
    )


def _find_then(connection: Connection, uri: ModelUri, moment: int) -> Row[Any]:
    number = _version_then(connection, uri, moment)
    if number is None:
        raise NotFound(
            f"[registry] expected what {str(uri)!r} was at that moment, got nothing of that name then"
        )
    try:
        return find_version(connection, uri.name, number)
    except NotFound:
        raise NotFound(
            f"[registry] expected what {str(uri)!r} was at that moment, got version {number}, deleted since"
        ) from None


def _version_then(connection: Connection, uri: ModelUri, moment: int) -> int | None:
    """The number that a URI named; None when it named nothing."""
    events = t.events.c
    then = select(events.version).where(events.model == uri.name, events.time <= moment)
    if uri.alias is not None:
        moves = then.where(events.alias == uri.alias, events.action.in_(ALIAS_MOVES))
        query = moves.order_by(events.sequence.desc())
        return connection.execute(query.limit(1)).scalar()
    then = then.where(events.alias.is_(None))
    deleted = then.where(events.action == "version.delete")
    query = then.where(events.action == "version.register", events.version.not_in(deleted))
    if uri.version is not None:
        query = query.where(events.version == uri.version)
    return connection.execute(query.with_only_columns(func.max(events.version))).scalar()
