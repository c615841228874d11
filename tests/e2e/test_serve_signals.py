"""`maas-engine serve` and signals: what has come is answered before it ends; SIGHUP reads files anew."""

from __future__ import annotations

import json
import signal
import socket
import struct
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from serving_process import ServingProcess

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model

pytest.importorskip("starlette")

ROW = [[1.0, 2.0, 3.0]]
HEAD = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\n"
BODY = json.dumps({"inputs": [{"name": "X", "shape": [1, 3], "datatype": "FP64", "data": ROW}]}).encode()


def linear(seed: int) -> Model:
    builder = GraphBuilder("linear")
    x = builder.input("X", np.float64, (None, 3))
    weights = np.random.default_rng(seed).normal(size=(3, 1))
    builder.output(builder.add("MatMul", x, builder.constant(weights)))
    return Model(builder.build())


def answer_of(seed: int) -> list[float]:
    values: list[float] = linear(seed).predict(ROW).ravel().tolist()
    return values


def asked(port: int) -> list[float]:
    url = f"http://127.0.0.1:{port}/v2/models/m/infer"
    with urllib.request.urlopen(url, BODY, timeout=60) as answer:
        values: list[float] = json.load(answer)["outputs"][0]["data"]
    return values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    linear(1).save(tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=60)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def test_requests_under_way_are_waited_for(path: Path) -> None:
    """One whose body is still coming; frames that were sent before the signal."""
    with ServingProcess("--model", f"m={path}", "--tcp-port", "0") as server:
        server.wait_for("ready")
        with connected(server.port) as slow, connected(server.tcp_port) as raw:
            slow.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:20])
            ping = struct.pack("<IBBHQIHHHHI", 28, 1, 2, 0, 7, 0, 0, 0, 0, 0, 0)
            answers = raw.makefile("rb")
            raw.sendall(ping)
            assert len(answers.read(32)) == 32
            raw.sendall(ping * 500)
            server.process.send_signal(signal.SIGTERM)
            assert len(answers.read()) == 32 * 500, "all, and then it closes"
            server.wait_for("stopping")
            slow.sendall(BODY[20:])
            answer = b"".join(iter(lambda: slow.recv(4096), b""))
        head, body = answer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nConnection: close" in head
        assert json.loads(body)["outputs"][0]["data"] == answer_of(1)
        assert server.process.wait(60) == 0


def test_requests_are_waited_for_also_while_it_starts(path: Path) -> None:
    with ServingProcess("--model", f"m={path}") as server:  # it listens, no more
        with connected(server.port) as slow:
            slow.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: h\r\n")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("stopping")
            slow.sendall(b"\r\n")
            assert slow.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(60) == 0


def test_nothing_is_waited_for_longer_than_drain_says(path: Path) -> None:
    with ServingProcess("--model", f"m={path}", "--drain", "1") as server:
        server.wait_for("ready")
        with connected(server.port) as slow:
            slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
            assert server.end() == 0
            assert slow.recv(1) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(path: Path, number: int) -> None:
    with ServingProcess("--model", f"m={path}", "--drain", "1000") as server:
        server.wait_for("ready")
        with connected(server.port) as slow:
            slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("stopping")
            assert server.end(number) == -number


def test_sighup_reads_files_anew(path: Path) -> None:
    with ServingProcess("--model", f"m={path}") as server:
        server.wait_for("ready")
        assert asked(server.port) == answer_of(1)
        linear(2).save(path)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("reloading")
        server.wait_for("loaded")
        assert asked(server.port) == answer_of(2)
        path.write_bytes(b"junk")
        server.process.send_signal(signal.SIGHUP)
        assert "onnx" in server.wait_for("refused")["reason"]
        assert asked(server.port) == answer_of(2)
        assert server.end() == 0


def test_watch_follows_files(path: Path) -> None:
    with ServingProcess("--model", f"m={path}", "--watch") as server:
        server.wait_for("ready")
        linear(3).save(path)
        server.wait_for("loaded")
        assert asked(server.port) == answer_of(3)
        assert server.end() == 0


def test_systemd_hears_when_it_is_ready_and_when_it_stops(path: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with ServingProcess("--model", f"m={path}", environment=environment) as server:
            assert manager.recv(100) == b"READY=1"
            assert asked(server.port) == answer_of(1)
            assert server.end() == 0
            assert manager.recv(100) == b"STOPPING=1"
