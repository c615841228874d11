"""A socket that exchanges requests and answers, one after the other; and a pool of such."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

from maas_engine.client._address import Address
from maas_engine.client._reply import Broken, Exchange, Reply, ToEnd, Until, Wanted
from maas_engine.client._retry import Deadline, passed
from maas_engine.errors import FormatError, PermissionDenied, Unavailable

_PIECE = 1 << 20  # memory grows with what has come, not with what is claimed
_JOINED = 64 << 10  # a smaller request goes out in one piece


class Connection:
    """Used by one thread at a time."""

    def __init__(self, address: Address, deadline: Deadline) -> None:
        try:
            self.socket = socket.create_connection((address.host, address.port), deadline.left())
        except TimeoutError:
            raise passed() from None
        except OSError as error:
            raise unreachable(address, error) from None
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.tls is not None:
                self.socket = address.tls.wrap_socket(self.socket, server_hostname=address.host)
        except TimeoutError:
            self.socket.close()
            raise passed() from None
        except OSError as error:
            self.socket.close()
            raise untrusted(address, error) from None
        self.buffer = bytearray()
        self.used = False  # for an earlier exchange

    def close(self) -> None:
        self.socket.close()

    def exchange(self, exchange: Exchange, deadline: Deadline) -> Reply:
        """Send a request and read its answer.

        Raises
        ------
        Broken : the connection failed.
        DeadlineExceeded, FormatError : it is of no use any more either.
        """
        try:
            self._send(exchange.parts, deadline)
        except TimeoutError:
            raise passed() from None
        except OSError as error:
            failure: OSError | None = error  # the server may have said why before it closed
        else:
            failure = None
        reader = exchange.read()
        answered = False
        wanted = next(reader)
        try:
            while True:
                data = self._take(wanted, deadline, answered)
                answered = answered or bool(data)
                wanted = reader.send(data)
        except StopIteration as done:
            reply: Reply = done.value
            return reply if failure is None else reply._replace(keep=False)
        except TimeoutError:
            raise passed() from None
        except OSError as error:
            raise Broken(type(error).__name__, answered or bool(self.buffer)) from None

    def _send(self, parts: list[bytes | memoryview], deadline: Deadline) -> None:
        pieces = [b"".join(parts)] if sum(map(len, parts)) <= _JOINED else parts
        for piece in pieces:
            self.socket.settimeout(deadline.left())
            self.socket.sendall(piece)

    def _take(self, wanted: Wanted, deadline: Deadline, answered: bool) -> bytes:
        if isinstance(wanted, int):
            while len(self.buffer) < wanted:
                self._receive(deadline, answered, wanted - len(self.buffer))
            return self._cut(wanted)
        if isinstance(wanted, Until):
            at = 0
            while (found := self.buffer.find(wanted.delimiter, at)) < 0:
                at = max(0, len(self.buffer) - len(wanted.delimiter))
                if len(self.buffer) > wanted.limit:
                    raise FormatError(f"[client] expected a line or head of at most {wanted.limit} bytes")
                self._receive(deadline, answered)
            return self._cut(found + len(wanted.delimiter))
        return self._rest(wanted, deadline)

    def _rest(self, wanted: ToEnd, deadline: Deadline) -> bytes:
        try:
            while len(self.buffer) <= wanted.limit:
                self._receive(deadline, True)
        except Broken as end:
            if str(end) == "closed":
                return self._cut(len(self.buffer))
            raise
        raise FormatError(f"[client] expected an answer of at most {wanted.limit} bytes, got more")

    def _receive(self, deadline: Deadline, answered: bool, size: int = 0) -> None:
        self.socket.settimeout(deadline.left())
        data = self.socket.recv(max(_JOINED, min(size, _PIECE)))
        if not data:
            raise Broken("closed", answered or bool(self.buffer))
        self.buffer += data

    def _cut(self, size: int) -> bytes:
        data = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return data


class Pool:
    """Connections that wait for the next call. For any number of threads; a forked child begins with none."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.Lock()
        self._idle: list[Connection] = []
        self._process = os.getpid()
        self._closed = False

    def take(self) -> Connection | None:
        """An idle connection, the one used last; None where there is none."""
        with self._lock:
            if self._process != os.getpid():
                self._forget()
            return self._idle.pop() if self._idle else None

    def give(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < self._size and self._process == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def clear(self, *, for_good: bool = False) -> None:
        with self._lock:
            self._closed = self._closed or for_good
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _forget(self) -> None:
        """The parent's: closed here without a word to the server, which may be in the midst of an answer to it."""
        for each in self._idle:
            with suppress(OSError):
                os.close(each.socket.detach())
        self._idle, self._process = [], os.getpid()


def unreachable(address: Address, error: OSError) -> Unavailable:
    return Unavailable(f"[client] no connection to {address!r}: {error.strerror or type(error).__name__}")


def untrusted(address: Address, error: OSError) -> Unavailable | PermissionDenied:
    """Of a handshake: a certificate that does not convince is no matter of trying again."""
    reason = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    if reason is None:
        return Unavailable(f"[client] no TLS connection to {address!r}: {type(error).__name__}")
    return PermissionDenied(f"[client] no TLS connection to {address!r}: {reason}")
