"""The tables as the events say they must be, and as they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from maas_engine.registry import _events
from maas_engine.registry import _tables as t
from maas_engine.registry._events import Event

# By model and version ("" and None where there is none), then by kind and name: the values.
Owner = tuple[str, int | None]
State = dict[Owner, dict[tuple[str, str | None], Any]]

_TOKENS: Owner = ("", None)
_NOWHERE: Owner = ("?", None)
_NUMBERS = "numbers given"  # the last one: kept when a model is deleted


class Replay:
    """Applies events in order."""

    def __init__(self) -> None:
        self.state: State = {}

    def apply(self, event: Event) -> None:
        """Do to the state what the event did to the tables. Events that change no table are nothing here."""
        change = _CHANGES.get(event.action)
        if change is not None:
            change(self.state, event)

    def differences(self, tables: State) -> Iterator[str]:
        """Say where tables are otherwise than the events made them."""
        for owner in sorted(self.state.keys() | tables.keys(), key=str):
            said, found = self.state.get(owner, {}), tables.get(owner, {})
            if list(said) == [(_NUMBERS, None)]:  # of a model that was deleted
                said = {}
            if said == found:
                continue
            for key in sorted(said.keys() | found.keys(), key=str):
                if key not in said or key not in found or said[key] != found[key]:
                    expected, got = _short(said, key), _short(found, key)
                    yield f"{_name(owner, key)}: expected {expected}, as the log says, got {got}"


def _name(owner: Owner, key: tuple[str, str | None]) -> str:
    (model, version), (kind, name) = owner, key
    parts = [kind] if name is None else [kind, repr(name)]
    if model:
        parts += ["of", repr(model)] if version is None else ["of", f"{model!r} version {version}"]
    return " ".join(parts)


def _short(values: dict[tuple[str, str | None], Any], key: tuple[str, str | None]) -> str:
    text = repr(values[key]) if key in values else "nothing"
    return text if len(text) <= 120 else f"{text[:117]}..."


# --- what events do ------------------------------------------------------------------------------------


def _create_model(state: State, event: Event) -> None:
    values = state.setdefault((event.model, None), {(_NUMBERS, None): 0})
    values["model", None] = (event.time, event.actor)
    values["description", None] = event.detail["description"]


def _delete_model(state: State, event: Event) -> None:
    values = state[event.model, None]
    state[event.model, None] = {(_NUMBERS, None): values[_NUMBERS, None]}


def _register(state: State, event: Event) -> None:
    detail = event.detail
    state[event.model, None][_NUMBERS, None] = event.version
    parent = None if detail["parent"] is None else tuple(detail["parent"])
    values = state[event.model, event.version] = {
        ("version", None): (event.time, event.actor, detail["digest"], parent),
        ("description", None): detail["description"],
    }
    for kind, entries in (("file", "files"), ("tag", "tags"), ("metric", "metrics")):
        values |= {(kind, name): value for name, value in detail[entries].items()}


def _delete_version(state: State, event: Event) -> None:
    state.pop((event.model, event.version), None)


def _describe(state: State, event: Event) -> None:
    _values(state, event)["description", None] = event.detail["description"]


def _tag(state: State, event: Event) -> None:
    _values(state, event)["tag", event.detail["key"]] = event.detail["value"]


def _untag(state: State, event: Event) -> None:
    _values(state, event).pop(("tag", event.detail["key"]), None)


def _measure(state: State, event: Event) -> None:
    for name, value in event.detail["metrics"].items():
        _values(state, event)["metric", name] = value


def _set_alias(state: State, event: Event) -> None:
    state[event.model, None]["alias", event.alias] = event.version


def _delete_alias(state: State, event: Event) -> None:
    state[event.model, None].pop(("alias", event.alias), None)


def _protect(state: State, event: Event) -> None:
    state[event.model, None]["gates of alias", event.alias] = _events.canonical(event.detail["protected_by"])


def _unprotect(state: State, event: Event) -> None:
    state[event.model, None].pop(("gates of alias", event.alias), None)


def _create_token(state: State, event: Event) -> None:
    detail = event.detail
    content = (detail["secret"], detail["scopes"], detail["expires"], detail["description"], event.actor)
    state.setdefault(_TOKENS, {})["token", detail["id"]] = (*content, None)


def _revoke_token(state: State, event: Event) -> None:
    tokens = state[_TOKENS]
    tokens["token", event.detail["id"]] = (*tokens["token", event.detail["id"]][:-1], event.time)


def _values(state: State, event: Event) -> dict[tuple[str, str | None], Any]:
    return state[event.model, event.version]


_CHANGES: dict[str, Callable[[State, Event], None]] = {
    "model.create": _create_model,
    "model.delete": _delete_model,
    "model.describe": _describe,
    "model.tag": _tag,
    "model.untag": _untag,
    "version.register": _register,
    "version.delete": _delete_version,
    "version.describe": _describe,
    "version.tag": _tag,
    "version.untag": _untag,
    "version.metrics": _measure,
    "alias.set": _set_alias,
    "alias.delete": _delete_alias,
    "alias.protect": _protect,
    "alias.unprotect": _unprotect,
    "token.create": _create_token,
    "token.revoke": _revoke_token,
}


# --- the tables ----------------------------------------------------------------------------------------


def read_tables(connection: Connection) -> State:
    """Return what the tables hold."""
    state: State = {}
    models: dict[int, str] = {}
    for row in connection.execute(select(t.models)):
        models[row.id] = row.name
        state[row.name, None] = {
            (_NUMBERS, None): row.last_version,
            ("model", None): (row.created, row.created_by),
            ("description", None): row.description,
        }
    versions = _read_versions(connection, models, state)
    for row in connection.execute(select(t.aliases)):
        name, number = versions.get(row.version_id, _NOWHERE)
        model = models.get(row.model_id, "?")
        # An alias of one model on a version of another is no number.
        pointed: object = number if name == model else f"version {number} of {name!r}"
        state.setdefault((model, None), {})["alias", row.alias] = pointed
    for row in connection.execute(select(t.protections)):
        model = models.get(row.model_id, "?")
        state.setdefault((model, None), {})["gates of alias", row.alias] = row.gates
    for kind, table, key, value in (
        ("tag", t.model_tags, "key", "value"),
        ("file", t.files, "path", "sha256"),
        ("tag", t.version_tags, "key", "value"),
        ("metric", t.metrics, "key", "value"),
    ):
        for owner, name, content in connection.execute(select(table.c[0], table.c[key], table.c[value])):
            of = (models.get(owner, "?"), None) if table is t.model_tags else versions.get(owner, _NOWHERE)
            state.setdefault(of, {})[kind, name] = content
    for row in connection.execute(select(t.tokens)):
        secret = hashlib.sha256(row.secret_hash.encode()).hexdigest()
        content = (secret, json.loads(row.scopes), row.expires, row.description, row.created_by)
        state.setdefault(_TOKENS, {})["token", row.id] = (*content, row.revoked)
    return state


def _read_versions(connection: Connection, models: dict[int, str], state: State) -> dict[int, Owner]:
    """Add the versions to the state, and return their names and numbers by id."""
    ids = select(t.versions.c.id, t.versions.c.model_id, t.versions.c.version)
    versions = {row.id: (models.get(row.model_id, "?"), row.version) for row in connection.execute(ids)}
    query = select(t.versions, t.manifests.c.manifest).outerjoin(t.manifests)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        digest = row.digest
        if hashlib.sha256((row.manifest or "").encode()).hexdigest() != digest:
            digest += ", but another manifest"
        parent = None if row.parent_id is None else versions.get(row.parent_id, _NOWHERE)
        state[versions[row.id]] = {
            ("version", None): (row.created, row.created_by, digest, parent),
            ("description", None): row.description,
        }
    return versions
