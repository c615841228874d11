"""Writes onnx/skl2onnx: `python tests/golden/make_skl2onnx.py`, with scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2.

Every model is trained on data that scikit-learn brings along. The outputs beside a file are scikit-learn's own.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from golden_onnx import ROWS, write
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

Array = NDArray[Any]
TOOL = "skl2onnx"
IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
LINNERUD = load_linnerud(return_X_y=True)


def _some(rows: Array) -> Array:
    """Rows from all over the table, so that every class is among them."""
    return rows[:: len(rows) // ROWS][:ROWS]


def _answers(model: Any, rows: Array, raw_scores: bool) -> list[Array]:
    if hasattr(model, "predict_proba") and not raw_scores:
        return [model.predict(rows), model.predict_proba(rows)]
    if isinstance(model, KMeans):
        return [model.predict(rows), model.transform(rows)]
    if hasattr(model, "decision_function"):
        return [model.predict(rows), model.decision_function(rows)]
    return [model.predict(rows)] if hasattr(model, "predict") else [model.transform(rows)]


def _file(name: str, estimator: Any, table: tuple[Array, Array], dtype: Any = np.float32, **to: Any) -> None:
    """Trains, converts with the arguments `to` and files a model of one numeric input."""
    rows = table[0].astype(dtype)
    estimator.fit(rows, table[1])
    some = _some(rows)
    options = next(iter(to.get("options", {}).values()), {})
    record = _answers(estimator, some, options.get("raw_scores", False))
    if options.get("zipmap") == "columns":
        record = [record[0], *record[1].T]
    write(TOOL, name, to_onnx(estimator, some[:1], **to), [some], record)


def _regressors() -> None:
    for name, estimator in {
        "linear_regression": LinearRegression(),
        "huber": HuberRegressor(max_iter=1000),
        "poisson": PoissonRegressor(),
        "stacking": StackingRegressor([("a", Ridge()), ("b", LinearRegression())], Ridge()),
    }.items():
        _file(name, estimator, DIABETES)
    _file("linear_regression_float64", LinearRegression(), DIABETES, np.float64)
    _file("multi_output", LinearRegression(), LINNERUD)
    _file("ridge", make_pipeline(StandardScaler(), Ridge()), DIABETES)


def _classifiers() -> None:
    def scaled(model: Any) -> Any:
        return make_pipeline(StandardScaler(), model)

    names = np.array(["setosa", "versicolor", "virginica"])
    texts = (IRIS[0], names[IRIS[1]])
    for name, estimator in {
        "logistic": LogisticRegression(),
        "one_vs_rest": OneVsRestClassifier(LogisticRegression()),
        "sgd": scaled(SGDClassifier(loss="log_loss", random_state=0)),
        "lda": LinearDiscriminantAnalysis(),
        "gaussian_nb": GaussianNB(),
        "bernoulli_nb": make_pipeline(Binarizer(threshold=2.0), BernoulliNB()),
        "voting": VotingClassifier(
            [("a", LogisticRegression()), ("b", LogisticRegression(C=0.1))],
            voting="soft",
            flatten_transform=False,
        ),
        "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=2),
    }.items():
        _file(name, estimator, IRIS, options={id(estimator): {"zipmap": False}})
    for name, estimator in {
        "linear_svc": LinearSVC(),
        "perceptron": Perceptron(),
        "ridge_classifier": RidgeClassifier(),
    }.items():
        _file(name, estimator, IRIS)
    _file("logistic_zipmap", LogisticRegression(), IRIS)
    _file("logistic_zipmap_text", LogisticRegression(), texts)
    binary = scaled(LogisticRegression())
    _file("logistic_binary_zipmap", binary, CANCER)
    _file("logistic_binary_float64", binary, CANCER, np.float64, options={id(binary): {"zipmap": False}})
    columns = LogisticRegression()
    _file("logistic_columns", columns, IRIS, options={id(columns): {"zipmap": "columns"}})
    raw = LogisticRegression()
    _file("logistic_raw_scores", raw, IRIS, options={id(raw): {"zipmap": False, "raw_scores": True}})
    for opset in (9, 13, 18, 21):
        _file(f"logistic_opset_{opset}", scaled(LogisticRegression()), IRIS, target_opset=opset)


def _networks() -> None:
    for activation in ("relu", "tanh", "logistic", "identity"):
        net = MLPRegressor(hidden_layer_sizes=(6,), activation=activation, max_iter=50, random_state=0)
        _file(f"mlp_{activation}", make_pipeline(StandardScaler(), net), DIABETES)
    net = MLPRegressor(hidden_layer_sizes=(6,), max_iter=50, random_state=0)
    _file("mlp_multi_output", make_pipeline(StandardScaler(), net), LINNERUD)
    for name, table in {"mlp_classifier": IRIS, "mlp_classifier_binary": CANCER}.items():
        pipe = make_pipeline(StandardScaler(), MLPClassifier((8, 5), max_iter=50, random_state=0))
        _file(name, pipe, table, options={id(pipe): {"zipmap": False}})


def _transformers() -> None:
    for name, transformer in {
        "min_max": MinMaxScaler(clip=True),
        "max_abs": MaxAbsScaler(),
        "robust": RobustScaler(),
        "normalizer": Normalizer(),
        "polynomial": PolynomialFeatures(2),
        "pca": PCA(2),
        "select": make_pipeline(VarianceThreshold(), SelectKBest(k=2)),
        "bins": KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    }.items():
        _file(name, transformer, IRIS)


def _mixed_table() -> None:
    """Imputer and scaler on numbers, one-hot and ordinal codes on text: an input a column."""
    import pandas

    draw = np.random.default_rng(0)
    n = 60
    frame = pandas.DataFrame(
        {
            "age": draw.normal(40, 10, n).astype(np.float32),
            "income": draw.lognormal(3, 1, n).astype(np.float32),
            "city": draw.choice(["Oslo", "Bergen", "Tromsø"], n),
            "size": draw.choice(["s", "m", "l"], n),
        }
    )
    frame.loc[::7, "income"] = np.nan
    y = frame["age"] + 5 * (frame["city"] == "Oslo") > 41
    pipe = make_pipeline(
        ColumnTransformer(
            [
                (
                    "numbers",
                    make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                    ["age", "income"],
                ),
                ("city", OneHotEncoder(handle_unknown="ignore"), ["city"]),
                ("size", OrdinalEncoder(categories=[["s", "m", "l"]]), ["size"]),
            ]
        ),
        LogisticRegression(),
    ).fit(frame, np.where(y, "old", "young"))
    types = [
        (name, FloatTensorType([None, 1]) if kind == np.float32 else StringTensorType([None, 1]))
        for name, kind in frame.dtypes.items()
    ]
    some = frame.iloc[::8][:ROWS].copy()
    some.iloc[3, 2] = "Nowhere"
    inputs = [
        some[[name]].to_numpy(np.float32 if isinstance(kind, FloatTensorType) else np.str_)
        for name, kind in types
    ]
    model = to_onnx(pipe, initial_types=types)
    write(TOOL, "columns", model, inputs, [pipe.predict(some).astype(np.str_), pipe.predict_proba(some)])


def _others() -> None:
    """Models of operators that the engine does not have."""
    for name, estimator in {
        "tree": DecisionTreeClassifier(max_depth=2),
        "forest": RandomForestClassifier(3, max_depth=2, random_state=0),
        "svc": SVC(kernel="linear", C=0.01),
        "nearest": KNeighborsClassifier(3),
        "k_means": KMeans(3, random_state=0),
    }.items():
        small = (IRIS[0][::5], IRIS[1][::5])
        _file(name, estimator, small)
    _file("boosting", GradientBoostingRegressor(n_estimators=3, max_depth=2), DIABETES)
    texts = np.array(["a red fox", "the lazy dog", "a quick fox", "the dog and the fox"])
    tfidf = TfidfVectorizer().fit(texts)
    model = to_onnx(tfidf, initial_types=[("text", StringTensorType([None]))])
    write(TOOL, "tfidf", model, [texts], [tfidf.transform(texts).toarray()])


def main() -> None:
    warnings.simplefilter("ignore")  # few iterations on purpose
    _regressors()
    _classifiers()
    _networks()
    _transformers()
    _mixed_table()
    _others()


if __name__ == "__main__":
    main()
