"""What a converted model takes: the inputs, their types, and what skl2onnx is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument

_FLOATS = ("float64", "float32")


@dataclass(frozen=True)
class Input:
    """An input of the model, [N, width] of ``dtype``, and the type in which the converted nodes read it."""

    name: str
    dtype: str
    width: int
    inner: str


@dataclass(frozen=True)
class Plan:
    inputs: tuple[Input, ...]
    feature_names: tuple[str, ...] | None  # of the columns of a single input


def plans(estimator: Any, X: Any) -> Iterator[Plan]:
    """Yield ways to feed the estimator, the preferred one first.

    The type of X comes before the other float type. A frame of numbers is one input whose columns have names;
    where the estimator chooses columns by name, or there is text, each column is an input of its own.
    """
    if X is None:
        yield from _without_rows(estimator)
    elif hasattr(X, "columns"):
        yield from _of_frame(X)
    else:
        yield from _of_array(X, _names(estimator))


def _names(estimator: Any) -> tuple[str, ...] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else tuple(str(name) for name in names)


def _without_rows(estimator: Any) -> Iterator[Plan]:
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        raise InvalidArgument(
            "[from_sklearn] expected X, or a fitted estimator that knows its number of features (n_features_in_)"
        )
    names = _names(estimator)
    for inner in _FLOATS:
        yield Plan((Input("X", "float64", int(width), inner),), names)
        if names is not None:
            yield Plan(tuple(Input(name, "float64", 1, inner) for name in names), None)


def _of_array(X: Any, names: tuple[str, ...] | None) -> Iterator[Plan]:
    if X.ndim != 2:
        raise InvalidArgument(f"[from_sklearn] expected X of shape (n, features), got {X.shape}")
    kind, width = _kind(X.dtype), X.shape[1]
    if kind == "string":
        if X.dtype.kind == "O" and not all(isinstance(value, str) for value in X.flat):
            raise InvalidArgument(
                "[from_sklearn] expected an array of one type, or a frame for columns of several"
            )
        yield Plan((Input("X", "string", width, "string"),), names)
        return
    for inner in _preferred(X.dtype):
        yield Plan((Input("X", _outer(X.dtype, inner), width, inner),), names)


def _of_frame(X: Any) -> Iterator[Plan]:
    names = tuple(str(name) for name in X.columns)
    columns = {str(name): np.asarray(X[name]).dtype for name in X.columns}
    kinds = {name: _kind(dtype) for name, dtype in columns.items()}
    if all(kind == "string" for kind in kinds.values()):
        yield Plan((Input("X", "string", len(names), "string"),), names)
    numbers = [columns[name] for name in names if kinds[name] != "string"]
    common = np.result_type(*numbers) if numbers else np.dtype(np.float64)
    for inner in _preferred(common):
        if len(numbers) == len(names):
            yield Plan((Input("X", _outer(common, inner), len(names), inner),), names)
        for whole in ("int64", inner):
            inputs = []
            for name in names:
                if kinds[name] == "string":
                    inputs.append(Input(name, "string", 1, "string"))
                elif kinds[name] == "int":
                    inputs.append(Input(name, "int64" if whole == "int64" else inner, 1, whole))
                else:
                    inputs.append(Input(name, _outer(columns[name], inner), 1, inner))
            yield Plan(tuple(inputs), None)
            if "int" not in kinds.values():
                break


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.kind in "OUT":
        return "string"
    if dtype.kind in "biu":
        return "int"
    if dtype.kind == "f":
        return "float"
    raise InvalidArgument(f"[from_sklearn] expected numbers or text in X, got {dtype}")


def _preferred(dtype: np.dtype[Any]) -> tuple[str, ...]:
    return ("float32", "float64") if dtype in (np.float32, np.float16) else _FLOATS


def _outer(dtype: np.dtype[Any], inner: str) -> str:
    """The type of an input: wide enough for what is given, as models do not narrow by themselves."""
    return inner if dtype in (np.float32, np.float16) else "float64"
