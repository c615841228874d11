"""What fit prints: a bar that moves on a terminal, a line an epoch elsewhere; long epochs are cut, others not."""

from __future__ import annotations

import io
import re

import pytest

from maas_engine.nn import callbacks
from maas_engine.nn._progress import LONG_EPOCH, Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, verbose: int, seconds: float = 0.0) -> str:
    """What two epochs of 40 steps print."""
    progress = Progress(out)
    everyone = callbacks.CallbackList(progress, verbose=verbose, epochs=2, steps=40)
    everyone.on_train_begin()
    for epoch in range(2):
        everyone.on_epoch_begin(epoch)
        for steps in progress.pieces(40):
            progress.advance(steps, {"loss": 0.25})
        progress.trained()
        everyone.on_epoch_end(epoch, {"loss": 0.25, "val_loss": 0.0001})
        progress._seconds = seconds
    return out.getvalue()


def test_progress_in_a_pipe_is_a_line_an_epoch() -> None:
    for verbose in (1, 2):
        lines = shown(io.StringIO(), verbose).splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("Epoch 2/2 - 40/40 - 0s - ")
        assert lines[1].endswith("/step - loss: 0.2500 - val_loss: 1.0000e-04")
    assert shown(io.StringIO(), 0) == ""


def test_progress_on_a_terminal_moves() -> None:
    text = shown(Terminal(), 1, seconds=2.0)
    assert text.startswith("Epoch 1/2\n")
    last = text.splitlines()[-1]
    assert "40/40 \x1b[32m" + "━" * 20 in last
    second = text.split("Epoch 2/2\n")[1]
    assert second.count("\r") >= 2  # the epoch before took long, so this one was cut
    latin = Terminal()
    latin.encoding = "latin-1"  # type: ignore[misc]
    assert "=" * 20 in shown(latin, 1)


def test_progress_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    progress = Progress(out)
    progress.set_params({"verbose": 1, "epochs": 1, "steps": 40})
    progress.on_epoch_begin(0)
    progress.advance(10, {"a_long_name_of_a_metric": 0.5})
    moving = out.getvalue().split("\r")[1]
    assert len(re.sub(r"\x1b\[\d*[mK]", "", moving)) == 39


def test_progress_cuts_long_epochs_only() -> None:
    def pieces(seconds: float | None, out: io.StringIO, verbose: int = 1) -> list[int]:
        progress = Progress(out)
        progress.set_params({"verbose": verbose, "epochs": 2, "steps": 1000})
        progress._seconds = seconds
        found = list(progress.pieces(1000))
        assert sum(found) == 1000
        return found

    assert pieces(LONG_EPOCH / 2, Terminal()) == [1000]
    assert len(pieces(LONG_EPOCH * 10, Terminal())) > 1
    assert pieces(None, Terminal())[:3] == [1, 8, 64]  # the first epoch feels its way
    assert pieces(None, io.StringIO()) == [1000]
    assert pieces(None, Terminal(), verbose=2) == [1000]
