"""Bootstrap intervals: the fast ways draw what calls with drawn rows would give, scipy agrees, intervals cover."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats

import maas_engine
from maas_engine import metrics
from maas_engine.errors import InvalidArgument

N = 400
RNG = np.random.default_rng(11)
LABELS = RNG.integers(0, 3, N)
GUESSES = np.where(RNG.random(N) < 0.6, LABELS, RNG.integers(0, 3, N))
BINARY = (RNG.random(N) < 0.4).astype(np.int64)
MARGIN = (RNG.normal(size=N) + BINARY).round(1)
PROBA = 1 / (1 + np.exp(-MARGIN))
Y = RNG.gamma(2.0, 1.0, N)
PREDICTED = Y * np.exp(0.4 * RNG.normal(size=N))
Y2, PREDICTED2 = RNG.normal(size=(2, N, 2))
WEIGHT = RNG.random(N) + 0.1
STRATA = RNG.integers(0, 3, N)

CASES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("accuracy_score", LABELS, GUESSES, {}),
    ("accuracy_score", BINARY, MARGIN > 0.5, {"normalize": False}),
    ("zero_one_loss", LABELS, GUESSES, {}),
    ("f1_score", BINARY, MARGIN > 0.5, {}),
    ("precision_score", BINARY, MARGIN > 0.5, {"pos_label": 0}),
    ("recall_score", LABELS, GUESSES, {"average": "weighted"}),
    ("f1_score", np.array(["a", "b", "c"])[LABELS], np.array(["a", "b", "c"])[GUESSES], {"average": "macro"}),
    ("fbeta_score", LABELS, GUESSES, {"average": "micro", "labels": [0, 2, 7], "beta": 2.0}),
    ("jaccard_score", LABELS, GUESSES, {"average": "macro"}),
    ("balanced_accuracy_score", LABELS, GUESSES, {}),
    ("matthews_corrcoef", LABELS, GUESSES, {}),
    ("cohen_kappa_score", LABELS, GUESSES, {}),
    ("roc_auc_score", BINARY, MARGIN, {}),
    ("average_precision_score", BINARY, MARGIN, {}),
    ("log_loss", BINARY, PROBA, {}),
    ("mean_squared_error", Y, PREDICTED, {}),
    ("root_mean_squared_error", Y2, PREDICTED2, {"multioutput": [0.3, 0.7]}),
    ("mean_absolute_percentage_error", Y, PREDICTED, {}),
    ("mean_pinball_loss", Y, PREDICTED, {"alpha": 0.2}),
    ("root_mean_squared_log_error", Y, PREDICTED, {}),
    ("mean_poisson_deviance", Y, PREDICTED, {}),
    ("mean_tweedie_deviance", Y, PREDICTED, {"power": 1.5}),
    ("r2_score", Y, PREDICTED, {}),
    ("r2_score", Y2, PREDICTED2, {"multioutput": "variance_weighted"}),
    ("explained_variance_score", Y + 1e6, PREDICTED + 1e6, {}),
]


def call_plan_value(name: str, truth: Any, predicted: Any, options: Any, rows: Any, weight: Any) -> float:
    more = {} if weight is None else {"sample_weight": weight[rows]}
    return float(getattr(metrics, name)(truth[rows], predicted[rows], **options, **more))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strata", [None, STRATA])
@pytest.mark.parametrize(("name", "truth", "predicted", "options"), CASES)
def test_each_way_has_the_distribution_of_calls(
    name: str, truth: Any, predicted: Any, options: Any, strata: Any, weighted: bool
) -> None:
    weight = WEIGHT if weighted else None
    common: dict[str, Any] = {"n_resamples": 400, "stratify": strata, "sample_weight": weight, **options}

    def by_calls(t: Any, p: Any, **kwargs: Any) -> Any:
        return getattr(metrics, name)(t, p, **kwargs)

    fast = metrics.bootstrap(name, truth, predicted, random_state=1, **common)
    slow = metrics.bootstrap(by_calls, truth, predicted, random_state=2, **common)
    assert fast.value == slow.value
    assert (
        fast.value == call_plan_value(name, truth, predicted, options, slice(None), weight)
        or strata is not None
    )
    assert stats.ks_2samp(fast.distribution, slow.distribution).pvalue > 1e-4
    assert fast.standard_error == pytest.approx(slow.standard_error, rel=0.2)
    assert fast.low < fast.value < fast.high


# Sums and scans draw the rows that bootstrap_rows names, so their values can be held against calls one by one.
@pytest.mark.parametrize("strata", [None, STRATA])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "truth", "predicted", "options"),
    [case for case in CASES if case[0] not in ("roc_auc_score",)][12:],
)
def test_sums_equal_calls_resample_by_resample(
    name: str, truth: Any, predicted: Any, options: Any, strata: Any, weighted: bool
) -> None:
    if name == "average_precision_score" and strata is None:
        return  # rows are drawn in the order of the score
    common: dict[str, Any] = {"n_resamples": 20, "stratify": strata, "random_state": 3, **options}
    common["sample_weight"] = WEIGHT if weighted else None
    fast = metrics.bootstrap(name, truth, predicted, **common)
    slow = metrics.bootstrap(lambda t, p, **k: getattr(metrics, name)(t, p, **k), truth, predicted, **common)
    np.testing.assert_allclose(fast.distribution, slow.distribution, rtol=1e-7)


def test_ranking_equals_calls_resample_by_resample() -> None:
    other = RNG.normal(size=N)
    for name in ("roc_auc_score", "average_precision_score"):
        for weight in (None, WEIGHT):
            common: dict[str, Any] = {"n_resamples": 30, "random_state": 5, "sample_weight": weight}
            fast = metrics.bootstrap(name, BINARY, MARGIN, other, **common)
            slow = metrics.bootstrap(
                lambda *a, f=name, **k: getattr(metrics, f)(*a, **k), BINARY, MARGIN, other, **common
            )
            np.testing.assert_allclose(fast.distribution, slow.distribution, rtol=1e-10)
            order = np.argsort(MARGIN, kind="stable")
            if name == "average_precision_score":
                order = np.argsort(-MARGIN, kind="stable")
            common["sample_weight"] = None
            fast = metrics.bootstrap(name, BINARY[order], MARGIN[order], **common)
            again = metrics.bootstrap(name, BINARY, MARGIN, **common)
            assert fast.value == again.value


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
@pytest.mark.parametrize(("name", "truth", "predicted", "options"), CASES)
def test_differences_and_methods(name: str, truth: Any, predicted: Any, options: Any, method: str) -> None:
    if name == "average_precision_score" and method == "BCa":
        truth, predicted = truth[:100], predicted[:100]
    other = predicted[::-1].copy()
    result = metrics.bootstrap(
        name, truth, predicted, other, n_resamples=200, method=method, random_state=4, **options
    )
    function = getattr(metrics, name)
    expected = function(truth, predicted, **options) - function(truth, other, **options)
    assert result.value == pytest.approx(expected, rel=1e-12)
    assert result.low <= result.value <= result.high
    assert result.distribution.shape == (200,)
    same = metrics.bootstrap(name, truth, predicted, predicted, n_resamples=20, method=method, **options)
    assert np.abs(same.distribution).max() < 1e-12


@pytest.mark.parametrize(("name", "truth", "predicted", "options"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_acceleration_is_that_of_calls(
    name: str, truth: Any, predicted: Any, options: Any, weighted: bool
) -> None:
    from maas_engine.metrics._bootstrap import _acceleration, _make_sample
    from maas_engine.metrics._bootstrap_plans import CallPlan, plan_of

    weight = WEIGHT[:80] if weighted else None
    for strata in (None, STRATA[:80]):
        sample = _make_sample(truth[:80], predicted[:80], None, weight, strata)
        function = getattr(metrics, name)
        plan = plan_of(function, name, sample, options)
        assert not isinstance(plan, CallPlan)
        calls = CallPlan(function, sample, options)
        assert _acceleration(plan) == pytest.approx(_acceleration(calls), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
@pytest.mark.parametrize("name", ["accuracy_score", "r2_score", "roc_auc_score"])
def test_scipy_agrees(name: str, method: str) -> None:
    truth, predicted = {
        "accuracy_score": (LABELS, GUESSES),
        "r2_score": (Y, PREDICTED),
        "roc_auc_score": (BINARY, MARGIN),
    }[name]
    function = getattr(metrics, name)
    n = 150
    ours = metrics.bootstrap(name, truth[:n], predicted[:n], method=method, n_resamples=4000, random_state=0)
    theirs = stats.bootstrap(
        (truth[:n], predicted[:n]),
        function,
        paired=True,
        vectorized=False,
        method=method,
        n_resamples=1500,
        rng=np.random.default_rng(0),
    )
    noise = 4 * ours.standard_error * np.sqrt(5 / 1500)  # of a 2.5 % quantile of 1500 draws, about
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.1)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=noise)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=noise)


def test_bca_of_a_given_distribution_is_scipys() -> None:
    from maas_engine.metrics._bootstrap import _interval
    from maas_engine.metrics._bootstrap_sample import by_stratum

    x = np.random.default_rng(5).exponential(size=60)
    draws = np.random.default_rng(6).choice(x, (3000, 60)).mean(axis=1)
    expected = stats.bootstrap((x,), np.mean, n_resamples=0, method="BCa", bootstrap_result=_Given(draws))

    class Mean:
        value = float(x.mean())

        def distribution(self, seed: int, resamples: int) -> Any:
            return draws

        def jackknife(self) -> Any:
            return by_stratum((x.sum() - x) / 59, [60])

    low, high = _interval(Mean(), draws, 0.95, "BCa")
    assert low == pytest.approx(expected.confidence_interval.low, rel=1e-12)
    assert high == pytest.approx(expected.confidence_interval.high, rel=1e-12)


class _Given:
    """A result that scipy takes its distribution from."""

    def __init__(self, distribution: Any) -> None:
        self.bootstrap_distribution = distribution


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_intervals_cover(method: str) -> None:
    rng = np.random.default_rng(8)
    hits = {"accuracy_score": 0, "r2_score": 0, "roc_auc_score": 0}
    rounds, n = 200, 300
    exact = {
        "accuracy_score": 0.8,
        "r2_score": 0.5,
        "roc_auc_score": 0.7602499,
    }  # Phi(1 / sqrt 2) for the last
    for k in range(rounds):
        labels = rng.integers(0, 2, n)
        x = rng.normal(size=n)
        data = {
            "accuracy_score": (labels, np.where(rng.random(n) < 0.8, labels, 1 - labels)),
            "r2_score": (x + rng.normal(size=n), x),
            "roc_auc_score": (labels, rng.normal(size=n) + labels),
        }
        for name, (truth, predicted) in data.items():
            result = metrics.bootstrap(name, truth, predicted, method=method, n_resamples=300, random_state=k)
            hits[name] += result.low <= exact[name] <= result.high
    for name, count in hits.items():
        assert 0.89 <= count / rounds <= 0.99, (name, count)


def test_threads_and_seeds() -> None:
    threads = maas_engine.get_num_threads()
    big = RNG.normal(size=(2, 5000))
    labels = (big[0] > 0.3).astype(np.int8)
    runs: list[tuple[Any, ...]] = [
        ("f1_score", labels, big[1] > 0),
        ("r2_score", big[0], big[1]),
        ("roc_auc_score", labels, big[1]),
        ("average_precision_score", labels, big[1]),
    ]
    try:
        for run in runs:
            results = []
            for count in (1, 2, 4):
                maas_engine.set_num_threads(count)
                results.append(metrics.bootstrap(*run, n_resamples=50, random_state=9).distribution)
            assert np.array_equal(results[0], results[1])
            assert np.array_equal(results[0], results[2])
            # a longer run begins with the shorter one
            longer = metrics.bootstrap(*run, n_resamples=60, random_state=9).distribution
            assert np.array_equal(longer[:50], results[0])
            assert not np.array_equal(metrics.bootstrap(*run, n_resamples=50).distribution, results[0])
    finally:
        maas_engine.set_num_threads(threads)


def test_random_states() -> None:
    for state in (3, np.int64(3), np.random.default_rng(3), np.random.RandomState(3), None):
        assert metrics.bootstrap("accuracy_score", LABELS, GUESSES, n_resamples=5, random_state=state).low > 0
    with pytest.raises(InvalidArgument, match="random_state"):
        metrics.bootstrap("accuracy_score", LABELS, GUESSES, random_state=-1)


def test_any_callable() -> None:
    result = metrics.bootstrap(
        lambda t, p: float(np.mean(t - p)), Y, PREDICTED, n_resamples=50, random_state=0
    )
    assert result.value == pytest.approx(np.mean(Y - PREDICTED))
    median = metrics.bootstrap("median_absolute_error", Y, PREDICTED, n_resamples=50, random_state=0)
    assert median.low <= median.value <= median.high
    assert metrics.bootstrap(metrics.max_error, Y, PREDICTED, n_resamples=20).high <= metrics.max_error(
        Y, PREDICTED
    )
    assert metrics.bootstrap("accuracy_score", LABELS.tolist(), GUESSES.tolist(), n_resamples=5).value > 0.5


def test_undefined_resamples_are_left_out() -> None:
    truth, scores = np.array([0] * 9 + [1]), np.arange(10.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = metrics.bootstrap("roc_auc_score", truth, scores, random_state=0)
    assert any("not defined for" in str(w.message) for w in caught)
    assert np.isnan(result.distribution).any()
    assert result.low == result.high == 1.0


def test_bad_arguments() -> None:
    bad: list[tuple[Any, Any, Any, dict[str, Any]]] = [
        ("no_such_metric", [0, 1], [0, 1], {}),
        ("Accuracy", [0, 1], [0, 1], {}),
        (3, [0, 1], [0, 1], {}),
        ("accuracy_score", [0, 1], [0], {}),
        ("accuracy_score", [], [], {}),
        ("accuracy_score", [0, 1], [0, 1], {"method": "normal"}),
        ("accuracy_score", [0, 1], [0, 1], {"n_resamples": 0}),
        ("accuracy_score", [0, 1], [0, 1], {"confidence_level": 1}),
        ("accuracy_score", [0, 1], [0, 1], {"stratify": [1]}),
        ("accuracy_score", [0, 1], [0, 1], {"stratify": [[1], [2]]}),
        ("f1_score", LABELS, GUESSES, {"average": None}),
        ("f1_score", LABELS, GUESSES, {}),
        ("r2_score", Y, PREDICTED * np.nan, {}),
        ("mean_squared_error", Y2, PREDICTED2, {"multioutput": "raw_values"}),
    ]
    for metric, truth, predicted, options in bad:
        with pytest.raises(InvalidArgument):
            metrics.bootstrap(metric, truth, predicted, **options)
