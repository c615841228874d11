"""Rows and targets for the tests of the multi-layer perceptrons."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    make_multilabel_classification,
)
from sklearn.preprocessing import scale


@cache
def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scaled features, float64, and targets; those of regressions scaled too, counts as they are."""
    if name == "labels":
        X, y = make_multilabel_classification(300, n_features=12, n_classes=4, random_state=0)
        return scale(X), y
    loaders = {
        "cancer": load_breast_cancer,
        "diabetes": load_diabetes,
        "counts": load_diabetes,
        "digits": load_digits,
        "iris": load_iris,
        "linnerud": load_linnerud,
    }
    X, y = loaders[name](return_X_y=True)
    return scale(X), scale(y) if name in ("diabetes", "linnerud") else y
