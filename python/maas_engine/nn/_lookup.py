"""Objects of a module by the names that Keras gives them: ``"he_normal"``, ``"HeNormal"``, ``"l2"``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from maas_engine.errors import InvalidArgument

_Item = TypeVar("_Item")


def snake_case(name: str) -> str:
    """Return a class's name as Keras writes it in layers' names: LeakyReLU is leaky_re_lu."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def by_name(table: Mapping[str, _Item], name: str, what: str) -> _Item:
    """Return an entry of a table, or raise InvalidArgument naming those there are."""
    found = table.get(name, table.get(name.lower(), table.get(snake_case(name))))
    if found is None:
        raise InvalidArgument(f"[{what}] expected one of {', '.join(sorted(table))}, got {name!r}")
    return found


def absent(module: str, name: str, there: Iterable[str]) -> AttributeError:
    """Return the error for a name that a module does not have, as Keras might; it lists those it has."""
    short = module.removeprefix("maas_engine.")
    return AttributeError(f"{short} has no {name}; it has {', '.join(sorted(there))}")
