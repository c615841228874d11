"""The database behind the registry: SQLite or PostgreSQL, one transaction a change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from maas_engine.errors import InvalidArgument, Overloaded, Unavailable
from maas_engine.registry import _tables as t

WAIT = 30  # seconds for another process's write

_WRITES = "maas_writes"


class Database:
    """Connections to one database, opened when first used. Threads may share it; a forked child makes its own.

    Parameters
    ----------
    url : str
        An SQLAlchemy URL of SQLite or PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError:
            raise InvalidArgument(
                "[registry] expected a database URL like sqlite:///FILE, got another text"
            ) from None
        if self._url.get_backend_name() not in ("sqlite", "postgresql"):
            raise InvalidArgument(
                f"[registry] expected sqlite or postgresql, got {self._url.get_backend_name()!r}"
            )
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def __str__(self) -> str:
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes it: whole or not at all, one at a time over all processes."""
        with self._transaction(writes=True) as connection:
            if connection.dialect.name != "sqlite":  # which BEGIN IMMEDIATE has locked
                connection.execute(select(t.head.c.id).with_for_update())
            yield connection

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Connection]:
        try:
            with self._open().connect() as connection:
                connection = connection.execution_options(**{_WRITES: writes})
                with connection.begin():
                    yield connection
        except (OperationalError, InterfaceError) as error:
            raise self._explain(error) from error

    def _explain(self, error: DBAPIError) -> Exception:
        text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error).__name__
        if "locked" in text or "busy" in text:
            return Overloaded(f"[registry] the database was busy for {WAIT} s: {text}")
        return Unavailable(f"[registry] no answer from the database {self}: {text}")

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._create()
            return self._engine

    def _create(self) -> Engine:
        if self._url.get_backend_name() == "sqlite":
            if self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(self._url, connect_args={"timeout": WAIT})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(self._url, pool_pre_ping=True)
        _create_tables(engine)
        return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    del record
    connection.isolation_level = None  # the driver begins nothing: _begin_sqlite does
    cursor = connection.cursor()
    # Readers go on beside a writer; a commit is on the disk when it returns.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _create_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        connection = connection.execution_options(**{_WRITES: True})
        with connection.begin():
            t.metadata.create_all(connection)
            if connection.execute(select(t.head.c.id)).first() is None:
                connection.execute(t.head.insert().values(id=1, sequence=0, time=0, hash="0" * 64))
