"""Registering: a package is proven, its files go into the store, and a version appears in one transaction."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, update

from maas_engine._faults import point
from maas_engine.errors import Conflict, InvalidArgument
from maas_engine.model import Model
from maas_engine.package import Package, open_package
from maas_engine.package._write import pack
from maas_engine.registry import _blobs, _checks, _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._uri import check_name, parse_uri
from maas_engine.registry._version import File, Version, build, find_version, select_versions

_ATTEMPTS = 3  # an upload that outlives its lease may be collected, and begins again


class _Content(NamedTuple):
    """What becomes a version: checked, and its files known by digest."""

    package: Package
    files: dict[str, File]
    description: str
    tags: dict[str, str]
    metrics: dict[str, float]
    reason: str

    @property
    def sizes(self) -> dict[str, int]:
        return {file.sha256: file.size for file in self.files.values()}


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
        with _packed(name, source, X_reference) as (folder, digest):
            package = open_package(folder, self.policy, digest)
            content = _Content(
                package=package,
                files=_files(package),
                description=description or _checks.check_description(package.manifest.description),
                tags=checked_tags,
                metrics=_checks.check_metrics(package.manifest.metrics) | checked_metrics,
                reason=reason,
            )
            return self._register(name, content, parent)

    def _register(self, name: str, content: _Content, parent: Version | str | int | None) -> Version:
        paths = content.package.files()
        by_digest = {file.sha256: paths[path] for path, file in content.files.items()}
        for _ in range(_ATTEMPTS):
            point("register.begin")
            with self.database.write() as connection:
                missing, lease = _blobs.claim(connection, content.sizes)
            point("register.claimed")
            if missing:
                self.store.put_all({sha256: by_digest[sha256] for sha256 in sorted(missing)})
            point("register.uploaded")
            with self.database.write() as connection:
                if _blobs.confirm(connection, content.sizes, lease):
                    number = _insert(connection, self.actor, name, content, parent)
                    point("register.inserted")
                    rows = connection.execute(
                        select_versions().where(t.models.c.name == name, t.versions.c.version == number)
                    ).all()
                    version = build(connection, rows)[0]
                else:
                    version = None
            if version is not None:
                point("register.committed")
                return version
        raise Conflict(
            f"[registry] the upload took longer than its lease {_ATTEMPTS} times: nothing is registered"
        )


@contextmanager
def _packed(
    name: str, source: Package | Model | str | os.PathLike[str], X_reference: Any
) -> Iterator[tuple[Path, str | None]]:
    """A package's folder, and its digest where that is known, for as long as the context lasts."""
    if isinstance(source, (str, os.PathLike)) and not os.path.isdir(source):
        source = Model.load(source)
    if isinstance(source, Model):
        with tempfile.TemporaryDirectory(prefix="maas-register-") as temporary:
            for file, data in pack(source, X_reference, name).parts.items():
                Path(temporary, file).write_bytes(data)  # the store keeps what must last
            yield Path(temporary), None
        return
    if X_reference is not None:
        raise InvalidArgument("[registry] expected X_reference with a model only: a package has its own")
    if isinstance(source, Package):
        yield source.path, source.digest
    elif isinstance(source, (str, os.PathLike)):
        yield Path(source), None
    else:
        raise InvalidArgument(
            "[registry] expected a package, its folder, a Model (an estimator's to_model()) or the path of an ONNX "
            f"file, got {type(source).__name__}"
        )


def _files(package: Package) -> dict[str, File]:
    """The files of a folder by name. Those that the manifest lists were hashed when the package was verified."""
    listed = {} if package.encrypted else package.manifest.files
    files = {}
    for name, path in package.files().items():
        if name in listed:
            files[name] = File(listed[name].sha256, listed[name].size)
        else:
            files[name] = _hash(path)
    return files


def _hash(path: Path) -> File:
    hasher, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(2**20):
            hasher.update(piece)
            size += len(piece)
    return File(hasher.hexdigest(), size)


def _insert(
    connection: Connection,
    actor: str,
    name: str,
    content: _Content,
    parent: Version | str | int | None,
) -> int:
    """Add the rows of a version, and of its model if it is new; return the version's number."""
    model = connection.execute(select(t.models).where(t.models.c.name == name)).first()
    parent_row = None if parent is None else _find_parent(connection, name, parent)
    if model is None:
        model = insert_model(connection, actor, name, "")
    number = model.last_version + 1
    package, files = content.package, {path: file.sha256 for path, file in content.files.items()}
    detail = {
        "digest": package.digest,
        "description": content.description,
        "files": files,
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
    identity = connection.execute(t.versions.insert().values(row).returning(t.versions.c.id)).scalar_one()
    manifest = package.manifest.to_bytes().decode()
    connection.execute(t.manifests.insert().values(version_id=identity, manifest=manifest))
    connection.execute(update(t.models).where(t.models.c.id == model.id).values(last_version=number))
    for table, column, entries in (
        (t.files, "path", files),
        (t.version_tags, "key", content.tags),
        (t.metrics, "key", content.metrics),
    ):
        value = "sha256" if table is t.files else "value"
        if entries:
            rows = [{"version_id": identity, column: key, value: each} for key, each in entries.items()]
            connection.execute(table.insert(), rows)
    return int(number)


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
