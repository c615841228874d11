"""Mini-batch descent: near the optimum of the full-batch solvers, and the same bits everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine.linear_model import LogisticRegression, Ridge
from maas_engine.linear_model._mini_batch import descend_by_batches

OPTIONS = {
    "loss": "squared",
    "outputs": 1,
    "fit_intercept": True,
    "solver": "sgd",
    "learning_rate": 0.02,
    "momentum": 0.9,
    "nesterov": False,
    "batch_size": 32,
    "max_iter": 500,
    "tol": 1e-7,
    "random_state": 0,
    "start": [],
}


def scaled(loader, dtype=np.float64):
    X, y = loader(return_X_y=True)
    return StandardScaler().fit_transform(X).astype(dtype), y


def objective(model, X, y, C=1.0):
    probability = model.predict_proba(X)[np.arange(len(y)), y]
    return -C * np.log(probability).sum() + (model.coef_**2).sum() / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "solver",
    [
        {"solver": "sgd", "momentum": 0.9},
        {"solver": "sgd", "momentum": 0.9, "nesterov": True, "batch_size": 64},
        {"solver": "adam", "batch_size": 32, "learning_rate": 0.05},
    ],
)
@pytest.mark.parametrize("loader", [load_breast_cancer, load_wine])
def test_logistic_regression_reaches_the_optimum(loader, solver, dtype):
    X, y = scaled(loader, dtype)
    best = objective(LogisticRegression().fit(X, y), X, y)
    model = LogisticRegression(max_iter=1000, random_state=0, tol=1e-6, **solver).fit(X, y)
    assert objective(model, X, y) < best * 1.01
    assert model.coef_.dtype == dtype
    assert len(model.loss_curve_) == model.n_iter_[0]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_squared_loss_reaches_ridge(solver):
    X, y = scaled(load_diabetes)
    y = (y - y.mean()) / y.std()
    exact = Ridge(alpha=5.0).fit(X, y)
    best = np.sum((exact.predict(X) - y) ** 2) + 5 * np.sum(exact.coef_**2)
    coef, intercept, _, status, _ = descend_by_batches(X, y, None, **{**OPTIONS, "solver": solver}, l2=5.0)
    reached = np.sum((X @ coef[0] + intercept[0] - y) ** 2) + 5 * np.sum(coef**2)
    assert status == "converged"
    assert best <= reached < best * 1.005


def test_same_bits_for_threads_and_layouts():
    X, y = scaled(load_breast_cancer)
    model = LogisticRegression(solver="sgd", batch_size=256, random_state=1, max_iter=400)
    expected = model.fit(X, y).coef_.tobytes()
    assert model.fit(np.asfortranarray(X), y).coef_.tobytes() == expected
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            assert model.fit(X, y).coef_.tobytes() == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_seeds():
    X, y = scaled(load_breast_cancer)
    fits = [LogisticRegression(solver="sgd", random_state=s, max_iter=3).fit(X, y).coef_ for s in (0, 0, 1)]
    assert (fits[0] == fits[1]).all()
    assert (fits[0] != fits[2]).any()


def test_diverging_names_the_learning_rate():
    X, y = scaled(load_diabetes)
    _, _, _, status, _ = descend_by_batches(X, y, None, **{**OPTIONS, "learning_rate": 1e30}, l2=1.0)
    assert status == "diverged"
    X, y = scaled(load_breast_cancer)
    with pytest.warns(ConvergenceWarning, match="learning_rate"):
        model = LogisticRegression(solver="sgd", learning_rate=1e300, random_state=0).fit(X, y)
    assert np.isfinite(model.coef_).all()


def test_not_finite():
    X, y = scaled(load_breast_cancer)
    X[5, 3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LogisticRegression(solver="sgd").fit(X, y)
