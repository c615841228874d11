"""Models and versions: what there is, what is written on them, and how they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, select, update

from maas_engine._faults import point
from maas_engine.errors import Conflict, NotFound
from maas_engine.registry import _checks, _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._register import insert_model
from maas_engine.registry._uri import LATEST, check_alias, check_name, check_version
from maas_engine.registry._version import (
    RegisteredModel,
    Version,
    build,
    build_models,
    find_alias,
    find_model,
    find_version,
    select_versions,
)


class Versions(RegistryBase):
    """Models and their versions."""

    def create_model(
        self,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> RegisteredModel:
        """Make a model without versions. `register` does so by itself.

        Raises
        ------
        Conflict : there is one of that name.
        """
        check_name(name)
        _checks.check_description(description)
        checked = _checks.check_tags(tags)
        with self.database.write() as connection:
            if connection.execute(select(t.models.c.id).where(t.models.c.name == name)).first() is not None:
                raise Conflict(f"[registry] expected a new name, got {name!r}, which is registered")
            row = insert_model(connection, self.actor, name, description)
            for key, value in checked.items():
                detail = {"key": key, "value": value}
                _events.append(connection, self.actor, "model.tag", name, detail=detail)
                _put(connection, t.model_tags, t.model_tags.c.model_id, row.id, key, value)
            return build_models(connection, [row])[0]

    def models(self) -> list[RegisteredModel]:
        """Return all models, by name."""
        with self.database.read() as connection:
            rows = connection.execute(select(t.models).order_by(t.models.c.name)).all()
            return build_models(connection, rows)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a model.

        Raises
        ------
        NotFound : there is none of that name.
        """
        check_name(name)
        with self.database.read() as connection:
            return build_models(connection, [find_model(connection, name)])[0]

    def delete_model(self, name: str, *, reason: str = "") -> None:
        """Delete a model with all its versions. Their numbers are never given again, also not to a new model.

        Raises
        ------
        NotFound : there is none of that name.
        Conflict : it has aliases, or a version of another model was made from one of its.
        """
        check_name(name)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            model = find_model(connection, name)
            pointing = select(t.aliases.c.alias).where(t.aliases.c.model_id == model.id)
            alias = connection.execute(pointing.order_by(t.aliases.c.alias)).scalar()
            if alias is not None:
                raise Conflict(
                    f"[registry] expected {name!r} without aliases, got {alias!r}: delete it first"
                )
            rows = connection.execute(
                select_versions()
                .where(t.versions.c.model_id == model.id)
                .order_by(t.versions.c.version.desc())
            ).all()
            children = select_versions().where(
                t.versions.c.parent_id.in_(select(t.versions.c.id).where(t.versions.c.model_id == model.id)),
                t.versions.c.model_id != model.id,
            )
            _refuse_children(f"{name!r}", connection.execute(children.limit(1)).first())
            owned = update(t.versions).where(t.versions.c.model_id == model.id)
            connection.execute(owned.values(parent_id=None))
            for row in rows:
                _delete_version(connection, self.actor, row, reason)
            _events.append(connection, self.actor, "model.delete", name, detail={"reason": reason})
            connection.execute(delete(t.model_tags).where(t.model_tags.c.model_id == model.id))
            connection.execute(delete(t.protections).where(t.protections.c.model_id == model.id))
            connection.execute(delete(t.models).where(t.models.c.id == model.id))
            point("delete_model.before_commit")

    def get_version(self, name: str, version_or_alias: int | str = LATEST) -> Version:
        """Return a version: by its number, by an alias, or the newest.

        Raises
        ------
        NotFound : no such model, version or alias.
        """
        check_name(name)
        wanted = version_or_alias
        if isinstance(wanted, str) and wanted != LATEST and not wanted.isdecimal():
            check_alias(wanted)
            with self.database.read() as connection:
                return build(connection, [find_alias(connection, name, wanted)])[0]
        number = None if wanted == LATEST else check_version(wanted)
        with self.database.read() as connection:
            return build(connection, [find_version(connection, name, number)])[0]

    def versions(self, name: str) -> list[Version]:
        """Return all versions of a model, the newest first.

        Raises
        ------
        NotFound : no such model.
        """
        check_name(name)
        with self.database.read() as connection:
            model = find_model(connection, name)
            query = select_versions().where(t.versions.c.model_id == model.id)
            return build(connection, connection.execute(query.order_by(t.versions.c.version.desc())).all())

    def delete_version(self, name: str, version: int | str, *, reason: str = "") -> None:
        """Delete a version. Its number is never given again; its files go with `collect_garbage`.

        Raises
        ------
        NotFound : no such version.
        Conflict : an alias points to it, or another version was made from it.
        """
        check_name(name)
        number = check_version(version)
        _checks.check_reason(reason)
        with self.database.write() as connection:
            row = find_version(connection, name, number)
            pointing = select(t.aliases.c.alias).where(t.aliases.c.version_id == row.id)
            alias = connection.execute(pointing.order_by(t.aliases.c.alias)).scalar()
            if alias is not None:
                raise Conflict(
                    f"[registry] expected version {number} of {name!r} without aliases, got {alias!r}: move it first"
                )
            children = select_versions().where(t.versions.c.parent_id == row.id)
            _refuse_children(f"version {number} of {name!r}", connection.execute(children.limit(1)).first())
            _delete_version(connection, self.actor, row, reason)
            point("delete_version.before_commit")

    def set_description(self, name: str, description: str, *, version: int | str | None = None) -> None:
        """Describe a model, or one of its versions."""
        _checks.check_description(description)
        with self._annotate("describe", name, version, {"description": description}) as (connection, row):
            table = t.models if version is None else t.versions
            connection.execute(update(table).where(table.c.id == row.id).values(description=description))

    def set_tag(self, name: str, key: str, value: str, *, version: int | str | None = None) -> None:
        """Put a tag on a model, or on one of its versions; an earlier value goes."""
        _checks.check_tag(key, value)
        with self._annotate("tag", name, version, {"key": key, "value": value}) as (connection, row):
            table, owner = _tags(version)
            _put(connection, table, owner, row.id, key, value)

    def delete_tag(self, name: str, key: str, *, version: int | str | None = None) -> None:
        """Take a tag from a model, or from one of its versions.

        Raises
        ------
        NotFound : it has no such tag.
        """
        _checks.check_key("a tag's name", key)
        with self._annotate("untag", name, version, {"key": key}) as (connection, row):
            table, owner = _tags(version)
            done = connection.execute(delete(table).where(owner == row.id, table.c.key == key))
            if done.rowcount == 0:
                raise NotFound(f"[registry] expected a tag of {name!r}, got {key!r}")

    def add_metrics(self, name: str, version: int | str, metrics: Mapping[str, float]) -> None:
        """Put metrics on a version; earlier ones of the same names go."""
        checked = _checks.check_metrics(metrics)
        with self._annotate("metrics", name, version, {"metrics": checked}) as (connection, row):
            for key, value in checked.items():
                _put(connection, t.metrics, t.metrics.c.version_id, row.id, key, value)

    @contextmanager
    def _annotate(
        self, what: str, name: str, version: int | str | None, detail: dict[str, Any]
    ) -> Iterator[tuple[Connection, Row[Any]]]:
        """A transaction on the row of a model, or of a version, with its event."""
        check_name(name)
        number = None if version is None else check_version(version)
        with self.database.write() as connection:
            row = find_model(connection, name) if number is None else find_version(connection, name, number)
            action = f"{'model' if number is None else 'version'}.{what}"
            _events.append(connection, self.actor, action, name, number, detail=detail)
            yield connection, row
            point("annotate.before_commit")


def _tags(version: int | str | None) -> tuple[Table, Column[Any]]:
    if version is None:
        return t.model_tags, t.model_tags.c.model_id
    return t.version_tags, t.version_tags.c.version_id


def _put(
    connection: Connection, table: Table, owner: Column[Any], identity: int, key: str, value: object
) -> None:
    connection.execute(delete(table).where(owner == identity, table.c.key == key))
    connection.execute(table.insert(), {owner.name: identity, "key": key, "value": value})


def _refuse_children(what: str, child: Row[Any] | None) -> None:
    if child is not None:
        raise Conflict(
            f"[registry] expected {what} without versions made from it, got version {child.version} of {child.name!r}"
        )


def _delete_version(connection: Connection, actor: str, row: Row[Any], reason: str) -> None:
    detail = {"digest": row.digest, "reason": reason}
    _events.append(connection, actor, "version.delete", row.name, row.version, detail=detail)
    for table in (t.manifests, t.files, t.version_tags, t.metrics):
        connection.execute(delete(table).where(table.c.version_id == row.id))
    connection.execute(delete(t.versions).where(t.versions.c.id == row.id))
