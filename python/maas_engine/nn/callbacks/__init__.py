"""Callbacks, as Keras 3 has them: what happens between the epochs of ``fit``."""

from typing import TYPE_CHECKING, Any

from maas_engine.nn._lookup import absent
from maas_engine.nn.callbacks._base import Callback, CallbackList, LambdaCallback
from maas_engine.nn.callbacks._csv_logger import CSVLogger
from maas_engine.nn.callbacks._history import History
from maas_engine.nn.callbacks._learning_rate import LearningRateScheduler, ReduceLROnPlateau
from maas_engine.nn.callbacks._model_checkpoint import BackupAndRestore, ModelCheckpoint
from maas_engine.nn.callbacks._stopping import EarlyStopping, StopBelow, TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "StopBelow",
    "TerminateOnNaN",
]


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, __all__)
