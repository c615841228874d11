"""Training as scikit-learn's multilayer perceptron is called; ours of the same name is called alike."""

from __future__ import annotations

import warnings
from types import SimpleNamespace as Data
from typing import Any

from .adapter import Run, Setup
from .training import TRAININGS


def train(data: Data) -> Run:
    """Adam without penalty. The first weights are put in place of those the estimator would draw."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    warnings.simplefilter("ignore")
    spec = data.spec
    options: dict[str, Any] = {
        "hidden_layer_sizes": spec.widths[1:-1],
        "alpha": 0.0,
        "batch_size": spec.batch,
        "max_iter": spec.epochs,
        "shuffle": False,
        "tol": 0.0,
        "n_iter_no_change": spec.epochs + 1,
        # Half the squared error has half the gradient, and Adam's answer is that of all of it with half of
        # epsilon.
        "epsilon": 1e-7 if spec.classes else 0.5e-7,
    }

    def run() -> Any:
        model = (MLPClassifier if spec.classes else MLPRegressor)(**options)
        first = iter(data.layers)
        model._init_coef = lambda fan_in, fan_out, dtype: tuple(a.copy() for a in next(first))
        model.fit(data.X, data.y)
        return list(zip(model.coefs_, model.intercepts_, strict=True))

    return run


def cases() -> dict[str, Setup]:
    return dict.fromkeys(TRAININGS, train)
