"""Metric states: merge equals update of everything bit for bit, bytes come back, hostile bytes are refused."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas_engine import metrics
from maas_engine.errors import FormatError, InvalidArgument

N = 600
RNG = np.random.default_rng(7)
CODES, GUESSES = RNG.integers(0, 4, (2, N))
NAMES = np.array(["ant", "bee", "cat", "dog"])
BINARY = RNG.integers(0, 2, N)
SCORES = (RNG.normal(size=N) + BINARY).round(1)
PROBA = RNG.dirichlet(np.ones(4), N)
Y, PREDICTED = RNG.normal(size=(2, N)) + 1e6
WEIGHT = RNG.random(N) + 0.01
Y2, PREDICTED2 = RNG.normal(size=(2, N, 2)) + 1e6
POSITIVE = RNG.gamma(2.0, 1.0, N)

# state, the one-shot function with the same options, its two arrays
CASES: list[tuple[Any, str, dict[str, Any], Any, Any]] = [
    (metrics.Accuracy, "accuracy_score", {}, CODES, GUESSES),
    (metrics.Accuracy, "accuracy_score", {"normalize": False}, NAMES[CODES], NAMES[GUESSES]),
    (metrics.ConfusionMatrix, "confusion_matrix", {}, CODES, GUESSES),
    (
        metrics.ConfusionMatrix,
        "confusion_matrix",
        {"normalize": "true", "labels": [3, 1]},
        CODES - 1,
        GUESSES,
    ),
    (metrics.ConfusionMatrix, "confusion_matrix", {"labels": ["dog", "bee"]}, NAMES[CODES], NAMES[GUESSES]),
    (metrics.Precision, "precision_score", {"average": "macro"}, CODES, GUESSES),
    (metrics.Recall, "recall_score", {}, BINARY, SCORES > 0.5),
    (metrics.F1, "f1_score", {"average": None, "labels": NAMES.tolist()}, NAMES[CODES], NAMES[GUESSES]),
    (metrics.F1, "f1_score", {"average": "micro", "labels": [0, 30000]}, CODES * 10000, GUESSES * 10000),
    (metrics.PrecisionRecallFScoreSupport, "precision_recall_fscore_support", {"beta": 2.0}, CODES, GUESSES),
    (metrics.LogLoss, "log_loss", {"labels": [0, 1, 2, 3]}, CODES, PROBA),
    (metrics.LogLoss, "log_loss", {"labels": ["ant", "bee"]}, NAMES[BINARY], PROBA[:, 0]),
    (metrics.RocAuc, "roc_auc_score", {}, BINARY, SCORES),
    (metrics.RocAuc, "roc_auc_score", {"max_fpr": 0.3}, BINARY, SCORES),
    (metrics.AveragePrecision, "average_precision_score", {"pos_label": "bee"}, NAMES[BINARY], SCORES),
    (metrics.MeanSquaredError, "mean_squared_error", {}, Y, PREDICTED),
    (metrics.MeanSquaredError, "mean_squared_error", {"multioutput": "raw_values"}, Y2, PREDICTED2),
    (metrics.RootMeanSquaredError, "root_mean_squared_error", {"multioutput": [0.25, 0.75]}, Y2, PREDICTED2),
    (metrics.MeanAbsoluteError, "mean_absolute_error", {}, Y, PREDICTED),
    (metrics.MeanAbsolutePercentageError, "mean_absolute_percentage_error", {}, Y2, PREDICTED2),
    (metrics.MeanSquaredLogError, "mean_squared_log_error", {}, Y2, PREDICTED2),
    (metrics.RootMeanSquaredLogError, "root_mean_squared_log_error", {}, Y, PREDICTED),
    (metrics.MeanPinballLoss, "mean_pinball_loss", {"alpha": 0.1}, Y2, PREDICTED2),
    (metrics.R2, "r2_score", {}, Y, PREDICTED),
    (metrics.R2, "r2_score", {"multioutput": "variance_weighted"}, Y2, PREDICTED2),
    (metrics.ExplainedVariance, "explained_variance_score", {"multioutput": "raw_values"}, Y2, PREDICTED2),
    (metrics.MeanTweedieDeviance, "mean_tweedie_deviance", {"power": 1.5}, POSITIVE, POSITIVE[::-1]),
    (metrics.MeanPoissonDeviance, "mean_poisson_deviance", {}, POSITIVE, POSITIVE[::-1]),
    (metrics.MeanGammaDeviance, "mean_gamma_deviance", {}, POSITIVE, POSITIVE[::-1]),
    *(
        (metrics.D2Tweedie, "d2_tweedie_score", {"power": power}, POSITIVE, POSITIVE[::-1])
        for power in (-1, 0, 1, 1.5, 2, 3)
    ),
]
SPREADS = ("r2_score", "explained_variance_score")


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(equal(one, other) for one, other in zip(a, b, strict=True))
    return np.array_equal(a, b)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("state", "name", "options", "truth", "predicted"), CASES)
def test_states(state: Any, name: str, options: Any, truth: Any, predicted: Any, weighted: bool) -> None:
    weight = WEIGHT if weighted else None
    whole = state(**options)
    whole.update(truth, predicted, weight)
    function = getattr(metrics, name)
    for one, other in zip(
        np.atleast_1d(whole.compute()),
        np.atleast_1d(function(truth, predicted, sample_weight=weight, **options)),
        strict=True,
    ):
        if other is not None:
            np.testing.assert_allclose(one, other, rtol=1e-9 if name in SPREADS else 1e-12)

    for cut in (1, 250, N - 1):
        left, right = state(**options), state(**options)
        for part, rows in ((left, slice(0, cut)), (right, slice(cut, N))):
            part.update(truth[rows], predicted[rows], None if weight is None else weight[rows])
        right = state.from_bytes(right.to_bytes())
        assert right.merge(left) is right
        assert right.to_bytes() == whole.to_bytes()
        assert equal(right.compute(), whole.compute())
        assert equal(pickle.loads(pickle.dumps(right)).compute(), whole.compute())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_split_in_any_order_gives_the_same_bits(data: Any) -> None:
    state, _, options, truth, predicted = data.draw(st.sampled_from(CASES))
    weighted = data.draw(st.lists(st.booleans(), min_size=4, max_size=4))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(1, N - 1), min_size=3, max_size=3, unique=True))), N]
    parts = [(slice(a, b), w) for a, b, w in zip(cuts, cuts[1:], weighted, strict=False)]

    def fed(pieces: Any) -> Any:
        result = state(**options)
        for rows, use_weight in pieces:
            part = state(**options)
            part.update(truth[rows], predicted[rows], WEIGHT[rows] if use_weight else None)
            result.merge(part)
        return result.to_bytes()

    assert fed(parts) == fed(data.draw(st.permutations(parts)))


@pytest.mark.parametrize(("state", "name", "options", "truth", "predicted"), CASES)
def test_hostile_bytes_are_refused(state: Any, name: str, options: Any, truth: Any, predicted: Any) -> None:
    good = state(**options)
    good.update(truth[:50], predicted[:50], WEIGHT[:50])
    data = good.to_bytes()
    rng = np.random.default_rng(1)
    hostile = [b"", data[:-1], data + b"\0", b"MAST" + b"\xff" * 40, data.replace(b"metric", b"matrix")]
    for _ in range(200):
        changed = bytearray(data)
        changed[rng.integers(len(data))] = rng.integers(256)
        hostile.append(bytes(changed))
    for case in hostile:
        try:
            again = state.from_bytes(case)
        except FormatError:
            continue
        assert again.to_bytes() == case  # what is read is in its one form


def test_other_configurations_and_metrics_do_not_mix() -> None:
    with pytest.raises(InvalidArgument, match="configuration"):
        metrics.F1(average="macro").merge(metrics.F1(average="micro"))
    with pytest.raises(InvalidArgument, match="to merge"):
        metrics.F1().merge(metrics.Recall())
    with pytest.raises(FormatError):
        metrics.F1.from_bytes(metrics.Recall().to_bytes())
    with pytest.raises(FormatError):
        metrics.R2.from_bytes(metrics.Accuracy().to_bytes())


def test_a_refused_batch_changes_nothing() -> None:
    cases = [
        (metrics.ConfusionMatrix(), ([0, 1], [1, 1]), ([0, 10**6], [0, 1]), InvalidArgument),
        (metrics.ConfusionMatrix(), ([0, 1], [1, 1]), (["a", "b"], ["a", "b"]), InvalidArgument),
        (metrics.LogLoss(labels=[0, 1]), ([0, 1], [0.2, 0.9]), ([0, 1], [0.2, 1.9]), InvalidArgument),
        (metrics.LogLoss(labels=[0, 1]), ([0, 1], [0.2, 0.9]), ([0, 2], [0.2, 0.9]), InvalidArgument),
        (metrics.RocAuc(), ([0, 1], [0.2, 0.9]), ([0, 1], [0.2, np.nan]), InvalidArgument),
        (metrics.R2(), ([0, 1], [0.2, 0.9]), ([0, 1], [0.2, np.nan]), InvalidArgument),
        (metrics.R2(), ([0, 1], [0.2, 0.9]), ([[0, 1]], [[0, 1]]), InvalidArgument),
        (metrics.MeanSquaredLogError(), ([0, 1], [0.2, 0.9]), ([0, -1], [0.2, 1]), InvalidArgument),
        (metrics.MeanGammaDeviance(), ([3, 1], [0.2, 0.9]), ([0, 1], [0.2, 1]), InvalidArgument),
        (metrics.MaxError(), ([0, 1], [0.2, 0.9]), ([[0, 1]], [[0, 1]]), InvalidArgument),
        (metrics.Accuracy(), ([0, 1], [0, 1]), ([0, 1], ["a", "b"]), InvalidArgument),
    ]
    for state, good, bad, error in cases:
        state.update(*good)
        before = state.to_bytes()
        with pytest.raises(error):
            state.update(*bad)
        assert state.to_bytes() == before


def test_states_without_rows() -> None:
    for state in (
        metrics.Accuracy(),
        metrics.F1(),
        metrics.LogLoss(labels=[0, 1]),
        metrics.MeanSquaredError(),
    ):
        with pytest.raises(InvalidArgument, match="never updated"):
            state.compute()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert np.isnan(metrics.RocAuc().compute())
        assert metrics.AveragePrecision().compute() == 0
        assert np.isnan(metrics.R2().compute())
    assert len(caught) == 3


def test_max_error() -> None:
    state, other = metrics.MaxError(), metrics.MaxError()
    state.update(Y[:100], PREDICTED[:100])
    other.update(Y[100:], PREDICTED[100:])
    other = metrics.MaxError.from_bytes(other.to_bytes()).merge(state)
    assert other.compute() == metrics.max_error(Y, PREDICTED)


def test_outputs_and_their_weights_must_fit() -> None:
    state = metrics.MeanSquaredError(multioutput=[0.5, 0.25, 0.25])
    state.update(Y2, PREDICTED2)
    with pytest.raises(InvalidArgument, match="custom weights"):
        state.compute()
    with pytest.raises(InvalidArgument, match="multioutput"):
        metrics.MeanSquaredError(multioutput="variance_weighted")
    two, one = metrics.R2(), metrics.R2()
    two.update(Y2, PREDICTED2)
    one.update(Y, PREDICTED)
    with pytest.raises(InvalidArgument, match="outputs"):
        one.merge(two)
    assert metrics.R2().merge(two).to_bytes() == two.to_bytes()


def test_bytes_of_other_sums_are_refused() -> None:
    squared, absolute = metrics.MeanSquaredError(), metrics.MeanAbsoluteError()
    squared.update(Y, PREDICTED)
    absolute.update(Y, PREDICTED)
    data, other = squared.to_bytes(), absolute.to_bytes()
    body = 20 + int.from_bytes(data[16:20], "little")
    other_body = 20 + int.from_bytes(other[16:20], "little")
    with pytest.raises(FormatError, match="sums"):
        metrics.MeanSquaredError.from_bytes(data[:body] + other[other_body:])
