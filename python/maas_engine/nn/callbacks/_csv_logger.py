"""A table of the epochs as a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn.callbacks._base import Callback, Logs


class CSVLogger(Callback):
    """Writes a row of the logs after each epoch: ``epoch`` (from 0), then the values by name.

    Parameters
    ----------
    filename : path
    separator : str, one character
    append : whether rows are added to a file that is there; else it is replaced

    Notes
    -----
    Each row is one write, flushed; a row that does not fit on the disk is taken back.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise InvalidArgument(f"[CSVLogger] expected separator to be one character, got {separator!r}")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = bool(append)
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys = None
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                first = next(csv.reader(file, delimiter=self.separator), None)
            self.keys = first[1:] if first else None
        elif os.path.exists(self.filename):
            os.truncate(self.filename, 0)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        text = ""
        if self.keys is None:
            self.keys = list(logs)
            text = self._row(["epoch", *self.keys])
        text += self._row([epoch, *(logs.get(key, "NA") for key in self.keys)])
        _append(self.filename, text.encode())

    def _row(self, values: Sequence[Any]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerow(
            [repr(value) if isinstance(value, float) else value for value in values]
        )
        return out.getvalue()


def _append(filename: str, data: bytes) -> None:
    """Add all of ``data`` to a file, or nothing."""
    with open(filename, "ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        done = 0
        try:
            while done < len(data):
                done += file.write(data[done:])
        except BaseException:
            file.truncate(size)
            raise
