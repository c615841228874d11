"""Answers the data plane's other requests with an ASGI application, on an event loop of its own.

There is no socket here: requests come whole from the C++ side and replies go back whole.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from maas_engine._server import Server as DataPlane

LOG = logging.getLogger("maas_engine.serving")

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
Fields = list[tuple[bytes, bytes]]
Request = tuple[int, bytes, bytes, Fields, bytes]


class Control(threading.Thread):
    """Runs the application until the data plane stops. ``make`` is called here: importing it takes a while."""

    def __init__(self, plane: DataPlane, make: Callable[[], App]) -> None:
        super().__init__(name="maas-control", daemon=True)
        self._plane, self._make = plane, make

    def run(self) -> None:
        try:
            app = self._make()
        except Exception:
            LOG.exception("control plane")
            app = _broken
        asyncio.run(self._serve(app))

    async def _serve(self, app: App) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()  # a loop holds its tasks weakly

        def begin(request: Request) -> None:
            task = loop.create_task(self._answer(app, request))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def read() -> None:  # on a thread of its own, without the GIL while it waits
            while (request := self._plane.next_request()) is not None:
                loop.call_soon_threadsafe(begin, request)
            loop.call_soon_threadsafe(stopped.set)

        reader = threading.Thread(target=read, name="maas-control-in", daemon=True)
        reader.start()
        await stopped.wait()
        reader.join()

    async def _answer(self, app: App, request: Request) -> None:
        try:
            status, fields, body = await call(app, request)
        except Exception:
            LOG.exception("control plane")
            status, fields, body = 500, [], json.dumps({"error": "[serve] internal error"}).encode()
        self._plane.answer(request[0], status, fields, body)


async def call(app: App, request: Request) -> tuple[int, Fields, bytes]:
    """Status, header fields and body of an application's answer."""
    _, method, target, fields, body = request
    path, _, query = target.partition(b"?")
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method.decode("latin-1"),
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in fields],
        "client": None,
        "server": None,
    }
    given = iter([body])
    status, sent, parts = 500, [], []

    async def receive() -> Message:
        for part in given:
            return {"type": "http.request", "body": part, "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, sent
        if message["type"] == "http.response.start":
            status, sent = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, sent, b"".join(parts)


async def _broken(scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
    """In place of an application that could not be made."""
    del scope, receive
    await send({"type": "http.response.start", "status": 503, "headers": []})
    body = json.dumps({"error": "[serve] the control plane could not start: the server's log says why"})
    await send({"type": "http.response.body", "body": body.encode()})
