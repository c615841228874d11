"""Metrics against scikit-learn over many generated cases."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import _core, metrics
from maas_engine.errors import InvalidArgument

CASES = settings(max_examples=150, deadline=None)

DTYPES = [
    np.bool_,
    np.int8,
    np.uint8,
    np.int16,
    np.int32,
    np.uint32,
    np.int64,
    np.uint64,
    np.float32,
    np.float64,
]
NAMES = np.array(["ant", "bee", "cat", "dog"])


@st.composite
def label_pairs(draw: Any) -> tuple[Any, Any, Any]:
    """True and predicted labels of one dtype, and weights or None."""
    n = draw(st.integers(1, 40))
    classes = draw(st.integers(1, 4))
    codes = st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)
    truth, predicted = np.array(draw(codes)), np.array(draw(codes))
    kind = draw(st.sampled_from([*DTYPES, "string", "object", "wide", "negative", "list"]))
    if kind in ("string", "object"):
        truth, predicted = NAMES[truth], NAMES[predicted]
        if kind == "object":
            truth, predicted = truth.astype(object), predicted.astype(object)
    elif kind == "wide":
        truth, predicted = truth * 10**7, predicted * 10**7
    elif kind == "negative":
        truth, predicted = truth - 2, predicted - 2
    elif kind == "list":
        truth, predicted = truth.tolist(), predicted.tolist()
    else:
        truth, predicted = truth.astype(kind), predicted.astype(kind)
    weights = st.lists(st.floats(0.1, 3), min_size=n, max_size=n).map(np.array)
    return truth, predicted, draw(st.none() | weights)


@CASES
@given(label_pairs(), st.booleans())
def test_accuracy(pair: Any, normalize: bool) -> None:
    truth, predicted, weight = pair
    agree("accuracy_score", truth, predicted, normalize=normalize, sample_weight=weight)


@CASES
@given(label_pairs(), st.sampled_from([None, "true", "pred", "all"]), st.booleans())
def test_confusion_matrix(pair: Any, normalize: Any, choose: bool) -> None:
    truth, predicted, weight = pair
    labels = sorted(set(truth), reverse=True)[:2] if choose else None
    agree("confusion_matrix", truth, predicted, normalize=normalize, sample_weight=weight, labels=labels)


def test_confusion_matrix_of_integer_weights_is_integral() -> None:
    matrix = metrics.confusion_matrix([0, 1, 1], [0, 1, 0], sample_weight=np.array([1, 2, 3]))
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[1, 0], [3, 2]]


@CASES
@given(
    label_pairs(),
    st.sampled_from([None, "binary", "micro", "macro", "weighted"]),
    st.sampled_from(["warn", 0, 1, np.nan]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.booleans(),
)
def test_precision_recall_fscore(pair: Any, average: Any, zero: Any, beta: float, choose: bool) -> None:
    truth, predicted, weight = pair
    options: dict[str, Any] = {"average": average, "sample_weight": weight, "zero_division": zero}
    if choose and average != "binary":
        options["labels"] = sorted({*truth, *predicted}, reverse=True)[:2]
    if average == "binary":
        options["pos_label"] = max(truth)
    agree("precision_recall_fscore_support", truth, predicted, beta=beta, **options)
    for name in ("precision_score", "recall_score", "f1_score"):
        agree(name, truth, predicted, **options)


@CASES
@given(label_pairs(), st.integers(0, 3), st.sampled_from([None, 0.1, 0.5, 1.0]))
def test_ranking(pair: Any, decimals: int, max_fpr: Any) -> None:
    truth, _, weight = pair
    scores = np.random.default_rng(len(truth)).normal(size=len(truth)).round(decimals)
    if len(set(truth)) > 2:
        with pytest.raises(InvalidArgument, match="multi_class must be"):
            metrics.roc_auc_score(truth, scores)
        agree("average_precision_score", truth, scores)
        return
    agree("roc_auc_score", truth, scores, sample_weight=weight, max_fpr=max_fpr)
    agree("roc_auc_score", truth, scores.astype(np.float32), sample_weight=weight)
    agree("average_precision_score", truth, scores, sample_weight=weight, pos_label=max(truth))


def test_ranking_of_many_rows_with_and_without_ties() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 200_000)
    for scores in (rng.normal(size=200_000) + truth, rng.integers(0, 50, 200_000) + truth):
        agree("roc_auc_score", truth, scores, rtol=1e-11)
        agree("average_precision_score", truth, scores, rtol=1e-11)


@CASES
@given(label_pairs(), st.booleans(), st.booleans(), st.sampled_from([np.float64, np.float32]))
def test_log_loss(pair: Any, normalize: bool, declare: bool, dtype: Any) -> None:
    truth, _, weight = pair
    classes = sorted(set(truth))
    rng = np.random.default_rng(len(truth))
    proba = rng.random((len(truth), max(2, len(classes))))
    proba /= proba.sum(axis=1, keepdims=True)
    proba[0] = np.eye(proba.shape[1])[0]  # certain: clipped
    options = {"normalize": normalize, "sample_weight": weight, "labels": classes if declare else None}
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    agree("log_loss", truth, proba.astype(dtype), rtol=rtol, **options)
    if len(classes) == 2:
        agree("log_loss", truth, proba[:, 1].astype(dtype), rtol=rtol, **options)


def test_log_loss_warnings_and_errors() -> None:
    agree("log_loss", [0, 1, 1], [[0.5, 0.6], [0.1, 0.9], [0.2, 0.8]])  # rows do not sum to one
    agree("log_loss", [0, 1, 1], [0.1, 1.5, 0.3])
    agree("log_loss", [0, 1, 1], [0.1, -0.5, 0.3])
    agree("log_loss", [0, 1, 1], [0.1, np.nan, 0.3])
    agree("log_loss", [0, 1, 2], [0.1, 0.5, 0.3])
    agree("log_loss", [0, 1, 2], [0.1, 0.5, 0.3], labels=[0, 1])
    agree("log_loss", [1, 1, 1], [0.1, 0.5, 0.3])
    agree("log_loss", [1, 1, 1], [0.1, 0.5, 0.3], labels=[1])
    agree("log_loss", ["b", "a", "a"], [[0.1, 0.9], [0.5, 0.5], [0.3, 0.7]], labels=["b", "a"])
    with pytest.warns(FutureWarning, match="y_proba"):
        metrics.log_loss([0, 1], y_pred=[0.1, 0.9])


@CASES
@given(
    st.integers(1, 70),
    st.integers(1, 3),
    st.sampled_from(["uniform_average", "raw_values", "variance_weighted", "weights"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_regression(n: int, k: int, multioutput: Any, weighted: bool, constant: bool, finite: bool) -> None:
    rng = np.random.default_rng(n)
    truth, predicted = rng.normal(3, 1, (n, k)), rng.normal(3, 1, (n, k))
    if constant:
        truth[:, 0] = 2.0
    if k == 1 and n % 2:
        truth, predicted = truth[:, 0], predicted[:, 0]
    # scikit-learn's weighted mean of a constant may be off by an ulp, which makes its R^2 of a constant huge
    weight = np.full(n, 0.5) if constant else rng.random(n) + 0.1
    options: dict[str, Any] = {"multioutput": multioutput, "sample_weight": weight if weighted else None}
    if multioutput == "weights":
        options["multioutput"] = np.arange(1.0, k + 1)
    if multioutput != "variance_weighted":
        agree("mean_squared_error", truth, predicted, **options)
        agree("mean_absolute_error", truth, predicted, **options)
    if not finite and constant and multioutput == "variance_weighted":
        return  # nan or not depends on how the average treats weight 0
    agree("r2_score", truth, predicted, force_finite=finite, **options, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64, np.bool_, np.float16, ">f8", ">i4"])
def test_regression_dtypes(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = (rng.integers(0, 2, (2, 1000))).astype(dtype)
    for name in ("mean_squared_error", "mean_absolute_error", "r2_score"):
        agree(name, truth.astype(np.float64), predicted.astype(np.float64))
        ours = getattr(metrics, name)(truth, predicted)
        assert ours == getattr(metrics, name)(truth.astype(np.float64), predicted.astype(np.float64))


def test_r2_survives_an_offset() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=10_000)
    predicted = truth + rng.normal(size=10_000)
    exact = metrics.r2_score(truth, predicted)
    assert metrics.r2_score(truth + 1e6, predicted + 1e6) == pytest.approx(exact, rel=1e-9)


def test_strided_and_read_only_arrays() -> None:
    rng = np.random.default_rng(2)
    table = rng.integers(0, 5, (3000, 4))
    table.flags.writeable = False
    values = rng.normal(size=(3000, 4))
    agree("accuracy_score", table[:, 1], table[::-1, 2])
    agree("f1_score", table[:, 1], table[::-1, 2], average="macro")
    agree("mean_squared_error", values[:, 1], values[::-1, 2])
    agree("r2_score", values[:, 1:3], values[::-1, 2:])
    agree("roc_auc_score", table[:, 0] > 2, values[:, 3])


def test_bits_do_not_depend_on_threads_or_target() -> None:
    rng = np.random.default_rng(3)
    n = 150_000
    labels, codes = rng.integers(0, 2, n), rng.integers(0, 7, (2, n))
    x, y = rng.normal(size=(2, n))
    proba = 1 / (1 + np.exp(-x))

    def everything() -> list[Any]:
        return [
            metrics.accuracy_score(*codes),
            metrics.confusion_matrix(*codes).tolist(),
            metrics.f1_score(*codes, average="macro"),
            metrics.log_loss(labels, proba),
            metrics.roc_auc_score(labels, x),
            metrics.average_precision_score(labels, x),
            metrics.mean_squared_error(x, y),
            metrics.mean_absolute_error(x, y),
            metrics.r2_score(x, y),
        ]

    expected = everything()
    try:
        for target in _core.supported_targets():
            _core.set_target(target)
            if not _core.target_has_fma():
                continue
            for threads in (1, 2, 4):
                with maas_engine.num_threads(threads):
                    assert everything() == expected
    finally:
        _core.set_target("")


def test_many_classes_and_late_labels() -> None:
    rng = np.random.default_rng(4)
    wide = rng.integers(0, 5000, (2, 20_000))
    agree("f1_score", *wide, average="macro", zero_division=0)
    late = np.zeros(100_000, dtype=np.int64)
    late[77_777] = 900
    agree("confusion_matrix", late, late)
    agree("accuracy_score", late.astype(np.float64), late)


def test_pandas_and_polars_columns() -> None:
    pd = pytest.importorskip("pandas")
    truth, predicted = [0, 1, 1, 0], [0, 1, 0, 0]
    assert metrics.accuracy_score(pd.Series(truth), pd.Series(predicted)) == 0.75
    assert (
        metrics.accuracy_score(pd.Series(truth, dtype="Int64"), pd.Series(predicted, dtype="Int64")) == 0.75
    )
    assert metrics.accuracy_score(pd.Series(["a", "b"], dtype="category"), pd.Series(["a", "a"])) == 0.5
    pl = pytest.importorskip("polars")
    assert metrics.mean_absolute_error(pl.Series(truth), pl.Series(predicted)) == 0.25


def test_scikit_learn_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None; import warnings; warnings.simplefilter('error')\n"
        "from maas_engine import metrics\n"
        "from maas_engine.errors import UndefinedMetricWarning\n"
        "assert metrics.f1_score([0, 1], [0, 1]) == 1\n"
        "try: metrics.r2_score([1.0], [1.0])\n"
        "except UndefinedMetricWarning: pass\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
