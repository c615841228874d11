"""API tokens: what they look like, whom they let in, and that nothing keeps their text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from maas_engine.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from maas_engine.registry import Registry, _token_check, _token_table
from maas_engine.registry import _tables as t
from maas_engine.registry._token_text import PATTERN, new_token, token_id

DENIED = "expected a token that is valid"


@pytest.fixture
def registry(database_url: str, tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(database_url, str(tmp_path / "blobs"), cache=tmp_path / "cache", actor="ann")
    yield registry
    registry.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Registry]:
    """On SQLite alone, for what has nothing to do with a database."""
    registry = Registry(tmp_path / "registry", cache=tmp_path / "cache", actor="ann")
    yield registry
    registry.close()


Check = Callable[[str, str], _token_check.TokenInfo]


def test_made_checked_revoked(registry: Registry) -> None:
    text = registry.create_token(["predict:credit", "predict:risk"], description="the shop")
    info = registry.check_token(text, "predict:credit")
    assert registry.list_tokens() == [info]
    assert (info.scopes, info.description, info.created_by) == (
        ("predict:credit", "predict:risk"),
        "the shop",
        "ann",
    )
    assert (info.state, info.expires, info.revoked) == ("active", None, None)
    ended = registry.revoke_token(info.id, reason="a laptop was lost")
    assert ended.state == "revoked"
    assert ended.revoked is not None
    assert ended.revoked >= info.created
    with pytest.raises(PermissionDenied, match=DENIED):
        registry.check_token(text, "predict:credit")
    assert registry.list_tokens() == [ended]
    assert registry.revoke_token(info.id) == ended  # and no second event
    with registry.database.read() as connection:
        rows = connection.execute(t.events.select().order_by(t.events.c.sequence)).all()
    assert [row.action for row in rows] == ["token.create", "token.revoke"]
    assert "a laptop was lost" in rows[1].detail


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


def test_revocation_counts_within_a_second(registry: Registry) -> None:
    text = registry.create_token("predict:*")
    table = registry.token_table()
    table.check(text, "predict:credit")
    registry.revoke_token(token_id(text))
    time.sleep(0.9)  # of which the table may take what it needs
    with pytest.raises(PermissionDenied, match=DENIED):
        table.check(text, "predict:credit")


def test_new_token_counts_within_a_second(small: Registry) -> None:
    table = small.token_table()
    assert table.rows() == []
    text = small.create_token("admin")
    late = time.monotonic() + 1
    while not table.rows():
        assert time.monotonic() < late
        time.sleep(0.01)
    assert table.check(text, "admin").id == token_id(text)


def test_table_reads_no_more_than_it_says(small: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin")
    readings = []
    read = small.database.read
    monkeypatch.setattr(small.database, "read", lambda: readings.append(0) or read())
    table = small.token_table()
    begun = time.monotonic()
    while time.monotonic() < begun + 1.2:
        table.check(text, "admin")
    assert 2 <= len(readings) <= 3


def test_threads_share_a_table(small: Registry) -> None:
    good, ended = small.create_token("admin"), small.create_token("admin")
    table = small.token_table()
    table.check(ended, "admin")
    late = time.monotonic() + 1.2
    refused, errors = [0.0] * 4, []

    def work(i: int) -> None:
        try:
            while time.monotonic() < late:
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
    revoked = time.monotonic()
    small.revoke_token(token_id(ended))
    for thread in threads:
        thread.join()
    assert not errors
    assert all(revoked < each < revoked + 1 for each in refused)


class Clock:
    """Time that a test moves, and a database that it takes down."""

    def __init__(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.down = 1000.0, False
        self._read = registry.database.read
        monkeypatch.setattr(_token_table.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(registry.database, "read", self._answer)

    def _answer(self) -> object:
        if self.down:
            raise Unavailable("no answer")
        return self._read()


def test_database_down(small: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin")
    table = small.token_table()
    clock = Clock(small, monkeypatch)
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


def test_database_down_from_the_start(small: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin")
    Clock(small, monkeypatch).down = True
    with pytest.raises(Unavailable):
        small.token_table().check(text, "admin")


def test_real_database_down(postgres_server: object, tmp_path: Path) -> None:
    server = postgres_server
    registry = Registry(server.create_database(), str(tmp_path / "blobs"), cache=tmp_path / "cache")  # type: ignore[attr-defined]
    text = registry.create_token("admin")
    table = registry.token_table()
    table.check(text, "admin")
    with registry.database.read() as connection:  # the server has no log on the disk to start again from
        connection.exec_driver_sql("CHECKPOINT")
    server.stop()  # type: ignore[attr-defined]
    try:
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            assert table.check(text, "admin").state == "active"
        with pytest.raises(Unavailable):
            registry.check_token(text, "admin")
    finally:
        server.start()  # type: ignore[attr-defined]
    registry.revoke_token(token_id(text))
    time.sleep(0.6)
    with pytest.raises(PermissionDenied, match=DENIED):
        table.check(text, "admin")
    registry.close()


def test_a_late_thread_waits_for_the_new_reading(small: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin")
    table = small.token_table()
    table.check(text, "admin")
    small.revoke_token(token_id(text))
    read, entered, go = small.database.read, threading.Event(), threading.Event()

    def slow() -> object:
        entered.set()
        assert go.wait(5)
        return read()

    monkeypatch.setattr(small.database, "read", slow)
    time.sleep(_token_table.LATE + 0.05)
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
    assert entered.wait(5)
    time.sleep(0.05)
    go.set()
    for thread in threads:
        thread.join()
    assert results == ["refused"] * 3


@pytest.fixture(params=["database", "table"])
def check(request: pytest.FixtureRequest, small: Registry) -> Check:
    """Both ways to ask; the table reads anew each time."""
    if request.param == "database":
        return small.check_token
    return lambda text, scope: small.token_table().check(text, scope)


@pytest.mark.parametrize(
    ("scopes", "scope", "good"),
    [
        ("predict:credit", "predict:credit", True),
        ("predict:credit", "predict:credi", False),
        ("predict:credit", "predict:credit2", False),
        ("predict:credit", "predict:Credit", False),
        ("predict:credit", "predict:*", False),
        ("predict:credit", "admin", False),
        ("predict:*", "predict:credit", True),
        ("predict:*", "predict:*", True),
        ("predict:*", "admin", False),
        ("predict:admin", "admin", False),
        ("admin", "admin", True),
        ("admin", "predict:credit", True),
        (["predict:a", "predict:b"], "predict:b", True),
    ],
)
def test_scopes(small: Registry, check: Check, scopes: str, scope: str, good: bool) -> None:
    text = small.create_token(scopes)
    if good:
        assert check(text, scope).id == token_id(text)
    else:
        with pytest.raises(PermissionDenied, match=f"expected a token for '{re.escape(scope)}', got one for"):
            check(text, scope)


@pytest.mark.parametrize(
    "scope",
    ["", "predict", "predict:", "predict:**", "predict:a*", "predict: a", "Admin", "admin ", "root", "predict:a\n",
     "predict:'; DROP TABLE tokens;--", "*", "admin:*", None, 7],
)  # fmt: skip
def test_no_scope(small: Registry, check: Check, scope: str) -> None:
    with pytest.raises(InvalidArgument):
        small.create_token([scope])
    text = small.create_token("admin")
    with pytest.raises(InvalidArgument):
        check(text, scope)


@pytest.mark.parametrize("scopes", ["", [], ["predict:x"] * 101])
def test_number_of_scopes(small: Registry, scopes: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        small.create_token(scopes)


@pytest.mark.parametrize("life", [0, -1, True, float("nan"), float("inf"), 1e12, timedelta(0), "1 day"])
def test_no_life(small: Registry, life: float) -> None:
    with pytest.raises(InvalidArgument, match="expires_in"):
        small.create_token("admin", expires_in=life)


def test_expired(small: Registry, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin", expires_in=timedelta(minutes=1))
    expires = check(text, "admin").expires
    assert expires is not None
    table = small.token_table()
    table.check(text, "admin")
    monkeypatch.setattr(_token_check._events, "now", lambda: expires - 1)
    check(text, "admin")
    monkeypatch.setattr(_token_check._events, "now", lambda: expires)
    for ask in (check, table.check):  # also between two readings
        with pytest.raises(PermissionDenied, match=DENIED):
            ask(text, "admin")
    assert table.rows() == []
    assert [info.state for info in small.list_tokens()] == ["expired"]


def wrong_tokens(text: str) -> dict[str, object]:
    id, other = text[5:21], new_token()[1]
    forged = _forged(id)
    return {
        "forged, of a known id": forged,
        "forged, of an unknown id": other,
        "empty": "",
        "truncated": text[:-1],
        "without its end": text[:22],
        "longer": text + "A",
        "with a line's end": text + "\n",
        "in capitals": text.upper(),
        "two letters swapped": text[:30] + text[31] + text[30] + text[32:]
        if text[30] != text[31]
        else text[:30] + "-" + text[31:],
        "the id of another": text[:5] + other[5:21] + text[21:],
        "the kept hash": f"maas_{id}_{hashlib.sha256(text.encode()).hexdigest()[:48]}",
        "SQL": "maas_' OR '1'='1_" + text[22:],
        "other letters": text.replace(text[-1], "é"),
        "huge": "maas_" + "a" * 10_000_000,
        "bytes": text.encode(),
        "nothing": None,
        "a list": [text],
    }


def _forged(id: str) -> str:
    """A text of the right form and checksum with an id of our choice: what an attacker writes."""
    secret = b"\x01" * 32
    checksum = zlib.crc32(f"maas_{id}_".encode() + secret).to_bytes(4, "big")
    return f"maas_{id}_" + base64.urlsafe_b64encode(secret + checksum).decode()


@pytest.mark.parametrize("kind", list(wrong_tokens(new_token()[1])))
def test_wrong_tokens_get_one_message(small: Registry, check: Check, kind: str) -> None:
    text = small.create_token("admin")
    with pytest.raises(PermissionDenied) as caught:
        check(wrong_tokens(text)[kind], "admin")  # type: ignore[arg-type]
    assert str(caught.value) == "[token] expected a token that is valid, got another text"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_slip_is_told_from_a_forgery() -> None:
    id, text = new_token()
    assert token_id(text) == id
    assert token_id(_forged(id)) == id  # well formed: only the registry knows that it is none
    for i in range(len(text)):
        for letter in "A0-":
            if letter != text[i]:
                with pytest.raises(InvalidArgument, match="missing, wrong or too many"):
                    token_id(text[:i] + letter + text[i + 1 :])
        with pytest.raises(InvalidArgument):
            token_id(text[:i] + text[i + 1 :])


def test_compares_in_constant_time(small: Registry, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.create_token("admin")
    compared = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(_token_check, "hmac", type("", (), {"compare_digest": staticmethod(compare)}))
    check(text, "admin")
    for wrong in (_forged(text[5:21]), new_token()[1]):  # also where no row has the id
        with pytest.raises(PermissionDenied):
            check(wrong, "admin")
    assert [len(a) for a, _ in compared] == [32] * 3
    assert [a == b for a, b in compared] == [True, False, False]


def test_edited_by_hand(small: Registry) -> None:
    """Whoever ends a token in the database itself ends it."""
    text = small.create_token("admin")
    table = small.token_table()
    table.check(text, "admin")
    with small.database.write() as connection:
        connection.execute(update(t.tokens).values(revoked=1))
    time.sleep(0.55)
    for ask in (table.check, small.check_token):
        with pytest.raises(PermissionDenied):
            ask(text, "admin")


@pytest.mark.parametrize("id", ["", "0" * 16, "' OR '1'='1", None, 3, "a\0b", "\ud800"])
def test_revoke_what_is_not_there(registry: Registry, id: str) -> None:
    text = registry.create_token("admin")
    with pytest.raises(NotFound, match="public id"):
        registry.revoke_token(id)
    registry.check_token(text, "admin")


def test_the_text_is_nowhere(small: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    text = small.create_token("predict:credit", description="shop")
    table = small.token_table()
    shown = [repr(small), repr(table), repr(table.rows()), str(small.list_tokens()), repr(vars(table))]
    shown.append(repr(small.list_tokens()[0].to_dict()))
    tries = [
        lambda: table.check(text, "admin"),
        lambda: small.check_token(text, "admin"),
        lambda: small.check_token(text[:-1], "admin"),
        lambda: small.revoke_token(text),
        lambda: small.revoke_token(text[5:21], reason=f"it was {text}"),
        lambda: small.create_token("admin", description=f"like {text}"),
        lambda: small.create_token(text),
        lambda: small.check_token(text, text),
        lambda: token_id(text + "x"),
    ]
    for attempt in tries:
        with pytest.raises((PermissionDenied, NotFound, InvalidArgument)) as caught:
            attempt()
        shown.append(f"{caught.value!r} {caught.value} {caught.value.__cause__!r}")
    small.revoke_token(text[5:21])
    small.close()
    shown.append(caplog.text)
    secret = text[22:]
    assert not [each for each in shown if secret in each or secret[:20] in each]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "registry.db" for path in files)
    for path in files:
        held = path.read_bytes()
        assert secret.encode() not in held
        assert PATTERN.search(held.decode("latin-1")) is None
        assert base64.urlsafe_b64decode(secret)[:32] not in held


def test_tokens_differ() -> None:
    texts = [new_token()[1] for _ in range(200)]
    assert len({text[5:21] for text in texts}) == len({text[22:] for text in texts}) == 200
    assert all(len(text) == 70 and PATTERN.fullmatch(text) for text in texts)
