"""How far a model's answers are from the estimator's that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maas_engine.model import Model

_METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class Discrepancy:
    """The greatest differences over all rows and over the methods that both sides offer.

    Attributes
    ----------
    rows : int
        Compared.
    label_flips : int
        Rows whose label differs; 0 for regressors and transformers.
    max_abs : float
        Of numbers: predictions, probabilities, decisions. NaN where one side alone has NaN or an infinity.
    max_rel : float
        The same over the largest magnitude that the estimator gives in that method.
    """

    rows: int
    label_flips: int
    max_abs: float
    max_rel: float

    def worse_than(self, other: Discrepancy) -> bool:
        """Whether ``other`` is to be preferred: fewer flips, then smaller differences."""
        return (self.label_flips, _finite(self.max_rel)) > (other.label_flips, _finite(other.max_rel))


def measure(model: Model, estimator: Any, X: Any) -> Discrepancy:
    """Compare ``model`` with the fitted ``estimator`` on X, which both take as it is."""
    rows, flips, largest_abs, largest_rel = 0, 0, 0.0, 0.0
    for method in _METHODS:
        name = method
        if method == "predict" and not hasattr(estimator, "predict"):
            name = "transform"
        if method not in model.schema.roles or not hasattr(estimator, name):
            continue
        expected, got = _dense(getattr(estimator, name)(X)), np.asarray(getattr(model, method)(X))
        rows = len(expected)
        if method == "predict" and "maas_engine.labels" in model.metadata:
            flips += rows if got.shape != expected.shape else int(np.count_nonzero(got != expected))
            continue
        absolute, relative = _differences(got, expected)
        largest_abs, largest_rel = np.fmax(largest_abs, absolute), np.fmax(largest_rel, relative)
        if np.isnan(absolute):
            largest_abs = largest_rel = absolute
    return Discrepancy(rows, flips, float(largest_abs), float(largest_rel))


def _dense(values: Any) -> Any:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


def _differences(got: Any, expected: Any) -> tuple[float, float]:
    if got.shape != expected.shape:
        return float("nan"), float("nan")
    if got.size == 0:
        return 0.0, 0.0
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    alike = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        difference = float(np.max(np.where(alike, 0.0, np.abs(got - expected))))
    scale = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    return difference, difference / scale if scale > 0 else difference


def _finite(value: float) -> float:
    return value if np.isfinite(value) else float("inf")
