"""What large requests and answers took is given back though their connections stay."""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Iterator

import numpy as np
import pytest
from served import Wire, infer_json, memory, mlp, post, serve

from maas_engine import _server

INFER = "/v2/models/small/infer"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"small": mlp(np.float32)}, threads=2) as started:
        yield started


def settled(limit: int) -> int:
    """Memory above `limit`'s base once the server has let go of it."""
    end = time.monotonic() + 5
    while memory() > limit and time.monotonic() < end:
        time.sleep(0.05)
    return memory()


def ask_much(server: _server.Server, stack: contextlib.ExitStack, connections: int) -> None:
    """Connections that each sent a large request, half of them compressed, and stay."""
    body = infer_json({"input": np.zeros((40000, 10), "f4")})
    zipped = gzip.compress(body, 1)
    for i in range(connections):
        wire = stack.enter_context(Wire(server.http_port))
        plain = i % 2 == 0
        fields = {} if plain else {"Content-Encoding": "gzip"}
        wire.send(post(INFER, body if plain else zipped, **fields))
        assert wire.reply().status == 200


def test_large_requests_leave_no_memory_with_their_connections(server: _server.Server) -> None:
    """What threads keep to work with is there after a few; a connection that idles costs no more than others."""
    with contextlib.ExitStack() as stack:
        ask_much(server, stack, 6)
        before = memory()
        ask_much(server, stack, 20)  # of 2 MB of JSON
        assert settled(before + 20 * MEGABYTE) - before < 20 * MEGABYTE


def test_bombs(server: _server.Server) -> None:
    """A megabyte that expands to a gigabyte is refused, and its memory given back."""
    bomb = gzip.compress(bytes(MEGABYTE), 9) * 1000

    def explode(wire: Wire) -> None:
        wire.send(post(INFER, bomb, Content_Encoding="gzip"))
        reply = wire.reply()
        assert reply.status in (400, 413)
        assert "when expanded" in reply.error

    with contextlib.ExitStack() as stack:
        explode(stack.enter_context(Wire(server.http_port)))
        before = memory()
        explode(stack.enter_context(Wire(server.http_port)))
        # It expands to 256 MB before it is refused; this process has much else to give back or keep meanwhile.
        assert settled(before + 100 * MEGABYTE) - before < 100 * MEGABYTE
