"""Promotion: what it moves, what it refuses, and what the history tells of both."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from promotion_models import ALIKE, GOOD, WORSE, X, Y, champion, weights

from maas_engine.errors import Conflict, InvalidArgument, NotFound, PermissionDenied, Unavailable
from maas_engine.package import Policy, generate_signing_key, sign, write
from maas_engine.registry import BetterThanChampion, GateFailed, GateResult, MetricThreshold, Registry, Signed
from maas_engine.registry._gates import Case


def events(registry: Registry, name: str = "m") -> list[tuple[str, int | None, str | None]]:
    return [(each.action, each.version, each.alias) for each in registry.history(name) if each.alias]


def test_promoted(registry: Registry) -> None:
    registry.register("m", WORSE, metrics={"auc": 0.9})
    promotion = registry.promote("m", 1, gates=[MetricThreshold("auc", ">=", 0.8)], reason="first")
    assert promotion.promoted
    assert (promotion.name, promotion.version, promotion.alias, promotion.previous) == (
        "m",
        1,
        "champion",
        None,
    )
    assert promotion.results == (GateResult("auc >= 0.8", True, "0.9", {"value": 0.9}),)
    assert str(promotion) == "'m' version 1 is 'champion': 1 of 1 gates passed\n  passed  auc >= 0.8: 0.9"
    assert champion(registry) == 1
    event = registry.history("m", "champion")[-1]
    assert (event.action, event.version, event.alias, event.reason) == ("alias.set", 1, "champion", "first")
    gate = {"gate": "auc >= 0.8", "passed": True, "found": "0.9", "value": 0.9}
    assert event.detail == {"reason": "first", "previous": None, "gates": [gate]}
    assert registry.audit()


def test_refused(registry: Registry) -> None:
    registry.register("m", WORSE)
    registry.register("m", GOOD, metrics={"auc": 0.7})
    registry.promote("m", 1)
    gates = [
        MetricThreshold("auc", ">=", 0.8),
        MetricThreshold("auc", "<", 0.75),
        MetricThreshold("f1", ">", 0),
    ]
    with pytest.raises(GateFailed) as caught:
        registry.promote("m", 2, gates=gates, reason="try")
    promotion = caught.value.promotion
    assert isinstance(caught.value, PermissionDenied)
    assert [result.passed for result in promotion.results] == [False, True, False]
    assert promotion.failed == (promotion.results[0], promotion.results[2])
    assert str(caught.value).splitlines() == [
        "[promote] 'm' version 2 may not be 'champion': 1 of 3 gates passed",
        "  FAILED  auc >= 0.8: 0.7",
        "  passed  auc < 0.75: 0.7",
        "  FAILED  f1 > 0: no metric 'f1'",
    ]
    assert champion(registry) == 1
    event = registry.history("m", "champion")[-1]
    assert (event.action, event.version, event.alias) == ("promote.refused", 2, "champion")
    assert event.detail["previous"] == 1
    assert [gate["passed"] for gate in event.detail["gates"]] == [False, True, False]
    assert registry.audit()


def test_a_refusal_moves_nothing(registry: Registry) -> None:
    """Neither what the alias was at a moment, nor where a rollback leads."""
    for model in (WORSE, GOOD, ALIKE):
        registry.register("m", model)
    registry.set_alias("m", "champion", 1)
    registry.set_alias("m", "champion", 2)
    with pytest.raises(GateFailed):
        registry.promote("m", 3, gates=[MetricThreshold("auc", ">", 0)])
    moment = registry.history("m")[-1].moment
    assert registry.resolve("models:/m@champion", as_of=moment).version == 2
    assert registry.rollback("m", "champion") == 1
    assert champion(registry) == 1


def test_no_gates(registry: Registry) -> None:
    registry.register("m", GOOD)
    assert registry.promote("m", "1", "canary").results == ()
    assert events(registry) == [("alias.set", 1, "canary")]
    registry.promote("m", 1, "canary")  # where it is already
    assert len(events(registry)) == 1


def test_the_champion_moves_meanwhile(registry: Registry) -> None:
    for model in (WORSE, GOOD, ALIKE):
        registry.register("m", model)
    registry.set_alias("m", "champion", 1)

    class Slow:
        def check(self, case: Case) -> GateResult:
            registry.set_alias("m", "champion", 3, reason="by another")
            return GateResult("slow", True, "")

    with pytest.raises(Conflict, match="moved meanwhile"):
        registry.promote("m", 2, gates=[Slow()])
    assert champion(registry) == 3
    assert events(registry) == [("alias.set", 1, "champion"), ("alias.set", 3, "champion")]


def test_a_champion_appears_or_goes_meanwhile(small_registry: Registry) -> None:
    registry = small_registry
    registry.register("m", WORSE)
    registry.register("m", GOOD)

    class Slow:
        def __init__(self, act: Any) -> None:
            self.act = act

        def check(self, case: Case) -> GateResult:
            self.act()
            return GateResult("slow", True, "")

    with pytest.raises(Conflict):
        registry.promote("m", 2, gates=[Slow(lambda: registry.set_alias("m", "champion", 1))])
    with pytest.raises(Conflict):
        registry.promote("m", 2, gates=[Slow(lambda: registry.delete_alias("m", "champion"))])
    with pytest.raises(NotFound):
        registry.promote("m", 2, gates=[Slow(lambda: registry.delete_version("m", 2))])
    assert registry.audit()


def test_promotions_at_once(registry: Registry) -> None:
    """Each is judged against the version it replaces, or refused."""
    for seed in range(6):
        registry.register("m", weights(seed, 0))
    start, outcomes = threading.Barrier(6), []

    class Ready:
        def check(self, case: Case) -> GateResult:
            start.wait(60)  # all have read the champion by now
            return GateResult("ready", True, "", {"against": case.champion and case.champion.version})

    def promote(version: int) -> None:
        try:
            outcomes.append(registry.promote("m", version, gates=[Ready()]).promoted)
        except Conflict:
            outcomes.append(False)

    threads = [threading.Thread(target=promote, args=(version,)) for version in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]
    (event,) = (each for each in registry.history("m") if each.action == "alias.set")
    assert champion(registry) == event.version
    assert event.detail["gates"][0]["against"] is event.detail["previous"] is None


def test_gates_of_ones_own(small_registry: Registry) -> None:
    small_registry.register("m", GOOD)

    class Own:
        def __init__(self, result: Any) -> None:
            self.result = result

        def check(self, case: Case) -> Any:
            return self.result

    for wrong in (None, True, "passed", GateResult("own", 1, ""), GateResult("own", np.True_, "")):  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match="expected a GateResult"):
            small_registry.promote("m", 1, gates=[Own(wrong)])
    lying = GateResult("own", False, "no", {"passed": True, "gate": "other", "more": 1})
    with pytest.raises(GateFailed):
        small_registry.promote("m", 1, gates=[Own(lying)])
    gate = small_registry.history("m")[-1].detail["gates"][0]
    assert gate == {"gate": "own", "passed": False, "found": "no", "more": 1}


def test_a_store_that_is_down_refuses_nothing(small_registry: Registry) -> None:
    """It says nothing about the version, so nothing is judged and nothing recorded."""
    small_registry.register("m", GOOD)

    class Down:
        def check(self, case: Case) -> GateResult:
            raise Unavailable("no answer")

    with pytest.raises(Unavailable):
        small_registry.promote("m", 1, gates=[Down()])
    assert events(small_registry) == []


def test_signed(small_registry: Registry, tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "key.pem")
    generate_signing_key(tmp_path / "other.pem")
    for name, key in (("none", None), ("ours", "key.pem"), ("theirs", "other.pem")):
        write(GOOD, tmp_path / name)
        if key:
            sign(tmp_path / name, tmp_path / key)
        small_registry.register("m", tmp_path / name)
    for version in (1, 2, 3):  # without a key none can be verified
        with pytest.raises(GateFailed, match="signed: no signature that the registry's policy has a key for"):
            small_registry.promote("m", version, gates=[Signed()])
    knowing = Registry(
        tmp_path / "registry", cache=tmp_path / "cache2", actor="ann", policy=Policy(public_key=public)
    )
    with knowing:
        for version in (1, 3):
            with pytest.raises(GateFailed, match="signed: "):
                knowing.promote("m", version, gates=[Signed()])
        assert knowing.promote("m", 2, gates=[Signed()]).promoted


def test_a_version_whose_files_were_changed(small_registry: Registry, tmp_path: Path) -> None:
    registry = small_registry
    version = registry.register("m", GOOD)
    registry.register("m", WORSE)
    registry.set_alias("m", "champion", 2)
    digest = version.files["model.onnx"].sha256
    (blob,) = (path for path in tmp_path.glob("registry/blobs/*/*") if digest[2:] in path.name)
    blob.chmod(0o600)
    blob.write_bytes(b"x" * blob.stat().st_size)
    with pytest.raises(GateFailed, match=r"FAILED  r2_score on 'hold-out'.*: \[registry\]|: \[package\]"):
        registry.promote("m", 1, gates=[BetterThanChampion("r2_score", X, Y)])
    assert champion(registry) == 2


def test_the_error_travels(small_registry: Registry) -> None:
    small_registry.register("m", GOOD)
    with pytest.raises(GateFailed) as caught:
        small_registry.promote("m", 1, gates=[MetricThreshold("auc", ">", 0)])
    other = pickle.loads(pickle.dumps(caught.value))
    assert str(other) == str(caught.value)
    assert other.promotion == caught.value.promotion
    assert other.promotion.to_dict()["promoted"] is False
