"""Preprocessing operators of ai.onnx.ml."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maas_engine.interpreter._call import Call
from maas_engine.interpreter._elementwise import Function
from maas_engine.interpreter._layout import wrapped
from maas_engine.interpreter._namespace import (
    Array,
    dtype_name,
    dtype_of,
    is_float,
    is_string,
    to_device,
    to_host,
)


def array_feature_extractor(call: Call, x: Array, indices: Array) -> Array:
    """The listed entries of the last axis; a vector counts as one row.

    One entry of a single row for each row of the batch has the shape [N], as in the engine's programs.
    """
    xp = call.xp
    x = x if len(x.shape) > 1 else xp.reshape(x, (1, -1))
    taken = xp.take(x, wrapped(call, xp.reshape(indices, (-1,)), x.shape[-1]), axis=len(x.shape) - 1)
    return xp.reshape(taken, (-1,)) if 1 in call.batched else taken


def binarizer(call: Call, x: Array) -> Array:
    above = (
        x > call.attribute("threshold", 0.0)
        if is_float(x)
        else x > math.floor(call.attribute("threshold", 0.0))
    )
    return call.cast(above, dtype_name(x))


def feature_vectorizer(call: Call, *arrays: Array) -> Array:
    """The inputs' columns side by side, as float32; [N] is one column."""
    xp = call.xp
    columns = [x if len(x.shape) > 1 else xp.expand_dims(x, axis=1) for x in arrays]
    return xp.concat([call.cast(x, "float32") for x in columns], axis=1)


def imputer(call: Call, x: Array) -> Array:
    """Replaces one value, NaN too, by one number or one a column."""
    xp = call.xp
    kind = (
        ("imputed_value_floats", "replaced_value_float")
        if is_float(x)
        else (
            "imputed_value_int64s",
            "replaced_value_int64",
        )
    )
    values = call.cast(xp.asarray(np.asarray(call.attribute(kind[0]))), dtype_name(x))
    replaced = call.attribute(kind[1], 0)
    missing = xp.isnan(x) if replaced != replaced else x == replaced
    return xp.where(missing, values, x)


def normalizer(call: Call, x: Array) -> Array:
    """Each row divided by its norm, as float32; a row whose norm is zero stays. MAX keeps the sign."""
    xp, norm = call.xp, call.attribute("norm", "MAX")
    x = call.cast(x, "float64")
    if norm == "MAX":
        divisor = xp.max(x, axis=-1, keepdims=True)
    elif norm == "L1":
        divisor = xp.sum(xp.abs(x), axis=-1, keepdims=True)
    else:
        divisor = xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True))
    return call.cast(x / xp.where(divisor == 0, xp.ones_like(divisor), divisor), "float32")


def scaler(call: Call, x: Array) -> Array:
    """(x - offset) scale, as float32."""
    work = x if dtype_name(x) == "float64" else call.cast(x, "float32")
    for name, combine in (("offset", "subtract"), ("scale", "multiply")):
        values = call.attribute(name, None)
        if values is not None and len(values):
            work = getattr(call.xp, combine)(work, call.float32s(values, like=work))
    return call.cast(work, "float32")


def one_hot_encoder(call: Call, x: Array) -> Array:
    """A last axis with 1 where the category is the element, else 0.

    Floats are cut to integers; of equal categories the first counts.
    """
    xp, texts = call.xp, call.attribute("cats_strings", None)
    known = True
    if is_string(x):
        categories: Any = np.array(texts, dtype=object)
    else:
        if is_float(x):
            fits = (x >= -(2.0**63)) & (x < 2.0**63)
            known = xp.expand_dims(fits, axis=-1)
            x = xp.where(fits, x, xp.zeros_like(x))
        x = call.cast(x, "int64")
        categories = np.asarray(call.attribute("cats_int64s"), dtype=np.int64)
    first = np.zeros(len(categories), dtype=np.bool_)
    first[np.unique(categories, return_index=True)[1]] = True
    categories, first = to_device(xp, categories), to_device(xp, first)
    hits = (xp.expand_dims(x, axis=-1) == categories) & known & first
    if not call.attribute("zeros", 1):
        call.check(~xp.any(hits, axis=-1), "a value that is not among the categories")
    return xp.astype(hits, dtype_of(xp, "float32"))


_DEFAULTS: dict[str, tuple[str, Any, Any]] = {  # by suffix of keys and values: default, its value, type
    "floats": ("default_float", -0.0, np.float32),
    "int64s": ("default_int64", -1, np.int64),
    "strings": ("default_string", "_Unused", object),
}


def _listed(call: Call, kind: str) -> tuple[str, Any]:
    """The one attribute of the kind (``keys``, ``values``) that is given, and its suffix."""
    given = (suffix for suffix in (*_DEFAULTS, "tensor") if f"{kind}_{suffix}" in call.node.attributes)
    suffix = next(given, None)
    if suffix is None:
        call.fail(f"expected one of {kind}_floats, {kind}_int64s, {kind}_strings, {kind}_tensor")
    return suffix, call.attribute(f"{kind}_{suffix}")


def label_encoder(call: Call, x: Array) -> Array:
    """Maps each key to its value, on the host. NaN is a key like others; of equal keys the last counts."""
    _, keys = _listed(call, "keys")
    suffix, values = _listed(call, "values")
    if suffix == "tensor":
        values = np.asarray(values).reshape(-1)
        dtype: Any = object if is_string(values) else values.dtype
        default = call.attribute("default_tensor", None)
        unset = "_Unused" if dtype is object else (-0.0 if is_float(values) else -1)
        otherwise = unset if default is None else np.asarray(default).reshape(-1)[0]
    else:
        name, unset, dtype = _DEFAULTS[suffix]
        otherwise = call.attribute(name, unset)
    x = to_host(x)
    if not is_string(x):
        keys = np.asarray(keys, dtype=x.dtype)
    table = {
        _key(key): value for key, value in zip(np.asarray(keys).reshape(-1).tolist(), values, strict=True)
    }
    found = [table.get(_key(element), otherwise) for element in x.reshape(-1).tolist()]
    return np.array(found, dtype=dtype).reshape(x.shape)


def _key(value: Any) -> Any:
    return "NaN" if value != value else value  # texts never stand beside numbers


ML_OPERATORS: dict[str, Function] = {
    "ArrayFeatureExtractor": array_feature_extractor,
    "Binarizer": binarizer,
    "FeatureVectorizer": feature_vectorizer,
    "Imputer": imputer,
    "LabelEncoder": label_encoder,
    "Normalizer": normalizer,
    "OneHotEncoder": one_hot_encoder,
    "Scaler": scaler,
}
