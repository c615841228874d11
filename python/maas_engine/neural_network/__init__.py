"""Multi-layer perceptrons with scikit-learn's names, parameters and attributes, trained by the compiled engine."""

from __future__ import annotations

from maas_engine.neural_network._classifier import MLPClassifier
from maas_engine.neural_network._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
