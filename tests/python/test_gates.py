"""Gates: what passes them and what does not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from promotion_models import ALIKE, GOOD, LABELS, WORSE, X, Y, champion, two, weights

from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.linear_model import LogisticRegression
from maas_engine.registry import BetterThanChampion, GateFailed, MetricThreshold, Registry, Signed
from maas_engine.registry._gates import Case
from maas_engine.registry._hold_out import digest_of


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


@pytest.mark.parametrize(
    "metric", ["roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss"]
)
def test_labels_of_text(small_registry: Registry, metric: str) -> None:
    """The same figures as of labels 0 and 1."""
    names = np.array(["no", "yes"])[LABELS]
    found = []
    for name, labels in (("m", names), ("n", LABELS)):
        for version, Z in enumerate((X[:, ::-1], X), 1):
            small_registry.register(name, LogisticRegression().fit(Z, labels).to_model())
            found.append(small_registry.promote(name, version, gates=[BetterThanChampion(metric, X, labels)]))
    details = [each.results[0].detail for each in found]
    assert details[1]["gain"] == details[3]["gain"] > 0
    assert details[1]["low"] == details[3]["low"] > 0


def test_other_labels_than_the_champion(small_registry: Registry) -> None:
    promote = two(
        small_registry, *(LogisticRegression().fit(X, labels).to_model() for labels in (LABELS, LABELS + 1))
    )
    for metric in ("roc_auc_score", "log_loss"):
        with pytest.raises(GateFailed, match=r"expected the champion's labels \[1, 2\], got \[0, 1\]"):
            promote(BetterThanChampion(metric, X, LABELS))


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
