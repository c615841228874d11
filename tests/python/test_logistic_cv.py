"""LogisticRegressionCV against scikit-learn at tight tolerance, and fused against separate fits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import datasets, model_selection
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV as Reference
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine.linear_model import LogisticRegression, LogisticRegressionCV
from maas_engine.linear_model._logistic_folds import row_indices

NEW = {"l1_ratios": (0,), "scoring": "neg_log_loss", "use_legacy_attributes": False}
CS = (1e-3, 0.1, 1.0, 30.0)


@parametrize_with_checks(
    [LogisticRegressionCV(cv=3, **NEW), LogisticRegressionCV(**{**NEW, "scoring": "accuracy"})]
)
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def load(name: str) -> Any:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return (X / 16 if name == "digits" else scale(X)), y


def objective(X: Any, y: Any, weight: Any, C: float, coef: Any, intercept: Any) -> float:
    """C Σ s loss + |w|² / 2 with the classes 0 ... k - 1."""
    z = X.astype(np.float64) @ coef.T.astype(np.float64) + intercept
    if z.shape[1] == 1:
        z = np.hstack([np.zeros_like(z), z])
    loss = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
    return float(C * (weight * loss).sum() + (coef.astype(np.float64) ** 2).sum() / 2)


@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_equals_scikit_learn(name: str) -> None:
    X, y = load(name)
    ours = LogisticRegressionCV(Cs=CS, **NEW).fit(X, y)
    theirs = Reference(Cs=CS, solver="newton-cholesky", tol=1e-10, **NEW).fit(X, y)
    assert ours.C_ == theirs.C_
    for attribute in ("classes_", "Cs_", "l1_ratios_"):
        np.testing.assert_array_equal(getattr(ours, attribute), getattr(theirs, attribute))
    np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-6)
    np.testing.assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-6)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-6)


def test_digits_reach_the_optimum_of_every_fold() -> None:
    X, y = load("digits")
    Cs = np.array([1e-3, 1e-1, 10.0])
    cv = model_selection.StratifiedKFold(3)
    ours = LogisticRegressionCV(Cs=Cs, cv=cv, **NEW).fit(X, y)
    for k, (train, _) in enumerate(cv.split(X, y)):
        for p, C in enumerate(Cs):
            alone = LogisticRegression(C=C).fit(X[train], y[train])
            path = ours.coefs_paths_[k, 0, p]
            one = np.ones(len(train))
            best = objective(X[train], y[train], one, C, alone.coef_, alone.intercept_)
            got = objective(X[train], y[train], one, C, path[:, :-1], path[:, -1])
            assert got == pytest.approx(best, rel=1e-8)


CASES = {
    "KFold": model_selection.KFold(4),
    "shuffled": model_selection.KFold(4, shuffle=True, random_state=0),
    "stratified": model_selection.StratifiedKFold(3, shuffle=True, random_state=1),
    "hold-out": model_selection.ShuffleSplit(1, test_size=0.3, random_state=0),
    "overlapping": model_selection.ShuffleSplit(3, test_size=0.3, train_size=0.5, random_state=0),
    "repeated": model_selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_fused_equals_separate_fits(name: str, dtype: Any) -> None:
    X, y = load("breast_cancer")
    X = X.astype(dtype)
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    cv = CASES[name]
    ours = LogisticRegressionCV(Cs=CS, cv=cv, class_weight={0: 2.0, 1: 1.0}, **NEW)
    ours.fit(X, y, weight)
    full_weight = weight * np.where(y == 0, 2.0, 1.0)
    for k, (train, test) in enumerate(cv.split(X, y)):
        for p, C in enumerate(CS):
            alone = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-5)
            alone.fit(X[train], y[train], full_weight[train])
            path = ours.coefs_paths_[k, 0, p]
            best = objective(X[train], y[train], full_weight[train], C, alone.coef_, alone.intercept_)
            got = objective(X[train], y[train], full_weight[train], C, path[:, :-1], path[:, -1])
            assert got <= best * (1 + 1e-8)
            proba = alone.predict_proba(X[test])
            score = -maas_engine.metrics.log_loss(y[test], proba, sample_weight=weight[test])
            tolerance = 1e-4 if dtype == np.float64 else 1e-3  # where nearly separable, optima are flat
            assert ours.scores_[k, 0, p] == pytest.approx(score, abs=tolerance)
    assert ours.coef_.dtype == dtype


@pytest.mark.parametrize("scoring", [None, "accuracy", "roc_auc", "f1", "neg_brier_score"])
def test_scores_equal_scikit_learns(scoring: str | None) -> None:
    X, y = load("breast_cancer")
    weight = np.random.default_rng(0).random(len(y)) + 0.1
    settings = {**NEW, "scoring": scoring, "Cs": CS, "cv": 3}
    for sample_weight in (None, weight):
        ours = LogisticRegressionCV(**settings).fit(X, y, sample_weight)
        theirs = Reference(solver="newton-cholesky", tol=1e-10, **settings).fit(X, y, sample_weight)
        np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-7)
        assert ours.C_ == theirs.C_


@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("l1_ratios", [(0,), None])
@pytest.mark.filterwarnings("ignore:.*l1_ratios=None:FutureWarning")
def test_legacy_attributes(name: str, refit: bool, l1_ratios: Any) -> None:
    X, y = load(name)
    names = np.array(["red", "green", "blue"])[y]
    settings = {"Cs": 3, "cv": 3, "refit": refit, "l1_ratios": l1_ratios, "scoring": "neg_log_loss"}
    for legacy in (True, False):
        ours = LogisticRegressionCV(use_legacy_attributes=legacy, **settings).fit(X, names)
        theirs = Reference(solver="newton-cholesky", tol=1e-10, use_legacy_attributes=legacy, **settings).fit(
            X, names
        )
        for attribute in ("C_", "l1_ratio_", "n_iter_", "l1_ratios_", "coef_", "intercept_"):
            assert np.shape(getattr(ours, attribute)) == np.shape(getattr(theirs, attribute)), attribute
        np.testing.assert_allclose(ours.C_, theirs.C_)
        np.testing.assert_array_equal(ours.l1_ratio_, theirs.l1_ratio_)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
        for attribute in ("coefs_paths_", "scores_"):
            mine, other = getattr(ours, attribute), getattr(theirs, attribute)
            if not legacy:
                mine, other = {0: mine}, {0: other}
            assert list(mine) == list(other)
            for label in mine:
                np.testing.assert_allclose(mine[label], other[label], atol=1e-4)


def test_balanced_classes_count_all_rows() -> None:
    X, y = load("breast_cancer")
    settings = {**NEW, "Cs": CS, "cv": 3, "class_weight": "balanced"}
    weight = np.arange(len(y)) % 3
    ours = LogisticRegressionCV(**settings).fit(X, y, weight)
    theirs = Reference(solver="newton-cholesky", tol=1e-10, **settings).fit(X, y, weight)
    np.testing.assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-6)


def test_l1_ratios_and_sparse_rows_are_fitted_one_by_one() -> None:
    X, y = load("breast_cancer")
    ratios = {**NEW, "l1_ratios": (0, 0.5), "Cs": [0.1, 1.0], "cv": 3, "solver": "saga"}
    with pytest.raises(ValueError, match="'lbfgs'"):
        LogisticRegressionCV(**ratios).fit(X, y)
    ours = LogisticRegressionCV(**{**ratios, "solver": "lbfgs"}).fit(X, y)
    alone = LogisticRegression(C=ours.C_, l1_ratio=ours.l1_ratio_, tol=1e-6).fit(X, y)
    np.testing.assert_allclose(ours.coef_, alone.coef_, atol=1e-4)
    assert ours.coefs_paths_.shape == (3, 2, 2, 1, 31)

    big = sp.random(3000, 100, density=0.02, random_state=0, format="csr")
    labels = (big @ np.sin(np.arange(100)) > 0).astype(int)
    for matrix in (big, big.tocsc()):
        sparse = LogisticRegressionCV(Cs=CS, cv=3, **NEW).fit(matrix, labels)
        dense = LogisticRegressionCV(Cs=CS, cv=3, **NEW).fit(big.toarray(), labels)
        np.testing.assert_allclose(sparse.scores_, dense.scores_, atol=1e-6)
        np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-4)


def test_bits_do_not_depend_on_threads_or_layout() -> None:
    rng = np.random.default_rng(0)
    for dtype, classes in ((np.float64, 2), (np.float32, 2), (np.float64, 3)):
        X = rng.standard_normal((6000, 7)).astype(dtype)
        y = np.digitize(X[:, 0] + rng.standard_normal(6000), np.linspace(-0.5, 0.5, classes - 1))
        cv = model_selection.KFold(3, shuffle=True, random_state=0)
        strided = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
        answers = []
        for threads, layout in ((1, X), (2, np.asfortranarray(X)), (4, strided), (2, X)):
            with maas_engine.num_threads(threads):
                model = LogisticRegressionCV(Cs=CS, cv=cv, **NEW).fit(layout, y)
            answers.append((model.coefs_paths_, model.scores_, model.coef_, model.intercept_))
        for answer in answers[1:]:
            for got, first in zip(answer, answers[0], strict=True):
                np.testing.assert_array_equal(got, first)


@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_folds_of_logistic_regression(name: str) -> None:
    X, y = load(name)
    weight = 1.0 + np.arange(len(y)) % 2
    folds = list(model_selection.StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    model = LogisticRegression(C=0.7, class_weight={0: 3.0})
    fitted = model._fit_folds(X, y, weight, folds)
    assert not hasattr(model, "n_features_in_")
    for (train, test), one in zip(folds, fitted, strict=True):
        alone = LogisticRegression(C=0.7, class_weight={0: 3.0}).fit(X[train], y[train], weight[train])
        np.testing.assert_allclose(one.coef_, alone.coef_, atol=1e-6)
        np.testing.assert_allclose(one.predict_proba(X[test]), alone.predict_proba(X[test]), atol=1e-6)
        assert one.n_iter_.shape == (1,)


def test_folds_that_share_nothing_are_left_to_the_caller() -> None:
    X, y = load("iris")
    folds = list(
        model_selection.KFold(3).split(X)
    )  # sorted labels: a class is missing from each training set
    assert LogisticRegression()._fit_folds(X, y, None, folds) is NotImplemented
    overlapping = list(model_selection.ShuffleSplit(3, random_state=0).split(X))
    assert LogisticRegression()._fit_folds(X, y, None, overlapping) is NotImplemented
    good = list(model_selection.StratifiedKFold(3).split(X, y))
    for parameters in ({"solver": "gd"}, {"l1_ratio": 0.5}, {"class_weight": "balanced"}):
        assert LogisticRegression(**parameters)._fit_folds(X, y, None, good) is NotImplemented
    assert LogisticRegression()._fit_folds(sp.csr_matrix(X), y, None, good) is NotImplemented


def test_a_training_set_without_some_class() -> None:
    X, y = load("iris")
    cv = model_selection.KFold(3)  # sorted labels: each fold tests a class that it has not seen
    model = LogisticRegressionCV(Cs=[0.1, 1.0], cv=cv, max_iter=1000, **{**NEW, "scoring": "accuracy"})
    model.fit(X, y)
    np.testing.assert_array_equal(model.scores_, 0)
    assert np.isfinite(model.coefs_paths_).all()
    assert model.score(X, y) > 0.9


def test_splits_may_be_masks() -> None:
    X, y = load("iris")
    folds = list(model_selection.StratifiedKFold(3).split(X, y))
    masks = []
    for _, test in folds:
        mask = np.zeros(len(y), dtype=bool)
        mask[test] = True
        masks.append((~mask, np.flatnonzero(mask)))
        assert row_indices(mask, len(y)).tolist() == sorted(test)
    of_masks = LogisticRegressionCV(Cs=CS, cv=masks, **NEW).fit(X, y)
    of_numbers = LogisticRegressionCV(Cs=CS, cv=folds, **NEW).fit(X, y)
    np.testing.assert_array_equal(of_masks.coefs_paths_, of_numbers.coefs_paths_)
    with pytest.raises(ValueError, match="row numbers below 150"):
        LogisticRegressionCV(cv=[([0, 1, 2], [150])], **NEW).fit(X, y)


def test_deprecations() -> None:
    X, y = load("breast_cancer")
    with pytest.warns(FutureWarning, match="l1_ratios will change"):
        LogisticRegressionCV(Cs=1, scoring=None, use_legacy_attributes=True).fit(X, y)
    with pytest.warns(FutureWarning, match="scoring will change"):
        LogisticRegressionCV(Cs=1, l1_ratios=(0,), use_legacy_attributes=True).fit(X, y)
    with pytest.warns(FutureWarning, match="use_legacy_attributes will change"):
        LogisticRegressionCV(Cs=1, l1_ratios=(0,), scoring=None).fit(X, y)
    old = {"l1_ratios": None, "scoring": None, "use_legacy_attributes": False}
    with pytest.warns(FutureWarning, match="penalty is deprecated"):
        model = LogisticRegressionCV(Cs=[0.1], penalty="l1", **old).fit(X, y)
    assert model.l1_ratio_ == 1.0
    assert (model.coef_ == 0).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Cs": [1.0, 0.0]}, "numbers above 0"),
        ({"Cs": []}, "numbers above 0"),
        ({"l1_ratios": (2,)}, "between 0 and 1"),
        ({"solver": "sag"}, "no solver 'sag'"),
        ({"dual": True}, "primal"),
        ({"class_weight": {7: 1.0}}, "class_weight dict must have the class labels"),
        ({"scoring": "nonsense"}, "scoring"),
    ],
)
def test_errors(parameters: dict[str, Any], message: str) -> None:
    X, y = load("iris")
    with pytest.raises(ValueError, match=message):
        LogisticRegressionCV(**{**NEW, **parameters}).fit(X, y)


def test_bad_data() -> None:
    X, y = load("iris")
    model = LogisticRegressionCV(**NEW)
    with pytest.raises(ValueError, match="only one class"):
        model.fit(X, np.zeros(len(y)))
    X[77, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.fit(X, y)


def test_too_few_steps_warn_once() -> None:
    X, y = load("breast_cancer")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LogisticRegressionCV(max_iter=2, **NEW).fit(X, y)
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert "models stopped at max_iter=2" in str(caught[0].message)
