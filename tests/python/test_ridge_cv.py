"""RidgeCV: scikit-learn's choice, scores and coefficients, from exact leave-one-out and from fused folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.linear_model import RidgeCV as Reference
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, ShuffleSplit, TimeSeriesSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine.linear_model import Ridge, RidgeCV
from maas_engine.linear_model import _ridge_folds as fused

PENALTIES = np.logspace(-3, 3, 7)
X, y = load_diabetes(return_X_y=True)
Y = np.c_[y, y[::-1]]
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, len(y))


@parametrize_with_checks([RidgeCV(), RidgeCV(cv=3), RidgeCV(gcv_mode="svd")])
def test_scikit_learn_contract(estimator: Any, check: Any) -> None:
    check(estimator)


def compare(
    X: Any, y: Any, weights: Any = None, alphas: Any = PENALTIES, tolerance: float = 1e-9, **options: Any
) -> RidgeCV:
    theirs = Reference(alphas, **options).fit(X, y, sample_weight=weights)
    ours = RidgeCV(alphas, **options).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(ours.alpha_, theirs.alpha_)
    for name in ("best_score_", "coef_", "intercept_", "cv_results_"):
        if hasattr(theirs, name):
            want = np.asarray(getattr(theirs, name))
            scale = np.abs(want).max()
            np.testing.assert_allclose(getattr(ours, name), want, rtol=tolerance, atol=tolerance * scale)
            assert np.shape(getattr(ours, name)) == np.shape(want), name
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    return ours


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("fit_intercept", [True, False])
class TestLeaveOneOut:
    @pytest.mark.parametrize("gcv_mode", [None, "auto", "svd", "eigen"])
    def test_squared_errors(self, weights: Any, fit_intercept: bool, gcv_mode: Any) -> None:
        compare(X, y, weights, fit_intercept=fit_intercept, gcv_mode=gcv_mode, store_cv_results=True)

    @pytest.mark.parametrize("separate", [False, True])
    @pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_absolute_error"])
    def test_targets(self, weights: Any, fit_intercept: bool, scoring: Any, separate: bool) -> None:
        compare(
            X,
            Y,
            weights,
            fit_intercept=fit_intercept,
            scoring=scoring,
            alpha_per_target=separate,
            store_cv_results=True,
        )

    @pytest.mark.parametrize("shape", [(40, 100), (300, 400), (350, 290)])
    def test_wide_rows_and_many_features(self, weights: Any, fit_intercept: bool, shape: Any) -> None:
        rng = np.random.default_rng(1)
        wide, target = rng.standard_normal(shape), rng.standard_normal(shape[0])
        some = None if weights is None else weights[: len(wide)]
        for mode in (None, "svd") if shape[0] < 100 else (None,):
            compare(wide, target, some, fit_intercept=fit_intercept, gcv_mode=mode, store_cv_results=True)

    def test_equals_leaving_each_row_out(self, weights: Any, fit_intercept: bool) -> None:
        rows, target = X[:40], y[:40]
        some = None if weights is None else weights[:40]
        model = RidgeCV([0.05], fit_intercept=fit_intercept, store_cv_results=True).fit(rows, target, some)
        for k in range(0, 40, 7):
            keep = np.arange(40) != k
            part = None if some is None else some[keep]
            left_out = Ridge(0.05, fit_intercept=fit_intercept).fit(rows[keep], target[keep], part)
            error = (target[k] - left_out.predict(rows[k : k + 1])[0]) ** 2 * (1 if some is None else some[k])
            np.testing.assert_allclose(model.cv_results_[k, 0], error, rtol=1e-9)


def test_leave_one_out_of_one_column_of_targets_and_one_penalty() -> None:
    compare(X, y[:, np.newaxis], store_cv_results=True)
    compare(X, y, alphas=0.5)
    compare(X, y, alphas=[0.5])


def test_leave_one_out_survives_collinear_columns() -> None:
    doubled = np.c_[X, X[:, :3], np.ones(len(X))]
    small = [1e-9, 1e-6, 1e-3]
    model = RidgeCV(small, store_cv_results=True).fit(doubled, y)
    theirs = Reference(small, gcv_mode="svd", store_cv_results=True).fit(doubled, y)
    np.testing.assert_allclose(model.cv_results_, theirs.cv_results_, rtol=1e-6)
    np.testing.assert_allclose(model.predict(doubled), theirs.predict(doubled), rtol=1e-8)


SPLITTERS = [
    5,
    KFold(4, shuffle=True, random_state=0),
    ShuffleSplit(3, random_state=0),
    TimeSeriesSplit(4),
    [(np.arange(100), np.arange(100, 442)), (np.arange(50, 442), np.arange(50))],
]
SCORES = [
    None,
    "r2",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "explained_variance",
    "neg_median_absolute_error",
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("scoring", SCORES)
@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_folds(cv: Any, scoring: Any, weights: Any) -> None:
    compare(X, y, weights, cv=cv, scoring=scoring)
    compare(X, Y, weights, cv=cv, scoring=scoring, fit_intercept=False)


@pytest.mark.filterwarnings("ignore:The scoring")
def test_scorers_of_ones_own() -> None:
    def largest(model: Any, rows: Any, truth: Any) -> float:
        return -float(np.abs(model.predict(rows) - truth).max())

    compare(X, y, cv=4, scoring=largest)
    compare(X, y, WEIGHTS, cv=4, scoring=largest)


def test_a_scorer_without_weights_warns() -> None:
    with pytest.warns(UserWarning, match="does not support sample_weight"):
        RidgeCV(cv=3, scoring="neg_max_error").fit(X, y, WEIGHTS)


def test_single_test_rows_score_as_predictions_do() -> None:
    compare(X[:30], y[:30], cv=LeaveOneOut(), scoring="neg_mean_squared_error")


def test_penalty_zero_and_collinear_columns_go_back_to_the_rows() -> None:
    doubled = np.c_[X, X[:, 0]]
    ours = RidgeCV([0.0, 1e-3], cv=4).fit(doubled, y)
    grid = GridSearchCV(Ridge(), {"alpha": [0.0, 1e-3]}, cv=4).fit(doubled, y)
    assert ours.alpha_ == grid.best_params_["alpha"]
    np.testing.assert_allclose(ours.best_score_, grid.best_score_, rtol=1e-9)


def test_targets_without_noise_are_scored_by_predictions() -> None:
    exact = X @ np.arange(1.0, 11.0) + 3
    penalties = [1e-12, 1e-9, 1e-6]
    ours = RidgeCV(penalties, cv=4, scoring="neg_mean_squared_error").fit(X, exact)
    grid = GridSearchCV(Ridge(), {"alpha": penalties}, cv=4, scoring="neg_mean_squared_error").fit(X, exact)
    assert ours.alpha_ == grid.best_params_["alpha"] == 1e-12


def test_wide_training_rows() -> None:
    rng = np.random.default_rng(2)
    compare(rng.standard_normal((60, 90)), rng.standard_normal(60), cv=3)


def test_moments_score_as_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = RidgeCV(PENALTIES, cv=5).fit(X, y)
    monkeypatch.setattr(fused, "_ROUNDING", -1.0)  # trust no moments
    slow = RidgeCV(PENALTIES, cv=5).fit(X, y)
    np.testing.assert_allclose(fast.best_score_, slow.best_score_, rtol=1e-10)
    assert fast.alpha_ == slow.alpha_


@pytest.mark.parametrize("cv", [None, 5, KFold(3, shuffle=True, random_state=1)])
def test_same_bits_for_threads_targets_and_layouts(cv: Any) -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((20000, 12))
    target = rows @ rng.standard_normal(12) + rng.standard_normal(20000)
    first = RidgeCV(PENALTIES, cv=cv).fit(rows, target)
    for count in (1, 2, 4):
        with maas_engine.num_threads(count):
            for layout in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
                again = RidgeCV(PENALTIES, cv=cv).fit(layout, target)
                np.testing.assert_array_equal(again.coef_, first.coef_)
                assert again.best_score_ == first.best_score_


def test_float32_stays_float32() -> None:
    for cv in (None, 4):
        model = RidgeCV(PENALTIES, cv=cv).fit(X.astype(np.float32), y)
        wide = RidgeCV(PENALTIES, cv=cv).fit(X, y)
        assert model.coef_.dtype == np.float32
        assert model.alpha_ == wide.alpha_
        np.testing.assert_allclose(model.coef_, wide.coef_, rtol=1e-4)


def test_one_large_fold_equals_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((30000, 8)) + 1e3
    target = rows @ rng.standard_normal(8) + rng.standard_normal(30000)
    compare(rows, target, cv=3, tolerance=1e-7)


def test_refuses_what_scikit_learn_refuses() -> None:
    for options in ({"store_cv_results": True}, {"alpha_per_target": True}):
        with pytest.raises(ValueError, match="incompatible"):
            RidgeCV(cv=3, **options).fit(X, y)
    for alphas in ([0.0, 1.0], [-1.0], -1.0):
        with pytest.raises(ValueError, match="alphas"):
            RidgeCV(alphas).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        RidgeCV(cv=3).fit(np.where(X[5, 5] == X, np.nan, X), y)
    with pytest.raises(ValueError, match="n_splits"):
        RidgeCV(cv=500).fit(X, y)


def test_multi_target_data_of_three_outputs() -> None:
    exercise, body = load_linnerud(return_X_y=True)
    compare(exercise, body, cv=4, alphas=[1.0, 10.0])
    compare(exercise, body, alphas=[1.0, 10.0], alpha_per_target=True)
