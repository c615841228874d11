"""What ``fit`` prints: a bar that moves on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from maas_engine.nn.callbacks._base import Callback, Logs

WIDTH = 20  # of the bar
LONG_EPOCH = 0.5  # seconds; longer ones are cut into calls, between which the bar moves
BETWEEN = 0.1  # seconds between two pictures of the bar


class Progress(Callback):
    """Prints the epochs by ``params["verbose"]``: 1 a bar, 2 a line an epoch, 0 nothing.

    ``pieces`` says how the training loop should cut an epoch so that the bar can move, ``advance`` moves it.
    Where nobody watches an epoch is one piece.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._seconds: float | None = None  # of the last epoch's steps
        self._begun = 0.0
        self._done = 0
        self._training_seconds = 0.0

    @property
    def moving(self) -> bool:
        """Whether the bar moves in place."""
        return self._verbose == 1 and _is_terminal(self._out)

    def pieces(self, steps: int) -> Iterator[int]:
        """Yield the numbers of steps to run in one call each; their sum is ``steps``."""
        if not self.moving or (self._seconds is not None and self._seconds < LONG_EPOCH):
            if steps:
                yield steps
            return
        size = 1 if self._seconds is None else math.ceil(steps * BETWEEN / self._seconds)
        while steps > 0:
            begun = time.perf_counter()
            now = min(size, steps)
            yield now
            steps -= now
            took = max(time.perf_counter() - begun, 1e-6)
            # At most eight times as many: a first call is slower or faster than others.
            size = max(1, min(8 * size, int(now * BETWEEN / took)))

    def advance(self, steps: int, logs: Logs) -> None:
        """Draw the bar after ``steps`` more steps of this epoch, with their mean loss and metrics so far."""
        self._done += steps
        if self.moving and self._done < self._steps:
            left = (time.perf_counter() - self._begun) / self._done * (self._steps - self._done)
            tail = f" {_duration(left)} {self._pace()}{_values(logs)}"
            # A line that wraps could not be drawn over.
            room = shutil.get_terminal_size((1000, 24)).columns - len(self._count()) - 1 - WIDTH - 1
            self._write(f"\r{self._bar()}{tail[: max(room, 0)]}\x1b[K")

    def trained(self) -> None:
        """Note that the steps of the epoch are done: validation is not counted in the time a step takes."""
        self._training_seconds = time.perf_counter() - self._begun

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._seconds = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._done = 0
        self._training_seconds = 0.0
        self._begun = time.perf_counter()
        if self.moving:
            self._write(f"Epoch {epoch + 1}/{self._epochs}\n")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        whole = time.perf_counter() - self._begun
        self._seconds = self._training_seconds or whole
        self._done = self._steps
        if self.moving:
            line = f"{self._bar()} {_duration(whole)} {self._pace()}{_values(logs)}"
            self._write(f"\r{line}\x1b[K\n")
        elif self._verbose:
            name = f"Epoch {epoch + 1}/{self._epochs} - {self._count()}"
            self._write(f"{name} - {_duration(whole)} - {self._pace()}{_values(logs)}\n")

    @property
    def _verbose(self) -> int:
        return int(self.params.get("verbose", 1))

    @property
    def _epochs(self) -> int:
        return int(self.params.get("epochs") or 1)

    @property
    def _steps(self) -> int:
        return int(self.params.get("steps") or self._done)

    @property
    def _out(self) -> TextIO:
        return sys.stdout if self._stream is None else self._stream

    def _count(self) -> str:
        total = str(self._steps)
        return f"{self._done:>{len(total)}}/{total}"

    def _bar(self) -> str:
        filled = WIDTH if not self._steps else WIDTH * self._done // self._steps
        if _encodes(self._out, "━"):
            drawn = f"\x1b[32m{'━' * filled}\x1b[37m{'━' * (WIDTH - filled)}\x1b[0m"
        else:
            drawn = "=" * filled + "." * (WIDTH - filled)
        return f"{self._count()} {drawn}"

    def _pace(self) -> str:
        seconds = self._training_seconds or time.perf_counter() - self._begun
        return _small(seconds / max(self._done, 1)) + "/step"

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _values(logs: Logs | None) -> str:
    return "".join(f" - {name}: {_number(value)}" for name, value in (logs or {}).items())


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _small(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _is_terminal(out: TextIO) -> bool:
    if type(out).__module__.startswith("ipykernel"):  # a notebook's cell goes back to the line's start too
        return True
    return bool(getattr(out, "isatty", lambda: False)())


def _encodes(out: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True
