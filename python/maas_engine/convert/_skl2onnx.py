"""Scikit-learn's own estimators as graphs, by skl2onnx."""

from __future__ import annotations

import warnings
from typing import Any

from maas_engine import _core
from maas_engine.convert._inputs import Plan
from maas_engine.errors import FormatError, Unsupported
from maas_engine.graph import Graph


def require() -> None:
    """Import skl2onnx, or say how to get it."""
    try:
        import skl2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "maas_engine.from_sklearn needs skl2onnx: pip install 'maas_engine[onnx]'"
        ) from error


def convert(estimator: Any, plan: Plan) -> Graph:
    """Return the estimator's graph as skl2onnx writes it, without ZipMap.

    Raises
    ------
    Unsupported : skl2onnx has no converter, or writes an operator that the engine does not have.
    FormatError : skl2onnx wrote a graph that breaks ONNX's rules.
    """
    types = [(each.name, _type(each.inner, each.width)) for each in plan.inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _core.read_onnx(_converted(estimator, types))
        except (FormatError, Unsupported):
            raise
        except Exception as error:  # skl2onnx raises whatever its converters meet
            text = str(error).partition(" It usually means")[0].strip().split("\n")[0]
            raise Unsupported(
                f"[from_sklearn] skl2onnx cannot convert {type(estimator).__name__}: {text or type(error).__name__}"
            ) from error


def _converted(estimator: Any, types: list[tuple[str, Any]]) -> bytes:
    from skl2onnx import convert_sklearn

    last = estimator
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    try:
        model = convert_sklearn(estimator, initial_types=types, options={id(last): {"zipmap": False}})
    except NameError:  # no such option: no probabilities. An empty entry keeps pipelines from setting it
        model = convert_sklearn(estimator, initial_types=types, options={id(last): {}})
    return bytes(model.SerializeToString())


def _type(dtype: str, width: int) -> Any:
    from skl2onnx.common import data_types

    names = {"float32": "Float", "float64": "Double", "int64": "Int64", "string": "String"}
    return getattr(data_types, names[dtype] + "TensorType")([None, width])
