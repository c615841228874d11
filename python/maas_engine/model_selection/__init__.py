"""Cross-validation with scikit-learn's functions, which fits the folds of an estimator together where it can."""

from __future__ import annotations

from maas_engine.model_selection._validation import cross_val_predict, cross_val_score, cross_validate

__all__ = ["cross_val_predict", "cross_val_score", "cross_validate"]
