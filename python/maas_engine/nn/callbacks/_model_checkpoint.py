"""Saving the model, its weights or the whole state of training while it trains."""

from __future__ import annotations

import os
from typing import Any

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn.callbacks._base import Callback, Logs
from maas_engine.nn.callbacks._monitor import Monitor
from maas_engine.nn.callbacks._state import optional_number


class ModelCheckpoint(Monitor):
    """Saves after each epoch, or after each that is the best so far. Files are written whole or not at all.

    Parameters
    ----------
    filepath : path, with fields to fill in: ``"{epoch:02d}-{val_loss:.2f}.onnx"``; epoch counts from 1
        The model as ONNX by default; weights and checkpoints are safetensors.
    monitor : str, a key of the logs
    verbose : 0 or 1
    save_best_only : whether only an improvement of the watched value is saved
    save_weights_only : whether weights are saved (``load_weights``)
    mode : "auto", "min" or "max"
    save_freq : "epoch"
    initial_value_threshold : float or None, what the first value must improve on
    save_checkpoint : whether the state of training is saved (``load_checkpoint``), from which ``fit`` goes on
        as if it had not stopped

    Notes
    -----
    A checkpoint holds the state of the callbacks too, as they are after the whole epoch, wherever this one
    stands in the list.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        *,
        save_checkpoint: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = bool(save_best_only)
        self.save_weights_only = bool(save_weights_only)
        self.save_checkpoint = bool(save_checkpoint)
        if self.save_weights_only and self.save_checkpoint:
            raise InvalidArgument(
                "[ModelCheckpoint] expected one of save_weights_only and save_checkpoint, got both"
            )
        if save_freq != "epoch":
            raise Unsupported(f"[ModelCheckpoint] save_freq={save_freq!r}; only 'epoch'")
        self.initial_value_threshold = initial_value_threshold
        suffix = ".safetensors" if self.save_weights_only or self.save_checkpoint else ".onnx"
        if not self.filepath.endswith(suffix):
            raise InvalidArgument(
                f"[ModelCheckpoint] expected filepath to end in {suffix}, got {self.filepath!r}"
            )
        self.best = initial_value_threshold

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = optional_number(state, "best")

    def after_epoch(self, epoch: int, logs: Logs) -> None:
        path = self._path(epoch, logs)
        if self.save_best_only:
            value = self.watched(logs)
            if value is None or not self.improves(value, self.best):
                return
            if self.verbose:
                before = "None" if self.best is None else f"{self.best:.5f}"
                print(f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}", end=", ")
            self.best = value
        elif self.verbose:
            print(f"\nEpoch {epoch + 1}", end=": ")
        if self.verbose:
            print(f"saving to {path}")
        if self.save_checkpoint:
            self.model.save_checkpoint(path, epoch=epoch + 1)
        elif self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def _path(self, epoch: int, logs: Logs) -> str:
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise InvalidArgument(
                f"[ModelCheckpoint] expected fields of {', '.join(['epoch', *logs])} in filepath, "
                f"got {self.filepath!r}"
            ) from error


class BackupAndRestore(Callback):
    """Lets a program that was killed go on when it is started again: ``fit`` begins after the last whole epoch.

    Parameters
    ----------
    backup_dir : path of a folder, made where it is not there
        Holds one checkpoint, written after each epoch.
    save_freq : "epoch"
    double_checkpoint : ignored
        A checkpoint is replaced in one go, so there is always a whole one.
    delete_checkpoint : whether it is deleted when ``fit`` has come to its end
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not os.fspath(backup_dir):
            raise InvalidArgument("[BackupAndRestore] expected the path of a folder, got an empty one")
        if save_freq != "epoch":
            raise Unsupported(f"[BackupAndRestore] save_freq={save_freq!r}; only 'epoch'")
        self.backup_dir = os.fspath(backup_dir)
        self.delete_checkpoint = bool(delete_checkpoint)

    @property
    def path(self) -> str:
        """The checkpoint's file."""
        return os.path.join(self.backup_dir, "checkpoint.safetensors")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        self.first_epoch = self.model.load_checkpoint(self.path) if os.path.exists(self.path) else 0

    def after_epoch(self, epoch: int, logs: Logs) -> None:
        self.model.save_checkpoint(self.path, epoch=epoch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and os.path.exists(self.path):
            os.unlink(self.path)
