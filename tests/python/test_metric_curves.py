"""Curves and areas, binary, multiclass and multilabel, against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import _core, metrics
from maas_engine.errors import NotFinite

CASES = settings(max_examples=120, deadline=None)
CURVES = ["roc_curve", "precision_recall_curve", "det_curve"]


@st.composite
def scored_rows(draw: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Labels of two kinds, scores with and without ties, and options of a curve."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    truth = (rng.random(n) < draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))).astype(np.int64)
    scores = rng.normal(size=n).round(draw(st.integers(0, 3))) * draw(st.sampled_from([1.0, 1e300, 1e-310]))
    dtype = draw(st.sampled_from(["f8", "f4", "i4", "list", "strided"]))
    if dtype == "list":
        scores = scores.tolist()
    elif dtype == "strided":
        scores = np.repeat(scores, 3)[::3]
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.clip(scores, -1e9, 1e9).astype(dtype)
    options: dict[str, Any] = {}
    kind = draw(st.sampled_from(["plain", "minus", "string", "bool", "float", "other"]))
    if kind == "minus":
        truth = 2 * truth - 1
    elif kind == "string":
        truth, options = np.array(["no", "yes"])[truth], {"pos_label": "yes"}
    elif kind == "other":
        truth, options = truth + 3, {"pos_label": draw(st.sampled_from([None, 3, 4, 9]))}
    elif kind != "plain":
        truth = truth.astype(kind)
    if draw(st.booleans()):
        options["sample_weight"] = rng.integers(0, 4, n) * draw(st.sampled_from([1, 0.1]))
    return truth, scores, options


@CASES
@given(scored_rows(), st.booleans())
def test_curves(rows: Any, drop: bool) -> None:
    truth, scores, options = rows
    for name in CURVES:
        agree(name, truth, scores, drop_intermediate=drop, **options)
    agree("confusion_matrix_at_thresholds", truth, scores, **options)


def test_points_are_the_very_same_numbers() -> None:
    import sklearn.metrics as theirs

    rng = np.random.default_rng(8)
    truth, weight = rng.integers(0, 2, 5000), rng.random(5000)
    for scores in (rng.normal(size=5000), rng.integers(0, 40, 5000), rng.random(5000).astype(np.float32)):
        for name in CURVES:
            for options in ({"sample_weight": weight}, {"drop_intermediate": True}):
                ours = getattr(metrics, name)(truth, scores, **options)
                expected = getattr(theirs, name)(truth, scores, **options)
                for one, other in zip(ours, expected, strict=True):
                    np.testing.assert_array_equal(one, other)
                    assert one.dtype == other.dtype


@CASES
@given(st.integers(0, 20), st.booleans(), st.sampled_from(["up", "down", "level", "neither"]), st.booleans())
def test_area(n: int, single: bool, direction: str, column: bool) -> None:
    rng = np.random.default_rng(n)
    x, y = np.sort(rng.integers(0, 9, n) / 8), rng.random(n)
    if direction == "down":
        x = x[::-1]
    elif direction == "level":
        x = np.ones(n)
    elif direction == "neither":
        x = rng.random(n)
    if single:
        x, y = x.astype(np.float32), y.astype(np.float32)
    if column:
        x = x[:, None]
    agree("auc", x, y, rtol=1e-6 if single else 1e-12)


def class_rows(draw: Any) -> tuple[Any, Any, Any, Any]:
    n, k = draw(st.integers(3, 25)), draw(st.integers(3, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    truth = rng.integers(0, k, n)
    if draw(st.booleans()):
        truth[:k] = np.arange(k)[: len(truth[:k])]
    scores = rng.integers(1, 5, (n, k)).astype(np.float64)
    scores /= scores.sum(axis=1, keepdims=True)
    labels: Any = np.arange(k)
    if draw(st.booleans()):
        names = np.array(["a", "b", "c", "d", "e"])
        truth, labels = names[truth], names[:k]
    return truth, scores, draw(st.sampled_from([None, labels])), rng.integers(0, 3, n) + 0.5


@CASES
@given(
    st.composite(class_rows)(), st.sampled_from([None, "macro", "micro", "weighted", "samples"]), st.data()
)
def test_multiclass_areas(rows: Any, average: Any, data: Any) -> None:
    truth, scores, labels, weight = rows
    weight = data.draw(st.sampled_from([None, weight]))
    scheme = data.draw(st.sampled_from(["ovr", "ovo", "raise"]))
    options = {"average": average, "sample_weight": weight}
    agree("roc_auc_score", truth, scores, multi_class=scheme, labels=labels, **options)
    agree("average_precision_score", truth, scores, **options)


@CASES
@given(
    st.integers(1, 15),
    st.integers(2, 4),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([None, "macro", "micro", "weighted", "samples"]),
    st.sampled_from([None, 0.3]),
    st.booleans(),
)
def test_multilabel_areas(n: int, k: int, density: float, average: Any, limit: Any, weighted: bool) -> None:
    rng = np.random.default_rng(n + 100 * k)
    truth, scores = (rng.random((n, k)) < density).astype(int), rng.random((n, k)).round(1)
    options = {"average": average, "sample_weight": rng.integers(0, 2, n) + 0.5 if weighted else None}
    agree("roc_auc_score", truth, scores, max_fpr=limit, **options)
    agree("average_precision_score", truth, scores, **options)


TWO, THREE = [[0.4, 0.6], [0.7, 0.3], [0.2, 0.8]], [[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]]


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("roc_auc_score", ([0, 1, 2], TWO), {"multi_class": "ovr"}),
        ("roc_auc_score", ([0, 1, 2], [0.1, 0.2, 0.3]), {"multi_class": "ovr"}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovo", "average": None}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovo", "sample_weight": [1, 1, 1]}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovr", "max_fpr": 0.5}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovr", "labels": [0, 1, 1]}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovr", "labels": [0, 2, 1]}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovr", "labels": [0, 1, 3]}),
        ("roc_auc_score", ([0, 1, 2], THREE), {"multi_class": "ovr", "labels": [0, 1]}),
        ("roc_auc_score", ([0, 1, 1], THREE), {"multi_class": "ovr", "labels": [0, 1, 2]}),
        ("roc_auc_score", ([0, 1, 1], THREE), {"multi_class": "ovo", "labels": [0, 1, 2]}),
        ("roc_auc_score", ([0, 1, 2], 2 * np.array(THREE)), {"multi_class": "ovr"}),
        ("roc_auc_score", ([[0, 1], [1, 0]], [0.1, 0.2]), {}),
        ("roc_auc_score", ([[0, 2], [2, 0]], [[0.1, 0.2], [0.3, 0.4]]), {}),
        ("roc_auc_score", ([[-1, 1], [1, -1]], [[0.1, 0.2], [0.3, 0.4]]), {}),
        ("roc_auc_score", ([[0, 1], [1, 0]], [[0.1, np.nan], [0.3, 0.4]]), {}),
        ("roc_auc_score", ([0, 1, 2], [[0.2, 0.3, np.inf]] * 3), {"multi_class": "ovr"}),
        ("average_precision_score", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
        ("average_precision_score", ([0, 1, 2], THREE), {"pos_label": 2}),
        ("average_precision_score", ([[0, 1], [1, 0]], [[0.1, 0.2], [0.3, 0.4]]), {"pos_label": 0}),
        ("average_precision_score", ([0.5, 1], [0.1, 0.2]), {}),
        ("roc_curve", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
        ("roc_curve", ([0, 1, 2], [0.1, 0.2, 0.3]), {"pos_label": 2}),
        ("roc_curve", ([0, 1], [0.1, np.nan]), {}),
        ("roc_curve", ([0, 1], [0.1, np.inf]), {}),
        ("roc_curve", ([0, 1], [0.1, 0.2]), {"sample_weight": [0, 0]}),
        ("roc_curve", ([0, 1], [0.1, 0.2]), {"sample_weight": [0, 1]}),
        ("roc_curve", ([0, 1, 1], [0.1, 0.2]), {}),
        ("roc_curve", ([], []), {}),
        ("roc_curve", (["a", "b"], [0.1, 0.2]), {}),
        ("precision_recall_curve", ([0, 0], [0.1, 0.2]), {}),
        ("precision_recall_curve", ([[0, 1], [1, 0]], [0.1, 0.2]), {}),
        ("det_curve", ([1, 1], [0.1, 0.2]), {}),
        ("det_curve", ([0, 1, 2], [0.1, 0.2, 0.3]), {"pos_label": 1}),
        ("auc", ([0.0], [1.0]), {}),
        ("auc", ([0.0, 1.0], [1.0]), {}),
    ],
)
def test_edges(name: str, args: Any, options: Any) -> None:
    agree(name, *args, **options)


def test_documented_examples() -> None:
    # The inputs and results of the examples in scikit-learn's documentation.
    y, scores = np.array([1, 1, 2, 2]), np.array([0.1, 0.4, 0.35, 0.8])
    fpr, tpr, thresholds = metrics.roc_curve(y, scores, pos_label=2)
    assert fpr.tolist() == [0.0, 0.0, 0.5, 0.5, 1.0]
    assert tpr.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert thresholds.tolist() == [np.inf, 0.8, 0.4, 0.35, 0.1]
    assert metrics.auc(fpr, tpr) == 0.75
    precision, recall, thresholds = metrics.precision_recall_curve([0, 0, 1, 1], scores)
    assert precision == pytest.approx([0.5, 0.66666667, 0.5, 1.0, 1.0])
    assert recall.tolist() == [1.0, 1.0, 0.5, 0.5, 0.0]
    assert thresholds.tolist() == [0.1, 0.35, 0.4, 0.8]
    fpr, fnr, thresholds = metrics.det_curve([0, 0, 1, 1], scores)
    assert (fpr.tolist(), fnr.tolist()) == ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    assert thresholds.tolist() == [0.35, 0.4, 0.8]
    assert metrics.average_precision_score([0, 0, 1, 1], scores) == pytest.approx(0.8333, abs=1e-4)
    y = [0, 0, 1, 1, 2, 2]
    three = [
        [0.7, 0.2, 0.1],
        [0.4, 0.3, 0.3],
        [0.1, 0.8, 0.1],
        [0.2, 0.3, 0.5],
        [0.4, 0.4, 0.2],
        [0.1, 0.2, 0.7],
    ]
    assert metrics.average_precision_score(y, three) == pytest.approx(0.7777, abs=1e-4)


def test_bits_do_not_depend_on_threads_target_or_layout() -> None:
    rng = np.random.default_rng(9)
    n, k = 70_000, 4
    truth, codes, weight = rng.integers(0, 2, n), rng.integers(0, k, n), rng.random(n)
    scores = rng.random((n, k))
    scores /= scores.sum(axis=1, keepdims=True)

    def everything(proba: Any) -> list[Any]:
        areas = [
            metrics.roc_auc_score(codes, proba, multi_class="ovr", average=None).tolist(),
            metrics.roc_auc_score(codes, proba, multi_class="ovo"),
            metrics.average_precision_score(codes, proba, sample_weight=weight),
            metrics.roc_auc_score(truth, proba[:, 0], sample_weight=weight, max_fpr=0.2),
        ]
        for name in CURVES:
            areas += [points.tolist() for points in getattr(metrics, name)(truth, proba[:, 1])]
        return areas

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


def test_the_engine_refuses_what_python_would_not_pass() -> None:
    with pytest.raises(NotFinite):
        _core.curve_points(np.array([0, 1]), 1, np.array([0.1, np.nan]), None, 0, 1, 1)
    with pytest.raises(NotFinite):
        _core.roc_auc_pairs(np.array([0, 1]), np.array([[0.1, 0.2], [0.3, np.inf]]))
    with pytest.raises(ValueError, match="below the number of columns"):
        _core.roc_auc_pairs(np.array([0, 2]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="one shape"):
        _core.ranking_columns(0, np.zeros((2, 2)), np.zeros((2, 3)), None, 1.0)
