"""Estimators by name, their parameters from ``KEY=VALUE``, and the pipeline around them."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from typing import Any

from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from maas_engine import linear_model
from maas_engine.cli import _networks
from maas_engine.data import Dataset
from maas_engine.errors import InvalidArgument

DEFAULT = {"classification": "LogisticRegression", "regression": "Ridge"}
MOST_CATEGORIES = 100  # of one column; rarer values share one more


def estimators() -> dict[str, type]:
    """All estimators by class name."""
    found = {name: getattr(linear_model, name) for name in linear_model.__all__}
    linear = {name: item for name, item in found.items() if isinstance(item, type)}
    return {**linear, **_networks.estimators()}


def find(name: str, task: str = "regression") -> type:
    """The estimator of that name; case, dashes and underscores do not matter. "mlp" is the one for the task."""
    plain = {known.lower(): item for known, item in estimators().items()}
    key = name.lower().replace("-", "").replace("_", "")
    if key == "mlp":
        key = "mlpclassifier" if task == "classification" else "mlpregressor"
    if key not in plain:
        close = get_close_matches(key, plain, 1)
        hint = f"did you mean {plain[close[0]].__name__}?" if close else ", ".join(sorted(estimators()))
        raise InvalidArgument(f"no model {name!r}: {hint}")
    return plain[key]


def build(name: str, settings: list[str], task: str, seed: int) -> Any:
    """Make the estimator for a task ('classification' or 'regression') with parameters ``KEY=VALUE``.

    ``seed`` is the ``random_state`` of an estimator that has one, unless the settings name another.
    """
    model = find(DEFAULT[task] if name == "auto" else name, task)()
    if is_classifier(model) != (task == "classification"):
        kind = "a classifier" if is_classifier(model) else "a regressor"
        raise InvalidArgument(
            f"{type(model).__name__} is {kind}, but the task is {task}: name another --model or --task"
        )
    known = model.get_params()
    if "random_state" in known:
        model.set_params(random_state=seed)
    for setting in settings:
        model.set_params(**_parameter(setting, type(model).__name__, known))
    model._validate_params()  # before anything runs
    return model


def _parameter(setting: str, model: str, known: dict[str, Any]) -> dict[str, Any]:
    """One ``KEY=VALUE``, the key being a parameter or a short name of one."""
    key, equals, text = setting.partition("=")
    if not equals:
        raise InvalidArgument(f"--set expects KEY=VALUE, got {setting!r}")
    short = {name: long for name, long in _networks.ALIASES.items() if "hidden_layer_sizes" in known}
    key = short.get(key, key)
    if key not in known:
        raise InvalidArgument(f"{model} has no parameter {key!r}: {', '.join(sorted([*known, *short]))}")
    value = _value(text)
    if key == "hidden_layer_sizes":
        _networks.check_hidden(value)
    return {key: value}


def pipeline(data: Dataset, model: Any) -> Pipeline:
    """Fill in missing numbers with the mean, scale; one column a value of text; then the model, networks in float32.

    Numbers are filled in also where the training rows miss none, since later rows may.
    """
    text = [j for j, name in enumerate(data.names) if name in data.categories]
    numbers = [j for j in range(len(data.names)) if j not in set(text)]
    fill = SimpleImputer(keep_empty_features=True)
    parts = [("numbers", make_pipeline(fill, StandardScaler()), numbers)] if numbers else []
    if text:
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES)
        parts.append(("text", one_hot, text))
    narrow = [("narrow", FunctionTransformer(_networks.single))] if _networks.has_epochs(model) else []
    return Pipeline([("prepare", ColumnTransformer(parts)), *narrow, ("model", model)])


def _value(text: str) -> Any:
    """A Python literal, or the text itself: 0.5, 100, True, None, [0.1, 1], l2."""
    words = {"true": True, "false": False, "none": None, "null": None, "inf": float("inf")}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
