"""Celer: working sets with dual extrapolation."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import celer

from .adapter import Run, Setup, loosest

LABEL = "celer"


def path(problem: str) -> Setup:
    def setup(data: Data) -> Run:
        def run(tolerance: float) -> Any:
            return celer.celer_path(
                data.X, data.y, problem, alphas=data.alphas, l1_ratio=data.l1_ratio, tol=tolerance
            )[1].T

        return loosest(data, run)

    return setup


def cases() -> dict[str, Setup]:
    return {
        "lasso_path": path("lasso"),
        "elastic_net_path": path("lasso"),
    }
