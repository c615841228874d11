"""What a callback is, and the list of them that the training loop talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from maas_engine.errors import InvalidArgument

Logs = dict[str, float]


class Callback:
    """Base of the callbacks: override what you need.

    An epoch is one call into compiled code. Where a callback overrides ``on_train_batch_begin`` or
    ``on_train_batch_end`` (or ``on_batch_…``) every batch is a call of its own, with the same results.

    Attributes
    ----------
    model : the model being trained; set its ``stop_training`` to end after this epoch
    params : dict, "verbose", "epochs" and "steps"
    first_epoch : int, where ``fit`` begins after ``on_train_begin``, unless its ``initial_epoch`` is later
    """

    model: Any = None
    first_epoch = 0
    params: dict[str, Any] = {}  # noqa: RUF012  # replaced by set_params, as in Keras

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """Return what a checkpoint must keep: numbers, texts, lists and dicts of them, lists of arrays."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state; called after ``on_train_begin`` of a resumed fit."""

    def after_epoch(self, epoch: int, logs: Logs) -> None:
        """Called when every callback has had its ``on_epoch_end``: what saves the state of all acts here."""

    def on_train_begin(self, logs: Logs | None = None) -> None: ...
    def on_train_end(self, logs: Logs | None = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_begin(self, logs: Logs | None = None) -> None: ...
    def on_test_end(self, logs: Logs | None = None) -> None: ...

    # Keras's, never called here: evaluate and predict take no callbacks, and are one call into compiled code.
    def on_predict_begin(self, logs: Logs | None = None) -> None: ...
    def on_predict_end(self, logs: Logs | None = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...


_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))``."""

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs | None], Any] | None = None,
        on_epoch_end: Callable[[int, Logs | None], Any] | None = None,
        on_train_begin: Callable[[Logs | None], Any] | None = None,
        on_train_end: Callable[[Logs | None], Any] | None = None,
        on_train_batch_begin: Callable[[int, Logs | None], Any] | None = None,
        on_train_batch_end: Callable[[int, Logs | None], Any] | None = None,
        **others: Any,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **others,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise InvalidArgument(f"[LambdaCallback] unknown argument {name}")
            if not callable(function):
                raise InvalidArgument(f"[LambdaCallback] expected {name} to be a function, got {function!r}")
            setattr(self, name, function)


class CallbackList(Callback):
    """Calls every callback of a list in order.

    Parameters
    ----------
    callbacks : list of Callback, a Callback, a CallbackList or None
    add_history : whether a History is added where there is none
    add_progbar : whether a progress bar is added where there is none
    model : the model being trained
    **params : verbose, epochs, steps
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from maas_engine.nn._progress import Progress
        from maas_engine.nn.callbacks._history import History

        self.callbacks = _flat(callbacks)
        if add_progbar and not any(isinstance(each, Progress) for each in self.callbacks):
            self.callbacks.append(Progress())
        if add_history and not any(isinstance(each, History) for each in self.callbacks):
            self.callbacks.append(History())
        self.history = next((each for each in self.callbacks if isinstance(each, History)), None)
        self.progress = next((each for each in self.callbacks if isinstance(each, Progress)), None)
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    @property
    def needs_batches(self) -> bool:
        """Whether a callback wants to be called at every batch."""
        return any(
            hook in vars(each) or getattr(type(each), hook) is not getattr(Callback, hook)
            for each in self.callbacks
            for hook in _BATCH_HOOKS
        )

    @property
    def begin(self) -> int:
        """Return the epoch that the callbacks want ``fit`` to begin with."""
        return max((each.first_epoch for each in self.callbacks), default=0)

    def append(self, callback: Callback) -> None:
        self.callbacks.append(callback)

    def get_states(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the class names and states of the callbacks that have one."""
        states = ((type(each).__name__, each.get_state()) for each in self.callbacks)
        return [(name, state) for name, state in states if state]

    def set_states(self, states: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Hand each state to the first callback of its class that has none yet; states of others are left."""
        free = list(self.callbacks)
        for name, state in states:
            for each in free:
                if type(each).__name__ == name:
                    each.set_state(state)
                    free.remove(each)
                    break

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for each in self.callbacks:
            each.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        for each in self.callbacks:
            each.set_model(model)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_train_begin(_or_empty(logs))

    def on_train_end(self, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_train_end(_or_empty(logs))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_epoch_begin(epoch, _or_empty(logs))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = _or_empty(logs)  # one dict: what a callback adds (learning_rate) the next ones see
        for each in self.callbacks:
            each.on_epoch_end(epoch, logs)
        for each in self.callbacks:
            each.after_epoch(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_train_batch_begin(batch, _or_empty(logs))

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_train_batch_end(batch, _or_empty(logs))

    def on_test_begin(self, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_test_begin(_or_empty(logs))

    def on_test_end(self, logs: Logs | None = None) -> None:
        for each in self.callbacks:
            each.on_test_end(_or_empty(logs))


def _or_empty(logs: Logs | None) -> Logs:
    return {} if logs is None else logs


def _flat(callbacks: Any) -> list[Callback]:
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    if isinstance(callbacks, Callback):
        return [callbacks]
    found = []
    for each in callbacks:
        if isinstance(each, (CallbackList, list, tuple)):
            found += _flat(each)
        elif isinstance(each, Callback):
            found.append(each)
        else:
            raise InvalidArgument(f"[callbacks] expected instances of Callback, got {each!r}")
    return found
