"""Clients that mean ill or are broken: they harm themselves. The others are answered, memory stays bounded."""

from __future__ import annotations

import contextlib
import gzip
import random
import resource
import select
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import (
    ServerApart,
    Wire,
    frame,
    infer_binary,
    infer_json,
    mlp,
    post,
    read_outputs,
    serve_apart,
    until,
)

MODEL = mlp(np.float32)
ROW = np.arange(10, dtype=np.float32)[None] / 8
EXPECTED = MODEL.predict(ROW).tobytes()
INFER = "/v2/models/small/infer"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[ServerApart]:
    with serve_apart({"small": MODEL}) as started:
        yield started


def assert_serves(server: ServerApart) -> None:
    """On both threads and over both protocols, at once."""
    for _ in range(2):
        with Wire(server.http_port) as wire:
            wire.send(post(INFER, infer_json({"input": ROW})))
            assert read_outputs(wire.reply())["output"].tobytes() == EXPECTED
        with Wire(server.tcp_port) as wire:
            wire.send(frame({"input": ROW}, "small"))
            assert wire.frame().tensors["output"].tobytes() == EXPECTED


@pytest.fixture(autouse=True)
def still_serves(server: ServerApart) -> Iterator[None]:
    yield
    assert_serves(server)


BINARY, JSON_SIZE = infer_binary({"input": ROW})
MESSAGES = {
    "json": post(INFER, infer_json({"input": ROW})),
    "binary": post(INFER, BINARY, Inference_Header_Content_Length=JSON_SIZE),
    "gzip": post(INFER, gzip.compress(infer_json({"input": ROW}), mtime=0), Content_Encoding="gzip"),
    "frame": frame({"input": ROW}, "small"),
}


def _port(server: ServerApart, name: str) -> int:
    return server.tcp_port if name == "frame" else server.http_port


@pytest.mark.parametrize("name", MESSAGES)
def test_cut_at_every_length(server: ServerApart, name: str) -> None:
    """A message that stops short is not answered, whether its sender closes its half or goes."""
    message = MESSAGES[name]
    for cut in range(len(message)):
        with Wire(_port(server, name)) as wire:
            wire.send(message[:cut])
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.ended(), cut


@pytest.mark.parametrize("name", MESSAGES)
def test_one_byte_wrong_at_every_place(server: ServerApart, name: str) -> None:
    """Answered, refused or waited for; never a crash, never another caller's bytes."""
    message = MESSAGES[name]
    other = b"\xff" if name == "frame" else b"\x00"
    for place in range(len(message)):
        with Wire(_port(server, name)) as wire:
            wire.send(message[:place] + other + message[place + 1 :])
            wire.socket.shutdown(socket.SHUT_WR)
            with contextlib.suppress(EOFError, ConnectionResetError):
                if name == "frame":
                    assert wire.frame().status in range(9)
                else:
                    assert wire.reply().status in {200, 400, 404, 405, 413, 431, 501, 505}


def test_half_open(server: ServerApart) -> None:
    """Who sends all and closes that half still gets every answer."""
    for name, message in MESSAGES.items():
        with Wire(_port(server, name)) as wire:
            wire.send(message * 3)
            wire.socket.shutdown(socket.SHUT_WR)
            for _ in range(3):
                if name == "frame":
                    assert wire.frame().tensors["output"].tobytes() == EXPECTED
                else:
                    assert wire.reply().status == 200
            assert wire.ended()


def test_gone_before_the_answer(server: ServerApart) -> None:
    before = server.descriptors()
    big = frame({"input": np.zeros((20000, 10), "f4")}, "small")
    for i in range(100):
        for name in ("json", "frame"):
            with Wire(_port(server, name)) as wire:
                wire.send(big if i % 10 == 0 and name == "frame" else MESSAGES[name])
                linger = bytes([1, 0, 0, 0, 0, 0, 0, 0])  # a reset, not an end
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert_serves(server)
    until(lambda: server.descriptors() <= before)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), prefix=st.integers(0, 200), raw=st.booleans())
def test_random_bytes(server: ServerApart, data: bytes, prefix: int, raw: bool) -> None:
    message = MESSAGES["frame" if raw else "binary"]
    with Wire(server.tcp_port if raw else server.http_port) as wire:
        with contextlib.suppress(ConnectionError):
            wire.send(message[:prefix] + data)
            wire.socket.shutdown(socket.SHUT_WR)
        end = time.monotonic() + 60
        with contextlib.suppress(ConnectionError):
            while wire.socket.recv(1 << 16):
                assert time.monotonic() < end


def test_claims_take_no_memory(server: ServerApart) -> None:
    """Lengths up to the limit that nothing follows: memory grows with what has come."""
    wires = []
    before = server.memory()
    for i in range(200):
        raw = i % 2 == 0
        wire = Wire(server.tcp_port if raw else server.http_port)
        if raw:
            wire.send((60 * MEGABYTE).to_bytes(4, "little") + b"\1\1" + bytes(100))
        else:
            wire.send(
                f"POST {INFER} HTTP/1.1\r\nHost: h\r\nContent-Length: {60 * MEGABYTE}\r\n\r\n".encode()
                + b"{" * 100
            )
        wires.append(wire)
    assert_serves(server)
    assert server.memory() - before < 30 * MEGABYTE
    for wire in wires:
        wire.socket.close()


def test_shapes_that_claim_take_no_memory(server: ServerApart) -> None:
    before = server.memory()
    count = 2**31
    text = b'{"inputs":[{"name":"input","shape":[%d,10],"datatype":"FP32","data":[]}]}' % count
    with Wire(server.http_port) as wire:
        for body in (
            text,
            text.replace(b'"data":[]', b'"parameters":{"binary_data_size":%d}' % (40 * count)),
        ):
            wire.send(post(INFER, body))
            assert wire.reply().status == 400
    with Wire(server.tcp_port) as wire:
        claim = bytearray(MESSAGES["frame"])
        claim[53:61] = count.to_bytes(8, "little")
        wire.send(bytes(claim))
        assert wire.frame().status == 1
    assert server.memory() - before < 10 * MEGABYTE


def test_slow_senders_hold_nobody_up(server: ServerApart) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Wire(server.http_port)) for _ in range(50)]
        message = MESSAGES["json"]
        for i in range(0, len(message), 40):
            for wire in slow:
                wire.send(message[i : i + 40])
            with Wire(server.http_port) as quick:  # answered while the others still send
                quick.send(message)
                assert quick.reply().status == 200
        for wire in slow:
            assert wire.reply().status == 200


def test_a_client_that_never_reads(server: ServerApart) -> None:
    """Its requests are held back when its answers are not taken: it fills its sockets, not our memory."""
    rows = np.zeros((1000, 10), "f4")
    for name, message in {
        "json": post(INFER, infer_json({"input": rows})),
        "frame": frame({"input": rows}, "small"),
    }.items():
        before = server.memory()
        with Wire(_port(server, name)) as wire:
            wire.socket.setblocking(False)
            sent, idle = 0, 0
            while idle < 5 and sent < 200 * MEGABYTE:
                if select.select([], [wire.socket], [], 0.1)[1]:
                    with contextlib.suppress(BlockingIOError):
                        sent += wire.socket.send(message * 20)
                    idle = 0
                else:
                    idle += 1
            assert sent < 200 * MEGABYTE
            assert server.memory() - before < 40 * MEGABYTE
            assert_serves(server)


def test_refused_before_all_was_sent(server: ServerApart) -> None:
    """Who still sends a body that is too large reads why it was refused, not a broken connection."""
    with Wire(server.http_port) as wire:
        wire.send(f"POST {INFER} HTTP/1.1\r\nHost: h\r\nContent-Length: {1 << 30}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                wire.send(bytes(1 << 16))
                time.sleep(0.005)
        assert wire.reply().status == 413


def test_two_thousand_connections(server: ServerApart) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6000:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 6000), hard))
    before = server.memory()
    try:
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(Wire(server.http_port)) for _ in range(2000)]
            assert_serves(server)
            for wire in wires:
                wire.send(MESSAGES["json"])
            for wire in wires:
                assert wire.reply().status == 200
            assert server.memory() - before < 60 * MEGABYTE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_shuffled_pieces_of_good_messages(server: ServerApart) -> None:
    """What fuzzers find first: heads, bodies and frames cut and put together anew."""
    draws = random.Random(5)
    pieces = [message[i : i + 23] for message in MESSAGES.values() for i in range(0, len(message), 23)]
    for i in range(300):
        name = ("json", "frame")[i % 2]
        start = MESSAGES[name] if i % 3 == 0 else b""
        text = start + b"".join(draws.choices(pieces, k=draws.randrange(1, 40)))
        with Wire(_port(server, name)) as wire, contextlib.suppress(ConnectionError):
            wire.send(text)
            wire.socket.shutdown(socket.SHUT_WR)
            while wire.socket.recv(1 << 16):
                pass


def test_descriptors_exhausted() -> None:
    """A server that can open no more waits, keeps those that it has, and welcomes others when some end."""
    with serve_apart({"small": MODEL}, descriptors=64) as small:
        port = small.http_port
        wires = [Wire(port)]
        wires[0].send(MESSAGES["json"])
        assert wires[0].reply().status == 200
        wires += [Wire(port) for _ in range(100)]  # the system takes them; the server cannot
        for _ in range(20):
            wires[0].send(MESSAGES["json"])
            assert wires[0].reply().status == 200
        for wire in wires[1:]:
            wire.socket.close()
        with Wire(port) as late:
            late.send(MESSAGES["json"])
            assert late.reply().status == 200
        wires[0].socket.close()
