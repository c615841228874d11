"""Watching one value of the logs: whether it got better."""

from __future__ import annotations

import warnings

from maas_engine.errors import InvalidArgument
from maas_engine.nn._checks import number
from maas_engine.nn.callbacks._base import Callback, Logs

# Parts of names of metrics that are better when larger.
_LARGER = ("acc", "auc", "precision", "recall", "f1", "fmeasure", "r2", "iou", "similarity", "share")


class Monitor(Callback):
    """A callback with a value it watches. ``mode`` is "min", "max", or "auto": by the name of the value."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        where = type(self).__name__
        if not isinstance(monitor, str):
            raise InvalidArgument(f"[{where}] expected monitor to be a name in the logs, got {monitor!r}")
        if mode not in ("auto", "min", "max"):
            raise InvalidArgument(f"[{where}] expected mode 'auto', 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(number(min_delta, "min_delta", where))
        larger = any(part in monitor.lower() for part in _LARGER)
        self.maximises = mode == "max" or (mode == "auto" and larger)

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than ``min_delta``; anything is better than None."""
        if reference is None:
            return True
        if self.maximises:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def watched(self, logs: Logs | None) -> float | None:
        """Return the value watched; where the logs lack it, warn and return None."""
        return watched(self, self.monitor, logs)


def watched(callback: Callback, name: str, logs: Logs | None) -> float | None:
    """Return a value of the logs; where they lack it, warn in the callback's name and return None."""
    value = (logs or {}).get(name)
    if value is None:
        names = ", ".join(logs or {}) or "nothing"
        kind = type(callback).__name__
        warnings.warn(f"{kind} watches '{name}', which is not in the logs; there is: {names}", stacklevel=4)
    return value
