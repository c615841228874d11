"""Raw frames, docs/raw_protocol.md, as a client writes and reads them."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Sequence
from typing import NamedTuple

from maas_engine.client._description import Question
from maas_engine.client._reply import MOST_ANSWER, Exchange, Reader, Reply, frame_error
from maas_engine.client._tensors import NUMBERED, TYPES, Tensor
from maas_engine.errors import FormatError, InvalidArgument

HEAD = struct.Struct("<IBBHQIHHHHI")
_TENSOR = struct.Struct("<BBHIQ")
_SIZE = 4  # bytes of the size field, which does not count itself
_ANSWER = 128
INFER, PING, METADATA, AUTH = 1, 2, 3, 4
_MOST_US = 2**32 - 1


class Frame(NamedTuple):
    """An answer."""

    kind: int
    status: int
    id: int
    tensors: list[Tensor]


def encode(
    kind: int,
    id: int,
    model: str = "",
    version: str = "",
    tensors: Sequence[Tensor] = (),
    outputs: Sequence[str] = (),
    timeout_us: int | None = None,
) -> list[bytes | memoryview]:
    """Return a frame as the pieces it lies in; timeouts of more than 71 minutes are left to the client.

    Raises
    ------
    InvalidArgument : a name or all of it is too long for its field.
    """
    names = [model.encode(), version.encode()]
    parts: list[bytes | memoryview] = [b"", names[0], names[1]]
    for each in tensors:
        name = each.name.encode()
        _check(len(name) < 2**16 and len(each.shape) < 256)
        head = _TENSOR.pack(TYPES[each.datatype][1], len(each.shape), len(name), 0, len(each.data))
        parts += (head + struct.pack(f"<{len(each.shape)}Q", *each.shape) + name, each.data)
    for output in outputs:
        encoded = output.encode()
        _check(len(encoded) < 2**16)
        parts.append(len(encoded).to_bytes(2, "little") + encoded)
    size = HEAD.size - _SIZE + sum(map(len, parts))
    _check(size < 2**32 and all(len(name) < 2**16 for name in names))
    limit = timeout_us if timeout_us is not None and timeout_us <= _MOST_US else 0
    parts[0] = HEAD.pack(
        size, 1, kind, 0, id, limit, len(names[0]), len(names[1]), len(tensors), len(outputs), 0
    )
    return parts


def _check(fits: bool) -> None:
    if not fits:
        raise InvalidArgument("[client] expected names of less than 64 kB and a frame of less than 4 GB")


def frame_size(head: bytes | memoryview) -> int:
    """Bytes of the frame that begins so.

    Raises
    ------
    FormatError : no frame of this protocol, or one that is too large.
    """
    rest = int.from_bytes(head[:_SIZE], "little")
    if head[_SIZE] != 1 or not HEAD.size - _SIZE <= rest <= MOST_ANSWER:
        raise FormatError(
            "[client] expected an answer in raw frames of version 1: is it this server's TCP port?"
        )
    return _SIZE + rest


def decode(frame: bytes | memoryview) -> Frame:
    """Read one whole frame; tensors' data lie in it.

    Raises
    ------
    FormatError : fields that do not fit the frame.
    """
    view = memoryview(frame)
    try:
        _, _, kind, status, id, _, model, version, count, _, _ = HEAD.unpack_from(view)
        at, tensors = HEAD.size + model + version, []
        for _ in range(count):
            number, rank, name_size, _, data_size = _TENSOR.unpack_from(view, at)
            at += _TENSOR.size
            shape = struct.unpack_from(f"<{rank}Q", view, at)
            at += 8 * rank
            name = str(view[at : at + name_size], "utf-8")
            at += name_size
            tensors.append(Tensor(name, NUMBERED[number], shape, view[at : at + data_size]))
            at += data_size
        if at != len(view):
            raise ValueError(at)
    except (struct.error, KeyError, ValueError):  # UnicodeDecodeError is a ValueError
        raise FormatError("[client] expected a frame as long as its fields say") from None
    return Frame(kind, status, id, tensors)


def text_of(frame: Frame) -> str:
    """The one text of an answer: an error's, or the metadata."""
    data = frame.tensors[0].data if frame.tensors else b""
    return str(memoryview(data)[4:], "utf-8", "replace")


class RawCodec:
    """Requests as frames. Used by several threads."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._ids = itertools.count(1)

    def greeting(self) -> Exchange | None:
        """What a new connection says first."""
        if self._token is None:
            return None
        text = self._token.encode()
        token = Tensor("token", "BYTES", (1,), len(text).to_bytes(4, "little") + text)
        return self._exchange(AUTH, "", "", [token])

    def infer(self, model: str, version: str, question: Question, timeout_us: int | None) -> Exchange:
        return self._exchange(INFER, model, version, question.tensors, question.outputs, timeout_us)

    def metadata(self, model: str, version: str) -> Exchange:
        return self._exchange(METADATA, model, version)

    def health(self, what: str) -> Exchange:
        del what  # a ping says both
        return self._exchange(PING, "", "")

    def _exchange(
        self,
        kind: int,
        model: str,
        version: str,
        tensors: Sequence[Tensor] = (),
        outputs: Sequence[str] = (),
        timeout_us: int | None = None,
    ) -> Exchange:
        id = next(self._ids)
        return Exchange(
            encode(kind, id, model, version, tensors, outputs, timeout_us), lambda: _read(kind, id)
        )


def _read(kind: int, id: int) -> Reader:
    head = yield _SIZE + 1
    rest = yield frame_size(head) - len(head)
    frame = decode(head + rest)
    if frame.status:
        return Reply(error=frame_error(frame.status, text_of(frame)))
    if frame.kind != kind + _ANSWER or frame.id != id:
        raise FormatError("[client] expected the answer of this request, got another")
    if kind != METADATA:
        return Reply(frame.tensors)
    try:
        return Reply(json.loads(text_of(frame)))
    except (ValueError, RecursionError):
        raise FormatError("[client] expected metadata in JSON") from None
