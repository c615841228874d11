"""What large requests and answers took is given back though their connections stay."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator

import numpy as np
import pytest
from served import ServerApart, Wire, infer_json, mlp, post, serve_apart, until

INFER = "/v2/models/small/infer"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[ServerApart]:
    with serve_apart({"small": mlp(np.float32)}) as started:
        yield started


def ask_much(server: ServerApart, stack: contextlib.ExitStack, connections: int) -> None:
    """Connections that each sent a large request, half of them compressed, and stay."""
    body = infer_json({"input": np.zeros((40000, 10), "f4")})
    zipped = gzip.compress(body, 1)
    for i in range(connections):
        wire = stack.enter_context(Wire(server.http_port))
        plain = i % 2 == 0
        fields = {} if plain else {"Content-Encoding": "gzip"}
        wire.send(post(INFER, body if plain else zipped, **fields))
        assert wire.reply().status == 200


def test_large_requests_leave_no_memory_with_their_connections(server: ServerApart) -> None:
    """What threads keep to work with is there after a few; a connection that idles costs no more than others."""
    with contextlib.ExitStack() as stack:
        ask_much(server, stack, 6)
        before = server.memory()
        ask_much(server, stack, 20)  # of 2 MB of JSON
        until(lambda: server.memory() - before < 20 * MEGABYTE)


def test_bombs(server: ServerApart) -> None:
    """A megabyte that expands to a gigabyte is refused, and its memory given back."""
    bomb = gzip.compress(bytes(MEGABYTE), 9) * 1000

    def explode(wire: Wire) -> None:
        wire.send(post(INFER, bomb, Content_Encoding="gzip"))
        reply = wire.reply()
        assert reply.status in (400, 413)
        assert "when expanded" in reply.error

    with contextlib.ExitStack() as stack:
        explode(stack.enter_context(Wire(server.http_port)))
        before = server.memory()
        explode(stack.enter_context(Wire(server.http_port)))
        until(lambda: server.memory() - before < 20 * MEGABYTE)  # it expands to 64 MB before it is refused
