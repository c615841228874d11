"""Cross-validation: scikit-learn's results and dictionaries, from folds that are fitted together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as reference
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression as ReferenceLinearRegression
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from maas_engine.linear_model import LinearRegression, LogisticRegression, Ridge
from maas_engine.model_selection import cross_val_predict, cross_val_score, cross_validate

X, y = load_diabetes(return_X_y=True)
Y = np.c_[y, y[::-1]]
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
GROUPS = np.arange(len(y)) % 7
ESTIMATORS = [
    LinearRegression(),
    LinearRegression(fit_intercept=False),
    LinearRegression(solver="svd"),
    Ridge(0.3),
    Ridge(0.3, fit_intercept=False),
    Ridge(0.3, solver="lbfgs", tol=1e-12),
    make_pipeline(StandardScaler(), Ridge(0.3)),
]
SPLITTERS = [
    None,
    4,
    KFold(3, shuffle=True, random_state=0),
    GroupKFold(3),
    ShuffleSplit(3, random_state=0),
    [(np.arange(100), np.arange(100, 200)), (np.arange(150, 442), np.arange(100))],
]
SCORES = [
    None,
    "neg_mean_squared_error",
    ["r2", "neg_mean_absolute_error"],
    {"a": "r2", "b": "neg_max_error"},
]


def same(ours: Any, theirs: Any) -> None:
    assert list(ours) == list(theirs)
    for name, want in theirs.items():
        if name.endswith("_time"):
            assert ours[name].shape == want.shape
        elif name == "indices":
            for side in ("train", "test"):
                for got, expected in zip(ours[name][side], want[side], strict=True):
                    np.testing.assert_array_equal(got, expected)
        elif name == "estimator":
            for got, expected in zip(ours[name], want, strict=True):
                if hasattr(expected, "coef_"):
                    scale = np.abs(expected.coef_).max()
                    np.testing.assert_allclose(got.coef_, expected.coef_, rtol=1e-8, atol=1e-8 * scale)
                    assert type(got) is type(expected)
                    assert got.n_features_in_ == expected.n_features_in_
                    assert got.get_params() == expected.get_params()
        else:
            np.testing.assert_allclose(ours[name], want, rtol=1e-8)


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_equals_scikit_learn_on_the_same_estimator(estimator: Any, cv: Any) -> None:
    for target in (y, Y):
        for params in (None, {"sample_weight": WEIGHTS}):
            if params and hasattr(estimator, "steps"):
                continue  # weights need the step's name there
            options = {
                "groups": GROUPS if isinstance(cv, GroupKFold) else None,
                "cv": cv,
                "params": params,
                "return_train_score": True,
                "return_estimator": True,
                "return_indices": True,
            }
            ours = cross_validate(estimator, X, target, **options)
            same(ours, reference.cross_validate(estimator, X, target, **options))


@pytest.mark.parametrize("scoring", SCORES, ids=str)
def test_scores(scoring: Any) -> None:
    options = {"scoring": scoring, "cv": 4, "return_train_score": True}
    ours = cross_validate(LinearRegression(), X, y, **options)
    same(ours, reference.cross_validate(ReferenceLinearRegression(), X, y, **options))


def test_one_pass_fits_all_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("fitted a fold by itself")

    monkeypatch.setattr(Ridge, "fit", refuse)
    assert len(cross_val_score(Ridge(), X, y, cv=5)) == 5


def test_ill_conditioned_folds_go_back_to_their_rows() -> None:
    doubled = np.c_[X, X[:, 0] + 1e-9 * X[:, 1], np.ones(len(X))]
    options = {"cv": 4, "return_estimator": True}
    ours = cross_validate(LinearRegression(), doubled, y, **options)
    same(ours, reference.cross_validate(LinearRegression(), doubled, y, **options))
    wide = np.random.default_rng(0).standard_normal((60, 80))
    ours = cross_validate(Ridge(), wide, y[:60], **options)
    same(ours, reference.cross_validate(Ridge(), wide, y[:60], **options))


@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_folds_that_fail_get_the_error_score() -> None:
    bad = X.copy()
    bad[3, 2] = np.nan
    with pytest.warns(reference._validation.FitFailedWarning):
        ours = cross_validate(Ridge(), bad, y, cv=4, error_score=-1.0)
    with pytest.warns(reference._validation.FitFailedWarning):
        same(ours, reference.cross_validate(Ridge(), bad, y, cv=4, error_score=-1.0))
    with pytest.raises(ValueError, match="NaN"):
        cross_validate(Ridge(), bad, y, cv=4, error_score="raise")


def test_classifiers_frames_and_other_estimators() -> None:
    import pandas as pd

    rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    rows = (rows - rows.mean()) / rows.std()
    for scoring in (None, "roc_auc", "neg_log_loss", "f1", ["accuracy", "balanced_accuracy"]):
        options = {"cv": StratifiedKFold(3), "scoring": scoring}
        ours = cross_validate(LogisticRegression(), rows, labels, **options)
        theirs = reference.cross_validate(LogisticRegression(), rows, labels, **options)
        for name in theirs:
            if not name.endswith("_time"):
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    fitted = cross_validate(Ridge(), frame, pd.Series(y), cv=3, return_estimator=True)["estimator"]
    assert list(fitted[0].feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize("estimator", [LinearRegression(), Ridge(solver="svd")], ids=str)
@pytest.mark.parametrize("cv", [4, KFold(3, shuffle=True, random_state=0)], ids=str)
def test_scores_and_predictions_alone(estimator: Any, cv: Any) -> None:
    np.testing.assert_allclose(
        cross_val_score(estimator, X, y, cv=cv), reference.cross_val_score(estimator, X, y, cv=cv), rtol=1e-8
    )
    for target in (y, Y):
        ours = cross_val_predict(estimator, X, target, cv=cv)
        np.testing.assert_allclose(ours, reference.cross_val_predict(estimator, X, target, cv=cv), rtol=1e-8)


def test_predictions_of_classes() -> None:
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = StandardScaler().fit_transform(rows)
    for method in ("predict", "predict_proba", "decision_function"):
        ours = cross_val_predict(LogisticRegression(), rows, labels, cv=3, method=method)
        theirs = reference.cross_val_predict(LogisticRegression(), rows, labels, cv=3, method=method)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_predictions_need_a_partition() -> None:
    with pytest.raises(ValueError, match="partitions"):
        cross_val_predict(Ridge(), X, y, cv=ShuffleSplit(3, random_state=0))
