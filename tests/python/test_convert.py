"""from_sklearn: scikit-learn's pipelines as models, on real data, with the estimators' answers."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import LinearSVC

import maas_engine
from maas_engine import linear_model
from maas_engine.errors import InvalidArgument, Unsupported

pytest.importorskip("skl2onnx")

IRIS, CANCER, WINE, DIABETES = load_iris(), load_breast_cancer(), load_wine(), load_diabetes()
NUMBERS, TEXTS = ["age", "income"], ["city", "job"]


def frame(rows: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 12, rows),
            "income": rng.lognormal(10, 1, rows),
            "city": rng.choice(["oslo", "paris", "rome", "wien"], rows),
            "job": rng.choice(["a", "b", "c"], rows),
            "children": rng.integers(0, 4, rows),
        }
    )
    target = (table["age"] > 40) ^ (table["city"] == "rome")
    for name in NUMBERS:
        table.loc[rng.random(rows) < 0.1, name] = np.nan
    return table, target.to_numpy().astype(np.int64)


def mixed(encoder: Any = None, impute: str = "mean") -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy=impute), StandardScaler())
    return ColumnTransformer(
        [("n", numbers, NUMBERS), ("t", encoder or OneHotEncoder(handle_unknown="ignore"), TEXTS)]
    )


def scaled(*steps: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), *steps)


def network(kind: Any, **more: Any) -> Any:
    return kind(hidden_layer_sizes=(12, 6), max_iter=20, random_state=0, **more)


BINS = {"n_bins": 4, "quantile_method": "averaged_inverted_cdf"}
CLASSIFIERS = {
    "logistic": scaled(LogisticRegression()),
    "minmax": make_pipeline(MinMaxScaler(), LogisticRegression()),
    "robust": make_pipeline(RobustScaler(), LogisticRegression()),
    "maxabs": make_pipeline(MaxAbsScaler(), LogisticRegression()),
    "l2": make_pipeline(Normalizer(), LogisticRegression()),
    "l1": make_pipeline(Normalizer("l1"), LogisticRegression()),
    "max": scaled(Normalizer("max"), LogisticRegression()),
    "binarizer": make_pipeline(Binarizer(threshold=2.0), LogisticRegression()),
    "pca": scaled(PCA(3), LogisticRegression()),
    "polynomial": make_pipeline(
        SelectKBest(k=3), PolynomialFeatures(2), StandardScaler(), LogisticRegression()
    ),
    "bins": make_pipeline(KBinsDiscretizer(encode="onehot-dense", **BINS), LogisticRegression()),
    "ordinal_bins": make_pipeline(KBinsDiscretizer(encode="ordinal", **BINS), LogisticRegression()),
    "power": make_pipeline(PowerTransformer(), LogisticRegression()),
    "network": scaled(network(MLPClassifier)),
    "tanh_network": scaled(network(MLPClassifier, activation="tanh")),
    "sgd": scaled(SGDClassifier(loss="log_loss", random_state=0)),
    "hinge": scaled(SGDClassifier(random_state=0)),
    "perceptron": scaled(Perceptron()),
    "svc": scaled(LinearSVC()),
    "ridge": scaled(RidgeClassifier()),
    "own": scaled(linear_model.LogisticRegression()),
}
REGRESSORS = {
    "least_squares": LinearRegression(),
    "ridge": scaled(Ridge()),
    "lasso": make_pipeline(RobustScaler(), Lasso(alpha=0.1)),
    "elastic_net": make_pipeline(MinMaxScaler(), ElasticNet(alpha=0.01)),
    "huber": scaled(HuberRegressor()),
    "poisson": scaled(PoissonRegressor()),
    "network": scaled(network(MLPRegressor)),
    "own": scaled(linear_model.Ridge()),
}


def fitted(estimator: Any, X: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # networks that have not converged, and the like
        return estimator.fit(X, y)


def expect_close(model: maas_engine.Model, tolerance: float) -> None:
    found = model.discrepancy
    assert found.label_flips == 0
    assert found.max_rel <= tolerance, found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name: str, dtype: Any) -> None:
    X = WINE.data.astype(dtype)
    estimator = fitted(CLASSIFIERS[name], X, WINE.target)
    model = maas_engine.from_sklearn(estimator, X)
    # skl2onnx has parts of the power transform in float32 only.
    expect_close(model, 1e-4 if dtype == np.float32 or name == "power" else 1e-6)
    assert model.discrepancy.rows == len(X)
    assert model.labels is not None
    assert model.labels.tolist() == [0, 1, 2]
    assert hasattr(model, "predict_proba") == hasattr(estimator, "predict_proba")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name: str, dtype: Any) -> None:
    X = DIABETES.data.astype(dtype)
    estimator = fitted(REGRESSORS[name], X, DIABETES.target)
    model = maas_engine.from_sklearn(estimator, X)
    expect_close(model, 1e-4 if dtype == np.float32 else 1e-6)
    assert model.predict(X).shape == (len(X),)


@pytest.mark.parametrize(
    "last",
    [
        LogisticRegression(),
        network(MLPClassifier),
        LinearSVC(),
        RidgeClassifier(),
        SGDClassifier(random_state=0),
        linear_model.LogisticRegression(),
        linear_model.LinearSVC(),
    ],
    ids=lambda estimator: type(estimator).__module__.split(".")[0] + "." + type(estimator).__name__,
)
def test_two_classes(last: Any) -> None:
    estimator = fitted(scaled(last), CANCER.data, CANCER.target)
    model = maas_engine.from_sklearn(estimator, CANCER.data)
    expect_close(model, 1e-6)
    method = "predict_proba" if hasattr(last, "predict_proba") else "decision_function"
    assert getattr(model, method)(CANCER.data).shape == getattr(estimator, method)(CANCER.data).shape


def test_text_labels() -> None:
    names = np.asarray(IRIS.target_names)[IRIS.target]
    for last in (LogisticRegression(), network(MLPClassifier), RidgeClassifier()):
        estimator = fitted(scaled(last), IRIS.data, names)
        model = maas_engine.from_sklearn(estimator, IRIS.data)
        expect_close(model, 1e-6)
        np.testing.assert_array_equal(model.predict(IRIS.data), estimator.predict(IRIS.data))
        assert model.labels is not None
        assert model.labels.tolist() == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize(
    "last",
    [LogisticRegression(), network(MLPClassifier), LinearSVC(), linear_model.LogisticRegression()],
    ids=lambda estimator: type(estimator).__module__.split(".")[0] + "." + type(estimator).__name__,
)
@pytest.mark.parametrize("impute", ["mean", "median"])
def test_frames_with_text_and_missing_numbers(last: Any, impute: str) -> None:
    X, y = frame()
    estimator = fitted(make_pipeline(mixed(impute=impute), last), X, y)
    model = maas_engine.from_sklearn(estimator, X)
    expect_close(model, 1e-6)
    assert {each.name for each in model.schema.inputs} >= {*NUMBERS, *TEXTS}
    row = X.iloc[7].to_dict()
    assert model.predict(row) == estimator.predict(X.iloc[7:8])[0]
    shuffled = X[list(reversed(X.columns))]
    np.testing.assert_array_equal(model.predict(shuffled), model.predict(X))


def test_unknown_categories() -> None:
    X, y = frame()
    new = X.assign(city="atlantis")
    ignoring = fitted(make_pipeline(mixed(), LogisticRegression()), X, y)
    model = maas_engine.from_sklearn(ignoring, X)
    np.testing.assert_allclose(model.predict_proba(new), ignoring.predict_proba(new), rtol=1e-6)
    strict = fitted(make_pipeline(mixed(OneHotEncoder()), LogisticRegression()), X, y)
    refusing = maas_engine.from_sklearn(strict, X)
    with pytest.raises(InvalidArgument, match="OneHotEncoder"):
        refusing.predict(new)


def test_ordinal_text_and_integer_columns() -> None:
    X, y = frame()
    columns = ColumnTransformer(
        [
            ("n", SimpleImputer(), NUMBERS),
            ("t", OrdinalEncoder(), TEXTS),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["children"]),
        ]
    )
    estimator = fitted(make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression()), X, y)
    expect_close(maas_engine.from_sklearn(estimator, X), 1e-5)


def test_frames_of_numbers_are_one_input_with_names() -> None:
    X = pd.DataFrame(WINE.data, columns=WINE.feature_names)
    estimator = fitted(scaled(LogisticRegression()), X, WINE.target)
    model = maas_engine.from_sklearn(estimator, X)
    expect_close(model, 1e-6)
    assert model.schema.feature_names == tuple(WINE.feature_names)
    assert model.predict(X.iloc[0].to_dict()) == estimator.predict(X.iloc[:1])[0]
    picked = ColumnTransformer([("a", StandardScaler(), ["alcohol"]), ("b", MinMaxScaler(), ["hue", "ash"])])
    estimator = fitted(make_pipeline(picked, LogisticRegression()), X, WINE.target)
    expect_close(maas_engine.from_sklearn(estimator, X), 1e-6)


def test_polars_frames() -> None:
    X, y = frame()
    table = pl.from_pandas(X.fillna(1.0))
    estimator = fitted(make_pipeline(mixed(), LogisticRegression()), table, y)
    expect_close(maas_engine.from_sklearn(estimator, table), 1e-6)


def test_without_rows() -> None:
    estimator = fitted(scaled(LogisticRegression()), WINE.data, WINE.target)
    model = maas_engine.from_sklearn(estimator, name="wine")
    assert model.discrepancy is None
    assert model.graph.name == "wine"
    np.testing.assert_array_equal(model.predict(WINE.data), estimator.predict(WINE.data))
    named = fitted(
        scaled(Ridge()), pd.DataFrame(DIABETES.data, columns=DIABETES.feature_names), DIABETES.target
    )
    assert maas_engine.from_sklearn(named).schema.feature_names == tuple(DIABETES.feature_names)


def test_shapes_of_several_targets() -> None:
    y = np.c_[DIABETES.target, DIABETES.target * 2]
    estimator = fitted(scaled(Ridge()), DIABETES.data, y)
    for model in (maas_engine.from_sklearn(estimator, DIABETES.data), maas_engine.from_sklearn(estimator)):
        np.testing.assert_allclose(model.predict(DIABETES.data), estimator.predict(DIABETES.data), rtol=1e-10)
    column = fitted(LinearRegression(), DIABETES.data, DIABETES.target[:, None])
    assert maas_engine.from_sklearn(column, DIABETES.data).predict(DIABETES.data[:3]).shape == (3, 1)


def test_transformers() -> None:
    estimator = fitted(scaled(PCA(4)), WINE.data, None)
    model = maas_engine.from_sklearn(estimator, WINE.data)
    expect_close(model, 1e-9)
    assert model.predict(WINE.data).shape == (len(WINE.data), 4)


def test_other_number_types() -> None:
    X = np.round(WINE.data).astype(np.int64)
    estimator = fitted(scaled(LogisticRegression()), X, WINE.target)
    expect_close(maas_engine.from_sklearn(estimator, X), 1e-6)
    expect_close(maas_engine.from_sklearn(estimator, X.tolist()), 1e-6)
    expect_close(maas_engine.from_sklearn(estimator, np.asfortranarray(X.astype(np.int16))), 1e-6)


def test_own_estimators_need_no_skl2onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    own = fitted(linear_model.LogisticRegression(), WINE.data, WINE.target)
    pipeline = fitted(scaled(LogisticRegression()), WINE.data, WINE.target)
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    model = maas_engine.from_sklearn(own, WINE.data)
    assert (model.discrepancy.label_flips, model.discrepancy.max_abs) == (0, 0.0)
    with pytest.raises(ImportError, match=r"maas_engine\[onnx\]"):
        maas_engine.from_sklearn(pipeline, WINE.data)


def test_files_with_zipmap(tmp_path: Any) -> None:
    from skl2onnx import to_onnx

    X = WINE.data.astype(np.float32)
    estimator = fitted(scaled(LogisticRegression()), X, WINE.target)
    path = tmp_path / "zipmap.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path.write_bytes(to_onnx(estimator, X[:1]).SerializeToString())
    model = maas_engine.load(path)
    np.testing.assert_array_equal(model.predict(X), estimator.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-6)


def test_saved_models_answer_the_same(tmp_path: Any) -> None:
    X, y = frame()
    model = maas_engine.from_sklearn(fitted(make_pipeline(mixed(), LogisticRegression()), X, y), X)
    model.save(tmp_path / "model.onnx")
    again = maas_engine.load(tmp_path / "model.onnx")
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_what_it_refuses() -> None:
    trees = fitted(RandomForestClassifier(3), WINE.data, WINE.target)
    with pytest.raises(Unsupported, match="TreeEnsembleClassifier"):
        maas_engine.from_sklearn(trees, WINE.data)
    splines = fitted(make_pipeline(SplineTransformer(), Ridge()), DIABETES.data, DIABETES.target)
    with pytest.raises(Unsupported, match="SplineTransformer"):
        maas_engine.from_sklearn(splines, DIABETES.data)
    with pytest.raises(NotFittedError):
        maas_engine.from_sklearn(LogisticRegression(), WINE.data)
    estimator = fitted(Ridge(), DIABETES.data, DIABETES.target)
    with pytest.raises(InvalidArgument, match="shape"):
        maas_engine.from_sklearn(estimator, DIABETES.data[0])
    dated = pd.DataFrame({"when": pd.date_range("2026-01-01", periods=3)})
    with pytest.raises(InvalidArgument, match="datetime64"):
        maas_engine.from_sklearn(estimator, dated)
