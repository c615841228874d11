"""The database behind the registry: SQLite or PostgreSQL, one transaction a change."""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from maas_engine.errors import FormatError, InvalidArgument, MaasError, Overloaded, Unavailable, Unsupported
from maas_engine.registry import _tables as t
from maas_engine.registry import migrations

WAIT = 30  # seconds for another process's write

_WRITES, _LASTING = "maas_writes", "maas_lasting"
_SECRET = re.compile(r"password|secret", re.IGNORECASE)  # in the name of an option of the URL
_MIGRATION_LOCK = 0x6D616173  # PostgreSQL's advisory lock: "maas"


class Database:
    """Connections to one database, opened when first used. Threads may share it; a forked child makes its own.

    As text it is its URL without passwords.

    Parameters
    ----------
    url : str or sqlalchemy.URL
        Of SQLite or PostgreSQL.

    Raises
    ------
    InvalidArgument : not such a URL.
    Unsupported : from the first use: no driver, or a database written by a newer engine.
    FormatError : from the first use: a file that is no database.
    Unavailable : no answer. Overloaded : locked for `WAIT` seconds.
    """

    def __init__(self, url: str | URL) -> None:
        self._url = _check_url(url)
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        _all.add(self)

    def __str__(self) -> str:
        shown = {key: "***" if _SECRET.search(key) else value for key, value in self._url.query.items()}
        return self._url.set(query=shown).render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A transaction that changes it: whole or not at all, one at a time over all processes.

        It is on the disk at the end; one that need not be ``lasting`` may be lost in a power cut, with nothing that
        came after it kept.
        """
        with self._transaction(writes=True, lasting=lasting) as connection:
            if connection.dialect.name != "sqlite":  # which BEGIN IMMEDIATE has locked
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT}s'")
                if not lasting:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                connection.execute(select(t.head.c.id).with_for_update())
            yield connection

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    @contextmanager
    def _transaction(self, writes: bool, lasting: bool = True) -> Iterator[Connection]:
        try:
            engine = self._open()
            with engine.connect() as connection:
                connection = connection.execution_options(**{_WRITES: writes, _LASTING: lasting})
                if engine.dialect.name != "sqlite" and not writes:
                    connection = connection.execution_options(
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                with connection.begin():
                    yield connection
        except (DatabaseError, InterfaceError) as error:
            explained = self._explain(error)
            if explained is None:
                raise
            raise explained from error
        except PoolTimeout:
            raise Overloaded(f"[registry] too many threads at once: no connection for {WAIT} s") from None

    def _explain(self, error: DBAPIError) -> MaasError | None:
        text = (str(error.orig).strip() or type(error).__name__).splitlines()[0]
        if "not a database" in text or "malformed" in text:
            return FormatError(
                f"[registry] expected a registry's database at {self}, got another file: {text}"
            )
        if not isinstance(error, (OperationalError, InterfaceError)):
            return None
        if "locked" in text or "busy" in text or "lock timeout" in text:
            return Overloaded(f"[registry] the database was busy for {WAIT} s: {text}")
        return Unavailable(f"[registry] the database {self} does not serve: {text}")

    def _open(self) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._lock:
            if self._engine is None:
                self._engine = self._create()
            return self._engine

    def _create(self) -> Engine:
        sqlite = self._url.get_backend_name() == "sqlite"
        try:
            if sqlite:
                Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
                engine = create_engine(self._url, connect_args={"timeout": WAIT})
                event.listen(engine, "connect", _prepare_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
            else:
                engine = create_engine(self._url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        except ImportError as error:
            raise Unsupported(
                f"[registry] {self} needs {error.name}: pip install 'maas_engine[postgresql]'"
            ) from None
        try:
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine


def _check_url(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidArgument(
            "[registry] expected a database URL like sqlite:///FILE, got another text"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise InvalidArgument(f"[registry] expected a database of sqlite or postgresql, got {backend!r}")
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidArgument(
            "[registry] expected a file for SQLite: connections do not share a database in memory"
        )
    return parsed


def _prepare_sqlite(connection: Any, record: Any) -> None:
    del record
    connection.isolation_level = None  # the driver begins nothing: _begin_sqlite does
    cursor = connection.cursor()
    # Readers go on beside a writer; a commit is on the disk when it returns.
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _switch_to_wal(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Switch a new file over. SQLite does not wait here for another process that does the same."""
    until = time.monotonic() + WAIT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # Without FULL the log is written and not flushed; whoever flushes it next, flushes all of it.
    level = "FULL" if options.get(_LASTING, True) else "NORMAL"
    if connection.info.setdefault("synchronous", "FULL") != level:
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        connection.info["synchronous"] = level
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES, False) else "BEGIN")


def _migrate(engine: Engine) -> None:
    """Bring the tables up to date: one process does, others wait and find it done."""
    with engine.connect() as connection, connection.begin():
        if migrations.is_newest(connection):
            return
    with engine.connect() as connection:
        connection = connection.execution_options(**{_WRITES: True})
        with connection.begin():
            if engine.dialect.name != "sqlite":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            if not migrations.is_newest(connection):
                migrations.upgrade(connection)


_all: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[Engine] = []


def _forget_connections() -> None:
    """In a forked child: leave the parent's connections alone; closing them here would end them there."""
    for database in _all:
        database._lock = threading.Lock()
        if database._engine is not None:
            _inherited.append(database._engine)
        database._engine = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)
