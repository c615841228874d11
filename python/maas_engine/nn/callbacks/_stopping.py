"""Callbacks that end training: no progress, good enough, or not a number."""

from __future__ import annotations

import math
from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn._checks import number, whole_number
from maas_engine.nn.callbacks._base import Callback, Logs
from maas_engine.nn.callbacks._monitor import Monitor, watched
from maas_engine.nn.callbacks._state import integer, like, optional_integer, optional_number


class EarlyStopping(Monitor):
    """Stops when the watched value has not improved for ``patience`` epochs.

    Parameters
    ----------
    monitor : str, a key of the logs
    min_delta : float, what counts as improvement
    patience : int, epochs without any
    verbose : 0 or 1
    mode : "auto", "min" or "max"
    baseline : float or None, the value must also be better than this
    restore_best_weights : whether the model gets back the weights of its best epoch when training ends
    start_from_epoch : int, epochs that are not watched

    Attributes
    ----------
    best, best_epoch, best_weights, wait, stopped_epoch
        ``stopped_epoch`` is 0 where training was not stopped.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = whole_number(patience, "patience", type(self).__name__, 0)
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = bool(restore_best_weights)
        self.start_from_epoch = whole_number(start_from_epoch, "start_from_epoch", type(self).__name__, 0)
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None
        self.wait = 0
        self.stopped_epoch = 0

    def get_state(self) -> dict[str, Any]:
        names = ("best", "best_epoch", "best_weights", "wait", "stopped_epoch")
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch = optional_number(state, "best"), integer(state, "best_epoch")
        if state.get("best_weights") is not None:
            self.best_weights = like(state["best_weights"], self.model.get_weights(), "best_weights")
        self.wait, self.stopped_epoch = integer(state, "wait"), integer(state, "stopped_epoch")
        if self.stopped_epoch > 0:
            self.model.stop_training = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.watched(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        better = self.improves(value, self.best)
        if better:
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        if self.restore_best_weights and (better or self.best_weights is None):
            self.best_weights = self.model.get_weights()
        if self.wait >= self.patience and epoch > 0 and not better:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class StopBelow(Callback):
    """Stops as soon as the watched value is below a threshold: ``StopBelow(1e-3)``, ``StopBelow(0.1, "val_loss")``.

    Attributes
    ----------
    stopped_epoch : int, or None where training was not stopped
    """

    def __init__(self, threshold: float, monitor: str = "loss", verbose: int = 0) -> None:
        self.threshold = number(threshold, "threshold", type(self).__name__)
        if math.isnan(self.threshold):
            raise InvalidArgument("[StopBelow] expected a threshold, got NaN")
        self.monitor = monitor
        self.verbose = verbose
        self.stopped_epoch: int | None = None

    def get_state(self) -> dict[str, Any]:
        return {"stopped_epoch": self.stopped_epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        self.stopped_epoch = optional_integer(state, "stopped_epoch")
        if self.stopped_epoch is not None:
            self.model.stop_training = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.stopped_epoch = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = watched(self, self.monitor, logs)
        if value is not None and value < self.threshold:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.verbose:
                print(f"Epoch {epoch + 1}: {self.monitor} {value:.5g} is below {self.threshold:g}: stopping")


class TerminateOnNaN(Callback):
    """Stops when the loss is NaN or infinite, instead of the error that ``fit`` raises without it.

    The weights are those before the step that would have spoilt them. ``raise_error`` asks for the error.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = bool(raise_error)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            self.model.stop_training = True
