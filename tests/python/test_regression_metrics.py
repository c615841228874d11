"""The regression metrics against scikit-learn: random targets, extremes, its documented examples, errors, warnings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peer import agree

import maas_engine
from maas_engine import metrics
from maas_engine.errors import InvalidArgument

MANY = [
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_log_error",
    "root_mean_squared_log_error",
    "median_absolute_error",
    "mean_pinball_loss",
    "r2_score",
    "explained_variance_score",
    "d2_pinball_score",
    "d2_absolute_error_score",
]
ONE = ["mean_tweedie_deviance", "mean_poisson_deviance", "mean_gamma_deviance", "d2_tweedie_score"]
POWERS = [-2.5, -1, 0, 1, 1.2, 1.5, 1.9, 2, 2.2, 3, 3.7]

Y4, P4 = [3, -0.5, 2, 7], [2.5, 0.0, 2, 8]
Y2, P2 = [[0.5, 1], [-1, 1], [7, -6]], [[0, 2], [-1, 2], [8, -5]]
LOG_Y, LOG_P = [[0.5, 1], [1, 2], [7, 6]], [[0.5, 2], [1, 2.5], [8, 8]]
COUNT_Y, COUNT_P = [2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0]
POSITIVE_Y, POSITIVE_P = [0.5, 1, 2.5, 7], [1, 1, 5, 3.5]
WEIGHTS = {"multioutput": [0.3, 0.7]}

# Numbers printed in the docstrings of scikit-learn 1.9, which cut them off after the digits given here.
DOCUMENTED: list[tuple[str, Any, Any, dict[str, Any], Any]] = [
    ("root_mean_squared_error", Y4, P4, {}, 0.612),
    ("root_mean_squared_error", Y2, P2, {}, 0.822),
    ("mean_squared_error", Y2, P2, WEIGHTS, 0.825),
    ("mean_absolute_error", Y2, P2, WEIGHTS, 0.85),
    ("mean_squared_log_error", [3, 5, 2.5, 7], [2.5, 5, 4, 8], {}, 0.039),
    ("mean_squared_log_error", LOG_Y, LOG_P, {}, 0.044),
    ("mean_squared_log_error", LOG_Y, LOG_P, {"multioutput": "raw_values"}, [0.00462428, 0.08377444]),
    ("mean_squared_log_error", LOG_Y, LOG_P, WEIGHTS, 0.060),
    ("root_mean_squared_log_error", [3, 5, 2.5, 7], [2.5, 5, 4, 8], {}, 0.199),
    ("median_absolute_error", Y4, P4, {}, 0.5),
    ("median_absolute_error", Y2, P2, {}, 0.75),
    ("median_absolute_error", Y2, P2, {"multioutput": "raw_values"}, [0.5, 1.0]),
    ("median_absolute_error", Y2, P2, WEIGHTS, 0.85),
    ("mean_absolute_percentage_error", Y4, P4, {}, 0.3273),
    ("mean_absolute_percentage_error", Y2, P2, {}, 0.5515),
    ("mean_absolute_percentage_error", Y2, P2, WEIGHTS, 0.6198),
    ("mean_absolute_percentage_error", [1.0, 0.0, 2.4, 7.0], [1.2, 0.1, 2.4, 8.0], {}, 112589990684262.48),
    ("explained_variance_score", Y4, P4, {}, 0.957),
    ("explained_variance_score", Y2, P2, {"multioutput": "uniform_average"}, 0.983),
    ("explained_variance_score", [-2, -2, -2], [-2, -2, -2], {}, 1.0),
    ("explained_variance_score", [-2, -2, -2], [-2, -2, -2], {"force_finite": False}, np.nan),
    ("explained_variance_score", [-2, -2, -2], [-2, -2, -2 + 1e-8], {}, 0.0),
    ("explained_variance_score", [-2, -2, -2], [-2, -2, -2 + 1e-8], {"force_finite": False}, -np.inf),
    ("max_error", [3, 2, 7, 1], [4, 2, 7, 1], {}, 1.0),
    ("mean_pinball_loss", [1, 2, 3], [0, 2, 3], {"alpha": 0.1}, 0.0333),
    ("mean_pinball_loss", [1, 2, 3], [1, 2, 4], {"alpha": 0.1}, 0.3),
    ("mean_pinball_loss", [1, 2, 3], [0, 2, 3], {"alpha": 0.9}, 0.3),
    ("mean_pinball_loss", [1, 2, 3], [1, 2, 3], {"alpha": 0.9}, 0.0),
    ("mean_tweedie_deviance", COUNT_Y, COUNT_P, {"power": 1}, 1.4260),
    ("mean_poisson_deviance", COUNT_Y, COUNT_P, {}, 1.4260),
    ("mean_gamma_deviance", [2, 0.5, 1, 4], COUNT_P, {}, 1.0568),
    ("d2_tweedie_score", POSITIVE_Y, POSITIVE_P, {}, 0.285),
    ("d2_tweedie_score", POSITIVE_Y, POSITIVE_P, {"power": 1}, 0.487),
    ("d2_tweedie_score", POSITIVE_Y, POSITIVE_P, {"power": 2}, 0.630),
    ("d2_tweedie_score", POSITIVE_Y, POSITIVE_Y, {"power": 2}, 1.0),
    ("d2_pinball_score", [1, 2, 3], [1, 3, 3], {}, 0.5),
    ("d2_pinball_score", [1, 2, 3], [1, 3, 3], {"alpha": 0.9}, 0.666),
    ("d2_pinball_score", [1, 2, 3], [1, 3, 3], {"alpha": 0.1}, -1.999),
    ("d2_absolute_error_score", Y4, P4, {}, 0.764),
    ("d2_absolute_error_score", Y2, P2, {}, 0.691),
    ("d2_absolute_error_score", Y2, P2, {"multioutput": "raw_values"}, [0.8125, 0.57142857]),
    ("d2_absolute_error_score", [1, 2, 3], [2, 2, 2], {}, 0.0),
    ("d2_absolute_error_score", [1, 2, 3], [3, 2, 1], {}, -1.0),
]


@pytest.mark.parametrize(("name", "truth", "predicted", "options", "expected"), DOCUMENTED)
def test_examples_of_the_documentation(
    name: str, truth: Any, predicted: Any, options: dict[str, Any], expected: Any
) -> None:
    np.testing.assert_allclose(agree(name, truth, predicted, **options), expected, atol=1.1e-3, rtol=1e-8)


def positive(rng: np.random.Generator, shape: Any) -> tuple[Any, Any]:
    truth = rng.gamma(2.0, 1.0, shape)
    return truth, truth * np.exp(0.4 * rng.normal(size=shape))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(MANY), st.data())
def test_random_targets(seed: int, name: str, data: Any) -> None:
    rng = np.random.default_rng(seed)
    rows, outputs = int(rng.integers(1, 60)), int(rng.integers(1, 4))
    truth, predicted = positive(rng, (rows, outputs))
    if "log" not in name:
        truth, predicted = truth - 1.5, predicted - 1.5
    if data.draw(st.booleans()):
        truth, predicted = np.floor(truth), np.floor(predicted)
    allowed: list[Any] = ["uniform_average", "raw_values"]
    if name in ("r2_score", "explained_variance_score"):
        allowed.append("variance_weighted")
    if outputs == 1:
        truth, predicted = truth[:, 0], predicted[:, 0]
    else:
        allowed.append(rng.random(outputs) + 0.1)
    options: dict[str, Any] = {"multioutput": data.draw(st.sampled_from(allowed))}
    if name in ("mean_pinball_loss", "d2_pinball_score"):
        options["alpha"] = data.draw(st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1]))
    if data.draw(st.booleans()):
        options["sample_weight"] = rng.integers(0, 4, rows) + (np.arange(rows) == 0)
    agree(name, truth, predicted, rtol=1e-9, **options)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(ONE), st.sampled_from(POWERS), st.booleans())
def test_random_deviances(seed: int, name: str, power: float, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = positive(rng, int(rng.integers(2, 60)))
    if power < 0:
        truth -= 1
    elif 1 <= power < 2 and name != "mean_gamma_deviance":
        truth[::3] = 0
    options: dict[str, Any] = {"power": power} if "tweedie" in name else {}
    if weighted:
        options["sample_weight"] = rng.random(len(truth)) + 0.1
    agree(name, truth, predicted, rtol=1e-9, **options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 2047, 2048, 2049, 40_001])
@pytest.mark.parametrize("kind", ["normal", "ties", "constant", "wide"])
def test_medians_of_many_rows(rows: int, kind: str, weighted: bool) -> None:
    rng = np.random.default_rng(rows)
    truth = rng.normal(size=rows)
    if kind == "ties":
        truth = truth.round(1)
    if kind == "constant":
        truth[:] = 0.7
    if kind == "wide":
        truth *= 10.0 ** rng.integers(-300, 300, rows)
    weight = rng.integers(0, 5, rows) + (np.arange(rows) == 3 % rows) if weighted else None
    agree("median_absolute_error", truth, np.zeros(rows), sample_weight=weight, rtol=0)
    if rows > 1:
        for alpha in (0, 0.05, 0.5, 1):
            agree("d2_pinball_score", truth, np.zeros(rows), sample_weight=weight, alpha=alpha, rtol=1e-9)


def test_equal_weights_change_no_median() -> None:
    errors = np.random.default_rng(3).normal(size=10_000)
    weighted = metrics.median_absolute_error(errors, np.zeros(10_000), sample_weight=np.full(10_000, 0.1))
    assert weighted == metrics.median_absolute_error(errors, np.zeros(10_000)) == np.median(np.abs(errors))


@pytest.mark.parametrize("name", MANY + ONE + ["max_error"])
def test_any_layout_and_dtype(name: str) -> None:
    truth, predicted = positive(np.random.default_rng(1), 300)
    base = np.stack([truth, predicted, predicted], axis=1)
    expected = getattr(metrics, name)(truth, predicted)
    layouts = [base[:, 0], np.asfortranarray(base)[:, 0], np.repeat(truth, 3)[::3], truth[::-1][::-1]]
    for view in layouts:
        assert getattr(metrics, name)(view, base[:, 1]) == expected
    assert getattr(metrics, name)(truth.tolist(), list(predicted)) == expected
    single = (truth.astype(np.float32), predicted.astype(np.float32))
    assert getattr(metrics, name)(*single) == getattr(metrics, name)(*(s.astype(np.float64) for s in single))
    integers = (truth * 9).astype(np.int16) + 1
    agree(name, integers, integers[::-1].copy(), rtol=1e-9)


@pytest.mark.parametrize("name", MANY + ONE + ["max_error"])
def test_bits_do_not_depend_on_threads(name: str) -> None:
    truth, predicted = positive(np.random.default_rng(2), 150_000)
    results = []
    threads = maas_engine.get_num_threads()
    try:
        for count in (1, 2, 4):
            maas_engine.set_num_threads(count)
            results.append(getattr(metrics, name)(truth, predicted))
    finally:
        maas_engine.set_num_threads(threads)
    assert results[0] == results[1] == results[2]


BAD: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("mean_pinball_loss", [1, 2], [1, 2], {"alpha": 1.5}),
    ("mean_pinball_loss", [1, 2], [1, 2], {"alpha": "half"}),
    ("d2_pinball_score", [1, 2], [1, 2], {"alpha": -0.1}),
    ("mean_tweedie_deviance", [1, 2], [1, 2], {"power": 0.5}),
    ("mean_tweedie_deviance", [1, 2], [1, 2], {"power": None}),
    ("mean_tweedie_deviance", [1, 2], [0, 2], {"power": -1}),
    ("mean_tweedie_deviance", [-1, 2], [1, 2], {"power": 1.5}),
    ("mean_tweedie_deviance", [1, 2], [1, 0], {"power": 1.5}),
    ("mean_tweedie_deviance", [0, 2], [1, 2], {"power": 2}),
    ("mean_poisson_deviance", [1, 2], [0, 2], {}),
    ("mean_gamma_deviance", [0, 2], [1, 2], {}),
    ("mean_poisson_deviance", [[1, 2]], [[1, 2]], {}),
    ("d2_tweedie_score", [[1, 2], [3, 4]], [[1, 2], [3, 4]], {}),
    ("d2_tweedie_score", [1, 2], [0, 2], {"power": 1}),
    ("max_error", [[1, 2]], [[1, 2]], {}),
    ("mean_squared_log_error", [-1, 2], [1, 2], {}),
    ("mean_squared_log_error", [1, 2], [1, -2], {}),
    ("root_mean_squared_log_error", [-1, 2], [1, 2], {}),
    *((name, [1.0, np.nan], [1, 2], {}) for name in MANY + ONE),
    *((name, [1, 2], [1.0, np.inf], {}) for name in [*MANY, *ONE, "max_error"]),
    *((name, [], [], {}) for name in MANY + ONE),
    *((name, [1, 2], [1], {}) for name in MANY + ONE),
    *((name, [1, 2], [1, 2], {"sample_weight": [1]}) for name in MANY + ONE),
    *((name, [1, 2], [1, 2], {"multioutput": "mean"}) for name in MANY),
    # scikit-learn forgets to check the weights of this one error
    *((name, [1, 2], [1, 2], {"multioutput": [1]}) for name in MANY if name != "root_mean_squared_error"),
    *((name, Y2, P2, {"multioutput": [1]}) for name in MANY if name != "root_mean_squared_error"),
    *((name, [[1, 2]], [[1, 2, 3]], {}) for name in MANY),
    *((name, [1, 2], [1, 2], {"multioutput": None}) for name in MANY if name != "r2_score"),
    *((name, Y2, P2, {"multioutput": "variance_weighted"}) for name in MANY[:2] + MANY[-2:]),
]


@pytest.mark.parametrize(("name", "truth", "predicted", "options"), BAD)
def test_refused_as_by_sklearn(name: str, truth: Any, predicted: Any, options: dict[str, Any]) -> None:
    result = agree(name, truth, predicted, **options)
    assert isinstance(result, InvalidArgument), result


@pytest.mark.parametrize("power", [-1, 1, 1.5, 2, 3])
def test_messages_of_ranges(power: float) -> None:
    theirs = pytest.importorskip("sklearn.metrics")
    truth, predicted = [-1.0, 2.0], [0.0, 2.0]
    with pytest.raises(ValueError, match="power") as expected:
        theirs.mean_tweedie_deviance(truth, predicted, power=power)
    with pytest.raises(InvalidArgument) as ours:
        metrics.mean_tweedie_deviance(np.array(truth), np.array(predicted), power=power)
    assert str(ours.value).endswith(str(expected.value))


def test_scores_of_one_row_warn() -> None:
    for name in ("r2_score", "d2_pinball_score", "d2_absolute_error_score", "d2_tweedie_score"):
        assert np.isnan(agree(name, [1.0], [2.0]))


def test_constant_targets() -> None:
    for name in ("explained_variance_score", "d2_pinball_score", "d2_absolute_error_score"):
        agree(name, [2, 2, 2], [2, 2, 2])
        agree(name, [2, 2, 2], [2, 3, 2])
    with pytest.raises(InvalidArgument, match="constant"):
        metrics.d2_tweedie_score([2, 2, 2], [2, 3, 2], power=1)


def test_extremes() -> None:
    big = [1e300, -1e300, 1e-300]
    for name in ("mean_absolute_percentage_error", "median_absolute_error", "mean_pinball_loss"):
        agree(name, big, [1.0, 2.0, 3.0])
    agree("mean_tweedie_deviance", [1e-200, 1e200], [1e-190, 1e190], power=1.3, rtol=1e-12)
    agree("mean_poisson_deviance", [0.0, 1e-320, 1e300], [1e-10, 1e-300, 1e299])
    agree("mean_squared_log_error", [-1 + 1e-12, 1e300], [1.0, 0.0])
    with np.errstate(over="ignore"):
        assert metrics.mean_squared_error([1e200], [-1e200]) == np.inf
