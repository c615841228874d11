"""Linear models with scikit-learn's names, parameters and attributes, trained by the compiled engine."""

from __future__ import annotations
