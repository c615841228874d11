"""The tokens in a server's memory: how soon a change counts, and what happens without a database."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from sqlalchemy import update

from maas_engine.errors import PermissionDenied, Unavailable
from maas_engine.registry import Registry, _token_table
from maas_engine.registry import _tables as t
from maas_engine.registry._token_text import token_id

DENIED = "expected a token that is valid"


class Clock:
    """Time that a test moves, and a database that it takes down."""

    def __init__(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.down, self.readings = 1000.0, False, 0
        self._read = registry.database.read
        monkeypatch.setattr(_token_table.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(registry.database, "read", self._answer)

    def _answer(self) -> object:
        if self.down:
            raise Unavailable("no answer")
        self.readings += 1
        return self._read()


def test_table(registry: Registry) -> None:
    texts = {scope: registry.create_token(scope) for scope in ("predict:credit", "predict:*", "admin")}
    registry.revoke_token(token_id(registry.create_token("admin")))
    table = registry.token_table()
    for scope, text in texts.items():
        assert table.check(text, scope).scopes == (scope,)
    rows = {row.id: row for row in table.rows()}
    assert rows == {
        text[5:21]: (text[5:21], hashlib.sha256(text.encode()).digest(), (scope,), None)
        for scope, text in texts.items()
    }
    assert [row.id for row in table.rows()] == sorted(rows)


def test_revocation_counts_within_a_second(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = registry.create_token("predict:*")
    table = registry.token_table()
    clock = Clock(registry, monkeypatch)
    table.check(text, "predict:credit")
    registry.revoke_token(token_id(text))
    clock.now += 0.6  # the rest of the second is for the reading
    with pytest.raises(PermissionDenied, match=DENIED):
        table.check(text, "predict:credit")


def test_new_token_counts_within_a_second(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    table = small_registry.token_table()
    clock = Clock(small_registry, monkeypatch)
    assert table.rows() == []
    text = small_registry.create_token("admin")
    clock.now += 0.6
    assert [row.id for row in table.rows()] == [token_id(text)]
    assert table.check(text, "admin").id == token_id(text)


def test_table_reads_no_more_than_it_says(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small_registry.create_token("admin")
    table = small_registry.token_table()
    clock = Clock(small_registry, monkeypatch)
    for _ in range(1000):  # in 1.2 seconds
        table.check(text, "admin")
        clock.now += 0.0012
    assert clock.readings == 3


def test_threads_share_a_table(small_registry: Registry) -> None:
    good, ended = small_registry.create_token("admin"), small_registry.create_token("admin")
    table = small_registry.token_table()
    table.check(ended, "admin")
    late = time.monotonic() + 120
    refused, errors = [0.0] * 4, []

    def work(i: int) -> None:
        try:
            while not all(refused) and time.monotonic() < late:
                table.check(good, "admin")
                try:
                    table.check(ended, "admin")
                    assert refused[i] == 0.0, "let in after it was refused"
                except PermissionDenied:
                    refused[i] = refused[i] or time.monotonic()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    revoking = time.monotonic()
    small_registry.revoke_token(token_id(ended))
    for thread in threads:
        thread.join()
    assert not errors
    assert all(revoking < each for each in refused)  # how soon, a test with a clock of its own says


def test_database_down(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small_registry.create_token("admin")
    table = small_registry.token_table()
    clock = Clock(small_registry, monkeypatch)
    table.check(text, "admin")
    clock.down = True
    for _ in range(59):
        clock.now += 1
        table.check(text, "admin")
        assert len(table.rows()) == 1
    clock.now += 1.5
    for ask in (lambda: table.check(text, "admin"), table.rows):
        with pytest.raises(Unavailable, match="for 60 s"):
            ask()
    clock.down = False
    clock.now += 1
    table.check(text, "admin")


def test_database_down_from_the_start(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small_registry.create_token("admin")
    Clock(small_registry, monkeypatch).down = True
    with pytest.raises(Unavailable):
        small_registry.token_table().check(text, "admin")


def test_real_database_down(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(postgres_server.create_database(), str(tmp_path / "blobs"), cache=tmp_path / "cache")
    text = registry.create_token("admin")
    table = registry.token_table()
    clock = Clock(registry, monkeypatch)
    table.check(text, "admin")
    with registry.database.read() as connection:  # the server has no log on the disk to start again from
        connection.exec_driver_sql("CHECKPOINT")
    postgres_server.stop()
    try:
        for _ in range(3):
            clock.now += 0.6
            assert table.check(text, "admin").state == "active"
        with pytest.raises(Unavailable):
            registry.check_token(text, "admin")
    finally:
        postgres_server.start()
    registry.revoke_token(token_id(text))
    clock.now += 0.6
    with pytest.raises(PermissionDenied, match=DENIED):
        table.check(text, "admin")
    registry.close()


def test_a_late_thread_waits_for_the_new_reading(
    small_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = small_registry.create_token("admin")
    table = small_registry.token_table()
    monkeypatch.setattr(_token_table, "LATE", 30.0)  # a busy machine may take its time
    clock = Clock(small_registry, monkeypatch)
    table.check(text, "admin")
    small_registry.revoke_token(token_id(text))
    read, entered, go = small_registry.database.read, threading.Event(), threading.Event()

    def slow() -> object:
        entered.set()
        assert go.wait(30)
        return read()

    monkeypatch.setattr(small_registry.database, "read", slow)
    clock.now += _token_table.LATE + 0.05
    results: list[str] = []

    def ask() -> None:
        try:
            table.check(text, "admin")
            results.append("let in")
        except PermissionDenied:
            results.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.wait(30)
    time.sleep(0.05)
    go.set()
    for thread in threads:
        thread.join()
    assert results == ["refused"] * 3


def test_edited_by_hand(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends a token in the database itself ends it."""
    text = small_registry.create_token("admin")
    table = small_registry.token_table()
    clock = Clock(small_registry, monkeypatch)
    table.check(text, "admin")
    with small_registry.database.write() as connection:
        connection.execute(update(t.tokens).values(revoked=1))
    clock.now += 0.6
    for ask in (table.check, small_registry.check_token):
        with pytest.raises(PermissionDenied):
            ask(text, "admin")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_reads_for_itself(small_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small_registry.create_token("admin")
    table = small_registry.token_table()
    clock = Clock(small_registry, monkeypatch)
    table.check(text, "admin")
    small_registry.revoke_token(token_id(text))
    clock.now += _token_table.LATE + 0.05
    with table._lock:  # as if a thread were reading at this very moment
        child = os.fork()
        if child == 0:
            status = 1
            try:
                table.check(text, "admin")
            except PermissionDenied:
                status = 0
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
