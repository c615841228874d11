"""The audit finds what was changed in the database behind the registry's back, and says where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_models import linear
from sqlalchemy import delete, insert, select, text, update

from maas_engine.errors import FormatError
from maas_engine.package import Policy
from maas_engine.registry import MetricThreshold, Registry, Signed, _events
from maas_engine.registry import _tables as t

HEX = "0" * 64


def fill(registry: Registry) -> None:
    """Make every kind of change."""
    registry.create_model("a", description="first", tags={"team": "risk"})
    for seed in range(3):
        registry.register("a", linear(seed), tags={"n": str(seed)}, metrics={"auc": seed / 3})
    registry.register("b", linear(3), parent="models:/a/1")
    registry.set_alias("a", "champion", 1, reason="first")
    registry.set_alias("a", "champion", 2)
    registry.rollback("a", "champion")
    registry.set_alias("b", "old", 1)
    registry.delete_alias("b", "old")
    registry.protect_alias("a", "champion", [MetricThreshold("auc", ">=", 0.8)])
    registry.protect_alias("b", "next", [Signed()])
    registry.unprotect_alias("b", "next")
    registry.delete_version("a", 3)
    registry.set_tag("a", "n", "9", version=2)
    registry.delete_tag("a", "team")
    registry.set_tag("b", "x", "1")
    registry.set_description("a", "changed")
    registry.set_description("a", "changed", version=1)
    registry.add_metrics("a", 1, {"loss": 0.1})
    registry.create_token("predict:a", description="laptop")
    registry.revoke_token(registry.list_tokens()[0].id)
    registry.create_token("admin", expires_in=60.0)
    registry.register("gone", linear(4))
    registry.delete_model("gone")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "registry"
    with Registry(folder, cache=folder / "cache", actor="ann", policy=Policy()) as registry:
        fill(registry)
    return folder


@pytest.fixture
def busy(filled: Path, tmp_path: Path) -> Iterator[Registry]:
    """A registry of its own in which every kind of change was made."""
    folder = shutil.copytree(filled, tmp_path / "copy")
    with Registry(folder, cache=folder / "cache", actor="ann", policy=Policy()) as registry:
        yield registry


def change(registry: Registry, *statements: Any) -> None:
    with registry.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement) if isinstance(statement, str) else statement)


def test_a_registry_left_alone_is_whole(busy: Registry) -> None:
    report = busy.audit()
    assert report.whole, report.problems
    assert report
    assert report.first_broken is None
    assert report.entries == len(busy.history())
    assert report.head == busy.history()[-1].hash
    assert busy.audit(expected_head=report.head)
    assert busy.audit(expected_head=_events.FIRST_HASH)


def test_both_databases(registry: Registry) -> None:
    fill(registry)
    report = registry.audit()
    assert report.whole, report.problems
    assert report.head == registry.history()[-1].hash
    change(registry, update(t.metrics).where(t.metrics.c.key == "loss").values(value=0.01))
    assert registry.audit().problems == (
        "metric 'loss' of 'a' version 1: expected 0.1, as the log says, got 0.01",
    )
    change(registry, update(t.events).where(t.events.c.sequence == 5).values(actor="mallory"))
    assert registry.audit().first_broken == 5
    change(registry, delete(t.events).where(t.events.c.sequence == 3))
    assert registry.audit().first_broken == 3


def test_an_empty_registry_is_whole(registry: Registry) -> None:
    report = registry.audit()
    assert (report.whole, report.entries, report.head) == (True, 0, HEX)


COLUMNS = {
    "time": 1,
    "actor": "mallory",
    "action": "alias.delete",
    "model": "b",
    "version": 1,
    "alias": "champion",
    "detail": '{"a":1}',
    "hash": "f" * 64,
}


@pytest.mark.parametrize("column", COLUMNS)
def test_an_edited_entry_is_named(busy: Registry, column: str) -> None:
    change(busy, update(t.events).where(t.events.c.sequence == 5).values({column: COLUMNS[column]}))
    report = busy.audit()
    assert (report.whole, report.first_broken, report.entries) == (False, 5, 4)
    assert report.problems[0].startswith("entry 5: expected the hash of its content")


@pytest.mark.parametrize(
    "detail", ["", "[]", "null", "{", '{"a": 1}', '{"a":1,"a":1}', "[" * 100_000, '"\\ud800"']
)
def test_a_detail_that_is_no_canonical_json_is_named(busy: Registry, detail: str) -> None:
    change(busy, update(t.events).where(t.events.c.sequence == 2).values(detail=detail))
    assert busy.audit().first_broken == 2


@pytest.mark.parametrize("detail", ["", "[]", "{", "[" * 100_000])
def test_a_history_that_cannot_be_read_says_to_audit_it(busy: Registry, detail: str) -> None:
    change(busy, update(t.events).where(t.events.c.sequence == 2).values(detail=detail))
    with pytest.raises(FormatError, match=r"entry 2 of the history: .* audit it"):
        busy.history()


def test_spaces_in_a_detail_are_found(busy: Registry) -> None:
    detail = json.dumps(busy.history()[1].detail, sort_keys=True)
    change(busy, update(t.events).where(t.events.c.sequence == 2).values(detail=detail))
    assert busy.audit().first_broken == 2


def test_a_removed_entry_is_named(busy: Registry) -> None:
    change(busy, delete(t.events).where(t.events.c.sequence == 3))
    report = busy.audit()
    assert report.first_broken == 3
    assert report.problems == ("expected entry 3, got 4: entries are missing, or moved",)


def test_the_first_entry_removed(busy: Registry) -> None:
    change(busy, delete(t.events).where(t.events.c.sequence == 1))
    assert busy.audit().first_broken == 1


def test_a_removed_entry_with_the_rest_moved_up_is_named(busy: Registry) -> None:
    # One by one: SQLite checks the key row by row.
    moves = [
        f"UPDATE events SET sequence = {n} WHERE sequence = {n + 1}" for n in range(3, busy.audit().entries)
    ]
    change(busy, "DELETE FROM events WHERE sequence = 3", *moves, "UPDATE head SET sequence = sequence - 1")
    assert busy.audit().first_broken == 3


def test_an_inserted_entry_is_named(busy: Registry) -> None:
    last = busy.history()[-1]
    row = {**last._asdict(), "sequence": last.sequence + 1, "detail": "{}"}
    change(busy, insert(t.events).values(row))
    assert busy.audit().first_broken == last.sequence + 1
    fields = {**row, "detail": {}}
    del fields["hash"]
    # Well chained, yet the head does not know it.
    hash = _events.chain(last.hash, fields)
    change(busy, update(t.events).where(t.events.c.sequence == last.sequence + 1).values(hash=hash))
    report = busy.audit()
    assert report.first_broken == last.sequence + 2
    assert "head" in report.problems[0]


def test_entries_in_another_order_are_named(busy: Registry) -> None:
    change(
        busy,
        "UPDATE events SET sequence = -1 WHERE sequence = 6",
        "UPDATE events SET sequence = 6 WHERE sequence = 7",
        "UPDATE events SET sequence = 7 WHERE sequence = -1",
    )
    assert busy.audit().first_broken == 6


def test_a_log_cut_off_is_found_by_its_head(busy: Registry) -> None:
    entries = busy.audit().entries
    change(busy, delete(t.events).where(t.events.c.sequence > entries - 2))
    report = busy.audit()
    assert report.first_broken == entries - 1
    assert "removed" in report.problems[0]


@pytest.mark.parametrize(
    "damage", ["DELETE FROM head", "UPDATE head SET sequence = 1", f"UPDATE head SET hash = '{HEX}'"]
)
def test_a_damaged_head_is_found(busy: Registry, damage: str) -> None:
    change(busy, damage)
    assert not busy.audit()


def test_a_log_cut_off_with_its_head_is_found_by_who_kept_an_earlier_one(registry: Registry) -> None:
    registry.create_model("a")
    early = registry.audit().head
    registry.set_description("a", "")  # changes no table
    kept = registry.audit().head
    first = registry.history()[0]
    change(
        registry,
        delete(t.events).where(t.events.c.sequence == 2),
        update(t.head).values(sequence=1, time=first.time, hash=first.hash),
    )
    assert registry.audit()
    assert registry.audit(expected_head=early)
    report = registry.audit(expected_head=kept)
    assert not report
    assert "cut off" in report.problems[0]


def test_a_log_written_anew_is_found_by_who_kept_a_head(busy: Registry) -> None:
    kept, previous = busy.audit().head, _events.FIRST_HASH
    statements: list[Any] = []
    for event in busy.history():
        fields = {**event._asdict(), "actor": "mallory" if event.sequence == 4 else event.actor}
        del fields["hash"]
        previous = _events.chain(previous, fields)
        statements.append(
            update(t.events)
            .where(t.events.c.sequence == event.sequence)
            .values(actor=fields["actor"], hash=previous)
        )
    change(busy, *statements, update(t.head).values(hash=previous))
    assert "version 3" not in str(busy.audit().problems)  # which is deleted
    assert busy.audit(expected_head=kept).problems[0].startswith(f"expected an entry of hash {kept}")


@pytest.mark.parametrize(
    "action", ["alias.set", "version.register", "token.revoke", "model.delete", "version.tag"]
)
def test_a_log_of_nonsense_well_chained(small_registry: Registry, action: str) -> None:
    with small_registry.database.write() as connection:
        _events.append(connection, "mallory", action, "nothing", 1, "a", {"files": 1, "parent": 2})
    report = small_registry.audit()
    assert report.first_broken == 1
    assert report.problems == ("entry 1: expected a change of what was there then, got another",)


def version_id(registry: Registry, name: str, version: int) -> int:
    query = (
        select(t.versions.c.id).join(t.models).where(t.models.c.name == name, t.versions.c.version == version)
    )
    with registry.database.read() as connection:
        return int(connection.execute(query).scalar_one())


TABLES: dict[str, tuple[Callable[[Registry], Any], str]] = {
    "alias moved": (
        lambda r: update(t.aliases).values(version_id=version_id(r, "a", 2)),
        "alias 'champion' of 'a': expected 1, as the log says, got 2",
    ),
    "alias to another model": (
        lambda r: update(t.aliases).values(version_id=version_id(r, "b", 1)),
        "alias 'champion' of 'a': expected 1, as the log says, got \"version 1 of 'b'\"",
    ),
    "alias removed": (
        lambda r: delete(t.aliases),
        "alias 'champion' of 'a': expected 1, as the log says, got nothing",
    ),
    "alias made": (
        lambda r: insert(t.aliases).from_select(
            ["model_id", "alias", "version_id"],
            select(t.versions.c.model_id, text("'new'"), t.versions.c.id).where(t.versions.c.version == 2),
        ),
        "alias 'new' of 'a': expected nothing, as the log says, got 2",
    ),
    "gates eased": (
        lambda r: update(t.protections).values(gates="[]"),
        "gates of alias 'champion' of 'a': expected ",
    ),
    "digest": (lambda r: update(t.versions).values(digest="f" * 64), "version of 'a' version 1: expected ("),
    "manifest": (lambda r: update(t.manifests).values(manifest="{}"), "version of 'a' version 1: expected ("),
    "creator": (
        lambda r: update(t.versions).values(created_by="bob"),
        "version of 'a' version 1: expected (",
    ),
    "created": (lambda r: update(t.models).values(created=1), "model of 'a': expected ("),
    "parent": (lambda r: update(t.versions).values(parent_id=None), "version of 'b' version 1: expected ("),
    "number": (
        lambda r: update(t.versions).where(t.versions.c.version == 2).values(version=7),
        "version of 'a' version 2: expected (",
    ),
    "name": (
        lambda r: update(t.models).where(t.models.c.name == "b").values(name="c"),
        "model of 'b': expected (",
    ),
    "numbers given": (
        lambda r: update(t.models).where(t.models.c.name == "a").values(last_version=2),
        "numbers given of 'a': expected 3, as the log says, got 2",
    ),
    "description": (
        lambda r: update(t.models).where(t.models.c.name == "a").values(description="x"),
        "description of 'a': expected 'changed', as the log says, got 'x'",
    ),
    "description of a version": (
        lambda r: update(t.versions).where(t.versions.c.version == 2).values(description="x"),
        "description of 'a' version 2: expected '', as the log says, got 'x'",
    ),
    "tag": (
        lambda r: update(t.version_tags).where(t.version_tags.c.value == "9").values(value="8"),
        "tag 'n' of 'a' version 2: expected '9', as the log says, got '8'",
    ),
    "tag of a model": (
        lambda r: delete(t.model_tags),
        "tag 'x' of 'b': expected '1', as the log says, got nothing",
    ),
    "metric": (
        lambda r: update(t.metrics).where(t.metrics.c.key == "loss").values(value=0.01),
        "metric 'loss' of 'a' version 1: expected 0.1, as the log says, got 0.01",
    ),
    "file": (
        lambda r: delete(t.files).where(t.files.c.path == "model.onnx"),
        "file 'model.onnx' of 'a' version 1: expected",
    ),
    "token revived": (lambda r: update(t.tokens).values(revoked=None), "token '"),
    "token forged": (lambda r: update(t.tokens).values(secret_hash="f" * 64), "token '"),
    "token of more scopes": (lambda r: update(t.tokens).values(scopes='["admin"]'), "token '"),
    "token of longer life": (
        lambda r: update(t.tokens).where(t.tokens.c.expires.is_not(None)).values(expires=2**60),
        "token '",
    ),
    "token removed": (lambda r: delete(t.tokens), "token '"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_changed_alone_disagrees_with_the_log(busy: Registry, name: str) -> None:
    statement, expected = TABLES[name]
    change(busy, statement(busy))
    report = busy.audit()
    assert not report
    assert report.first_broken is None
    assert any(problem.startswith(expected) for problem in report.problems), report.problems


def test_a_package_whose_file_was_swapped_in_the_database_does_not_load(busy: Registry) -> None:
    """The audit finds it, and loading does not wait for an audit."""
    other = busy.get_version("b", 1).files["model.onnx"].sha256
    mine = version_id(busy, "a", 1)
    change(
        busy,
        update(t.files)
        .where(t.files.c.version_id == mine, t.files.c.path == "model.onnx")
        .values(sha256=other),
    )
    with pytest.raises(ValueError, match=r"model\.onnx"):
        busy.load("models:/a/1")
    assert not busy.audit()
