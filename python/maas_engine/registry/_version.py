"""What a registry tells of a model and of a version, and how both are read from its tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, Select, bindparam, func, select

from maas_engine.errors import NotFound
from maas_engine.package import Manifest, read_manifest
from maas_engine.registry import _tables as t
from maas_engine.registry._events import to_datetime
from maas_engine.registry._uri import ModelUri

_CHUNK = 500  # ids a statement


class File(NamedTuple):
    """A file of a package; ``size`` is in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, repr=False)
class Version:
    """A version of a model, as it was when it was read.

    Attributes
    ----------
    name : str
    version : int
    digest : str
        The package's: sha256 of its canonical manifest. It and ``files`` never change.
    description : str
    tags : dict of str to str
    metrics : dict of str to float
    aliases : tuple of str
        Those that point to it, sorted.
    parent : str or None
        The URI of the version it was made from.
    created : datetime
    created_by : str
    files : dict of str to File
        What lies in the package's folder, by name.
    """

    name: str
    version: int
    digest: str
    description: str
    tags: dict[str, str]
    metrics: dict[str, float]
    aliases: tuple[str, ...]
    parent: str | None
    created: datetime.datetime
    created_by: str
    files: dict[str, File]
    _manifest: str = field(compare=False)

    @property
    def uri(self) -> str:
        """Where to load it from: ``models:/name/7``."""
        return str(ModelUri(self.name, self.version))

    @property
    def manifest(self) -> Manifest:
        """The package's manifest."""
        return read_manifest(self._manifest.encode())

    def __repr__(self) -> str:
        parts = [self.uri, *(f"@{alias}" for alias in self.aliases), self.digest[:12]]
        parts += [f"{key}={value:.6g}" for key, value in sorted(self.metrics.items())[:4]]
        return f"<Version {' '.join(parts)} of {self.created:%Y-%m-%d %H:%M} by {self.created_by}>"


@dataclass(frozen=True)
class RegisteredModel:
    """A name with versions. ``latest`` is the newest version's number, or None before the first."""

    name: str
    description: str
    tags: dict[str, str]
    aliases: dict[str, int]
    latest: int | None
    created: datetime.datetime
    created_by: str


def find_model(connection: Connection, name: str) -> Row[Any]:
    """Return a model's row of `_tables.models`."""
    row = connection.execute(select(t.models).where(t.models.c.name == name)).first()
    if row is None:
        raise NotFound(f"[registry] expected the name of a registered model, got {name!r}")
    return row


def find_version(connection: Connection, name: str, version: int | None) -> Row[Any]:
    """Return a row of `select_versions`: of a number, or of the newest version."""
    if version is None:
        row = connection.execute(_newest(), {"name": name}).first()
    else:
        row = connection.execute(_numbered(), {"name": name, "version": version}).first()
    if row is None:
        find_model(connection, name)
        wanted = "a version" if version is None else f"version {version}"
        raise NotFound(f"[registry] expected {wanted} of {name!r}, got none of that number")
    return row


def find_alias(connection: Connection, name: str, alias: str) -> Row[Any]:
    """Return the row of `select_versions` that an alias points to."""
    row = connection.execute(_aliased(), {"name": name, "alias": alias}).first()
    if row is None:
        find_model(connection, name)
        raise NotFound(f"[registry] expected an alias of {name!r}, got {alias!r}")
    return row


# Statements are put together once: doing so takes longer than SQLite takes to answer them.


@cache
def select_versions() -> Select[Any]:
    """Select what `build` needs: columns of versions, the model's name, the parent's name and number.

    Narrow it down by ``_tables.versions`` and ``_tables.models``.
    """
    parents, names = t.versions.alias("parents"), t.models.alias("parent_models")
    return (
        select(
            t.versions,
            t.manifests.c.manifest,
            t.models.c.name,
            names.c.name.label("parent_name"),
            parents.c.version.label("parent_version"),
        )
        .join(t.models, t.models.c.id == t.versions.c.model_id)
        .join(t.manifests, t.manifests.c.version_id == t.versions.c.id)
        .outerjoin(parents, parents.c.id == t.versions.c.parent_id)
        .outerjoin(names, names.c.id == parents.c.model_id)
    )


@cache
def _newest() -> Select[Any]:
    named = select_versions().where(t.models.c.name == bindparam("name"))
    return named.order_by(t.versions.c.version.desc()).limit(1)


@cache
def _numbered() -> Select[Any]:
    return select_versions().where(
        t.models.c.name == bindparam("name"), t.versions.c.version == bindparam("version")
    )


@cache
def _aliased() -> Select[Any]:
    return (
        select_versions()
        .join(t.aliases, t.aliases.c.version_id == t.versions.c.id)
        .where(t.models.c.name == bindparam("name"), t.aliases.c.alias == bindparam("alias"))
    )


def build(connection: Connection, rows: Sequence[Row[Any]]) -> list[Version]:
    """Return the versions of rows of `select_versions`, in their order: four statements for up to 500."""
    ids = [row.id for row in rows]
    tags = _by_id(connection, ids, t.version_tags.c.version_id, t.version_tags.c.key, t.version_tags.c.value)
    metrics = _by_id(connection, ids, t.metrics.c.version_id, t.metrics.c.key, t.metrics.c.value)
    aliases = _by_id(connection, ids, t.aliases.c.version_id, t.aliases.c.alias, t.aliases.c.alias)
    files = _files(connection, ids)
    return [
        Version(
            name=row.name,
            version=row.version,
            digest=row.digest,
            description=row.description,
            tags=tags[row.id],
            metrics=metrics[row.id],
            aliases=tuple(sorted(aliases[row.id])),
            parent=None if row.parent_id is None else str(ModelUri(row.parent_name, row.parent_version)),
            created=to_datetime(row.created),
            created_by=row.created_by,
            files=files[row.id],
            _manifest=row.manifest,
        )
        for row in rows
    ]


def build_models(connection: Connection, rows: Sequence[Row[Any]]) -> list[RegisteredModel]:
    """Return the models of rows of `_tables.models`, in their order."""
    ids = [row.id for row in rows]
    tags = _by_id(connection, ids, t.model_tags.c.model_id, t.model_tags.c.key, t.model_tags.c.value)
    aliases: dict[int, dict[str, int]] = {each: {} for each in ids}
    latest: dict[int, int] = {}
    pointing = select(t.aliases.c.model_id, t.aliases.c.alias, t.versions.c.version).join(t.versions)
    for model_id, alias, version in connection.execute(pointing.order_by(t.aliases.c.alias)):
        if model_id in aliases:
            aliases[model_id][alias] = version
    newest = select(t.versions.c.model_id, func.max(t.versions.c.version)).group_by(t.versions.c.model_id)
    latest.update((model_id, version) for model_id, version in connection.execute(newest))
    return [
        RegisteredModel(
            name=row.name,
            description=row.description,
            tags=tags[row.id],
            aliases=aliases[row.id],
            latest=latest.get(row.id),
            created=to_datetime(row.created),
            created_by=row.created_by,
        )
        for row in rows
    ]


def _by_id(
    connection: Connection, ids: Sequence[int], owner: Column[Any], key: Column[Any], value: Column[Any]
) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {each: {} for each in ids}
    for some in _chunks(ids):
        for identity, name, content in connection.execute(_entries(owner, key, value), {"ids": some}).all():
            found[identity][name] = content
    return found


@cache
def _entries(owner: Column[Any], key: Column[Any], value: Column[Any]) -> Select[Any]:
    return select(owner, key, value).where(owner.in_(bindparam("ids", expanding=True)))


def _files(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, File]]:
    found: dict[int, dict[str, File]] = {each: {} for each in ids}
    for some in _chunks(ids):
        for identity, path, sha256, size in connection.execute(_listed_files(), {"ids": some}).all():
            found[identity][path] = File(sha256, size)
    return found


@cache
def _listed_files() -> Select[Any]:
    columns = select(t.files.c.version_id, t.files.c.path, t.blobs.c.sha256, t.blobs.c.size)
    return columns.join(t.blobs).where(t.files.c.version_id.in_(bindparam("ids", expanding=True)))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _CHUNK] for first in range(0, len(ids), _CHUNK))
