"""What the command line adds to the networks of maas_engine.neural_network: short names and scaled targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.neural_network import MLPClassifier
from maas_engine.neural_network import MLPRegressor as PlainRegressor

ALIASES = {"hidden": "hidden_layer_sizes", "epochs": "max_iter", "optimizer": "solver"}


class MLPRegressor(PlainRegressor):
    """Learns a standardised target, then takes its mean and deviation into the last layer.

    A step of Adam moves a weight by about the learning rate, so targets of a few hundred would be out of reach.
    Counts (``loss="poisson"``) are learned as they are. ``loss_curve_`` is of the standardised target.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Fit as :class:`maas_engine.neural_network.MLPRegressor` does; ``y`` of shape (n,)."""
        if self.loss == "poisson":
            super().fit(X, y, sample_weight)
            return self
        values = np.asarray(y, dtype=np.float64)
        mean, deviation = float(values.mean()), float(values.std()) or 1.0
        super().fit(X, (values - mean) / deviation, sample_weight)
        self.coefs_ = [*self.coefs_[:-1], self.coefs_[-1] * deviation]
        self.intercepts_ = [*self.intercepts_[:-1], self.intercepts_[-1] * deviation + mean]
        return self


def estimators() -> dict[str, type]:
    """The networks by class name."""
    return {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}


def check_hidden(value: Any) -> None:
    """Raise InvalidArgument unless ``value`` is a whole number from 1 on, or several."""
    sizes = value if isinstance(value, (tuple, list)) else [value]
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise InvalidArgument(
            f"the sizes of hidden layers are whole numbers from 1 on, such as hidden=128,64; got {value!r}"
        )


def single(X: Any) -> Any:
    """The rows in float32: what networks are trained in by epochs, in half the time and memory of float64."""
    return X.astype(np.float32)


def has_epochs(model: Any) -> bool:
    """Whether fitting leaves the loss of each epoch."""
    return isinstance(model, (MLPClassifier, MLPRegressor)) and model.solver != "lbfgs"
