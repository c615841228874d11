"""Protected aliases: what moves them, what does not, and what the history tells of both."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from promotion_models import GOOD, WORSE, X, Y, champion
from registry_models import linear
from sqlalchemy import insert, select, text, update

from maas_engine.errors import Conflict, FormatError, InvalidArgument, NotFound, PermissionDenied
from maas_engine.package import Policy
from maas_engine.registry import (
    BetterThanChampion,
    GateFailed,
    GateResult,
    MetricThreshold,
    Registry,
    Signed,
    migrations,
)
from maas_engine.registry import _tables as t

GATE = MetricThreshold("auc", ">=", 0.8)


@pytest.fixture
def protected(registry: Registry) -> Registry:
    """Two versions, of which the second alone passes the gate of the champion; the first is it."""
    registry.register("m", WORSE, metrics={"auc": 0.7})
    registry.register("m", GOOD, metrics={"auc": 0.9})
    registry.set_alias("m", "champion", 1)
    registry.protect_alias("m", "champion", [GATE], reason="rule 4")
    return registry


def test_only_a_promotion_moves_it(protected: Registry) -> None:
    assert protected.protections("m") == {"champion": [GATE]}
    said = r"alias 'champion' of 'm', which is protected by auc >= 0\.8: promote, or use force"
    for force, reason in ((False, ""), (False, "why"), (True, "")):
        with pytest.raises(PermissionDenied, match=said):
            protected.set_alias("m", "champion", 2, reason=reason, force=force)
        with pytest.raises(PermissionDenied, match=said):
            protected.delete_alias("m", "champion", reason=reason, force=force)
    protected.set_alias("m", "other", 2)
    assert champion(protected) == 1
    promotion = protected.promote("m", 2)
    assert [result.gate for result in promotion.results] == ["auc >= 0.8"]
    assert champion(protected) == 2
    assert protected.rollback("m", "champion", reason="drift") == 1
    assert protected.audit()


def test_a_promotion_cannot_leave_its_gates_out(protected: Registry) -> None:
    protected.set_alias("m", "champion", 2, reason="the first was wrong", force=True)
    for gates in ([], [MetricThreshold("auc", ">=", 0.1)], [GATE]):
        with pytest.raises(GateFailed) as caught:
            protected.promote("m", 1, gates=gates)
        found = [result.gate for result in caught.value.promotion.results]
        assert found == ["auc >= 0.8", *(["auc >= 0.1"] if gates and gates != [GATE] else [])]
    assert champion(protected) == 2
    protected.promote("m", 1, "candidate")


def test_force_shows_in_the_history(protected: Registry) -> None:
    protected.set_alias("m", "champion", 2, reason="outage 7", force=True)
    protected.delete_alias("m", "champion", reason="outage 8", force=True)
    protected.set_alias("m", "other", 1, reason="free", force=True)
    told = [(e.action, e.reason, e.detail.get("forced", False)) for e in protected.history("m") if e.alias]
    assert told == [
        ("alias.set", "", False),
        ("alias.protect", "rule 4", False),
        ("alias.set", "outage 7", True),
        ("alias.delete", "outage 8", True),
        ("alias.set", "free", False),  # nothing was gone around
    ]
    assert protected.protections("m") == {"champion": [GATE]}  # of the name, though it points nowhere
    with pytest.raises(PermissionDenied):
        protected.set_alias("m", "champion", 1)
    assert protected.audit()


def test_protected_anew_and_no_more(protected: Registry) -> None:
    gates = [Signed(), MetricThreshold("it's 100%", "<", 1 / 3)]
    protected.protect_alias("m", "champion", gates)
    protected.protect_alias("m", "next", [Signed()])  # which is not there yet
    assert protected.protections("m") == {"champion": gates, "next": [Signed()]}
    with pytest.raises(GateFailed):
        protected.promote("m", 2)
    protected.unprotect_alias("m", "champion", reason="no more")
    protected.set_alias("m", "champion", 2)
    assert protected.protections("m") == {"next": [Signed()]}
    with pytest.raises(NotFound, match="protected alias of 'm', got 'champion'"):
        protected.unprotect_alias("m", "champion")
    assert protected.audit()
    protected.delete_alias("m", "champion")
    protected.delete_model("m")
    protected.create_model("m")
    assert protected.protections("m") == {}
    assert protected.audit()


def test_what_cannot_be_kept(registry: Registry) -> None:
    registry.create_model("m")
    with pytest.raises(InvalidArgument, match="at least one gate"):
        registry.protect_alias("m", "champion", [])
    for gate in (BetterThanChampion("accuracy_score", X, Y), object(), GateResult("a", True, "b")):
        with pytest.raises(InvalidArgument, match="expected MetricThreshold or Signed"):
            registry.protect_alias("m", "champion", [gate])  # type: ignore[list-item]
    with pytest.raises(InvalidArgument):
        registry.protect_alias("m", "v7", [GATE])
    with pytest.raises(NotFound):
        registry.protect_alias("none", "champion", [GATE])
    with pytest.raises(NotFound):
        registry.protections("none")
    assert registry.protections("m") == {}
    assert registry.audit()


def test_gates_changed_while_others_judge(protected: Registry) -> None:
    class Meanwhile:
        def check(self, case: Any) -> GateResult:
            def change() -> None:
                protected.protect_alias("m", "champion", [Signed()])

            other = threading.Thread(target=change)
            other.start()
            other.join()
            return GateResult("meanwhile", True, "nothing")

    with pytest.raises(Conflict, match="changed meanwhile"):
        protected.promote("m", 2, gates=[Meanwhile()])
    assert champion(protected) == 1


@pytest.mark.parametrize("gates", ["[]", "[{}]", "{", '["signed"]', '[{"metric":"a","sign":"~","bound":1}]'])
def test_gates_edited_in_the_database(protected: Registry, gates: str) -> None:
    with protected.database.write() as connection:
        connection.execute(update(t.protections).values(gates=gates))
    (problem,) = protected.audit().problems
    assert problem.startswith("gates of alias 'champion' of 'm': expected ")
    with pytest.raises((FormatError, PermissionDenied)):
        protected.set_alias("m", "champion", 2)
    with pytest.raises((FormatError, GateFailed)):
        protected.promote("m", 1)


def test_gates_removed_in_the_database(protected: Registry) -> None:
    with protected.database.write() as connection:
        connection.execute(text("DELETE FROM protections"))
        model = connection.execute(select(t.models.c.id)).scalar_one()
        connection.execute(insert(t.protections).values(model_id=model, alias="b", gates="[]"))
    assert len(protected.audit().problems) == 2


def test_a_registry_of_before_gets_the_table(database_url: str, tmp_path: Path) -> None:
    with Registry(
        database_url, str(tmp_path / "blobs"), cache=tmp_path / "cache", policy=Policy()
    ) as registry:
        registry.register("m", linear(0), metrics={"auc": 0.9})
        registry.set_alias("m", "champion", 1)
        with registry.database.write() as connection:
            connection.execute(text("DROP TABLE protections"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with Registry(
        database_url, str(tmp_path / "blobs"), cache=tmp_path / "cache", policy=Policy()
    ) as registry:
        registry.protect_alias("m", "champion", [GATE])
        with pytest.raises(PermissionDenied):
            registry.delete_alias("m", "champion")
        assert registry.get_version("m", "champion").version == 1
        assert registry.audit()
        with registry.database.read() as connection:
            assert migrations.revision(connection) == migrations.NEWEST
