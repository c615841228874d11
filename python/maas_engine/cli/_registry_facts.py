"""What a user calls a version or an alias, and what the registry then tells of it as plain data."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import Any

from maas_engine.errors import InvalidArgument

SCHEME = "models:/"


def is_version(ref: str) -> bool:
    """Whether a text means a version or an alias, and not a model by its name."""
    return ref.startswith(SCHEME) or "/" in ref or "@" in ref


def parse(ref: str) -> tuple[str, int | None, str | None]:
    """Name, number and alias of ``NAME/7``, ``NAME/latest`` (neither) or ``NAME@ALIAS``; ``models:/`` may lead."""
    from maas_engine.registry._uri import parse_uri

    if not is_version(ref):
        raise InvalidArgument(f"expected {ref}/NUMBER, {ref}/latest or {ref}@ALIAS, got {ref!r}")
    return parse_uri(uri(ref))


def uri(ref: str) -> str:
    """The URI that a reference stands for."""
    return ref if ref.startswith(SCHEME) else SCHEME + ref


def parse_alias(ref: str) -> tuple[str, str]:
    """Name and alias of ``NAME@ALIAS``."""
    name, _, alias = parse(ref)
    if alias is None:
        raise InvalidArgument(f"expected NAME@ALIAS, got {ref!r}")
    return name, alias


def find(registry: Any, ref: str, as_of: str | None = None) -> Any:
    """The version that a reference means now, or meant at a moment."""
    parse(ref)  # a bare name gets a hint of its own
    return registry.resolve(uri(ref), as_of)


def version_facts(version: Any) -> dict[str, Any]:
    """A version as plain data, without its manifest."""
    return {
        "name": version.name,
        "version": version.version,
        "uri": version.uri,
        "digest": version.digest,
        "aliases": list(version.aliases),
        "description": version.description,
        "tags": version.tags,
        "metrics": version.metrics,
        "parent": version.parent,
        "created": moment(version.created),
        "created_by": version.created_by,
        "signed": "model.sig" in version.files,
        "encrypted": "encryption.json" in version.files,
        "files": {name: entry._asdict() for name, entry in version.files.items()},
    }


def event_facts(event: Any) -> dict[str, Any]:
    """A change as plain data."""
    return {**event._asdict(), "time": moment(event.time)}


def model_facts(model: Any) -> dict[str, Any]:
    """A registered model as plain data."""
    return {**asdict(model), "created": moment(model.created)}


def token_facts(info: Any) -> dict[str, Any]:
    """A token as plain data, of which its text is no part."""
    known = info.to_dict()
    return {**known, **{key: moment(known[key]) for key in ("created", "expires", "revoked")}}


def moment(value: datetime.datetime | int | None) -> str | None:
    """A moment, or microseconds since 1970, as RFC 3339 text in UTC."""
    if value is None:
        return None
    if isinstance(value, int):
        epoch = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
        value = epoch + datetime.timedelta(microseconds=value)
    return value.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def without_caret(text: str) -> str:
    """An error of three lines (what is wrong, the filter, a caret under the place) as one."""
    lines = text.splitlines()
    if len(lines) != 3 or lines[2].strip() != "^":
        return text
    place = lines[2].index("^")
    return f"{lines[0]}, at {lines[1][place:][:40]!r}" if lines[1][place:] else f"{lines[0]}, at the end"
