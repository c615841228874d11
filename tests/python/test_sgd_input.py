"""SGDClassifier and SGDRegressor: input and parameters that are wrong, and steps that are too long."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from maas_engine.linear_model import SGDClassifier, SGDRegressor


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


@pytest.mark.parametrize("eta0", [1e6, 1e200, 1e308])
@pytest.mark.parametrize("model", [SGDRegressor, SGDClassifier])
def test_overflowing_steps_stop(diabetes, model, eta0):
    X, y = diabetes
    y = y if model is SGDRegressor else y > 0
    model = model(loss="squared_error", learning_rate="constant", eta0=eta0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="eta0"):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert model.n_iter_ < 1000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_not_finite_rows(diabetes, value, dtype, order):
    X, y = diabetes
    X = np.array(X, dtype=dtype, order=order)
    X[-1, -1] = value
    with pytest.raises(ValueError, match="Input X contains"):
        SGDRegressor().fit(X, y)
    with pytest.raises(ValueError, match="Input X contains"):
        SGDClassifier(penalty="l1", early_stopping=True).fit(X, y > 0)


def test_not_finite_targets_and_weights(diabetes):
    X, y = diabetes
    bad = y.copy()
    bad[3] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN"):
        SGDRegressor().fit(X, bad)
    with pytest.raises(ValueError, match="Input sample_weight contains NaN"):
        SGDRegressor().fit(X, y, sample_weight=np.where(np.arange(len(y)) == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match="NaN"):
        SGDClassifier().fit(X, bad)


def test_bad_labels_and_weights(cancer):
    X, y = cancer
    with pytest.raises(ValueError, match="greater than one; got 1 class"):
        SGDClassifier().fit(X, np.ones(len(y)))
    mixed = y.astype(object)
    mixed[0] = "a"
    with pytest.raises((ValueError, TypeError)):
        SGDClassifier().fit(X, mixed)
    with pytest.raises(ValueError, match="Unknown label type"):
        SGDClassifier().fit(X, np.linspace(0, 1, len(y)))
    with pytest.raises(ValueError, match=r"weight.*zero"):
        SGDClassifier().fit(X, y, sample_weight=np.zeros(len(y)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "nonsense"}, "loss"),
        ({"eta0": 0.0}, "eta0"),
        ({"alpha": -1}, "alpha"),
        ({"alpha": 0}, "alpha must be > 0"),
        ({"learning_rate": "pa1", "loss": "log_loss"}, "only works with loss 'hinge'"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio must be set"),
    ],
)
def test_bad_parameters(cancer, options, message):
    with pytest.raises(ValueError, match=message):
        SGDClassifier(**options).fit(*cancer)
    with pytest.raises(ValueError, match="early_stopping should be False"):
        SGDClassifier(early_stopping=True).partial_fit(*cancer, classes=[0, 1])
