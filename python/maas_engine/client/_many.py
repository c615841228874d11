"""Frames of rows that follow each other without waiting, and their answers as they come."""

from __future__ import annotations

import select
import ssl
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine._tables import to_arrays
from maas_engine.client._connection import Connection
from maas_engine.client._description import Description, Question
from maas_engine.client._frames import INFER, decode, encode, frame_size, text_of
from maas_engine.client._reply import Broken, frame_error
from maas_engine.client._retry import Deadline, passed
from maas_engine.errors import FormatError, InvalidArgument

_AHEAD = 4 << 20  # bytes that are asked and not yet answered
_PIECE = 256 << 10
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _Frames:
    """The questions, made as they are needed, and the answers put where they belong."""

    def __init__(
        self,
        key: tuple[str, str],
        described: Description,
        X: Any,
        output: str | None,
        rows: int,
        limit: int | None,
    ) -> None:
        if rows < 1:
            raise InvalidArgument(f"[predict_many] expected rows of at least 1, got {rows}")
        self._key, self._described, self._output, self._limit = key, described, output, limit
        self._arrays = to_arrays(X, described.schema, "predict_many")
        self._rows = rows
        field, first = described.schema.inputs[0], self._arrays[0]
        self.total = len(first[0]) - 1 if isinstance(first, tuple) else len(first)
        one_row = not isinstance(first, tuple) and first.ndim == len(field.row_shape)
        if one_row or not all(each.batched for each in described.schema.inputs):
            raise InvalidArgument("[predict_many] expected a table of rows")
        self.count = -(-self.total // rows)
        self._questions: dict[int, Question] = {}
        self._found: list[Any] = [None] * self.count

    def frame(self, i: int) -> bytes:
        """Frame i, with i for its id."""
        begin, end = i * self._rows, min((i + 1) * self._rows, self.total)
        cut = [
            (each[0][begin : end + 1], each[1]) if isinstance(each, tuple) else each[begin:end]
            for each in self._arrays
        ]
        question = self._described.pack(cut, self._output)
        self._questions[i] = question
        return b"".join(encode(INFER, i, *self._key, question.tensors, question.outputs, self._limit))

    def take(self, data: memoryview) -> int:
        """Put an answer where it belongs; return which it is."""
        frame = decode(data)
        if frame.status:
            raise frame_error(frame.status, text_of(frame))
        question = self._questions.pop(frame.id, None)
        if question is None or frame.kind != INFER + 128:
            raise FormatError("[client] expected the answer of a request, got another")
        self._found[frame.id] = self._described.take(question, frame.tensors, self._output)
        return frame.id

    def joined(self) -> NDArray[Any]:
        return np.concatenate(self._found)


def stream(
    connection: Connection,
    key: tuple[str, str],
    described: Description,
    X: Any,
    output: str | None,
    rows: int,
    deadline: Deadline,
) -> Any:
    """Ask for all rows and return the answers as one array, in the rows' order.

    Raises
    ------
    MaasError : the first error that a frame was answered with; others may still be under way then.
    Broken : the connection ended.
    """
    frames = _Frames(key, described, X, output, rows, deadline.microseconds())
    if frames.count == 0:
        raise InvalidArgument("[predict_many] expected at least one row")
    socket = connection.socket
    socket.settimeout(0)
    came = bytearray()
    sent, answered, ahead = 0, 0, 0
    sizes: deque[int] = deque()
    out = memoryview(b"")
    while answered < frames.count:
        if not out and sent < frames.count and ahead < _AHEAD:
            pieces: list[bytes] = []
            while sent < frames.count and ahead < _AHEAD and sum(map(len, pieces)) < _PIECE:
                pieces.append(frames.frame(sent))
                sizes.append(len(pieces[-1]))
                ahead += sizes[-1]
                sent += 1
            out = memoryview(b"".join(pieces))
        moved, out = _send(socket, out)
        data = _receive(socket, answered > 0 or bool(came))
        if data:
            came += data
            done = _take_all(frames, came)
            answered += done
            ahead -= sum(sizes.popleft() for _ in range(done))
        elif not moved:
            _wait(socket, bool(out), deadline)
    socket.settimeout(deadline.left())
    return frames.joined()


def _send(socket: Any, out: memoryview) -> tuple[int, memoryview]:
    if not out:
        return 0, out
    try:
        count = socket.send(out[:_PIECE])
    except _LATER:
        return 0, out
    except OSError:
        return 0, out  # what the server said before it closed comes by reading
    return count, out[count:]


def _receive(socket: Any, answered: bool) -> bytes | None:
    try:
        data = socket.recv(_PIECE)
    except _LATER:
        return None
    except OSError as error:
        raise Broken(type(error).__name__, answered) from None
    if not data:
        raise Broken("closed", answered)
    return bytes(data)


def _take_all(frames: _Frames, came: bytearray) -> int:
    """Take the whole answers off the front; return how many."""
    at, count = 0, 0
    data = bytes(came)
    view = memoryview(data)
    while len(view) - at > 4:
        size = frame_size(view[at : at + 5])
        if len(view) - at < size:
            break
        frames.take(view[at : at + size])
        at += size
        count += 1
    del came[:at]
    return count


def _wait(socket: Any, writing: bool, deadline: Deadline) -> None:
    if isinstance(socket, ssl.SSLSocket) and socket.pending():
        return
    events = select.POLLIN | (select.POLLOUT if writing else 0)
    waiter = select.poll()
    waiter.register(socket, events)
    left = deadline.left()
    if not waiter.poll(None if left is None else 1000 * left):
        raise passed()
