"""Registering: a package is proven, its files go into the store, and a version appears in one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, select, update

from maas_engine._faults import point
from maas_engine.errors import Conflict, InvalidArgument, Unavailable
from maas_engine.model import Model
from maas_engine.package import Package
from maas_engine.registry import _blobs, _checks, _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._source import Proven, prove
from maas_engine.registry._uri import ModelUri, check_name, parse_uri
from maas_engine.registry._version import Version, find_version

_ATTEMPTS = 3  # an upload that outlives its lease may be collected, and begins again


class _Content(NamedTuple):
    """What becomes a version."""

    package: Proven
    description: str
    tags: dict[str, str]
    metrics: dict[str, float]
    reason: str


class Registering(RegistryBase):
    """New versions."""

    def register(
        self,
        name: str,
        source: Package | Model | str | os.PathLike[str],
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        parent: Version | str | int | None = None,
        X_reference: Any = None,
        reason: str = "",
    ) -> Version:
        """Register a package as the next version of a model, which is made if it is new.

        Parameters
        ----------
        name : str
        source : folder of a package, Package, Model, or path of an ONNX file
            A model is packed first. A package is verified under the registry's policy, whatever it is.
        description : str
            The package's own unless given.
        tags : dict of str to str
        metrics : dict of str to float
            Besides the package's, and before them where both have a name.
        parent : Version, URI, version's number, or None
            What it was made from; a number is of the same model. It cannot be deleted while this version is there.
        X_reference : array, frame, dict or rows
            For a model: golden rows and the reference profile are made from it. See `maas_engine.package.write`.
        reason : str
            For the history.

        Returns
        -------
        Version

        Raises
        ------
        InvalidArgument : a name, tag, metric or text that cannot be; a source that is none of these.
        FormatError, PermissionDenied : the package is broken, or not signed as the policy asks.
        NotFound : the parent is none.
        Unavailable, Overloaded : the database or the store does not serve. Nothing is left half done.
        """
        check_name(name)
        checked_tags, checked_metrics = _checks.check_tags(tags), _checks.check_metrics(metrics)
        _checks.check_description(description)
        _checks.check_reason(reason)
        package = prove(name, source, X_reference, self.policy)
        content = _Content(
            package=package,
            description=description or _checks.check_description(package.manifest.description),
            tags=checked_tags,
            metrics=_checks.check_metrics(package.manifest.metrics) | checked_metrics,
            reason=reason,
        )
        return self._register(name, content, parent)

    def _register(self, name: str, content: _Content, parent: Version | str | int | None) -> Version:
        sizes, data = content.package.sizes, content.package.data
        for _ in range(_ATTEMPTS):
            point("register.begin")
            with self.database.write(lasting=False) as connection:
                missing, lease = _blobs.claim(connection, sizes)
            point("register.claimed")
            try:
                if missing:
                    self.store.put_all({sha256: data[sha256] for sha256 in sorted(missing)})
            except Unavailable:
                if _events.now() < lease:
                    raise
                continue  # a collection took the files from under the upload
            point("register.uploaded")
            with self.database.write() as connection:
                there = _blobs.confirm(connection, sizes, lease)
                if there:
                    version = _insert(connection, self.actor, name, content, parent)
                    point("register.inserted")
            if there:
                point("register.committed")
                return version
        raise Conflict(
            f"[registry] the upload took longer than its lease {_ATTEMPTS} times: nothing is registered"
        )


_MODEL = select(t.models).where(t.models.c.name == bindparam("given"))
_VERSION = t.versions.insert().returning(t.versions.c.id)
_LAST = update(t.models).where(t.models.c.id == bindparam("model"))


def _insert(
    connection: Connection,
    actor: str,
    name: str,
    content: _Content,
    parent: Version | str | int | None,
) -> Version:
    """Add the rows of a version, and of its model if it is new."""
    model = connection.execute(_MODEL, {"given": name}).first()
    parent_row = None if parent is None else _find_parent(connection, name, parent)
    if model is None:
        model = insert_model(connection, actor, name, "")
    number, package = model.last_version + 1, content.package
    detail = {
        "digest": package.digest,
        "description": content.description,
        "files": {path: file.sha256 for path, file in package.files.items()},
        "metrics": content.metrics,
        "parent": None if parent_row is None else [parent_row.name, parent_row.version],
        "reason": content.reason,
        "tags": content.tags,
    }
    event = _events.append(connection, actor, "version.register", name, number, detail=detail)
    row = {
        "model_id": model.id,
        "version": number,
        "digest": package.digest,
        "description": content.description,
        "parent_id": None if parent_row is None else parent_row.id,
        "created": event.time,
        "created_by": actor,
    }
    identity = connection.execute(_VERSION, row).scalar_one()
    connection.execute(t.manifests.insert(), {"version_id": identity, "manifest": package.text})
    connection.execute(_LAST, {"model": model.id, "last_version": number})
    files = [{"path": path, "sha256": file.sha256} for path, file in package.files.items()]
    tags = [{"key": key, "value": value} for key, value in content.tags.items()]
    metrics = [{"key": key, "value": value} for key, value in content.metrics.items()]
    for table, rows in ((t.files, files), (t.version_tags, tags), (t.metrics, metrics)):
        if rows:
            connection.execute(table.insert(), [{"version_id": identity, **each} for each in rows])
    return Version(
        name=name,
        version=number,
        digest=package.digest,
        description=content.description,
        tags=dict(content.tags),
        metrics=dict(content.metrics),
        aliases=(),
        parent=None if parent_row is None else str(ModelUri(parent_row.name, parent_row.version)),
        created=event.moment,
        created_by=actor,
        files=package.files,
        _manifest=package.text,
    )


def _find_parent(connection: Connection, name: str, parent: Version | str | int) -> Row[Any]:
    if isinstance(parent, Version):
        return find_version(connection, parent.name, parent.version)
    if isinstance(parent, str):
        uri = parse_uri(parent)
        if uri.version is None:
            raise InvalidArgument(f"[registry] expected a parent by its number, got {parent!r}")
        return find_version(connection, uri.name, uri.version)
    return find_version(connection, name, parent)


def insert_model(connection: Connection, actor: str, name: str, description: str) -> Row[Any]:
    """Add a model's row and event, and return the row. Numbers go on where an earlier model of that name ended."""
    used = select(func.max(t.events.c.version)).where(
        t.events.c.model == name, t.events.c.alias.is_(None), t.events.c.action == "version.register"
    )
    last = connection.execute(used).scalar() or 0
    event = _events.append(connection, actor, "model.create", name, detail={"description": description})
    row = {"name": name, "description": description, "last_version": last}
    connection.execute(t.models.insert().values(**row, created=event.time, created_by=actor))
    return connection.execute(select(t.models).where(t.models.c.name == name)).one()
