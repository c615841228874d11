"""What an exchange needs to be made and what it ends with, whoever moves the bytes.

A codec writes the request's bytes and reads the answer as a generator: it yields what it wants next, gets it sent,
and returns a `Reply`. So one codec serves sockets and asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from maas_engine import errors
from maas_engine.errors import MaasError

MOST_HEAD = 64 << 10  # bytes of an HTTP answer's head
MOST_ANSWER = 1 << 30  # bytes of an answer; a larger claim is refused before anything is allocated
_MOST_TEXT = 1000  # characters of a server's text in an error


class Until(NamedTuple):
    """Bytes up to and with a delimiter, at most ``limit``."""

    delimiter: bytes
    limit: int


class ToEnd(NamedTuple):
    """All bytes until the connection ends, at most ``limit``."""

    limit: int


Wanted: TypeAlias = int | Until | ToEnd


class Reply(NamedTuple):
    """A whole answer. ``error`` is what the server said; ``keep``: the connection goes on."""

    value: Any = None
    error: MaasError | None = None
    retry_after: float | None = None
    keep: bool = True


Reader: TypeAlias = Generator[Wanted, bytes, Reply]


class Exchange(NamedTuple):
    """A request's bytes, and who reads its answer."""

    parts: list[bytes | memoryview]
    read: Callable[[], Reader]


class Broken(Exception):
    """The connection ended or failed; ``answered``: behind the first byte of an answer."""

    def __init__(self, why: str, answered: bool) -> None:
        super().__init__(why)
        self.answered = answered


_BY_STATUS: dict[int, type[MaasError]] = {
    401: errors.PermissionDenied,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    408: errors.DeadlineExceeded,
    409: errors.Conflict,
    415: errors.Unsupported,
    429: errors.Overloaded,
    501: errors.Unsupported,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.DeadlineExceeded,
}
_BY_NUMBER: list[type[MaasError]] = [
    errors.InvalidArgument,
    errors.FormatError,
    errors.NotFound,
    errors.Unsupported,
    errors.PermissionDenied,
    errors.Overloaded,
    errors.DeadlineExceeded,
    errors.Internal,
]


def http_error(status: int, text: str) -> MaasError:
    """The engine's error of an HTTP status."""
    kind = _BY_STATUS.get(status, errors.InvalidArgument if status < 500 else errors.Internal)
    return kind(_shown(text) or f"the server answered HTTP {status}")


def frame_error(number: int, text: str) -> MaasError:
    """The engine's error of a raw frame's status."""
    kind = _BY_NUMBER[number - 1] if 1 <= number <= len(_BY_NUMBER) else errors.Internal
    return kind(_shown(text) or f"the server answered status {number}")


def _shown(text: str) -> str:
    """One line that a terminal shows and does not obey."""
    line = "".join(c if c.isprintable() else " " for c in text[:_MOST_TEXT])
    return line.strip()
