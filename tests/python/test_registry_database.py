"""The database behind the registry: its revisions, its transactions, its failures."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres_server import PostgresServer
from registry_models import linear
from sqlalchemy import inspect, select, text

from maas_engine.errors import FormatError, InvalidArgument, Overloaded, Unavailable, Unsupported
from maas_engine.package import Policy
from maas_engine.registry import Registry, _database, migrations
from maas_engine.registry import _tables as t
from maas_engine.registry._database import Database

# Python 3.12 warns of any fork with threads about.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as opened:
        yield opened


def test_the_revisions_make_the_tables_of_the_code(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, t.metadata) == []
        tables = set(inspect(connection).get_table_names())
        assert tables == set(t.metadata.tables) | {"alembic_version"}
        for name, table in t.metadata.tables.items():  # which Alembic does not compare
            key = inspect(connection).get_pk_constraint(name)
            assert key["constrained_columns"] == [column.name for column in table.primary_key]
            named = {each["name"] for each in inspect(connection).get_unique_constraints(name)}
            wanted = {
                str(each.name) for each in table.constraints if type(each).__name__ == "UniqueConstraint"
            }
            assert named == wanted
        assert migrations.revision(connection) == migrations.NEWEST
    assert max(migrations.known()) == migrations.NEWEST


def test_a_database_of_a_newer_engine_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    for _ in range(2):
        with pytest.raises(Unsupported, match="revision '9999': a newer engine made it"), database.read():
            pass
    database.close()


def test_opening_a_database_of_the_newest_revision_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    program = f"""
import sys
from maas_engine.registry._database import Database
with Database({url!r}).read():
    print("alembic" in sys.modules)
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert told == ["True", "False"]


def open_at_once(url: str, barrier: threading.Barrier) -> None:
    barrier.wait(60)
    with Database(url).read() as connection:
        assert connection.execute(select(t.head)).one().sequence == 0


def test_a_new_database_opened_by_many_processes_at_once(database_url: str) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(8)
    processes = [context.Process(target=open_at_once, args=(database_url, barrier)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 8


def test_a_transaction_that_fails_leaves_nothing(registry: Registry) -> None:
    def fail() -> None:
        with registry.database.write() as connection:
            connection.execute(t.head.update().values(sequence=7))
            raise KeyError("on the way")

    with pytest.raises(KeyError, match="on the way"):
        fail()
    assert registry.audit()


def test_a_read_sees_one_state(registry: Registry) -> None:
    registry.create_model("a")
    with registry.database.read() as connection:
        before = connection.execute(select(t.head.c.hash)).scalar_one()
        thread = threading.Thread(target=registry.create_model, args=("b",))
        thread.start()
        thread.join()
        assert connection.execute(select(t.head.c.hash)).scalar_one() == before
        assert connection.execute(select(t.models.c.name)).scalars().all() == ["a"]
    assert len(registry.models()) == 2


def test_a_forked_child_has_connections_of_its_own(registry: Registry) -> None:
    registry.create_model("a")
    parents = registry.database._open()
    child = os.fork()
    if child == 0:
        try:
            registry.create_model("b")
            own = registry.database._open() is not parents
            os._exit(0 if own and len(registry.models()) == 2 else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    registry.create_model("c")  # over the connection that the child left alone
    assert len(registry.models()) == 3
    assert registry.audit()


def test_a_writer_that_hangs_is_not_waited_for_forever(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "WAIT", 1)
    registry.create_model("a")
    registry.database.close()  # SQLite's connections carry the time
    with registry.database.write() as connection:
        connection.execute(select(t.head))
        with pytest.raises(Overloaded, match="busy for 1 s"):
            registry.create_model("b")
        assert [model.name for model in registry.models()] == ["a"]  # readers go on
    registry.create_model("b")


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "not a url", "://", "postgresql", "sqlite:///"]
)
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(InvalidArgument, match="expected"):
        Database(url)


def test_a_url_beside_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAAS_REGISTRY_STORE", raising=False)
    with pytest.raises(InvalidArgument, match="expected a store"):
        Registry("sqlite:////tmp/x.db", policy=Policy())


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database" * 100)
    with pytest.raises(FormatError, match="expected a registry's database"):
        Registry(tmp_path, policy=Policy()).models()


def test_a_file_of_other_tables_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "registry.db") as other:
        other.execute("CREATE TABLE models (x)")
        other.execute("INSERT INTO models VALUES (1)")
    other.close()
    with pytest.raises(FormatError, match="expected a registry's database"):
        Registry(tmp_path, policy=Policy()).models()
    with sqlite3.connect(tmp_path / "registry.db") as other:
        assert other.execute("SELECT * FROM models").fetchall() == [(1,)]
    other.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, Unavailable)):
        Registry(tmp_path / "file" / "registry", policy=Policy()).models()


def test_a_database_that_is_down_and_comes_back(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create_database()
    with Registry(url, str(tmp_path / "blobs"), cache=tmp_path / "cache", policy=Policy()) as registry:
        registry.register("a", linear(0))
        registry.set_alias("a", "champion", 1)
        registry.load("models:/a@champion")
        postgres_server.stop()
        try:
            with pytest.raises(Unavailable, match="does not serve") as caught:
                registry.register("a", linear(1))
            with pytest.raises(Unavailable):
                registry.load("models:/a/latest")  # which was never loaded here
            with pytest.warns(UserWarning, match="models:/a@champion is version 1, as of"):
                assert registry.load("models:/a@champion").to_bytes() == linear(0).to_bytes()
            with pytest.raises(Unavailable):
                registry.load("models:/a@champion", as_of="2026-01-31T09:00:00Z")
        finally:
            postgres_server.start()
        assert "Traceback" not in str(caught.value)
        assert registry.register("a", linear(1)).version == 2
        assert registry.audit()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://maas:sesame@127.0.0.1:1/none?application_name=test",
        "postgresql://127.0.0.1:1/none?application_name=test&password=sesame&sslpassword=sesame",
    ],
)
def test_a_password_is_not_told(url: str) -> None:
    database = Database(url)
    with pytest.raises(Unavailable) as caught, database.read():
        pass
    for told in (str(caught.value), str(database)):
        assert "sesame" not in told
        assert "application_name=test" in told
