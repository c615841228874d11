"""Callers that mean ill, are broken or gone, beside others that are answered with the right bits.

`make test-faults` does it for long, `make test` what takes a second.
"""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from askers import FAULTS, MODELS, asked_by, once_or, serving
from plain_client import ask, until
from served import Wire, frame, infer_json, post
from serving_process import ServingProcess

pytest.importorskip("starlette")

ROWS = np.ones((1, 3))
INFER = post("/v2/models/m/infer", infer_json({"X": ROWS}))
MEGABYTE = 1 << 20


@pytest.fixture
def model(tmp_path: Path) -> str:
    MODELS[0].save(tmp_path / "m.onnx")
    return f"m={tmp_path / 'm.onnx'}"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits are Linux's")
def test_descriptors_run_out_and_come_back(model: str) -> None:
    """Who is there is answered, nobody computes in vain, and who waits gets in once others leave."""
    with serving("--model", model) as server:
        with Wire(server.port) as held:
            with asked_by(server) as askers:
                assert ask(server.port, "/openapi.json")[0] == 200  # everything is loaded
                held.send(INFER)
                assert held.reply().status == 200
                askers.more()
                limit = server.descriptors() + 10
                resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
                wires = [Wire(port) for _ in range(60) for port in (server.port, server.tcp_port)]
                until(lambda: server.descriptors() == limit, 60)
                askers.more(50)
                assert askers.all_well()
            wires += [Wire(server.port) for _ in range(10)]  # in the place of the askers
            until(lambda: server.descriptors() == limit, 60)
            begun, computed = time.monotonic(), server.computed()
            time.sleep(0.5)
            assert server.computed() - computed < 0.5 * (time.monotonic() - begun)
            held.send(INFER)
            assert held.reply().status == 200
        for wire in wires:
            wire.socket.close()

        def let_in() -> bool:
            with Wire(server.port) as late, contextlib.suppress(EOFError, ConnectionError):
                late.send(INFER)
                return late.reply().status == 200
            return False

        until(let_in, 60)
        assert server.end() == 0


def test_callers_whose_machine_is_gone(model: str) -> None:
    """Nothing is ever said on their connections again, not even that they end."""
    with serving("--model", model, "--idle-seconds", "1") as server:
        assert ask(server.port, "/openapi.json")[0] == 200
        before = server.descriptors()
        for port, message in ((server.port, INFER), (server.tcp_port, frame({"X": ROWS}, "m"))):
            for _ in range(20):
                with Wire(port) as wire:
                    wire.send(message)
                    wire.take(1)
                    try:
                        wire.socket.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR: closed without a word
                    except PermissionError:
                        pytest.skip("only root may let a connection vanish")
        assert server.descriptors() >= before + 20
        until(lambda: server.descriptors() <= before, 60)


@FAULTS
def test_slow_senders_hear_that_they_are(model: str) -> None:
    """With the limits that a server has by itself: a head within ten seconds."""
    with serving("--model", model) as server, asked_by(server) as askers:
        with Wire(server.port, 120) as head, Wire(server.tcp_port, 120) as raw:
            raw.send(b"\x40")
            told: list[int] = []
            reader = threading.Thread(target=lambda: told.append(head.reply().status))
            reader.start()
            for byte in INFER:
                if told:
                    break
                head.send(bytes([byte]))
                time.sleep(0.5)
            reader.join()
            assert told == [408]
            assert (answer := raw.frame()).status == 7
            assert "within 10 seconds" in answer.error
        assert askers.all_well()


Mischief = Callable[[ServingProcess, random.Random], None]


def talk_nonsense(server: ServingProcess, draws: random.Random) -> None:
    messages = [INFER, frame({"X": ROWS}, "m"), b"GET / HTTP/1.1\r\n", b"\x16\x03\x01"]
    with Wire(draws.choice([server.port, server.tcp_port])) as wire:
        wire.send(draws.choice(messages)[: draws.randrange(200)] + draws.randbytes(draws.randrange(2000)))
        wire.socket.shutdown(socket.SHUT_WR)
        while wire.socket.recv(1 << 16):
            pass


def leave_at_once(server: ServingProcess, draws: random.Random) -> None:
    wires = [Wire(draws.choice([server.port, server.tcp_port])) for _ in range(20)]
    for wire in wires:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        wire.send(INFER[: draws.randrange(len(INFER))])
        wire.socket.close()


def never_read(server: ServingProcess, draws: random.Random) -> None:
    raw = draws.random() < 0.5
    rows = np.zeros((1000, 3))
    message = frame({"X": rows}, "m") if raw else post("/v2/models/m/infer", infer_json({"X": rows}))
    with Wire(server.tcp_port if raw else server.port) as wire:
        wire.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                wire.send(message)


def claim_much(server: ServingProcess, draws: random.Random) -> None:
    wires = []
    for _ in range(20):
        size = draws.randrange(MEGABYTE, 60 * MEGABYTE)
        wires.append(Wire(server.port))
        head = f"POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n"
        wires[-1].send(head.encode() + b" " * draws.randrange(100))
        wires.append(Wire(server.tcp_port))
        wires[-1].send(size.to_bytes(4, "little") + b"\1\1")
    for wire in wires:
        wire.socket.close()


def drip(server: ServingProcess, draws: random.Random) -> None:
    with Wire(server.port) as wire:
        for byte in INFER[: draws.randrange(60)]:
            wire.send(bytes([byte]))
            time.sleep(0.01)


@once_or(60)
def test_everyone_means_ill_at_once(model: str, count: int) -> None:
    """For `count` seconds. The others are answered, memory stays, and nothing is left behind."""
    mischief: list[Mischief] = [talk_nonsense, leave_at_once, never_read, claim_much, drip]
    with serving("--model", model) as server, asked_by(server) as askers:
        assert ask(server.port, "/openapi.json")[0] == 200
        askers.more()
        memory, descriptors = server.memory(), server.descriptors()
        end = time.monotonic() + count

        def mean_ill(each: Mischief, seed: int) -> None:
            draws = random.Random(seed)
            while time.monotonic() < end:
                with contextlib.suppress(ConnectionError):
                    each(server, draws)

        threads = [
            threading.Thread(target=mean_ill, args=each) for each in zip(mischief, range(5), strict=True)
        ]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, server.memory())
            askers.more(1)
        for thread in threads:
            thread.join()
        askers.more()
        assert askers.all_well()
        assert most < memory + 100 * MEGABYTE
        until(lambda: server.descriptors() <= descriptors, 60)
        assert server.end() == 0
