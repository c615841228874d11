"""SGDClassifier and SGDRegressor against scikit-learn's own, and the promises scikit-learn does not make."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import linear_model as sk
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine import _core
from maas_engine.linear_model import SGDClassifier, SGDRegressor

CLASSIFICATION = ["hinge", "log_loss", "modified_huber", "perceptron", "squared_hinge"]
REGRESSION = ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
PENALTIES = ["l2", "l1", "elasticnet", None]
SCHEDULES = ["constant", "optimal", "invscaling", "adaptive"]


def scaled(loader):
    X, y = loader(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def cancer():
    return scaled(load_breast_cancer)


@pytest.fixture(scope="module")
def wine():
    return scaled(load_wine)


@pytest.fixture(scope="module")
def diabetes():
    X, y = scaled(load_diabetes)
    return X, (y - y.mean()) / y.std()


@pytest.fixture
def quiet_convergence():
    """For fits that are cut short on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def assert_same_path(theirs, ours, X, y, **fit):
    theirs.fit(X, y, **fit)
    ours.fit(X, y, **fit)
    scale = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-6 * scale)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6, atol=1e-6 * scale)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_


# --- the same algorithm ---------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet_convergence")
@pytest.mark.parametrize("average", [False, True, 700])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("loss", CLASSIFICATION + REGRESSION)
def test_classifier_follows_scikit_learn(cancer, loss, penalty, schedule, average):
    # alpha = 1 keeps the steps of 'optimal' short enough that rounding does not grow without bound.
    alpha = 1.0 if schedule == "optimal" else 1e-3
    options = {
        "loss": loss,
        "penalty": penalty,
        "learning_rate": schedule,
        "average": average,
        "alpha": alpha,
    }
    options |= {"shuffle": False, "max_iter": 3 if schedule == "optimal" else 12}
    assert_same_path(sk.SGDClassifier(**options), SGDClassifier(**options), *cancer)


@pytest.mark.usefixtures("quiet_convergence")
@pytest.mark.parametrize("average", [False, 100])
@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("loss", REGRESSION)
def test_regressor_follows_scikit_learn(diabetes, loss, penalty, schedule, average):
    options = {"loss": loss, "penalty": penalty, "learning_rate": schedule, "average": average, "alpha": 1e-3}
    options |= {"shuffle": False, "max_iter": 40}
    assert_same_path(sk.SGDRegressor(**options), SGDRegressor(**options), *diabetes)


@pytest.mark.parametrize("schedule", ["pa1", "pa2"])
@pytest.mark.parametrize("penalty", ["l1", None])
def test_passive_aggressive_follows_scikit_learn(cancer, diabetes, schedule, penalty):
    options = {"learning_rate": schedule, "penalty": penalty, "shuffle": False, "eta0": 0.5, "alpha": 1e-4}
    assert_same_path(sk.SGDClassifier(**options), SGDClassifier(**options), *cancer)
    options |= {"loss": "epsilon_insensitive"}
    assert_same_path(sk.SGDRegressor(**options), SGDRegressor(**options), *diabetes)


@pytest.mark.parametrize("power_t", [0.25, 0.5, 0.7])
def test_inverse_scaling_powers(diabetes, power_t):
    options = {"power_t": power_t, "shuffle": False}
    assert_same_path(sk.SGDRegressor(**options), SGDRegressor(**options), *diabetes)


def test_weights_follow_scikit_learn(wine):
    X, y = wine
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    options = {"loss": "log_loss", "class_weight": {0: 2.0, 1: 0.5, 2: 1.0}, "shuffle": False}
    options |= {"learning_rate": "constant"}
    assert_same_path(sk.SGDClassifier(**options), SGDClassifier(**options), X, y, sample_weight=weight)
    options["class_weight"] = "balanced"
    assert_same_path(sk.SGDClassifier(**options), SGDClassifier(**options), X, y)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_probabilities_follow_scikit_learn(cancer, wine, loss):
    for X, y in (cancer, wine):
        options = {"loss": loss, "shuffle": False, "learning_rate": "constant"}
        theirs, ours = sk.SGDClassifier(**options).fit(X, y), SGDClassifier(**options).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        probabilities = ours.predict_proba(X)
        with np.errstate(divide="ignore"):
            expected = np.log(probabilities)
        np.testing.assert_allclose(ours.predict_log_proba(X), expected, rtol=1e-12, atol=1e-15)
        assert (ours.predict(X) == theirs.predict(X)).all()
    with pytest.raises(AttributeError, match="has no attribute 'predict_proba'"):
        SGDClassifier().fit(X, y).predict_proba(X)


@pytest.mark.parametrize("loader", [load_breast_cancer, load_wine, load_digits, load_iris])
def test_accuracy_near_scikit_learn(loader):
    X, y = loader(return_X_y=True)
    scores = [
        cross_val_score(make_pipeline(StandardScaler(), model(random_state=0)), X, y).mean()
        for model in (SGDClassifier, sk.SGDClassifier)
    ]
    assert scores[0] > scores[1] - 0.03


# --- the same bits --------------------------------------------------------------------------------


def layouts(X):
    yield np.asfortranarray(X)
    wide = np.zeros((X.shape[0], 2 * X.shape[1]), X.dtype)
    wide[:, ::2] = X
    yield wide[:, ::2]
    yield X[::-1].copy()[::-1]
    raw = np.zeros(X.nbytes + 1, np.uint8)[1:].view(X.dtype).reshape(X.shape)
    raw[:] = X
    raw.setflags(write=False)
    yield raw


@pytest.mark.usefixtures("quiet_convergence")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_same_bits_for_every_layout_thread_and_target(wine, dtype, penalty):
    X, y = wine[0].astype(dtype), wine[1]
    options = {"loss": "log_loss", "penalty": penalty, "random_state": 3, "max_iter": 5, "average": True}
    expected = SGDClassifier(**options).fit(X, y).coef_.tobytes()
    for other in layouts(X):
        assert SGDClassifier(**options).fit(other, y).coef_.tobytes() == expected
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            assert SGDClassifier(**options).fit(X, y).coef_.tobytes() == expected
    try:
        for target in _core.supported_targets():
            _core.set_target(target)
            if _core.target_has_fma():
                assert SGDClassifier(**options).fit(X, y).coef_.tobytes() == expected
    finally:
        _core.set_target("")


def test_float32_stays_near_float64(diabetes):
    X, y = diabetes
    wide, narrow = SGDRegressor(random_state=0).fit(X, y), SGDRegressor(random_state=0).fit(X.astype("f4"), y)
    assert narrow.coef_.dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, wide.coef_, rtol=1e-4, atol=1e-5)


def test_seeds(cancer):
    X, y = cancer
    fits = [SGDClassifier(random_state=s).fit(X, y).coef_ for s in (0, 0, 1, np.random.RandomState(0))]
    assert (fits[0] == fits[1]).all()
    assert (fits[0] != fits[2]).any()
    maas_engine.set_seed(7)
    first = SGDClassifier().fit(X, y).coef_
    maas_engine.set_seed(7)
    assert (SGDClassifier().fit(X, y).coef_ == first).all()
    maas_engine.set_seed(None)


# --- epochs ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet_convergence")
@pytest.mark.parametrize("average", [False, True])
def test_partial_fit_is_one_epoch(wine, average):
    X, y = wine
    options = {"shuffle": False, "average": average, "learning_rate": "constant"}
    once = SGDClassifier(max_iter=1, **options).fit(X, y)
    part = SGDClassifier(**options).partial_fit(X, y, classes=np.unique(y))
    assert part.coef_.tobytes() == once.coef_.tobytes()
    assert part.t_ == once.t_ == len(y) + 1
    twice = SGDClassifier(max_iter=2, tol=None, **options).fit(X, y)
    np.testing.assert_allclose(part.partial_fit(X, y).coef_, twice.coef_, rtol=1e-9, atol=1e-12)


def test_partial_fit_follows_scikit_learn(cancer, diabetes):
    X, y = cancer
    ours, theirs = SGDClassifier(shuffle=False, alpha=1), sk.SGDClassifier(shuffle=False, alpha=1)
    for part in np.array_split(np.arange(len(y)), 5):
        ours.partial_fit(X[part], y[part], classes=[0, 1])
        theirs.partial_fit(X[part], y[part], classes=[0, 1])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)
    X, y = diabetes
    ours, theirs = SGDRegressor(shuffle=False, average=True), sk.SGDRegressor(shuffle=False, average=True)
    for part in np.array_split(np.arange(len(y)), 5):
        ours.partial_fit(X[part], y[part])
        theirs.partial_fit(X[part], y[part])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)


def test_partial_fit_refuses_unknown_labels(cancer):
    X, y = cancer
    model = SGDClassifier().partial_fit(X[:50], y[:50], classes=[0, 1])
    with pytest.raises(ValueError, match="label 2"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="classes must be passed"):
        SGDClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1, 2])


def test_warm_start(diabetes):
    X, y = diabetes
    model = SGDRegressor(warm_start=True, random_state=0).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ <= first
    again = SGDRegressor(random_state=0).fit(X, y)
    again.fit(X, y, coef_init=again.coef_, intercept_init=again.intercept_)
    np.testing.assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize("name", ["hinge", "log_loss"])
def test_early_stopping_classifier(cancer, name):
    X, y = cancer
    model = SGDClassifier(loss=name, early_stopping=True, random_state=0, n_iter_no_change=3).fit(X, y)
    assert 3 <= model.n_iter_ < 100
    assert model.score(X, y) > 0.95


def test_early_stopping_regressor_follows_scikit_learn(diabetes):
    # Same split, no penalty (scikit-learn scores weights whose scale it has not applied).
    options = {"early_stopping": True, "random_state": 0, "shuffle": False, "penalty": None}
    assert_same_path(sk.SGDRegressor(**options), SGDRegressor(**options), *diabetes)


def test_early_stopping_needs_a_weighted_validation_row(cancer):
    X, y = cancer
    weight = np.zeros(len(y))
    weight[:3] = 1
    with pytest.raises(ValueError, match="validation set are all zero"):
        SGDClassifier(early_stopping=True, random_state=0).fit(X, y, sample_weight=weight)


def test_loss_curve(diabetes):
    X, y = diabetes
    model = SGDRegressor(random_state=0).fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_too_few_epochs_warn(cancer):
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration"):
        SGDClassifier(max_iter=2).fit(*cancer)


# --- scikit-learn's house -------------------------------------------------------------------------


def test_labels_of_any_type(wine):
    X, y = wine
    model = SGDClassifier(random_state=0)
    plain = clone(model).fit(X, y)
    for labels in (np.array(["a", "b", "c"])[y], y * 1000 - 5, y.astype(np.uint8), y.astype(float)):
        fitted = clone(model).fit(X, labels)
        assert fitted.coef_.tobytes() == plain.coef_.tobytes()
        assert (fitted.classes_ == np.unique(labels)).all()
        assert set(fitted.predict(X)) <= set(labels)


def test_search_and_pipeline(cancer):
    X, y = cancer
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SGDClassifier(random_state=0)),
        {"sgdclassifier__alpha": [1e-4, 1e-2]},
        cv=3,
    )
    assert search.fit(X, y).best_score_ > 0.94


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(frame):
    X, y = load_iris(return_X_y=True)
    table = frame(dict(zip("abcd", X.T, strict=True)))
    model = SGDClassifier(random_state=0).fit(table, y)
    assert list(model.feature_names_in_) == list("abcd")
    assert (model.predict(table) == SGDClassifier(random_state=0).fit(X, y).predict(X)).all()


REASON = "a row repeated is two steps, a row of weight 2 is one: no stochastic solver has both equal"
EXCUSED = {
    "check_sample_weight_equivalence_on_dense_data": REASON,
    "check_sample_weight_equivalence_on_sparse_data": REASON,
}


@parametrize_with_checks(
    [SGDClassifier(), SGDClassifier(loss="log_loss", average=True), SGDRegressor()],
    expected_failed_checks=lambda _: EXCUSED,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_gathered_ahead_give_the_same_bits_on_any_number_of_threads(dtype):
    random = np.random.default_rng(5)
    X = random.standard_normal((21_000, 19)).astype(dtype)  # several chunks, the last one short
    y = np.digitize(X[:, 0] + X[:, 3], [-0.5, 0.7])
    weight = random.uniform(0.5, 2, len(X))
    results = []
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            model = SGDClassifier(max_iter=2, tol=None, random_state=3).fit(X, y, sample_weight=weight)
        results.append((model.coef_, model.intercept_, model.loss_curve_))
    for coef, intercept, curve in results[1:]:
        np.testing.assert_array_equal(coef, results[0][0])
        np.testing.assert_array_equal(intercept, results[0][1])
        assert curve == results[0][2]
