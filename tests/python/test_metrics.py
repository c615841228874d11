"""Metrics against scikit-learn: values, exceptions and warnings over many generated cases."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import maas_engine
from maas_engine import _core, metrics
from maas_engine.errors import InvalidArgument, MaasError, Unsupported

CASES = settings(max_examples=150, deadline=None)

DTYPES = [np.bool_, np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64]
NAMES = np.array(["ant", "bee", "cat", "dog"])


def call(function: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[tuple[type, str]]]:
    """What a call returns or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            result = error
    # numpy's own remarks on empty means and divisions are not part of scikit-learn's contract
    return result, [(w.category, str(w.message)) for w in caught if w.category is not RuntimeWarning]


def agree(name: str, *args: Any, rtol: float = 1e-12, **kwargs: Any) -> Any:
    """Both libraries return the same, or raise the same, and warn the same."""
    ours, our_warnings = call(getattr(metrics, name), *args, **kwargs)
    expected, their_warnings = call(getattr(theirs, name), *args, **kwargs)
    if isinstance(expected, Exception):
        assert isinstance(ours, type(expected) if type(expected) in (ValueError, TypeError) else ValueError), ours
        return ours
    assert not isinstance(ours, Exception), ours
    assert our_warnings == their_warnings
    for one, other in zip(np.atleast_1d(ours), np.atleast_1d(expected), strict=True):
        if other is None:
            assert one is None
        else:
            np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-12)
            assert np.asarray(one).dtype.kind == np.asarray(other).dtype.kind
    return ours


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
        with pytest.raises(Unsupported):
            metrics.average_precision_score(truth, scores)
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


BAD = [
    ([], []),
    ([0, 1], [0, 1, 1]),
    ([0.5, 1.0], [0, 1]),
    ([0, 1], [0.5, 1.0]),
    ([0.5, 1.0], [0.5, 1.0]),
    ([np.nan, 1.0], [0.0, 1.0]),
    ([np.inf, 1.0], [0.0, 1.0]),
    (["a", "b"], [0, 1]),
    ([0, 1], ["a", "b"]),
    ([[0, 1], [2, 3]], [[0, 1], [2, 3]]),
    ([[0, 1], [1, 1]], [0, 1]),
    (np.array([1j, 2]), np.array([1j, 2])),
    (np.array([b"a", b"b"]), np.array([b"a", b"b"])),
    (np.zeros((2, 2, 2)), np.zeros((2, 2, 2))),
    (1, 1),
    (None, [1]),
    ("ab", "ab"),
]


@pytest.mark.parametrize(("truth", "predicted"), BAD)
@pytest.mark.parametrize("name", ["accuracy_score", "confusion_matrix", "f1_score", "precision_score"])
def test_bad_labels_are_refused_as_by_sklearn(name: str, truth: Any, predicted: Any) -> None:
    result = agree(name, truth, predicted)
    assert isinstance(result, (ValueError, TypeError))


@pytest.mark.parametrize("mixed", [[1, "a"], np.array([1, "a"], dtype=object)])
def test_labels_of_mixed_type_are_refused(mixed: Any) -> None:
    with pytest.raises(InvalidArgument, match="Mix of label input types"):
        metrics.accuracy_score(mixed, mixed)


def test_what_is_not_done_says_so() -> None:
    indicator = np.array([[0, 1], [1, 1]])
    for name in ("accuracy_score", "f1_score", "roc_auc_score", "average_precision_score"):
        with pytest.raises(Unsupported, match="multilabel"):
            getattr(metrics, name)(indicator, indicator)
    with pytest.raises(Unsupported, match="multiclass"):
        metrics.roc_auc_score([0, 1, 2], [0.1, 0.2, 0.3], multi_class="ovr")


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [0, 0]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [1, np.nan]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [1, 2, 3]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [[1, 2]]}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"normalize": "rows"}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"labels": []}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"labels": [7]}),
        ("f1_score", ([0, 1], [0, 1]), {"average": "mean"}),
        ("f1_score", ([0, 1, 2], [0, 1, 2]), {}),
        ("f1_score", ([0, 1], [0, 1]), {"pos_label": 5}),
        ("f1_score", (["a", "b"], ["a", "b"]), {}),
        ("f1_score", ([0, 1], [0, 1]), {"zero_division": 0.5}),
        ("f1_score", ([0, 1], [0, 1]), {"zero_division": "nan"}),
        ("f1_score", ([0, 1, 2], [0, 1, 2]), {"average": "samples"}),
        ("precision_recall_fscore_support", ([0, 1], [0, 1]), {"beta": -1}),
        ("roc_auc_score", ([0, 1], [0.1, np.nan]), {}),
        ("roc_auc_score", ([0, 1], [0.1, np.inf]), {}),
        ("roc_auc_score", ([0, 1], [[0.1, 0.2], [0.3, 0.4]]), {}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"max_fpr": 0}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"max_fpr": 1.5}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"average": "mean"}),
        ("roc_auc_score", ([0.5, 1], [0.1, 0.2]), {}),
        ("average_precision_score", ([0, 1], [0.1, 0.2]), {"pos_label": 7}),
        ("average_precision_score", (["a", "b"], [0.1, 0.2]), {}),
        ("mean_squared_error", ([1.0, np.nan], [1.0, 2.0]), {}),
        ("mean_squared_error", ([1.0, 2.0], [1.0, np.inf]), {}),
        ("mean_squared_error", ([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), {}),
        ("mean_squared_error", ([1.0, 2.0], [1.0]), {}),
        ("mean_squared_error", ([], []), {}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": "mean"}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": [1.0]}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": "variance_weighted"}),
        ("mean_squared_error", (["a"], ["b"]), {}),
        ("r2_score", ([[1.0, 2.0]] * 3, [[1.0, 2.0]] * 3), {"multioutput": [1.0]}),
    ],
)
def test_bad_arguments_are_refused_as_by_sklearn(name: str, args: Any, options: Any) -> None:
    result = agree(name, *args, **options)
    assert isinstance(result, (MaasError, TypeError)), result


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("roc_auc_score", ([1, 1], [0.1, 0.2]), {}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"sample_weight": [0, 1]}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"sample_weight": [1, 0]}),
        ("average_precision_score", ([0, 0], [0.1, 0.2]), {}),
        ("r2_score", ([1.0], [1.0]), {}),
        ("confusion_matrix", ([1, 1], [1, 1]), {}),
        ("f1_score", ([0, 0], [0, 0]), {}),
        ("f1_score", ([0, 1, 1], [0, 1, 1]), {"average": "macro", "pos_label": 0}),
        ("recall_score", ([0, 0, 2], [0, 1, 2]), {"average": None}),
        ("precision_score", ([0, 1, 2], [0, 0, 2]), {"average": "weighted"}),
        ("precision_recall_fscore_support", ([0, 0, 3], [0, 1, 1]), {"labels": [7, 0]}),
    ],
)
def test_the_same_warnings(name: str, args: Any, options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(name, *args, **options)


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
    assert metrics.accuracy_score(pd.Series(truth, dtype="Int64"), pd.Series(predicted, dtype="Int64")) == 0.75
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
