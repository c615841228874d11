"""Brier score, D2 scores of probabilities, hinge loss and top-k accuracy against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import _core, metrics

CASES = settings(max_examples=120, deadline=None)
NAMES = np.array(["a", "b", "c", "d", "e"])


@st.composite
def rows_of_scores(draw: Any) -> tuple[Any, Any, Any, Any]:
    """Labels, scores of every class that sum to one, the classes, weights or None."""
    n, k = draw(st.integers(2, 25)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    codes = rng.integers(0, k, n)
    if draw(st.booleans()):
        codes[: min(k, n)] = np.arange(min(k, n))
    scores = rng.integers(0, 4, (n, k)) + 0.25
    scores /= scores.sum(axis=1, keepdims=True)
    layout = draw(st.sampled_from(["C", "F", "float32", "strided", "list"]))
    if layout == "F":
        scores = np.asfortranarray(scores)
    elif layout == "float32":
        scores = scores.astype(np.float32)
    elif layout == "strided":
        scores = np.repeat(scores, 2, axis=1)[:, ::2]
    classes: Any = np.arange(k)
    kind = draw(st.sampled_from(["int", "string", "wide", "float", "uint8"]))
    if kind == "string":
        codes, classes = NAMES[codes], NAMES[:k]
    elif kind == "wide":
        codes, classes = codes * 10**6 - 3, classes * 10**6 - 3
    elif kind != "int":
        codes, classes = codes.astype(kind), classes.astype(kind)
    weight = draw(st.sampled_from([None, rng.integers(0, 3, n) * 0.5 + 0.1]))
    return codes, scores.tolist() if layout == "list" else scores, classes, weight


@CASES
@given(rows_of_scores(), st.booleans(), st.sampled_from([True, False, "auto", "no"]))
def test_losses_of_probabilities(rows: Any, declare: bool, halve: Any) -> None:
    truth, proba, classes, weight = rows
    options = {"sample_weight": weight, "labels": classes if declare else None}
    rtol = 1e-5 if getattr(proba, "dtype", None) == np.float32 else 1e-10
    agree("log_loss", truth, proba, rtol=rtol, **options)
    agree("brier_score_loss", truth, proba, scale_by_half=halve, rtol=rtol, **options)
    agree("d2_brier_score", truth, proba, rtol=rtol, **options)
    agree("d2_log_loss_score", truth, proba, rtol=rtol, **options)


@CASES
@given(
    st.integers(1, 20),
    st.sampled_from(["zero", "minus", "string", "other", "one"]),
    st.booleans(),
    st.booleans(),
)
def test_losses_of_the_positive_class(n: int, kind: str, weighted: bool, column: bool) -> None:
    rng = np.random.default_rng(n)
    truth, proba = rng.integers(0, 2, n), rng.random(n)
    # halves: of one class scikit-learn's weighted spread is zero only up to rounding
    options: dict[str, Any] = {"sample_weight": rng.integers(1, 5, n) / 2 if weighted else None}
    if kind == "minus":
        truth = 2 * truth - 1
    elif kind == "string":
        truth, options["pos_label"] = NAMES[truth], "b"
    elif kind == "other":
        truth = truth + 3
    elif kind == "one":
        truth = np.ones(n, np.int64)
    if column:
        proba = proba[:, None]
    agree("brier_score_loss", truth, proba, **options)
    agree("d2_brier_score", truth, proba, rtol=1e-9, **options)
    options.pop("pos_label", None)
    agree("d2_log_loss_score", truth, proba, rtol=1e-9, **options)
    agree("hinge_loss", truth, 4 * proba - 2, **options)
    agree("top_k_accuracy_score", truth, proba, k=1, **options)
    agree("top_k_accuracy_score", truth, 4 * proba - 2, k=1, normalize=False, **options)


@CASES
@given(rows_of_scores(), st.integers(1, 6), st.booleans(), st.booleans())
def test_hinge_and_top_k(rows: Any, k: int, normalize: bool, declare: bool) -> None:
    truth, scores, classes, weight = rows
    options = {"sample_weight": weight, "labels": classes if declare else None}
    agree("hinge_loss", truth, scores, rtol=1e-6, **options)
    agree("top_k_accuracy_score", truth, scores, k=k, normalize=normalize, **options)


@pytest.mark.parametrize("proba", [[0.1, 1.5], [0.1, -0.5], [0.1, np.nan], [[0.1, 0.8], [0.3, 0.7]], []])
@pytest.mark.parametrize("name", ["brier_score_loss", "d2_brier_score", "d2_log_loss_score"])
def test_bad_probabilities(name: str, proba: Any) -> None:
    agree(name, [0, 1][: len(proba)], proba)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("brier_score_loss", (["a", "b"], [0.1, 0.9]), {}),
        ("brier_score_loss", ([0, 1, 2], [0.1, 0.9, 0.3]), {}),
        ("brier_score_loss", ([0, 0], [[0.1, 0.9], [0.4, 0.6]]), {}),
        ("brier_score_loss", ([0, 0], [[0.1, 0.9], [0.4, 0.6]]), {"labels": [0, 1]}),
        ("brier_score_loss", ([0, 0], [[0.1, 0.9], [0.4, 0.6]]), {"labels": [1, 0]}),
        ("brier_score_loss", ([0, 2], [[0.1, 0.9], [0.4, 0.6]]), {"labels": [0, 1]}),
        ("brier_score_loss", ([0], [0.1, 0.2]), {}),
        ("d2_brier_score", ([0, 0], [0.1, 0.9]), {}),
        ("d2_brier_score", ([0], [0.1]), {}),
        ("d2_log_loss_score", ([0], [0.1]), {}),
        ("d2_log_loss_score", ([0, 0], [0.1, 0.9]), {"labels": [0, 1]}),
        ("hinge_loss", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
        ("hinge_loss", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {}),
        ("hinge_loss", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {"labels": [0, 1, 2]}),
        ("hinge_loss", ([0, 1, 3], [[0.1, 0.2, 0.3]] * 3), {"labels": [0, 1, 2]}),
        ("hinge_loss", ([0, 1, 2], [[0.1, 0.2]] * 3), {}),
        ("hinge_loss", ([0, 1, 2], [[0.1, 0.2]] * 3), {"labels": [0, 1, 2]}),
        ("hinge_loss", ([0, 1], [0.1, np.nan]), {}),
        ("hinge_loss", ([0, 1, 2], [[0.1, 0.2, np.inf]] * 3), {}),
        ("hinge_loss", ([0, 1, 2], [0.1, 0.2, 0.3]), {"labels": [0, 1]}),
        ("top_k_accuracy_score", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
        ("top_k_accuracy_score", ([0, 1], [[0.1, 0.2, 0.7]] * 2), {}),
        ("top_k_accuracy_score", ([0, 1], [[0.1, 0.2, 0.7]] * 2), {"labels": [0, 1, 2]}),
        ("top_k_accuracy_score", ([0, 1], [[0.1, 0.2, 0.7]] * 2), {"labels": [0, 2, 1]}),
        ("top_k_accuracy_score", ([0, 1], [[0.1, 0.2, 0.7]] * 2), {"labels": [0, 1, 1]}),
        ("top_k_accuracy_score", ([0, 4], [[0.1, 0.2, 0.7]] * 2), {"labels": [0, 1, 2]}),
        ("top_k_accuracy_score", ([0, 1, 2], [[0.1, 0.2, np.nan]] * 3), {"k": 1}),
        ("top_k_accuracy_score", ([0, 1], [0.1, np.inf]), {"k": 1}),
        ("top_k_accuracy_score", ([0, 1, 2], [[0.1, 0.2, 0.7]] * 3), {"k": 0}),
        ("top_k_accuracy_score", ([0, 1, 2], [[0.1, 0.2, 0.7]] * 3), {"k": 3}),
        ("top_k_accuracy_score", ([[0, 1], [1, 0]], [[0.1, 0.2], [0.3, 0.4]]), {}),
    ],
)
def test_edges(name: str, args: Any, options: Any) -> None:
    agree(name, *args, **options)


def test_documented_examples() -> None:
    # The inputs and results of the examples in scikit-learn's documentation.
    proba = np.array([0.1, 0.9, 0.8, 0.3])
    assert metrics.brier_score_loss([0, 1, 1, 0], proba) == pytest.approx(0.0375)
    assert metrics.brier_score_loss([0, 1, 1, 0], 1 - proba, pos_label=0) == pytest.approx(0.0375)
    three = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]]
    names = ["eggs", "ham", "spam"]
    assert metrics.brier_score_loss(names, three, labels=names) == pytest.approx(0.146666, abs=1e-5)
    assert metrics.top_k_accuracy_score(
        [0, 1, 2, 2], [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]], k=2
    ) == pytest.approx(0.75)
    assert metrics.hinge_loss([-1, 1, 1], [-2.18177262, 2.36351155, 0.09087870]) == pytest.approx(
        0.30304, abs=1e-5
    )


def test_bits_do_not_depend_on_threads_target_or_layout() -> None:
    rng = np.random.default_rng(10)
    n, k = 50_000, 7
    truth, weight, scores = rng.integers(0, k, n), rng.random(n), rng.random((n, k))
    scores /= scores.sum(axis=1, keepdims=True)

    def everything(proba: Any) -> list[Any]:
        return [
            metrics.log_loss(truth, proba),
            metrics.brier_score_loss(truth, proba, sample_weight=weight),
            metrics.d2_brier_score(truth, proba),
            metrics.hinge_loss(truth, proba),
            metrics.top_k_accuracy_score(truth, proba, sample_weight=weight),
        ]

    expected = everything(scores)
    wide = np.zeros((n, 2 * k))
    wide[:, ::2] = scores
    assert everything(np.asfortranarray(scores)) == expected
    assert everything(wide[:, ::2]) == expected
    try:
        for target in _core.supported_targets():
            _core.set_target(target)
            if not _core.target_has_fma():
                continue
            for threads in (1, 2, 4):
                with maas_engine.num_threads(threads):
                    assert everything(scores) == expected
    finally:
        _core.set_target("")
