"""API tokens: what they look like, whom they let in, and that nothing keeps their text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from maas_engine.errors import InvalidArgument, NotFound, PermissionDenied
from maas_engine.registry import Registry, _token_check
from maas_engine.registry import _tables as t
from maas_engine.registry._token_text import PATTERN, new_token, token_id

DENIED = "expected a token that is valid"


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


@pytest.fixture(params=["database", "table"])
def check(request: pytest.FixtureRequest, small_registry: Registry) -> Check:
    """Both ways to ask; the table reads anew each time."""
    if request.param == "database":
        return small_registry.check_token
    return lambda text, scope: small_registry.token_table().check(text, scope)


SCOPES = [
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
]


def test_scopes(small_registry: Registry, check: Check) -> None:
    for scopes, scope, good in SCOPES:
        text = small_registry.create_token(scopes)
        if good:
            assert check(text, scope).id == token_id(text)
        else:
            with pytest.raises(PermissionDenied, match=f"a token for '{re.escape(scope)}', got one for"):
                check(text, scope)


NO_SCOPES = ["", "predict", "predict:", "predict:**", "predict:a*", "predict: a", "Admin", "admin ", "root", "*",
             "predict:a\n", "predict:'; DROP TABLE tokens;--", "admin:*", None, 7]  # fmt: skip


def test_no_scope(small_registry: Registry, check: Check) -> None:
    text = small_registry.create_token("admin")
    for scope in NO_SCOPES:
        with pytest.raises(InvalidArgument):
            small_registry.create_token([scope])  # type: ignore[list-item]
        with pytest.raises(InvalidArgument):
            check(text, scope)  # type: ignore[arg-type]
    for scopes in ("", [], ["predict:x"] * 101):
        with pytest.raises(InvalidArgument):
            small_registry.create_token(scopes)


def test_no_life(small_registry: Registry) -> None:
    for life in (0, -1, True, float("nan"), float("inf"), 1e12, timedelta(0), "1 day"):
        with pytest.raises(InvalidArgument, match="expires_in"):
            small_registry.create_token("admin", expires_in=life)  # type: ignore[arg-type]
    assert small_registry.list_tokens() == []


def test_expired(small_registry: Registry, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small_registry.create_token("admin", expires_in=timedelta(minutes=1))
    expires = check(text, "admin").expires
    assert expires is not None
    table = small_registry.token_table()
    table.check(text, "admin")
    monkeypatch.setattr(_token_check._events, "now", lambda: expires - 1)
    check(text, "admin")
    monkeypatch.setattr(_token_check._events, "now", lambda: expires)
    for ask in (check, table.check):  # also between two readings
        with pytest.raises(PermissionDenied, match=DENIED):
            ask(text, "admin")
    assert table.rows() == []
    assert [info.state for info in small_registry.list_tokens()] == ["expired"]


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


def test_wrong_tokens_get_one_message(small_registry: Registry, check: Check) -> None:
    text = small_registry.create_token("admin")
    for kind, wrong in wrong_tokens(text).items():
        with pytest.raises(PermissionDenied) as caught:
            check(wrong, "admin")  # type: ignore[arg-type]
        assert str(caught.value) == "[token] expected a token that is valid, got another text", kind
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


def test_compares_in_constant_time(
    small_registry: Registry, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = small_registry.create_token("admin")
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


def test_revoke_what_is_not_there(registry: Registry) -> None:
    text = registry.create_token("admin")
    for id in ("", "0" * 16, "' OR '1'='1", None, 3, "a\0b", "\ud800"):
        with pytest.raises(NotFound, match="public id"):
            registry.revoke_token(id)  # type: ignore[arg-type]
    registry.check_token(text, "admin")


def test_the_text_is_nowhere(
    small_registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    text = small_registry.create_token("predict:credit", description="shop")
    table = small_registry.token_table()
    shown = [
        repr(small_registry),
        repr(table),
        repr(table.rows()),
        str(small_registry.list_tokens()),
        repr(vars(table)),
    ]
    shown.append(repr(small_registry.list_tokens()[0].to_dict()))
    tries = [
        lambda: table.check(text, "admin"),
        lambda: small_registry.check_token(text, "admin"),
        lambda: small_registry.check_token(text[:-1], "admin"),
        lambda: small_registry.revoke_token(text),
        lambda: small_registry.revoke_token(text[5:21], reason=f"it was {text}"),
        lambda: small_registry.create_token("admin", description=f"like {text}"),
        lambda: small_registry.create_token(text),
        lambda: small_registry.check_token(text, text),
        lambda: token_id(text + "x"),
    ]
    for attempt in tries:
        with pytest.raises((PermissionDenied, NotFound, InvalidArgument)) as caught:
            attempt()
        shown.append(f"{caught.value!r} {caught.value} {caught.value.__cause__!r}")
    small_registry.revoke_token(text[5:21])
    small_registry.close()
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
