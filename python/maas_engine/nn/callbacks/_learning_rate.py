"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn._checks import check_rate, number, whole_number
from maas_engine.nn.callbacks._base import Callback, Logs
from maas_engine.nn.callbacks._monitor import Monitor
from maas_engine.nn.callbacks._state import integer, optional_number


def _check_settable(callback: Callback) -> None:
    schedule = callback.model.optimizer.schedule
    if schedule is not None:
        raise Unsupported(
            f"[{type(callback).__name__}] the optimizer follows {schedule!r}; "
            "make it with a float as learning_rate to change it by a callback"
        )


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch: ``schedule(epoch, learning_rate)`` or ``schedule(epoch)``, epoch from 0.

    The logs get ``learning_rate``.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise InvalidArgument(f"[LearningRateScheduler] expected a function, got {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        _check_settable(self)
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, optimizer.learning_rate) if self._takes_rate else self.schedule(epoch)
        try:
            rate = float(rate)
        except (TypeError, ValueError):
            raise InvalidArgument(
                f"[LearningRateScheduler] expected the function to return a number, got {rate!r}"
            ) from None
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C, without a signature
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` when the watched value has not improved for ``patience`` epochs.

    Parameters
    ----------
    monitor : str, a key of the logs
    factor : float in [0, 1)
    patience : int
    verbose : 0 or 1
    mode : "auto", "min" or "max"
    min_delta : float, what counts as improvement
    cooldown : int, epochs after a reduction that do not count
    min_lr : float, never below this

    The logs get ``learning_rate``, that of the epoch just done.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = check_rate(factor, "factor", type(self).__name__)
        self.patience = whole_number(patience, "patience", type(self).__name__, 0)
        self.verbose = verbose
        self.cooldown = whole_number(cooldown, "cooldown", type(self).__name__, 0)
        self.min_lr = number(min_lr, "min_lr", type(self).__name__)
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = 0
        self.cooldown_counter = 0

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait = optional_number(state, "best"), integer(state, "wait")
        self.cooldown_counter = integer(state, "cooldown_counter")

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        _check_settable(self)
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
        value = self.watched(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        if optimizer.learning_rate <= self.min_lr:
            return
        optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
        if self.verbose:
            rate = optimizer.learning_rate
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate:g}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
