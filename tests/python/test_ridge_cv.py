"""RidgeCV: scikit-learn's choice, scores and coefficients, from exact leave-one-out and from fused folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
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


def thin(rows: int, columns: int) -> Any:
    """Return sparse rows and targets with noise."""
    matrix = sp.random(rows, columns, 0.1, format="csr", random_state=7)
    rng = np.random.default_rng(7)
    return matrix, matrix @ rng.standard_normal(columns) + rng.standard_normal(rows)


class TestSparseRows:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("shape", [(200, 30), (400, 300), (60, 150), (280, 400)])
    def test_leave_one_out_has_the_residuals_of_dense_rows(
        self, shape: Any, fit_intercept: bool, weighted: bool
    ) -> None:
        matrix, target = thin(*shape)
        weights = np.random.default_rng(1).uniform(0.1, 2.0, len(target)) if weighted else None
        options: dict[str, Any] = {"fit_intercept": fit_intercept, "store_cv_results": True}
        sparse = RidgeCV(PENALTIES, **options).fit(matrix, target, weights)
        dense = RidgeCV(PENALTIES, **options).fit(matrix.toarray(), target, weights)
        np.testing.assert_array_equal(sparse.cv_results_, dense.cv_results_)
        assert sparse.alpha_ == dense.alpha_
        np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(sparse.predict(matrix), dense.predict(matrix), rtol=1e-7, atol=1e-9)

    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("shape", [(200, 30), (60, 150)])
    def test_scikit_learns_choice(self, shape: Any, fit_intercept: bool) -> None:
        matrix, target = thin(*shape)
        targets = np.c_[target, target[::-1]]
        compare(matrix, target, fit_intercept=fit_intercept, tolerance=1e-7)
        compare(matrix, targets, fit_intercept=fit_intercept, tolerance=1e-7)
        for cv in (4, KFold(3, shuffle=True, random_state=0)):  # of sparse rows theirs iterates, to 1e-5
            theirs = Reference(PENALTIES, cv=cv, fit_intercept=fit_intercept)
            theirs.fit(matrix.toarray(), target)
            ours = RidgeCV(PENALTIES, cv=cv, fit_intercept=fit_intercept).fit(matrix, target)
            assert ours.alpha_ == theirs.alpha_
            np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-7)
        compare(matrix, targets, alpha_per_target=True, scoring="r2", tolerance=1e-7)

    @pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
    def test_folds_are_those_of_dense_rows(self, scoring: str) -> None:
        matrix, target = thin(150, 40)
        weights = np.random.default_rng(1).uniform(0.1, 2.0, 150)
        for cv in (5, ShuffleSplit(3, random_state=0), TimeSeriesSplit(3)):
            sparse = RidgeCV(PENALTIES, cv=cv, scoring=scoring).fit(matrix, target, weights)
            dense = RidgeCV(PENALTIES, cv=cv, scoring=scoring).fit(matrix.toarray(), target, weights)
            assert sparse.alpha_ == dense.alpha_
            np.testing.assert_allclose(sparse.best_score_, dense.best_score_, rtol=1e-9)
            np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-8, atol=1e-12)

    @pytest.mark.parametrize("convert", [sp.csc_matrix, sp.coo_array, sp.csr_array])
    @pytest.mark.parametrize("cv", [None, 3])
    def test_every_format_type_and_number_of_threads(self, convert: Any, cv: Any) -> None:
        matrix, target = thin(300, 20)
        first = RidgeCV(PENALTIES, cv=cv).fit(matrix, target)
        for count in (1, 2, 4):
            with maas_engine.num_threads(count):
                again = RidgeCV(PENALTIES, cv=cv).fit(convert(matrix), target)
            np.testing.assert_array_equal(again.coef_, first.coef_)
            assert again.best_score_ == first.best_score_
        single = RidgeCV(PENALTIES, cv=cv).fit(convert(matrix.astype(np.float32)), target)
        assert single.coef_.dtype == np.float32
        np.testing.assert_allclose(single.coef_, first.coef_, rtol=1e-4, atol=1e-5)

    def test_large_sparse_rows_need_folds(self) -> None:
        matrix, target = thin(2100, 2050)
        matrix = sp.vstack([matrix[:2050, :10] @ sp.eye(10, 2050), matrix[2050:]]).tocsr()
        with pytest.raises(ValueError, match="2048 features"):
            RidgeCV().fit(matrix, target)
        assert RidgeCV(cv=2).fit(matrix, target).alpha_ in (0.1, 1.0, 10.0)

    @pytest.mark.parametrize("cv", [None, 3])
    def test_not_finite(self, cv: Any) -> None:
        for shape in ((50, 10), (10, 50)):
            matrix, target = thin(*shape)
            matrix.data[3] = np.nan
            with pytest.raises(ValueError, match="NaN"):
                RidgeCV(cv=cv).fit(matrix, target)
