"""Names of models, aliases and versions, and the URIs that join them; MLflow's rules."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from maas_engine.errors import InvalidArgument

SCHEME = "models:/"
LATEST = "latest"
MAX_NAME = 255  # characters
MAX_VERSION = 2**31 - 1

_NAME = re.compile(r"[^\W_][\w.\- ]*", re.UNICODE)
_ALIAS = re.compile(r"[\w\-]+", re.ASCII)
_VERSION_ALIAS = re.compile(r"v\d+", re.IGNORECASE)


class ModelUri(NamedTuple):
    """``models:/name/7`` (a version), ``models:/name/latest`` (the newest) or ``models:/name@alias``.

    Exactly one of version and alias is given, or neither: the newest.
    """

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        if self.alias is not None:
            return f"{SCHEME}{self.name}@{self.alias}"
        return f"{SCHEME}{self.name}/{LATEST if self.version is None else self.version}"


def parse_uri(text: str) -> ModelUri:
    """Return the parts of a model's URI.

    Raises
    ------
    InvalidArgument : not of the three forms, or a name, alias or version that cannot be.
    """
    if not isinstance(text, str) or not text.startswith(SCHEME):
        raise InvalidArgument(
            f"[registry] expected a URI like {SCHEME}name@alias or {SCHEME}name/7, got {_short(text)}"
        )
    rest = text.removeprefix(SCHEME)
    name, slash, version = rest.rpartition("/")
    if slash:
        if version == LATEST:
            return ModelUri(check_name(name))
        return ModelUri(check_name(name), version=check_version(version))
    name, at, alias = rest.rpartition("@")
    if not at:
        raise InvalidArgument(
            f"[registry] expected a version or an alias, as in {SCHEME}name/latest, got {_short(text)}"
        )
    return ModelUri(check_name(name), alias=check_alias(alias))


def check_name(name: str) -> str:
    """Return a model's name that is well formed: a letter or digit, then also space, dot, dash and underscore.

    Case counts. Letters are in Unicode's form NFKC, so that no two names are the same letters in other bytes.
    """
    if (
        not isinstance(name, str)
        or len(name) > MAX_NAME
        or not _NAME.fullmatch(name)
        or name != name.strip()
        or not unicodedata.is_normalized("NFKC", name)
    ):
        raise InvalidArgument(
            "[registry] expected a model's name of plain letters, digits, '_', '-', '.' and inner spaces, at most "
            f"{MAX_NAME}, beginning with a letter or digit, got {_short(name)}"
        )
    return name


def check_alias(alias: str) -> str:
    """Return an alias that is well formed; 'latest' and 'v7' are reserved, in any case."""
    if not isinstance(alias, str) or len(alias) > MAX_NAME or not _ALIAS.fullmatch(alias):
        raise InvalidArgument(
            f"[registry] expected an alias of letters, digits, '_' and '-', got {_short(alias)}"
        )
    if alias.lower() == LATEST or _VERSION_ALIAS.fullmatch(alias):
        raise InvalidArgument(f"[registry] expected an alias that is not reserved, got {alias!r}")
    return alias


def check_version(version: int | str) -> int:
    """Return a version's number, 1 or larger, given as a number or as text."""
    text = str(version) if type(version) is int else version
    if (
        isinstance(text, str)
        and re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII)
        and int(text) <= MAX_VERSION
    ):
        return int(text)
    raise InvalidArgument(f"[registry] expected a version's number, 1 or larger, got {_short(version)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
