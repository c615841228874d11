"""The loop over epochs: an epoch is one call into the engine unless somebody looks at every batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NotFinite
from maas_engine.nn._batches import Batches
from maas_engine.nn._checks import whole_number
from maas_engine.nn._evaluate import Reader, evaluate_batches, evaluate_rows, named_results
from maas_engine.nn._rows import Rows
from maas_engine.nn.callbacks import CallbackList, History, TerminateOnNaN

if TYPE_CHECKING:
    from maas_engine.nn._session import Session
    from maas_engine.nn._training import Training

# A piece of an epoch for one call: rows, an order of them or None, the rows of a batch, and steps.
Piece = tuple[Rows, NDArray[np.uint32] | None, int, int]
_SHUFFLING = 1  # of the seeds derived from a model's


class ArrayEpochs:
    """Epochs over rows that are there as arrays."""

    def __init__(self, rows: Rows, batch_size: int, shuffle: bool, steps: int | None) -> None:
        n = len(rows.x)
        if n == 0:
            raise InvalidArgument("[fit] expected at least one row")
        batch_size = min(batch_size, n)
        self._rows, self._batch_size = rows, batch_size
        whole = -(-n // batch_size)
        self._shuffle = shuffle
        steps = whole if steps is None else whole_number(steps, "steps_per_epoch", "fit")
        if steps > whole:
            warnings.warn(
                f"[fit] steps_per_epoch is {steps}, but the rows give {whole} batches: an epoch has those",
                UserWarning,
                stacklevel=3,
            )
        self.steps: int | None = min(whole, steps)

    def pieces(self, session: Session, sizes: Any) -> Iterator[Piece]:
        """Yield an epoch in pieces of so many steps; ``sizes`` makes an iterable of them for all steps."""
        rows, size, steps = self._rows, self._batch_size, self.steps or 0
        n = len(rows.x)
        order = draw_order(session, n) if self._shuffle else None
        first = 0
        for count in sizes(steps) if rows.readable else _cut(sizes(steps), max(1, rows.block // size)):
            begin, end = first * size, min(n, (first + count) * size)
            if order is None:
                part = rows.part(begin, end)
                yield part if part.readable else part.converted(None), None, size, count
            elif rows.readable:
                yield rows, order[begin:end], size, count
            else:
                yield rows.converted(order[begin:end]), None, size, count
            first += count


class BatchEpochs:
    """Epochs over batches that a source gives."""

    def __init__(self, read: Reader, batches: Batches, shuffle: bool) -> None:
        self._read, self._batches, self._shuffle = read, batches, shuffle
        self.steps = batches.steps

    def pieces(self, session: Session, sizes: Any) -> Iterator[Piece]:
        order = (lambda n: draw_order(session, n)) if self._shuffle else None
        for batch in self._batches.epoch(order):
            rows = self._read(*batch)
            if len(rows.x):
                yield rows, None, len(rows.x), 1


def draw_order(session: Session, n: int) -> NDArray[np.uint32]:
    """Return the next permutation of n rows; each depends on the session's seed and its number alone."""
    number, session.shuffles = session.shuffles, session.shuffles + 1
    seed = _core.derived_seed(session.seed, _SHUFFLING)
    return _core.random_permutation(seed, number, n)


class Fit:
    """One call of ``fit``.

    Parameters
    ----------
    model, session
    source : ArrayEpochs or BatchEpochs
    validation : Rows, (Batches, how to read them), or None
    every : int
        Epochs from one validation to the next.
    """

    def __init__(
        self,
        model: Training,
        session: Session,
        source: ArrayEpochs | BatchEpochs,
        validation: Any,
        every: int,
    ) -> None:
        self._model, self._session, self._source = model, session, source
        self._validation, self._every = validation, every
        self._names = model.metrics_names
        self._sizes: Any = _whole  # how an epoch is cut into calls
        self._bad: tuple[int, float, float] | None = None  # step, loss, learning rate

    def __call__(self, first: int, last: int, verbose: int, callbacks: Any) -> History:
        steps = self._source.steps
        calls = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self._model,
            verbose=verbose,
            epochs=last,
            steps=steps,
        )
        assert calls.history is not None
        if calls.needs_batches:
            self._sizes = _singly
        elif calls.progress is not None:
            self._sizes = calls.progress.pieces
        self._model.stop_training = False
        self._session.start(calls)
        for epoch in range(max(first, calls.begin), last):
            if self._model.stop_training:
                break
            calls.on_epoch_begin(epoch)
            logs = self._epoch(calls)
            if not logs:
                self._ran_out(epoch - first)
                break
            if calls.progress is not None:
                calls.progress.trained()
            if self._bad is not None and not _ends_quietly(calls):
                self._raise(epoch)
            if self._bad is None and self._validation is not None and (epoch + 1) % self._every == 0:
                logs |= self._validate(calls)
            calls.on_epoch_end(epoch, logs)
            if self._bad is not None:
                break
        calls.on_train_end()
        return calls.history

    def step(self, rows: Rows) -> dict[str, float]:
        """Do one step with all rows; return loss and metrics from before it."""
        result = self._run((rows, None, max(1, len(rows.x)), 1))
        if self._bad is not None:
            self._raise(None)
        return named_results(self._names, result.loss, result.metrics)

    def _epoch(self, calls: Any) -> dict[str, float]:
        """Train for an epoch and return its mean loss and metrics; nothing where there was no batch."""
        sizes = self._sizes
        total: _core.TrainResult | None = None
        logs: dict[str, float] = {}
        done = 0
        for piece in self._source.pieces(self._session, sizes):
            if sizes is _singly:
                calls.on_train_batch_begin(done)
            result = self._run(piece, done)
            if total is None:
                total = result
            else:
                total.merge(result)
            done += piece[3]
            logs = _by_name(named_results(self._names, total.loss, total.metrics))
            if self._bad is not None:
                return logs | {"loss": self._bad[1]}
            if sizes is _singly:
                calls.on_train_batch_end(done - 1, logs)
                if self._model.stop_training:
                    break
            if calls.progress is not None:
                calls.progress.advance(piece[3], logs)
        return logs

    def _ran_out(self, epochs: int) -> None:
        """An iterator that has nothing left ends training; one that had nothing is an error."""
        if epochs == 0:
            raise InvalidArgument("[fit] expected at least one batch, got none")
        if self._source.steps is None:  # else the source has warned
            warnings.warn(
                f"[fit] the input ran out of data after {epochs} epochs; an iterator gives its batches once",
                stacklevel=4,
            )

    def _run(self, piece: Piece, done: int = 0) -> _core.TrainResult:
        rows, order, batch_size, steps = piece
        session, optimizer = self._session, self._model.optimizer
        trainer = session.trainer()
        rates = optimizer.learning_rates(optimizer.iterations, steps)
        session.about_to_train()
        try:
            result = trainer.run(rows.x, rows.y, rows.weight, order, batch_size, rates)
        finally:
            optimizer.iterations = trainer.iterations
        if result.bad_step is not None:
            self._bad = done + result.bad_step, result.bad_loss, float(rates[result.bad_step])
        return result

    def _validate(self, calls: Any) -> dict[str, float]:
        calls.on_test_begin()
        if isinstance(self._validation, Rows):
            result = evaluate_rows(self._session, self._validation)
        else:
            result = evaluate_batches(self._session, *self._validation)
        logs = _by_name(named_results(self._names, *result))
        calls.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _raise(self, epoch: int | None) -> None:
        assert self._bad is not None
        step, loss, rate = self._bad
        place = f"step {step + 1}" if epoch is None else f"epoch {epoch + 1}, step {step + 1}"
        state = "NaN" if math.isnan(loss) else "infinite"
        raise NotFinite(
            f"[fit] the loss is {state} in {place}, at a learning rate of {rate:g}; the weights are those before "
            "it. Look for NaN in x and y, or lower the learning rate"
        )


def _whole(steps: int) -> tuple[int, ...]:
    return (steps,)


def _singly(steps: int) -> Iterator[int]:
    return iter([1] * steps)


def _cut(sizes: Iterable[int], most: int) -> Iterator[int]:
    """Yield the same steps in pieces of ``most`` at most."""
    for size in sizes:
        yield from (most,) * (size // most)
        if size % most:
            yield size % most


def _ends_quietly(calls: Any) -> bool:
    return any(isinstance(each, TerminateOnNaN) and not each.raise_error for each in calls.callbacks)


def _by_name(logs: dict[str, float]) -> dict[str, float]:
    """Sort them, as Keras does: the order of History and of the progress bar."""
    return dict(sorted(logs.items()))
