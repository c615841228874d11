"""MLPClassifier and MLPRegressor against scikit-learn's own: the same random numbers, batches and steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mlp_data import data
from sklearn import neural_network as sk
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from maas_engine.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFICATIONS = ["digits", "cancer", "iris", "labels"]
REGRESSIONS = ["diabetes", "linnerud"]
SOLVERS: dict[str, dict[str, Any]] = {
    "adam": {"solver": "adam"},
    "adam_odd": {
        "solver": "adam",
        "beta_1": 0.8,
        "beta_2": 0.95,
        "epsilon": 1e-4,
        "learning_rate_init": 0.01,
    },
    "sgd": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "plain": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.02},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "learning_rate_init": 0.5},
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread_of_blas() -> Iterator[None]:
    """scikit-learn's small products only lose by more, and wait for long where the machine is busy."""
    with threadpool_limits(1, user_api="blas"):
        yield


def pair(name: str, **parameters: Any) -> tuple[Any, Any]:
    """Ours and scikit-learn's estimator for a set."""
    parameters = {"hidden_layer_sizes": (16, 8), "max_iter": 12, "random_state": 3, **parameters}
    if name in CLASSIFICATIONS:
        return MLPClassifier(**parameters), sk.MLPClassifier(**parameters)
    return MLPRegressor(**parameters), sk.MLPRegressor(**parameters)


def expect_same_path(ours: Any, theirs: Any, X: Any, y: Any, rtol: float = 1e-8, **fit: Any) -> None:
    theirs.fit(X, y, **fit)
    ours.fit(X, y, **fit)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e3 * rtol, atol=1e2 * rtol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=rtol)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=rtol)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", CLASSIFICATIONS + REGRESSIONS)
def test_follows_scikit_learn(name: str, solver: str) -> None:
    expect_same_path(*pair(name, shuffle=False, **SOLVERS[solver]), *data(name))


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("name", ["iris", "linnerud"])
def test_activations_and_shuffling(name: str, activation: str) -> None:
    expect_same_path(*pair(name, activation=activation, batch_size=7, alpha=0.1), *data(name))


@pytest.mark.parametrize("hidden", [(), 5, (3,), [12, 9, 6]])
def test_layers(hidden: Any) -> None:
    for name in ("iris", "cancer", "diabetes"):
        expect_same_path(*pair(name, hidden_layer_sizes=hidden), *data(name))


@pytest.mark.parametrize("shuffle", [False, True])
def test_poisson(shuffle: bool) -> None:
    X, y = data("counts")
    expect_same_path(*pair("counts", loss="poisson", shuffle=shuffle), X, y)
    expect_same_path(*pair("counts", loss="poisson", shuffle=shuffle), X, np.stack([y, np.sqrt(y)], axis=1))


def test_adaptive_learning_rate() -> None:
    ours, theirs = pair(
        "iris",
        solver="sgd",
        learning_rate="adaptive",
        tol=1e-2,
        n_iter_no_change=2,
        learning_rate_init=0.1,
        max_iter=200,
    )
    expect_same_path(ours, theirs, *data("iris"))
    assert ours.n_iter_ < 200


def test_stops_where_scikit_learn_stops() -> None:
    for name in ("iris", "diabetes"):
        ours, theirs = pair(name, tol=5e-3, n_iter_no_change=3, max_iter=300, learning_rate_init=0.02)
        expect_same_path(ours, theirs, *data(name), rtol=1e-6)
        assert ours.n_iter_ < 300


@pytest.mark.parametrize("name", ["digits", "cancer", "labels", "diabetes", "linnerud"])
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping(name: str, weighted: bool) -> None:
    if name == "linnerud" and weighted:
        pytest.skip("two rows are held out: scores are all about rounding")
    X, y = data(name)
    ours, theirs = pair(
        name, early_stopping=True, max_iter=60, n_iter_no_change=4, tol=1e-3, learning_rate_init=0.01
    )
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X)) if weighted else None
    theirs.fit(X, y, sample_weight=weight)
    ours.fit(X, y, sample_weight=weight)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-6, atol=1e-9)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_)
    assert ours.best_loss_ is None
    for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", CLASSIFICATIONS + REGRESSIONS)
def test_sample_weights(name: str) -> None:
    X, y = data(name)
    weight = np.random.default_rng(1).uniform(0.1, 2, len(X))
    expect_same_path(*pair(name, batch_size=40 if len(X) > 40 else 8), X, y, sample_weight=weight)


def test_float32() -> None:
    for name in ("digits", "diabetes"):
        X, y = data(name)
        ours, theirs = pair(name, max_iter=5)
        expect_same_path(ours, theirs, X.astype(np.float32), y, rtol=1e-4)
        assert {values.dtype.name for values in ours.coefs_ + ours.intercepts_} == {"float32"}


@pytest.mark.parametrize("name", CLASSIFICATIONS + REGRESSIONS)
def test_partial_fit(name: str) -> None:
    X, y = data(name)
    ours, theirs = pair(name)
    weight = np.ones(len(X))
    labels = np.arange(4) if name == "labels" else np.unique(y)
    classes = {"classes": labels} if name in CLASSIFICATIONS else {}
    for first in (0, len(X) // 3, len(X) // 2):
        rows = slice(first, first + len(X) // 2)
        for model in (ours, theirs):
            model.partial_fit(X[rows], y[rows], sample_weight=weight[rows], **classes)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    assert (ours.t_, ours.n_iter_) == (theirs.t_, theirs.n_iter_)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_warm_start(name: str) -> None:
    X, y = data(name)
    ours, theirs = pair(name, warm_start=True, max_iter=3)
    for _ in range(3):
        theirs.fit(X, y)
        ours.fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    assert len(ours.loss_curve_) == 9
    ours.fit(X, y)
    assert len(clone(ours).fit(X, y).loss_curve_) == 3


@pytest.mark.parametrize("name", CLASSIFICATIONS + REGRESSIONS)
def test_lbfgs_reaches_the_objective(name: str) -> None:
    # Without hidden layers there is one minimum.
    X, y = data(name)
    options = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 1.0, "max_iter": 1000, "tol": 1e-6}
    ours, theirs = pair(name, **options)
    theirs.fit(X, y)
    ours.fit(X, y)
    assert not hasattr(ours, "loss_curve_")
    assert 1 < ours.n_iter_ < 1000
    penalty = 0.5 / len(X) * np.vdot(ours.coefs_[0], ours.coefs_[0])
    if name == "linnerud":  # what is minimised is the sum over the targets, what is reported their mean
        scaled = [0.5 * np.mean((model.predict(X) - y) ** 2) for model in (ours, theirs)]
        assert ours.loss_ == pytest.approx(scaled[0] + penalty, rel=1e-9)
        total = [
            3 * each + 0.5 / len(X) * np.vdot(model.coefs_[0], model.coefs_[0])
            for each, model in zip(scaled, (ours, theirs), strict=True)
        ]
        assert total[0] <= total[1] * (1 + 1e-7)
    else:
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)


@pytest.mark.parametrize("name", ["iris", "diabetes", "labels"])
def test_lbfgs_of_hidden_layers(name: str) -> None:
    X, y = data(name)
    losses = []
    options = {"hidden_layer_sizes": (6,), "activation": "tanh", "alpha": 1.0}
    for seed in range(5):
        models = pair(name, solver="lbfgs", max_iter=100, random_state=seed, **options)
        losses.append([model.fit(X, y).loss_ for model in models])
    ours, theirs = np.mean(losses, axis=0)
    assert ours < 1.05 * theirs


def test_lbfgs_of_counts() -> None:
    X, y = data("counts")
    options = {"loss": "poisson", "hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 1000}
    ours, theirs = pair("counts", solver="lbfgs", **options)
    y = np.stack([y, np.sqrt(y)], axis=1)
    weight = np.random.default_rng(1).uniform(0.1, 2, len(X))
    ours.fit(X, y, sample_weight=weight)
    assert ours.loss_ == pytest.approx(theirs.fit(X, y, sample_weight=weight).loss_, rel=1e-5)


def test_lbfgs_takes_scikit_learns_steps() -> None:
    # While no probability is so small that scikit-learn cuts its logarithm off.
    for name in ("cancer", "diabetes"):
        X, y = data(name)
        ours, theirs = pair(name, solver="lbfgs", max_iter=8)
        assert ours.fit(X, y).loss_ == pytest.approx(theirs.fit(X, y).loss_, rel=1e-7)
        np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("digits", {"max_iter": 30}),
        ("cancer", {"max_iter": 60}),
        ("iris", {"max_iter": 150, "learning_rate_init": 0.01}),
        ("diabetes", {"max_iter": 60}),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_are_as_good(name: str, parameters: dict[str, Any], dtype: Any) -> None:
    X, y = data(name)
    scores = []
    for seed in range(4):
        train_X, test_X, train_y, test_y = train_test_split(X.astype(dtype), y, random_state=seed)
        models = pair(name, hidden_layer_sizes=(32,), random_state=seed, **parameters)
        scores.append([model.fit(train_X, train_y).score(test_X, test_y) for model in models])
    ours, theirs = np.mean(scores, axis=0)
    assert ours > theirs - 0.01


def test_words_of_warnings() -> None:
    X, y = data("iris")
    with pytest.warns(
        ConvergenceWarning, match=r"Stochastic Optimizer: Maximum iterations \(3\) reached and the"
    ):
        MLPClassifier(max_iter=3).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        MLPClassifier(max_iter=3, solver="lbfgs").fit(X, y)
    with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger than sample size"):
        MLPClassifier(max_iter=3, batch_size=1000).fit(X, y)


@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPRegressor(max_iter=100),
        MLPClassifier((8,), solver="sgd", learning_rate_init=0.1, max_iter=100),
        MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", max_iter=100),
    ]
)
def test_contract(estimator: Any, check: Any) -> None:
    check(estimator)
