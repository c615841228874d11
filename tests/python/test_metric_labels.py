"""Label metrics against scikit-learn: agreement, likelihood ratios, the report, and its documented examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import metrics

CASES = settings(max_examples=100, deadline=None)
NAMES = np.array(["ant", "bee", "cat", "dog"])


@st.composite
def label_pairs(draw: Any, most: int = 4) -> tuple[Any, Any, Any]:
    """True and predicted labels of one kind, and weights or None."""
    n = draw(st.integers(1, 30))
    codes = st.lists(st.integers(0, draw(st.integers(1, most)) - 1), min_size=n, max_size=n)
    truth, predicted = np.array(draw(codes)), np.array(draw(codes))
    kind = draw(st.sampled_from(["int", "uint8", "float", "bool", "string", "wide", "list"]))
    if kind == "string":
        truth, predicted = NAMES[truth], NAMES[predicted]
    elif kind == "wide":
        truth, predicted = truth * 10**7 - 5, predicted * 10**7 - 5
    elif kind == "list":
        truth, predicted = truth.tolist(), predicted.tolist()
    elif kind != "int":
        dtype = {"uint8": np.uint8, "float": np.float64, "bool": np.bool_}[kind]
        truth, predicted = truth.astype(dtype), predicted.astype(dtype)
    weights = st.lists(st.sampled_from([0.0, 0.1, 0.3, 2.5]), min_size=n, max_size=n).map(np.array)
    return truth, predicted, draw(st.none() | weights)


@CASES
@given(label_pairs(), st.booleans())
def test_accuracy_and_its_losses(pair: Any, flag: bool) -> None:
    truth, predicted, weight = pair
    agree("balanced_accuracy_score", truth, predicted, sample_weight=weight, adjusted=flag)
    agree("zero_one_loss", truth, predicted, sample_weight=weight, normalize=flag)
    agree("hamming_loss", truth, predicted, sample_weight=weight)


@CASES
@given(label_pairs(), st.sampled_from([None, "linear", "quadratic"]), st.booleans())
def test_correlation_and_kappa(pair: Any, weights: Any, choose: bool) -> None:
    truth, predicted, weight = pair
    agree("matthews_corrcoef", truth, predicted, sample_weight=weight, rtol=1e-9)
    labels = sorted({*truth, *predicted}, reverse=True)[:3] if choose else None
    for value in (np.nan, 0.0):
        options = {"labels": labels, "weights": weights, "replace_undefined_by": value}
        agree("cohen_kappa_score", truth, predicted, sample_weight=weight, rtol=1e-9, **options)


@CASES
@given(
    label_pairs(),
    st.sampled_from([None, "binary", "micro", "macro", "weighted", "samples"]),
    st.sampled_from(["warn", 0, 1, np.nan]),
    st.booleans(),
)
def test_jaccard_and_fbeta(pair: Any, average: Any, zero: Any, choose: bool) -> None:
    truth, predicted, weight = pair
    options: dict[str, Any] = {"average": average, "sample_weight": weight, "zero_division": zero}
    if choose and average != "binary":
        options["labels"] = sorted({*truth, *predicted}, reverse=True)[:2]
    if average == "binary":
        options["pos_label"] = max(truth)
    agree("jaccard_score", truth, predicted, **options)
    agree("fbeta_score", truth, predicted, beta=0.7, **options)


@CASES
@given(
    label_pairs(most=2),
    st.sampled_from([np.nan, 1.0, {"LR+": 2.0, "LR-": 0.5}, {"LR+": np.inf, "LR-": np.nan}]),
)
def test_likelihood_ratios(pair: Any, replace: Any) -> None:
    truth, predicted, weight = pair
    agree("class_likelihood_ratios", truth, predicted, sample_weight=weight, replace_undefined_by=replace)


@CASES
@given(label_pairs(), st.booleans())
def test_one_against_the_rest(pair: Any, choose: bool) -> None:
    truth, predicted, weight = pair
    labels = sorted({*truth, *predicted}, reverse=True)[:2] if choose else None
    agree("multilabel_confusion_matrix", truth, predicted, sample_weight=weight, labels=labels)


@CASES
@given(
    label_pairs(),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from(["warn", 0, 1, np.nan]),
    st.sampled_from("ngsx"),
)
def test_report_is_scikit_learns(pair: Any, digits: int, as_dict: bool, zero: Any, names: str) -> None:
    truth, predicted, weight = pair
    options: dict[str, Any] = {"digits": digits, "output_dict": as_dict, "zero_division": zero}
    present = sorted({*truth, *predicted})
    if names == "g":
        options["target_names"] = [f"class {i}" for i in range(len(present))]
    elif names == "s":
        options["labels"] = present[:1]
    elif names == "x":
        options |= {"labels": present[::-1], "target_names": ["a much longer name than the others"]}
    if as_dict and zero is np.nan:
        options["zero_division"] = 0  # nan is not equal to itself
    agree("classification_report", truth, predicted, sample_weight=weight, **options)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("balanced_accuracy_score", ([0, 1, 2, 1], [0, 1, 3, 3]), {}),
        ("balanced_accuracy_score", ([1, 1], [1, 1]), {"adjusted": True}),
        ("cohen_kappa_score", ([0, 0], [0, 0]), {}),
        ("cohen_kappa_score", ([0, 1], [2, 3]), {"labels": [0, 1]}),
        ("cohen_kappa_score", ([0, 1], [2, 3]), {"labels": [7]}),
        ("cohen_kappa_score", ([0, 1], [0, 1]), {"weights": "cubic"}),
        ("cohen_kappa_score", ([0, 1], [0, 1]), {"replace_undefined_by": 3.0}),
        ("class_likelihood_ratios", ([0, 1, 2], [0, 1, 2]), {}),
        ("class_likelihood_ratios", ([1, 1], [1, 1]), {}),
        ("class_likelihood_ratios", ([0, 1], [0, 1]), {"replace_undefined_by": {"LR+": 0.5, "LR-": 0.5}}),
        ("class_likelihood_ratios", ([0, 1], [0, 1]), {"replace_undefined_by": {"LR+": 2.0}}),
        ("class_likelihood_ratios", ([0, 1], [0, 1]), {"replace_undefined_by": 0.5}),
        ("class_likelihood_ratios", ([0, 1, 0], [0, 1, 1]), {"labels": [1, 0]}),
        ("jaccard_score", ([0, 1, 2], [0, 1, 2]), {}),
        ("jaccard_score", ([0, 0], [0, 0]), {}),
        ("jaccard_score", ([0, 1], [0, 1]), {"zero_division": np.nan}),
        ("jaccard_score", ([0, 1], [0, 1]), {"average": "mean"}),
        ("fbeta_score", ([0, 1], [0, 1]), {"beta": -1}),
        ("fbeta_score", ([0, 1], [0, 1]), {"beta": np.inf}),
        ("matthews_corrcoef", ([0, 1], [0, 1, 1]), {}),
        ("matthews_corrcoef", ([[0, 1], [1, 1]], [[0, 1], [1, 1]]), {}),
        ("confusion_matrix", ([[0, 1], [1, 1]], [[0, 1], [1, 1]]), {}),
        ("multilabel_confusion_matrix", ([0, 1], [0, 1]), {"samplewise": True}),
        ("classification_report", ([0, 1], [0, 1]), {"target_names": ["a"]}),
        ("classification_report", ([0, 1], [0, 2]), {"labels": [1], "target_names": ["a", "b"]}),
        ("hamming_loss", ([0.5, 1], [0, 1]), {}),
    ],
)
def test_edges(name: str, args: Any, options: Any) -> None:
    agree(name, *args, **options)


def test_documented_examples() -> None:
    # The inputs and results of the examples in scikit-learn's documentation.
    three, guess = [0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]
    assert metrics.balanced_accuracy_score([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]) == 0.625
    assert metrics.matthews_corrcoef([1, 1, 1, -1], [1, -1, 1, 1]) == pytest.approx(-1 / 3)
    votes = ["negative", "positive", "negative", "neutral", "positive"]
    others = ["negative", "positive", "negative", "neutral", "negative"]
    assert metrics.cohen_kappa_score(votes, others) == pytest.approx(0.6875)
    assert metrics.zero_one_loss([2, 2, 3, 4], [1, 2, 3, 4]) == 0.25
    assert metrics.zero_one_loss([2, 2, 3, 4], [1, 2, 3, 4], normalize=False) == 1.0
    assert metrics.hamming_loss([2, 2, 3, 4], [1, 2, 3, 4]) == 0.25
    for average, value in (("macro", 0.238), ("micro", 0.333), ("weighted", 0.238)):
        assert metrics.fbeta_score(three, guess, average=average, beta=0.5) == pytest.approx(value, abs=1e-3)
    ratios = metrics.class_likelihood_ratios([0, 1, 0, 1, 0], [1, 1, 0, 0, 0])
    assert ratios == pytest.approx((1.5, 0.75))
    assert metrics.multilabel_confusion_matrix(
        ["cat", "ant", "cat", "cat", "ant", "bird"],
        ["ant", "ant", "cat", "cat", "ant", "cat"],
        labels=["ant", "bird", "cat"],
    ).tolist() == [[[3, 1], [0, 2]], [[5, 0], [1, 0]], [[2, 1], [1, 2]]]
    report = metrics.classification_report(
        [0, 1, 2, 2, 2], [0, 0, 2, 2, 1], target_names=["class 0", "class 1", "class 2"]
    )
    assert str(report).splitlines()[2] == "     class 0       0.50      1.00      0.67         1"
    assert str(report).splitlines()[-1] == "weighted avg       0.70      0.60      0.61         5"


def test_many_rows_and_threads() -> None:
    rng = np.random.default_rng(6)
    codes, weight = rng.integers(0, 7, (2, 100_000)), rng.random(100_000)

    def everything() -> list[Any]:
        report = metrics.classification_report(*codes, digits=17, sample_weight=weight)
        kappa = metrics.cohen_kappa_score(*codes, weights="linear", sample_weight=weight)
        return [report, kappa, metrics.matthews_corrcoef(*codes), metrics.hamming_loss(*codes)]

    expected = everything()
    agree("classification_report", *codes, digits=17, sample_weight=weight)
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            assert everything() == expected
