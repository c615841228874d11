"""Promotion: gates, what they find, and what the history tells of it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_engine.errors import Conflict, InvalidArgument, NotFound, PermissionDenied, Unavailable
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model import LogisticRegression
from maas_engine.model import Model
from maas_engine.package import Policy, generate_signing_key, sign, write
from maas_engine.registry import BetterThanChampion, GateFailed, GateResult, MetricThreshold, Registry, Signed
from maas_engine.registry._gates import Case
from maas_engine.registry._hold_out import digest_of

RNG = np.random.default_rng(7)
X = RNG.normal(size=(400, 2))
Y = X @ [2.0, -1.0] + RNG.normal(size=400)
LABELS = (Y > 0).astype(np.int64)


def weights(a: float, b: float) -> Model:
    """a X0 + b X1; (2, -1) is as good as can be."""
    builder = GraphBuilder("linear")
    x = builder.input("X", np.float64, (None, 2))
    builder.output(builder.add("MatMul", x, builder.constant(np.array([a, b], float))))
    return Model(builder.build())


GOOD, WORSE, ALIKE = weights(2, -1), weights(1.5, -0.5), weights(2.0001, -1)


def events(registry: Registry, name: str = "m") -> list[tuple[str, int | None, str | None]]:
    return [(each.action, each.version, each.alias) for each in registry.history(name) if each.alias]


def champion(registry: Registry) -> int:
    return registry.resolve("models:/m@champion").version


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


def test_a_better_model(registry: Registry) -> None:
    registry.register("m", WORSE)
    registry.register("m", GOOD)
    gate = BetterThanChampion("mean_squared_error", X, Y, dataset="2026-01")
    first = registry.promote("m", 1, gates=[gate])
    assert first.results[0].found == "no champion yet"
    assert first.results[0].detail["digest"] == digest_of(X, Y)
    second = registry.promote("m", 2, gates=[gate])
    result = second.results[0]
    assert result.gate == "mean_squared_error on '2026-01' better than the champion's"
    gain = np.mean((Y - X @ [1.5, -0.5]) ** 2) - np.mean((Y - X @ [2.0, -1.0]) ** 2)
    assert result.detail["gain"] == pytest.approx(gain)
    assert 0 < result.detail["low"] < gain
    assert result.detail["champion"] == 1
    assert result.detail["rows"] == 400
    assert (result.detail["dataset"], result.detail["digest"]) == ("2026-01", digest_of(X, Y))
    with pytest.raises(GateFailed, match="mean_squared_error on '2026-01' better"):
        registry.promote("m", 1, gates=[gate])  # back is worse
    assert champion(registry) == 2
    assert registry.promote("m", 2, gates=[gate]).results[0].found == "the champion itself"


def two(registry: Registry, ours: Model, theirs: Model) -> Any:
    """Versions 2 and 1, of which 1 is the champion."""
    registry.register("m", theirs)
    registry.register("m", ours)
    registry.set_alias("m", "champion", 1)
    return lambda gate: registry.promote("m", 2, "champion", gates=[gate]).results[0]


def test_alike_is_not_better(small_registry: Registry) -> None:
    promote = two(small_registry, ALIKE, GOOD)
    gate = BetterThanChampion("mean_squared_error", X, Y)
    with pytest.raises(GateFailed) as caught:
        promote(gate)
    assert caught.value.promotion.results[0].detail["low"] <= 0
    with pytest.raises(GateFailed, match=r"by 0\.1"):
        promote(BetterThanChampion("mean_squared_error", X, Y, margin=0.1))
    result = promote(BetterThanChampion("mean_squared_error", X, Y, margin=-0.01))  # no worse than by that
    assert -0.01 < result.detail["low"] < 0.01


def test_the_same_model_is_not_better(small_registry: Registry) -> None:
    promote = two(small_registry, weights(2, -1), GOOD)
    with pytest.raises(GateFailed) as caught:
        promote(BetterThanChampion("r2_score", X, Y))
    assert caught.value.promotion.results[0].detail["gain"] == 0


def test_more_confidence_asks_for_more(small_registry: Registry) -> None:
    promote = two(small_registry, weights(2, -1), weights(1.9, -0.9))
    few = slice(0, 60)
    lows = []
    for confidence in (0.51, 0.9, 0.999):
        gate = BetterThanChampion("mean_absolute_error", X[few], Y[few], confidence, margin=-10.0)
        lows.append(promote(gate).detail["low"])
        small_registry.set_alias("m", "champion", 1)
    assert lows == sorted(lows, reverse=True)
    assert len(set(lows)) == 3


def test_the_share_of_wrong_promotions(small_registry: Registry) -> None:
    """Of models that are as good as the champion about one in twenty passes, by chance, at 95 %."""
    rng = np.random.default_rng(0)
    passed = 0
    package = {}
    for trial in range(200):
        Z = rng.normal(size=(200, 2))
        z = Z.sum(axis=1) + rng.normal(size=200)
        for number, model in ((1, weights(1.2, 1)), (2, weights(1, 1.2))):
            package[number] = type("Package", (), {"model": lambda self, m=model: m})()
        ours, theirs = (type("V", (), {"uri": str(n), "version": n, "n": n})() for n in (1, 2))
        case = Case(ours, theirs, lambda version: package[version.n])
        passed += BetterThanChampion("mean_squared_error", Z, z).check(case).passed
        assert trial >= 0
    assert 2 <= passed <= 22  # 10 expected, within four standard deviations


@pytest.mark.parametrize("metric", ["roc_auc_score", "average_precision_score", "accuracy_score", "log_loss",
                                    "brier_score_loss", "f1_score", "matthews_corrcoef", "hinge_loss"])  # fmt: skip
def test_metrics_of_classifiers(small_registry: Registry, metric: str) -> None:
    signs = 2 * LABELS - 1 if metric == "hinge_loss" else LABELS
    poor, fine = (LogisticRegression().fit(Z, signs).to_model() for Z in (X[:, ::-1], X))
    promote = two(small_registry, fine, poor)
    result = promote(BetterThanChampion(metric, X, signs))
    assert result.passed
    assert result.detail["low"] > 0


def test_options_of_the_metric(small_registry: Registry) -> None:
    names = np.array(["no", "yes"])[LABELS]
    promote = two(small_registry, *(LogisticRegression().fit(Z, names).to_model() for Z in (X, X[:, ::-1])))
    with pytest.raises(GateFailed, match="pos_label"):
        promote(BetterThanChampion("f1_score", X, names))
    assert promote(BetterThanChampion("f1_score", X, names, options={"pos_label": "yes"})).passed


def test_rows_that_a_model_does_not_take(small_registry: Registry) -> None:
    """The gate cannot be judged: it has failed, the others are asked all the same, and all is on record."""
    two(small_registry, GOOD, WORSE)
    gates = [BetterThanChampion("mean_squared_error", np.ones((400, 3)), Y), MetricThreshold("auc", ">", 0)]
    with pytest.raises(GateFailed) as caught:
        small_registry.promote("m", 2, gates=gates)
    assert [result.passed for result in caught.value.promotion.results] == [False, False]
    assert "3" in caught.value.promotion.results[0].found
    assert small_registry.history("m")[-1].action == "promote.refused"


def test_gates_that_cannot_be(small_registry: Registry) -> None:
    mistakes: list[tuple[str, Any]] = [
        ("expected a function", lambda: BetterThanChampion("auc2", X, Y)),
        ("expected a function", lambda: BetterThanChampion("RocAuc", X, Y)),
        ("expected a function", lambda: BetterThanChampion("__all__", X, Y)),
        ("at least 30 rows", lambda: BetterThanChampion("r2_score", X[:29], Y[:29])),
        ("expected a confidence", lambda: BetterThanChampion("r2_score", X, Y, 0.5)),
        ("expected a confidence", lambda: BetterThanChampion("r2_score", X, Y, 1.0)),
        ("expected a confidence", lambda: BetterThanChampion("r2_score", X, Y, "95%")),  # type: ignore[arg-type]
        ("expected a margin", lambda: BetterThanChampion("r2_score", X, Y, margin=float("nan"))),
        ("a dataset's name", lambda: BetterThanChampion("r2_score", X, Y, dataset="")),
        ("expected >=", lambda: MetricThreshold("auc", "==", 1)),
        ("expected >=", lambda: MetricThreshold("auc", ">= 0 or 1", 1)),
        ("expected a bound", lambda: MetricThreshold("auc", ">", float("inf"))),
        ("expected a bound", lambda: MetricThreshold("auc", ">", True)),
        ("a metric's name", lambda: MetricThreshold("", ">", 1)),
        ("expected gates", lambda: small_registry.promote("m", 1, gates=[Signed])),  # type: ignore[list-item]
        ("expected gates", lambda: small_registry.promote("m", 1, gates=["signed"])),  # type: ignore[list-item]
        ("at most 100 gates", lambda: small_registry.promote("m", 1, gates=[Signed()] * 101)),
        ("alias", lambda: small_registry.promote("m", 1, "latest")),
        ("a version's number", lambda: small_registry.promote("m", 0)),
        ("name", lambda: small_registry.promote("'; --", 1)),
    ]
    for message, mistake in mistakes:
        with pytest.raises(InvalidArgument, match=message):
            mistake()
    with pytest.raises(NotFound):
        small_registry.promote("m", 1)
    assert small_registry.history() == []


def test_gates_are_plain_values() -> None:
    assert MetricThreshold("auc", ">=", 1) == MetricThreshold("auc", ">=", 1.0)
    assert repr(Signed()) == "Signed()"
    gate = BetterThanChampion("r2_score", X, Y)
    assert re.fullmatch(r"BetterThanChampion\(metric='r2_score', confidence=0.95, .*\)", repr(gate))
    with pytest.raises(AttributeError):
        gate.metric = "x"  # type: ignore[misc]


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
