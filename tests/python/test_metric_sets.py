"""Metrics of label sets, dense and sparse, against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import metrics

CASES = settings(max_examples=100, deadline=None)
AVERAGES = [None, "micro", "macro", "weighted", "samples", "binary"]
FORMS = [
    "int64",
    "uint8",
    "bool",
    "float32",
    "F",
    "strided",
    "list",
    "csr",
    "csc",
    "coo",
    "csr_matrix",
    "mixed",
]


def formed(y: Any, form: str) -> Any:
    if form == "list":
        return y.tolist()
    if form == "F":
        return np.asfortranarray(y)
    if form == "strided":
        return np.repeat(np.repeat(y, 2, axis=0), 3, axis=1)[::2, ::3]
    if form in ("csr", "csc", "coo"):
        return getattr(scipy.sparse, f"{form}_array")(y)
    if form == "csr_matrix":
        return scipy.sparse.csr_matrix(y)
    return y if form == "mixed" else y.astype(form)


@st.composite
def label_sets(draw: Any) -> tuple[Any, Any, Any]:
    """True and predicted sets of labels, and weights or None."""
    n, k = draw(st.integers(1, 12)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    density = draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    truth, predicted = (rng.random((2, n, k)) < density).astype(np.int64)
    form = draw(st.sampled_from(FORMS))
    other = "csr" if form == "mixed" else form
    weight = rng.integers(0, 3, n) * 0.5 + 0.25
    return formed(truth, form), formed(predicted, other), draw(st.sampled_from([None, weight]))


@CASES
@given(label_sets(), st.sampled_from(AVERAGES), st.sampled_from(["warn", 0, 1, np.nan]), st.booleans())
def test_precision_recall_fscore_jaccard(sets: Any, average: Any, zero: Any, choose: bool) -> None:
    truth, predicted, weight = sets
    options: dict[str, Any] = {"average": average, "sample_weight": weight, "zero_division": zero}
    if choose:
        options["labels"] = [1, 0]
    agree("precision_recall_fscore_support", truth, predicted, beta=0.5, **options)
    for name in ("precision_score", "recall_score", "f1_score", "jaccard_score"):
        agree(name, truth, predicted, **options)


@CASES
@given(label_sets(), st.booleans(), st.booleans())
def test_accuracy_hamming_and_matrices(sets: Any, flag: bool, choose: bool) -> None:
    truth, predicted, weight = sets
    if not isinstance(truth, np.ndarray) or truth.dtype != np.bool_:  # scipy cannot subtract booleans
        agree("accuracy_score", truth, predicted, normalize=flag, sample_weight=weight)
        agree("zero_one_loss", truth, predicted, normalize=flag, sample_weight=weight)
        agree("hamming_loss", truth, predicted, sample_weight=weight)
    labels = [1, 0] if choose else None
    matrix = agree(
        "multilabel_confusion_matrix", truth, predicted, sample_weight=weight, samplewise=flag, labels=labels
    )
    assert matrix.shape[1:] == (2, 2)


@CASES
@given(label_sets(), st.booleans(), st.sampled_from(["warn", 0, 1]))
def test_report(sets: Any, as_dict: bool, zero: Any) -> None:
    truth, predicted, weight = sets
    options = {"sample_weight": weight, "zero_division": zero, "output_dict": as_dict}
    agree("classification_report", truth, predicted, **options)
    agree("classification_report", truth, predicted, labels=[1], target_names=["one"], **options)


@pytest.mark.parametrize(
    ("name", "truth", "predicted", "options"),
    [
        ("f1_score", [[0, 1], [1, 1]], [[0, 1], [1, 1]], {}),
        ("f1_score", [[0, 1], [1, 1]], [[0, 1], [1, 1]], {"average": "macro", "labels": [2]}),
        ("f1_score", [[0, 1], [1, 1]], [[0, 1], [1, 1]], {"average": "macro", "labels": [-1]}),
        ("f1_score", [[0, 1], [1, 1]], [[0, 1, 1], [1, 1, 1]], {"average": "macro"}),
        ("f1_score", [[0, 1], [1, 1]], [0, 1], {"average": "macro"}),
        ("f1_score", [[0, 1], [1, 1]], [[0, 1], [1, 2]], {"average": "macro"}),
        ("f1_score", [[0, 0.5], [1, 1]], [[0, 1], [1, 1]], {"average": "macro"}),
        ("f1_score", [[0, np.nan], [1, 1]], [[0, 1], [1, 1]], {"average": "macro"}),
        ("f1_score", scipy.sparse.csr_array([[0.0], [1]]), scipy.sparse.csr_array([[0.0], [1]]), {}),
        ("f1_score", scipy.sparse.csr_array([[0, 2, 1]]), scipy.sparse.csr_array([[0, 2, 1]]), {}),
        ("accuracy_score", [[-1, 1], [1, 1]], [[-1, -1], [1, 1]], {}),
        ("accuracy_score", [[0, 2], [2, 2]], [[0, 1], [1, 1]], {}),
        ("hamming_loss", [[0, 2], [2, 2]], [[0, 1], [1, 1]], {}),
        ("accuracy_score", [[1, 1], [1, 1]], [[1, 1], [1, 1]], {}),
        ("jaccard_score", [[0, 0], [0, 0]], [[0, 0], [0, 0]], {"average": "weighted"}),
        ("f1_score", [[1, 1]], [[1, 0]], {"average": "macro", "pos_label": 0}),
    ],
)
def test_edges(name: str, truth: Any, predicted: Any, options: Any) -> None:
    agree(name, truth, predicted, **options)


def test_documented_examples() -> None:
    # The inputs and results of the examples in scikit-learn's documentation.
    truth, predicted = np.array([[0, 1, 1], [1, 1, 0]]), np.array([[1, 1, 1], [1, 0, 0]])
    assert metrics.accuracy_score(np.array([[0, 1], [1, 1]]), np.ones((2, 2))) == 0.5
    assert metrics.hamming_loss(np.array([[0, 1], [1, 1]]), np.zeros((2, 2))) == 0.75
    assert metrics.zero_one_loss(np.array([[0, 1], [1, 1]]), np.ones((2, 2))) == 0.5
    assert metrics.jaccard_score(truth, predicted, average="samples") == pytest.approx(0.5833, abs=1e-4)
    assert metrics.jaccard_score(truth, predicted, average="macro") == pytest.approx(0.6667, abs=1e-4)
    assert metrics.jaccard_score(truth, predicted, average="micro") == pytest.approx(0.6)
    assert metrics.jaccard_score(truth, predicted, average=None).tolist() == [0.5, 0.5, 1.0]
    one = np.array([[1, 0, 1], [0, 1, 0]])
    two = np.array([[1, 0, 0], [0, 1, 1]])
    expected = [[[1, 0], [0, 1]], [[1, 0], [0, 1]], [[0, 1], [1, 0]]]
    assert metrics.multilabel_confusion_matrix(one, two).tolist() == expected
    sets, guess = [[0, 0, 0], [1, 1, 1], [0, 1, 1]], [[0, 0, 0], [1, 1, 1], [1, 1, 0]]
    figures = metrics.f1_score(sets, guess, average=None)
    assert figures == pytest.approx([0.66666667, 1.0, 0.66666667])


def test_stored_zeros_are_no_labels() -> None:
    truth = scipy.sparse.csr_array([[0, 1], [1, 1]])
    predicted = scipy.sparse.csr_array(([1, 0, 1], [1, 0, 0], [0, 2, 3]), shape=(2, 2))
    before = predicted.data.copy()
    expected = metrics.f1_score(truth.toarray(), predicted.toarray(), average="macro")
    assert metrics.f1_score(truth, predicted, average="macro") == expected
    assert (predicted.data == before).all()


def test_many_rows_layouts_and_threads() -> None:
    rng = np.random.default_rng(7)
    truth, predicted = (rng.random((2, 30_000, 37)) < 0.3).astype(np.int8)
    weight = rng.random(30_000)

    def everything(t: Any, p: Any) -> list[Any]:
        report = metrics.classification_report(t, p, digits=17, zero_division=0)
        weighted = metrics.f1_score(t, p, average=None, sample_weight=weight).tolist()
        return [report, weighted, metrics.hamming_loss(t, p), metrics.accuracy_score(t, p)]

    expected = everything(truth, predicted)
    agree("f1_score", truth, predicted, average="samples", zero_division=0)
    agree("classification_report", truth, predicted, digits=17, sample_weight=weight, zero_division=0)
    for form in ("int64", "F", "strided", "csr"):
        assert everything(formed(truth, form), formed(predicted, form)) == expected
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            assert everything(truth, predicted) == expected
