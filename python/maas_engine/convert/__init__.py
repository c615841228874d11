"""Models from other libraries' estimators."""

from __future__ import annotations

from maas_engine.convert._discrepancy import Discrepancy
from maas_engine.convert._sklearn import from_sklearn

__all__ = ["Discrepancy", "from_sklearn"]
