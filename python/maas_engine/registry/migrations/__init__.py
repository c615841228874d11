"""The database's revisions: which one it has, and how it comes to the newest. Alembic runs them."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from maas_engine.errors import FormatError, Unsupported
from maas_engine.registry._tables import metadata

NEWEST = "0002"

_FOLDER = Path(__file__).parent


def is_newest(connection: Connection) -> bool:
    """Whether the tables are those of this engine. Alembic is not loaded: nearly always they are.

    Raises
    ------
    Unsupported : the database is of a newer engine.
    """
    found = revision(connection)
    if found not in (None, NEWEST) and found not in known():
        raise Unsupported(
            f"[registry] expected a database of revision {NEWEST} or older, got revision {found!r}: a newer engine "
            "made it: pip install --upgrade maas_engine"
        )
    return found == NEWEST


def revision(connection: Connection) -> str | None:
    """Return the database's revision, None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def known() -> set[str]:
    """The revisions that this engine has."""
    names = (re.match(r"r(\d{4})_", path.name) for path in (_FOLDER / "versions").iterdir())
    return {match.group(1) for match in names if match}


def upgrade(connection: Connection, target: str = NEWEST) -> None:
    """Run the revisions up to ``target``, in the transaction that is open.

    Raises
    ------
    FormatError : tables of the same names are there, of another program.
    """
    from alembic import command
    from alembic.config import Config

    if revision(connection) is None:
        others = sorted(metadata.tables.keys() & inspect(connection).get_table_names())
        if others:
            raise FormatError(
                f"[registry] expected a registry's database or an empty one, got one with a table {others[0]!r} of "
                "another program"
            )
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
