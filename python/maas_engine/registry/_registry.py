"""The registry as users hold it: every part of it in one object."""

from __future__ import annotations

from maas_engine.registry._aliases import Aliases
from maas_engine.registry._audit import Auditing
from maas_engine.registry._compare import Comparing
from maas_engine.registry._garbage import Garbage
from maas_engine.registry._promotion import Promoting
from maas_engine.registry._protection import Protecting
from maas_engine.registry._register import Registering
from maas_engine.registry._resolve import Resolving
from maas_engine.registry._search import Searching
from maas_engine.registry._tokens import Tokens
from maas_engine.registry._versions import Versions


class Registry(
    Registering,
    Versions,
    Aliases,
    Protecting,
    Searching,
    Comparing,
    Promoting,
    Resolving,
    Auditing,
    Tokens,
    Garbage,
):
    """Models by name and version: immutable content, movable aliases, a history that proves itself whole.

    Parameters
    ----------
    url : str or path, optional
        A folder (SQLite inside), or an SQLAlchemy URL of SQLite or PostgreSQL. Default: the environment's
        MAAS_REGISTRY, else ``~/.maas_engine/registry``.
    store : str, optional
        Where the files lie, content-addressed: a folder or any URL of fsspec (``s3://bucket/prefix``). Default:
        MAAS_REGISTRY_STORE, else ``blobs`` in the folder.
    cache : path, optional
        Local copies of what was loaded; at most ``cache_limit`` bytes. Default: MAAS_CACHE, else
        ``~/.maas_engine/cache``.
    actor : str, optional
        Who acts, for the history. Default: MAAS_ACTOR, else the user's name.
    policy : Policy, optional
        What a package must prove before it is loaded. Default: `Policy.from_environment`.

    Notes
    -----
    Threads and processes may share a registry. Every change is one transaction with one event in the history.
    """
