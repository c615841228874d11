"""Where a registry lies: its database, its store of blobs, its cache; and who acts."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL

from maas_engine.errors import InvalidArgument
from maas_engine.package import Policy
from maas_engine.registry._cache import Cache
from maas_engine.registry._checks import check_key
from maas_engine.registry._database import Database
from maas_engine.registry._store import Store

if TYPE_CHECKING:
    from typing_extensions import Self

CACHE_LIMIT = 10 * 2**30  # bytes


class RegistryBase:
    """What every part of `Registry` stands on."""

    def __init__(
        self,
        url: str | os.PathLike[str] | None = None,
        store: str | None = None,
        *,
        cache: str | os.PathLike[str] | None = None,
        cache_limit: int = CACHE_LIMIT,
        actor: str | None = None,
        policy: Policy | None = None,
    ) -> None:
        given = os.fspath(url) if url is not None else os.environ.get("MAAS_REGISTRY") or _home("registry")
        store = store or os.environ.get("MAAS_REGISTRY_STORE")
        place: str | URL = str(given)
        if "://" not in str(given):
            folder = Path(given).absolute()
            place = URL.create("sqlite", database=str(folder / "registry.db"))  # with any letters in it
            store = store or str(folder / "blobs")
        if store is None:
            raise InvalidArgument("[registry] expected a store beside a database's URL: a folder or s3://…")
        self.database = Database(place)
        self.store = Store(store)
        self.cache = Cache(cache or os.environ.get("MAAS_CACHE") or _home("cache"), cache_limit)
        self.actor = check_key("who acts", actor or os.environ.get("MAAS_ACTOR") or _user())
        self.policy = policy if policy is not None else Policy.from_environment()

    def __repr__(self) -> str:
        return f"<Registry {self.database}, files in {self.store}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()


def _home(name: str) -> Path:
    return Path.home() / ".maas_engine" / name


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return f"uid {os.getuid()}"
