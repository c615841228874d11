"""Servers that do what a test tells them, one script a connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

METADATA = (
    b'{"name":"m","versions":["1"],"platform":"x","inputs":[{"name":"X","datatype":"FP32","shape":[-1,2]}],'
    b'"outputs":[{"name":"Y","datatype":"FP32","shape":[-1]}]}'
)


def http(body: bytes, status: int = 200, *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


def answer(*values: float, name: bytes = b"Y") -> bytes:
    """An inference's answer in JSON."""
    numbers = ",".join(map(str, values)).encode()
    return http(
        b'{"model_name":"m","outputs":[{"name":"%b","datatype":"FP32","shape":[%d],"data":[%b]}]}'
        % (name, len(values), numbers)
    )


Step = bytes | float | None | Callable[[bytes], bytes]


class Hostile:
    """``scripts``: for each connection, in order, what each request is answered with; the last one repeats.

    Bytes are sent; seconds are slept, or until `close`; None closes without a word; a function makes the answer
    of the request.
    """

    def __init__(self, scripts: Sequence[Sequence[Step]]) -> None:
        self.scripts, self.connections, self.requests = list(scripts), 0, []  # type: ignore[var-annotated]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._play, args=(connection, script))
            thread.start()
            self._threads.append(thread)

    def _play(self, connection: socket.socket, script: Sequence[Step]) -> None:
        with connection, suppress(OSError):
            waiting = True
            for i, step in enumerate(script):
                if waiting and (step is not None or i == 0):
                    request = connection.recv(1 << 20)
                    if not request:
                        return
                    self.requests.append(request)
                if step is None:
                    return
                if isinstance(step, float):
                    self._closed.wait(step)
                    waiting = False  # what follows belongs to the same request
                    continue
                connection.sendall(step if isinstance(step, bytes) else step(request))
                waiting = True

    def close(self) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in [self._thread, *self._threads]:
            thread.join(60)
            assert not thread.is_alive()


@contextmanager
def hostile(*scripts: Sequence[Step]) -> Iterator[Hostile]:
    server = Hostile(scripts)
    try:
        yield server
    finally:
        server.close()
