"""What rows look like: profiles of a model's inputs and outputs, and how far live rows drift from a reference."""

from __future__ import annotations

from maas_engine.monitoring._drift import LEVELS, ColumnDrift, Drift, drift
from maas_engine.monitoring._profile import Profile

__all__ = ["LEVELS", "ColumnDrift", "Drift", "Profile", "drift"]
