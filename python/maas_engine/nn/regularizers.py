"""Penalties on weights, added to the loss: l1 Σ|w| + l2 Σw²."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from maas_engine.errors import InvalidArgument
from maas_engine.nn._checks import not_negative
from maas_engine.nn._lookup import by_name

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get", "l1", "l1_l2", "l2"]


class Regularizer:
    """The penalty l1 Σ|w| + l2 Σw², with finite factors of at least 0."""

    def __init__(self, l1: float, l2: float) -> None:
        self.l1, self.l2 = not_negative(l1, "l1", "regularizers"), not_negative(l2, "l2", "regularizers")

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty of an array, summed in float64."""
        values = np.asarray(x, dtype=np.float64)
        return float(self.l1 * np.abs(values).sum() + self.l2 * np.square(values).sum())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} l1={self.l1} l2={self.l2}>"


class L1(Regularizer):
    """The penalty l1 Σ|w|."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1, 0)


class L2(Regularizer):
    """The penalty l2 Σw²."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(0, l2)


class L1L2(Regularizer):
    """The penalty l1 Σ|w| + l2 Σw²."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        super().__init__(l1, l2)


def l1(l1: float = 0.01) -> L1:
    """Return the penalty l1 Σ|w|."""
    return L1(l1)


def l2(l2: float = 0.01) -> L2:
    """Return the penalty l2 Σw²."""
    return L2(l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return the penalty l1 Σ|w| + l2 Σw²."""
    return L1L2(l1, l2)


_BY_NAME = {"l1": l1, "l2": l2, "l1_l2": l1_l2, "l1l2": L1L2}


def get(identifier: Any) -> Regularizer | None:
    """Return a regularizer given as one, by name (``"l2"``: factor 0.01), as a class, or as None.

    Raises
    ------
    InvalidArgument : none of these.
    """
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    if isinstance(identifier, str):
        return by_name(_BY_NAME, identifier, "regularizers")()
    if isinstance(identifier, type) and issubclass(identifier, Regularizer):
        return get(identifier())  # type: ignore[call-arg]
    raise InvalidArgument(f"[regularizers] expected l1, l2 or l1_l2, got {identifier!r}")
