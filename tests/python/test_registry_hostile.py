"""Names, tags and texts of hostile users: kept as they are or refused, never run, never mixed up."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from registry_models import linear

from maas_engine.errors import InvalidArgument, MaasError, NotFound
from maas_engine.package import Policy
from maas_engine.registry import Registry
from maas_engine.registry._uri import parse_uri

INJECTIONS = [
    "x'; DROP TABLE models; --",
    'x" OR "1"="1',
    "x\\'; DELETE FROM events; --",
    "%",
    "_%",
    "x); ATTACH DATABASE '/tmp/x' AS y; --",
    ":name",
    "%(name)s",
    "{0}",
    "$1",
    "?",
]

NAMES = [
    "", " ", " a", "a ", "a\n", "a\x00", "-a", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b", "a@b", "a:b",
    "a\\b", "_a", "a\u202eb", "a\u200bb", "\ud800", "e\u0301", "\ufb01ne", "\uff43redit", "a\ta", "a" * 256,
    "a" * 10**6, 7, None, b"a",
]  # fmt: skip


@pytest.mark.parametrize("name", [*INJECTIONS, *NAMES], ids=lambda name: repr(name)[:20])
def test_names_that_cannot_be(small_registry: Registry, name: Any) -> None:
    for use in (
        lambda: small_registry.register(name, linear()),
        lambda: small_registry.create_model(name),
        lambda: small_registry.get_model(name),
        lambda: small_registry.get_version(name),
        lambda: small_registry.set_alias(name, "champion", 1),
        lambda: small_registry.set_tag(name, "a", "b"),
        lambda: small_registry.delete_model(name),
        lambda: small_registry.rollback(name, "champion"),
        lambda: small_registry.resolve(
            f"models:/{name}@champion/x" if name in (7, None) else f"models:/{name}/0"
        ),
    ):
        with pytest.raises(InvalidArgument) as caught:
            use()
        assert len(str(caught.value)) < 400
    assert small_registry.history() == []


@pytest.mark.parametrize("name", ["Ünïcode", "模型-1", "модель", "نموذج", "a.b-c_d e", "7", "a" * 255])
def test_names_of_every_language(registry: Registry, name: str) -> None:
    registry.register(name, linear(), description=f"{name} 🙂")
    registry.set_alias(name, "champion", 1, reason=name)
    assert registry.resolve(f"models:/{name}@champion").name == name
    assert registry.load(f"models:/{name}/1").to_bytes() == linear().to_bytes()
    assert registry.history(name)[-1].reason == name
    assert registry.audit()


def test_names_that_differ_by_case_are_two(registry: Registry) -> None:
    registry.register("credit", linear(0))
    registry.set_alias("credit", "champion", 1)
    for uri in ("models:/Credit/1", "models:/CREDIT@champion", "models:/credit@Champion"):
        with pytest.raises(NotFound):
            registry.resolve(uri)
    registry.register("Credit", linear(1))
    registry.set_alias("Credit", "champion", 1)
    registry.delete_alias("credit", "champion")
    registry.delete_model("credit")
    assert [model.name for model in registry.models()] == ["Credit"]
    assert registry.load("models:/Credit@champion").to_bytes() == linear(1).to_bytes()
    assert registry.audit()


def test_sql_in_texts_is_text(registry: Registry) -> None:
    tags, metrics = {text: text for text in INJECTIONS}, dict.fromkeys(INJECTIONS, 1.5)
    registry.register("a", linear(), tags=tags, metrics=metrics)
    assert registry.get_version("a").tags == tags
    assert registry.get_version("a").metrics == metrics
    for text in INJECTIONS:
        registry.actor = text
        registry.set_description("a", text, version=1)
        assert registry.get_version("a").description == text
        registry.set_tag("a", text, text)
        assert registry.get_model("a").tags[text] == text
        registry.set_alias("a", "champion", 1, reason=text)
        registry.delete_alias("a", "champion", reason=text)
        assert {(event.actor, event.reason) for event in registry.history("a", limit=2)} == {(text, text)}
        registry.delete_tag("a", text, version=1)
        assert text not in registry.get_version("a").tags
        for use in (
            lambda: registry.set_alias("a", text, 1),  # noqa: B023
            lambda: registry.resolve(f"models:/a/{text}"),  # noqa: B023
            lambda: registry.resolve(f"models:/a@{text}"),  # noqa: B023
            lambda: registry.history("a", text),  # noqa: B023
        ):
            with pytest.raises(InvalidArgument):
                use()
    assert registry.audit()


WRONG_ENTRIES: list[dict[str, Any]] = [
    {"tags": {"a": "x" * 2**20}},
    {"tags": {"a" * 256: "x"}},
    {"tags": {"": "x"}},
    {"tags": {"a\x00": "x"}},
    {"tags": {"a\nb": "x"}},
    {"tags": {"a": "x\x00"}},
    {"tags": {"a": "\ud800"}},
    {"tags": {"a": 1}},
    {"tags": {1: "a"}},
    {"tags": ["a"]},
    {"tags": {str(n): "" for n in range(1001)}},
    {"metrics": {"a": float("nan")}},
    {"metrics": {"a": float("inf")}},
    {"metrics": {"a": "1"}},
    {"metrics": {"a": None}},
    {"metrics": {"a": 10**400}},
    {"metrics": {"a": 1j}},
    {"metrics": {"": 1.0}},
    {"description": "x" * 2**20},
    {"description": "\x00"},
    {"description": 1},
    {"reason": "x" * 2**20},
    {"reason": "\udfff"},
]


@pytest.mark.parametrize("wrong", WRONG_ENTRIES, ids=lambda wrong: repr(wrong)[:30])
def test_entries_that_are_too_large_or_not_kept_by_both_databases(
    small_registry: Registry, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        small_registry.register("a", linear(), **wrong)
    assert len(str(caught.value)) < 600
    assert small_registry.history() == []


def test_the_largest_entries_are_kept(registry: Registry) -> None:
    largest = "🙂" * 16 * 1024
    registry.register(
        "a" * 255, linear(), tags={"k" * 255: largest}, description="🙂" * 64 * 1024, reason="r" * 4096
    )
    assert registry.get_version("a" * 255).tags == {"k" * 255: largest}
    registry.set_alias("a" * 255, "c" * 255, 1)
    registry.actor = "🙂" * 255
    registry.set_tag("a" * 255, "b", "")
    assert registry.audit()


@pytest.mark.parametrize("actor", ["", "a\x00", "x" * 256, "\ud800"])
def test_who_acts_is_checked(tmp_path: Any, actor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAAS_ACTOR", "env")
    if actor == "":
        assert Registry(tmp_path, actor=actor, policy=Policy()).actor == "env"
        return
    with pytest.raises(InvalidArgument, match="who acts"):
        Registry(tmp_path, actor=actor, policy=Policy())


@pytest.mark.parametrize(
    "text",
    ["", "models:", "models:/", "models://a/1", "models:/a", "models:/a/", "models:/a@", "models:/@b", "models:/a/b",
     "models:/a/1/2", "models:/a/0", "models:/a/-1", "models:/a/+1", "models:/a/1 ", "models:/a/٣", "models:/a/Latest",
     "models:/a/Production", "models:/a@latest", "models:/a@v1", "models:/a@b/1", "runs:/a/b", "Models:/a/1",
     "models:/../a/1", "models:/a/99999999999", "models:/a?x=1/1", "models:/a@b@c"],
)  # fmt: skip
def test_uris_that_cannot_be(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_uri(text)


@pytest.mark.parametrize(
    "text", ["models:/a/7", "models:/a b/latest", "models:/模型@champion-2", "models:/a.b/2147483647"]
)
def test_uris_are_written_as_they_are_read(text: str) -> None:
    assert str(parse_uri(text)) == text


def test_every_error_is_ours(small_registry: Registry) -> None:
    small_registry.register("a", linear())
    for value in (None, 1.5, [], {}, object(), "x", "", b"", float("nan")):
        for use in (
            lambda: small_registry.get_version("a", value),  # noqa: B023
            lambda: small_registry.resolve(value),  # noqa: B023
            lambda: small_registry.set_tag("a", value, value),  # noqa: B023
            lambda: small_registry.add_metrics("a", 1, value),  # noqa: B023
            lambda: small_registry.set_description("a", value, version=1),  # noqa: B023
            lambda: small_registry.delete_version("a", value),  # noqa: B023
            lambda: small_registry.history(value or 0),  # noqa: B023
            lambda: small_registry.audit(expected_head=value),  # noqa: B023
        ):
            with contextlib.suppress(MaasError):
                use()
    assert small_registry.audit()
