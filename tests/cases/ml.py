"""Cases of the operators of ai.onnx.ml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cases.case import ML, Case
from cases.values import FLOATS, NUMBERS, i64, integers, normal, numbers, texts

FLOAT = ("float32",)
FIXED = frozenset({0})
HOLES = np.array([[1, np.nan, 3], [np.nan, 5, -999], [np.nan, np.nan, np.nan], [0, -0.0, np.inf]])


def case(op: str, *inputs: np.ndarray, **attributes: Any) -> Any:
    """A case maker for one operator: ``case("Scaler", x, scale=[2.0])(types=FLOAT)``."""
    return lambda **options: Case(op, inputs, attributes, domain=ML, **options)


def scalers() -> Iterator[Case]:
    for dtype in NUMBERS:
        x = numbers(6, 3, dtype=dtype)
        note = "float32 by the standard; the reference evaluator keeps the type"
        options = {"types": FLOAT, "reference": dtype == "float32", "note": note}
        yield case("Scaler", x, offset=[1.0, -2.0, 0.5], scale=[0.5, 2.0, 3.0])(**options)
        yield case("Scaler", x, offset=[0.25], scale=[0.1])(**options)
        yield case("Binarizer", x, threshold=0.5)(runtime=dtype == "float32")
        yield case("Binarizer", x)(runtime=dtype == "float32")
    yield case("Scaler", np.array([[1e6 + 0.5, 1e6]], np.float32), offset=[1e6], scale=[1.0])(types=FLOAT)
    yield case("Binarizer", HOLES.astype(np.float32), threshold=-1.0)(
        runtime=False, note="ONNX Runtime refuses NaN; it is not greater than anything"
    )


def imputers() -> Iterator[Case]:
    for dtype in FLOATS:
        x = HOLES.astype(dtype)
        for values in ([7.5], [1.5, 2.5, 3.5]):
            runtime = dtype == "float32"
            yield case("Imputer", x, imputed_value_floats=values, replaced_value_float=float("nan"))(
                runtime=runtime
            )
            yield case("Imputer", x, imputed_value_floats=values, replaced_value_float=-999.0)(
                runtime=runtime
            )
            yield case("Imputer", x, imputed_value_floats=values, replaced_value_float=0.0)(runtime=runtime)
    for values in ([7], [1, 2, 3]):
        yield case("Imputer", integers(6, 3), imputed_value_int64s=values, replaced_value_int64=2)()


def normalizers() -> Iterator[Case]:
    for norm in ("MAX", "L1", "L2"):
        for dtype in NUMBERS:
            x = numbers(6, 3, dtype=dtype)
            note = "the reference evaluator keeps the type, and takes the largest size for MAX"
            same = dtype == "float32" and norm != "MAX"
            yield case("Normalizer", x, norm=norm)(types=FLOAT, reference=same, note=note, loose=1e-5)
        x = np.array([[0, 0, 0], [3, -4, 0], [1e-20, 0, 0]], np.float32)
        note = "the reference evaluator has a least divisor"
        yield case("Normalizer", x, norm=norm)(types=FLOAT, reference=False, note=note, name="zeros")
    yield case("Normalizer", normal(3, 100), norm="L2")(loose=1e-5, name="wide")


def encoders() -> Iterator[Case]:
    colours = texts(["red", "blue", "", "green", "red"])
    names = ["blue", "green", "red"]
    for zeros in (1, 0):
        known = texts(["red", "blue", "green", "red"])
        yield case("OneHotEncoder", colours if zeros else known, cats_strings=names, zeros=zeros)(types=FLOAT)
        for dtype in NUMBERS:
            x = (np.array([3, 1, 2, 9, 3]) if zeros else np.array([3, 1, 2, 3])).astype(dtype)
            yield case("OneHotEncoder", x, cats_int64s=[1, 2, 3], zeros=zeros)(
                types=FLOAT, runtime=dtype != "int32"
            )
    yield case("OneHotEncoder", integers(5, 2, low=0, high=5), cats_int64s=[0, 2, 4, 3])(types=FLOAT)
    yield case("OneHotEncoder", colours.reshape(-1, 1), cats_strings=names)(types=FLOAT)
    yield case("OneHotEncoder", np.array([1.9, -0.5, np.nan, np.inf, 1e30], np.float32), cats_int64s=[0, 1])(
        types=FLOAT,
        reference=False,
        runtime=False,
        note="cut to integers; what no int64 holds is no category",
    )
    letters = texts(["a", "b", "zz", ""])
    numbers64 = i64(1, 2, 99, -5)
    floats = np.array([1.5, -0.0, np.nan, 7], np.float32)
    for x, keys in (
        (letters, {"keys_strings": ["a", "b", ""]}),
        (numbers64, {"keys_int64s": [1, 2, -5]}),
        (floats, {"keys_floats": [1.5, 0.0, 3.0]}),
    ):
        yield case("LabelEncoder", x, **keys, values_int64s=[10, 20, 30], default_int64=-7)(types=("int64",))
        yield case("LabelEncoder", x, **keys, values_floats=[0.5, 1.5, 2.5], default_float=-1.0)(types=FLOAT)
        yield case("LabelEncoder", x, **keys, values_strings=["p", "q", "r"], default_string="none")(
            types=("string",)
        )
    yield case("LabelEncoder", letters, keys_strings=["a"], values_int64s=[1])(
        types=("int64",), reference=False, note="the reference evaluator has no default", name="default"
    )
    yield case("LabelEncoder", numbers64, keys_int64s=[1], values_strings=["a"])(
        types=("string",), reference=False, note="the reference evaluator has no default", name="default"
    )
    yield case(
        "LabelEncoder", floats, keys_floats=[float("nan"), 7.0], values_floats=[4.0, 5.0], default_float=0.0
    )(types=FLOAT, reference=False, note="the reference evaluator finds no NaN", name="nan")
    yield from tensor_encoders(letters, numbers64)
    yield from old_encoders(letters, numbers64)


def tensor_encoders(letters: np.ndarray, numbers64: np.ndarray) -> Iterator[Case]:
    for values in (
        np.array([1.5, 2.5]),
        i64(5, 6),
        np.array([5, 6], np.int32),
        np.array([0.5, 1], np.float32),
    ):
        default = np.array([9], values.dtype)
        for x, keys in ((numbers64, i64(1, 2)), (letters, texts(["a", "b"]))):
            yield case("LabelEncoder", x, keys_tensor=keys, values_tensor=values, default_tensor=default)(
                types=(str(values.dtype),),
                reference=False,
                note="the reference evaluator compares a tensor with a bool",
            )
    doubles = np.array([0.1, 0.2, np.nan])
    yield case(
        "LabelEncoder",
        doubles,
        keys_tensor=np.array([0.1, np.nan]),
        values_tensor=np.array([1.0, 2.0]),
        default_tensor=np.array([0.0]),
    )(
        types=("float64",),
        reference=False,
        note="the reference evaluator compares a tensor with a bool",
        name="doubles",
    )


def old_encoders(letters: np.ndarray, numbers64: np.ndarray) -> Iterator[Case]:
    note = "the reference evaluator knows version 2"
    yield case("LabelEncoder", letters, classes_strings=["b", "a", "c"], default_int64=-3)(
        ml_opset=1, opset=9, types=("int64",), reference=False, note=note
    )
    yield case("LabelEncoder", i64(0, 1, 2, 3), classes_strings=["b", "a", "c"], default_string="?")(
        ml_opset=1, opset=9, types=("string",), reference=False, note=note
    )
    for ml_opset in (2, 3, 5):
        yield case("LabelEncoder", letters, keys_strings=["a", "b"], values_int64s=[3, 4], default_int64=0)(
            ml_opset=ml_opset, types=("int64",)
        )


def linear_models() -> Iterator[Case]:
    weights = normal(3, 4, key="w").reshape(-1).tolist()
    intercepts = normal(3, key="b").tolist()
    for dtype in NUMBERS:
        x = numbers(6, 4, dtype=dtype)
        note = (
            "float32 as the standard says; the reference evaluator keeps the type, ONNX Runtime wants float32"
        )
        options = {
            "types": FLOAT,
            "reference": dtype == "float32",
            "runtime": dtype == "float32",
            "note": note,
        }
        regressor = {"coefficients": weights, "intercepts": intercepts, "targets": 3}
        yield case("LinearRegressor", x, **regressor)(**options, tolerance=1e-5)
        yield case("LinearRegressor", x, coefficients=weights[:4], intercepts=[0.5])(
            **options, tolerance=1e-5
        )
        for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
            yield case(
                "LinearClassifier",
                x,
                coefficients=weights,
                intercepts=intercepts,
                classlabels_ints=[5, -1, 3],
                post_transform=transform,
            )(types=("int64", "float32"), reference=dtype == "float32", note=note, tolerance=1e-5)
    x = normal(6, 4)
    yield case("LinearRegressor", x, coefficients=weights[:8], targets=2)(
        reference=False, note="the reference evaluator needs intercepts", tolerance=1e-5
    )
    yield case(
        "LinearRegressor", x, coefficients=weights, intercepts=intercepts, targets=3, post_transform="SOFTMAX"
    )(reference=False, note="the reference evaluator has no transforms", tolerance=1e-5)
    yield from binary_classifiers(x, weights)


def binary_classifiers(x: np.ndarray, weights: list[float]) -> Iterator[Case]:
    pair = [-w for w in weights[:4]] + weights[:4]
    for labels in ({"classlabels_ints": [0, 1]}, {"classlabels_strings": ["no", "yes"]}):
        kinds = ("string" if "classlabels_strings" in labels else "int64", "float32")
        for transform in ("NONE", "LOGISTIC", "SOFTMAX"):
            two = {"coefficients": pair, "intercepts": [-0.1, 0.1], "post_transform": transform}
            yield case("LinearClassifier", x, **two, **labels)(types=kinds, tolerance=1e-5)
        for transform in ("NONE", "LOGISTIC"):
            one = {"coefficients": weights[:4], "intercepts": [0.1], "post_transform": transform}
            yield case("LinearClassifier", x, **one, **labels)(
                types=kinds, reference=False, note="scores as in ONNX Runtime, not -s and s", tolerance=1e-5
            )
    probabilities = np.array([[0.1, 0.9], [0.5, 0.5], [0.7, 0.2]], np.float32)
    identity = {"coefficients": [1.0, 0.0, 0.0, 1.0], "intercepts": [0.0, 0.0], "classlabels_ints": [0, 1]}
    yield case("LinearClassifier", probabilities, **identity, post_transform="PROBIT")(
        types=("int64", "float32"), tolerance=1e-5
    )
    yield case(
        "LinearClassifier",
        np.array([[0, 1], [0, 0], [2, -1]], np.float32),
        **identity,
        post_transform="SOFTMAX_ZERO",
    )(
        types=("int64", "float32"),
        runtime=False,
        note="ONNX Runtime divides 0 by 0 where all scores are 0",
        tolerance=1e-5,
    )


def columns() -> Iterator[Case]:
    for dtype in (*NUMBERS, "string"):
        x = texts(["a", "b", "c"] * 6).reshape(6, 3) if dtype == "string" else numbers(6, 3, dtype=dtype)
        yield case("ArrayFeatureExtractor", x, i64(2, 0))(constants=frozenset({1}))
        yield case("ArrayFeatureExtractor", x, i64(1))(constants=frozenset({1}))
    yield case("ArrayFeatureExtractor", normal(6, 2, 3), i64(2))(constants=frozenset({1}))
    yield case("ArrayFeatureExtractor", texts(["x", "y", "z"]), i64(2, 0, 0, 1))(
        constants=FIXED,
        reference=False,
        runtime=False,
        note="one entry of a table for each row: [N] instead of the standard's [1, N]",
        name="table",
    )
    for dtype in NUMBERS:
        a, b = numbers(6, 3, dtype=dtype), numbers(6, 1, dtype=dtype, key=1)
        note = "float32 by the standard; the reference evaluator keeps the type"
        yield case("FeatureVectorizer", a, b, inputdimensions=[3, 1])(
            types=FLOAT, reference=dtype == "float32", note=note
        )
    yield case("FeatureVectorizer", normal(6, 2), inputdimensions=[2])()


def cases() -> Iterator[Case]:
    for family in (scalers, imputers, normalizers, encoders, linear_models, columns):
        yield from family()
