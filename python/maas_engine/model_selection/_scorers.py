"""scikit-learn's scorers with the engine's metrics inside."""

from __future__ import annotations

import copy
from typing import Any

from sklearn.metrics import get_scorer

import maas_engine.metrics


def engine_scorer(scoring: Any) -> Any:
    """Return ``scoring`` with every name replaced by its scorer, computed by ``maas_engine.metrics`` if it can.

    Parameters
    ----------
    scoring : str, callable, list, tuple or set of str, dict of str to one of these, or None; as in
        scikit-learn. What is not a name is returned as it is.
    """
    if isinstance(scoring, str):
        return _by_name(scoring)
    if isinstance(scoring, dict):
        return {key: engine_scorer(value) for key, value in scoring.items()}
    if isinstance(scoring, (list, tuple, set)) and all(isinstance(name, str) for name in scoring):
        unique = set(scoring)
        if len(unique) == len(scoring) > 0:
            return {name: _by_name(name) for name in scoring}
    return scoring  # None, a callable, or what scikit-learn refuses


def _by_name(name: str) -> Any:
    scorer = get_scorer(name)
    function = getattr(scorer, "_score_func", None)
    ours = getattr(maas_engine.metrics, getattr(function, "__name__", ""), None)
    if ours is None:
        return scorer
    scorer = copy.copy(scorer)
    scorer._score_func = ours
    return scorer
