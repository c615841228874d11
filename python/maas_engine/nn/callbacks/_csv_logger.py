"""A table of the epochs as a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn.callbacks._base import Callback, Logs
from maas_engine.nn.callbacks._state import integer, texts


class CSVLogger(Callback):
    """Writes a row of the logs after each epoch: ``epoch`` (from 0), then the values by name.

    Parameters
    ----------
    filename : path
    separator : str, one character
    append : whether rows are added to a file that is there; else it is replaced

    Notes
    -----
    Each row is one write, flushed; a row that does not fit on the disk is taken back. A fit that goes on from a
    checkpoint goes on with the file: rows that came after the checkpoint are cut off.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise InvalidArgument(f"[CSVLogger] expected separator to be one character, got {separator!r}")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = bool(append)
        self.keys: list[str] | None = None
        self._size = 0  # of the file, after the last row
        self._begun = False  # whether what was in the file before stays

    def get_state(self) -> dict[str, Any]:
        return {"filename": os.path.basename(self.filename), "keys": self.keys, "size": self._size}

    def set_state(self, state: dict[str, Any]) -> None:
        size = integer(state, "size")
        if state.get("filename") != os.path.basename(self.filename) or not _goes_on(self.filename, size):
            return  # another file: it is begun or added to as without a checkpoint
        os.truncate(self.filename, size)
        self.keys, self._size = texts(state, "keys"), size
        self._begun = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys = None
        self._begun = self.append
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                first = next(csv.reader(file, delimiter=self.separator), None)
            self.keys = first[1:] if first else None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        text = ""
        if self.keys is None:
            self.keys = list(logs)
            text = self._row(["epoch", *self.keys])
        text += self._row([epoch, *(logs.get(key, "NA") for key in self.keys)])
        if not self._begun and os.path.exists(self.filename):
            os.truncate(self.filename, 0)
        self._begun = True
        self._size = _append(self.filename, text.encode())

    def _row(self, values: Sequence[Any]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerow(
            [repr(float(value)) if isinstance(value, float) else value for value in values]
        )
        return out.getvalue()


def _goes_on(filename: str, size: int) -> bool:
    """Whether a file has ``size`` bytes, the end of a row, and after them only rows of an epoch each."""
    if not size or not os.path.isfile(filename) or os.path.getsize(filename) < size:
        return False
    with open(filename, "rb") as file:
        file.seek(size - 1)
        last, *later = file.read().splitlines(keepends=True)
    return last == b"\n" and all(row[:1].isdigit() for row in later)


def _append(filename: str, data: bytes) -> int:
    """Add all of ``data`` to a file, or nothing; returns the file's size."""
    with open(filename, "ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        done = 0
        try:
            while done < len(data):
                done += file.write(data[done:])
        except BaseException:
            file.truncate(size)
            raise
    return size + len(data)
