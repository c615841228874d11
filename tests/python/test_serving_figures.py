"""What a live server says of itself: figures that add up to what was sent, as Prometheus and Triton read them."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from plain_client import ask, question, until
from registry_models import linear

from maas_engine._server import Server as DataPlane
from maas_engine.errors import InvalidArgument
from maas_engine.serving import Server
from maas_engine.serving._metrics import metrics_text

parser = pytest.importorskip("prometheus_client.parser")
pytest.importorskip("starlette")

THREADS, ROUNDS = 8, 40


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"m": linear(), 'a"\\b': linear()}, tcp_port=0, threads=2) as started:
        yield started


def frame(model: str, rows: Any, number: int = 1) -> bytes:
    """An infer frame of docs/raw_protocol.md."""
    array = np.asarray(rows, "<f8")
    tensor = struct.pack("<BBHIQ2Q", 12, 2, 1, 0, array.nbytes, *array.shape) + b"X" + array.tobytes()
    head = struct.pack("<BBHQIHHHHI", 1, 1, 0, number, 0, len(model), 0, 1, 0, 0)
    body = head + model.encode() + tensor
    return struct.pack("<I", len(body)) + body


def read_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        assert part
        data += part
    return data


def answer_status(connection: socket.socket) -> int:
    """The status of the next frame."""
    size = struct.unpack("<I", read_exactly(connection, 4))[0]
    return int(struct.unpack_from("<BBH", read_exactly(connection, size))[2])


def scrape(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by name and labels, as Prometheus' own parser has them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.read().decode()
    connection.close()
    return parsed(text)


def parsed(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.type != "unknown", family.name
        assert family.documentation, family.name
        for each in family.samples:
            key = each.name, frozenset(each.labels.items())
            assert key not in samples, key
            samples[key] = each.value
    return samples


def value(samples: dict[Any, float], name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def send_all(server: Server) -> list[Any]:
    """From 8 threads, each on connections of its own: good, wrong and unknown ones, over both protocols."""
    wrong: list[Any] = []

    def work(number: int) -> None:
        rows = np.ones((1 + number, 3))
        with socket.create_connection(("127.0.0.1", server.tcp_port)) as raw:
            for _ in range(ROUNDS):
                status = ask(server.port, "/v2/models/m/infer", question(rows))[0]
                refused = ask(server.port, "/v2/models/m/infer", question(rows[:, :2]))[0]
                unknown = ask(server.port, f"/v2/models/none{number}/infer", question(rows))[0]
                raw.sendall(
                    frame("m", rows) + frame("m", rows, 2) + frame("m", rows[:, :2]) + frame("no", rows)
                )
                raws = sorted(answer_status(raw) for _ in range(4))
                if (status, refused, unknown, raws) != (200, 400, 404, [0, 0, 1, 3]):
                    wrong.append((status, refused, unknown, raws))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_figures_add_up_to_what_was_sent(server: Server) -> None:
    stop = threading.Event()
    counts: list[float] = []

    def watch() -> None:
        while not stop.is_set():
            counts.append(value(scrape(server.port), "maas_request_seconds_count", **labels("http")))

    def labels(protocol: str) -> dict[str, str]:
        return {"model": "m", "version": "1", "protocol": protocol}

    ask(server.port, "/v2/models/m/infer", question(np.ones((1, 3))))
    watcher = threading.Thread(target=watch)
    watcher.start()
    assert send_all(server) == []
    stop.set()
    watcher.join()
    assert counts == sorted(counts), "a counter fell"

    n = THREADS * ROUNDS
    rows = ROUNDS * sum(range(1, THREADS + 1))
    found = scrape(server.port)
    assert value(found, "maas_requests_total", **labels("http")) == 2 * n + 1
    assert value(found, "maas_requests_total", **labels("raw")) == 3 * n
    assert value(found, "maas_rows_total", **labels("http")) == rows + 1
    assert value(found, "maas_rows_total", **labels("raw")) == 2 * rows
    for protocol in ("http", "raw"):
        assert value(found, "maas_errors_total", cause="InvalidArgument", **labels(protocol)) == n
        assert value(found, "maas_errors_total", cause="Internal", **labels(protocol)) == 0
        assert value(found, "maas_other_errors_total", cause="NotFound", protocol=protocol) == n
    assert value(found, "maas_run_rows_sum", model="m", version="1") == 3 * rows + 1
    assert value(found, "maas_connections_opened_total", protocol="raw") == THREADS
    until(lambda: value(scrape(server.port), "maas_connections", protocol="raw") == 0)
    check_times(found, labels("http"), n + 1)
    check_times(found, labels("raw"), 2 * n)
    check_statistics(server.port, n, rows, found)


def check_times(found: dict[Any, float], labels: dict[str, str], answered: int) -> None:
    names = ["wait_", "decode_", "run_", "encode_"]
    for part in ["", *names]:
        name = f"maas_request_{part}seconds"
        assert value(found, f"{name}_count", **labels) == answered
        assert value(found, f"{name}_bucket", le="+Inf", **labels) == answered
        assert value(found, f"{name}_bucket", le="1e-06", **labels) <= answered
    parts = sum(value(found, f"maas_request_{part}seconds_sum", **labels) for part in names)
    assert parts == pytest.approx(value(found, "maas_request_seconds_sum", **labels), rel=1e-6)
    assert 0 < parts < 60 * answered


def check_statistics(port: int, n: int, rows: int, found: dict[Any, float]) -> None:
    (stats,) = ask(port, "/v2/models/m/stats")[1]["model_stats"]
    (again,) = ask(port, "/v2/models/m/versions/1/stats")[1]["model_stats"]
    assert abs(again.pop("last_inference") - stats["last_inference"]) <= 1  # rounded anew
    assert again.items() <= stats.items()
    assert (stats["name"], stats["version"]) == ("m", "1")
    assert stats["inference_count"] == 3 * rows + 1
    assert stats["execution_count"] == value(found, "maas_run_rows_count", model="m", version="1")
    assert 0 < stats["execution_count"] <= 3 * n + 1
    inference = stats["inference_stats"]
    assert inference["success"]["count"] == 3 * n + 1
    assert inference["fail"]["count"] == 2 * n
    assert inference["fail"]["ns"] > 0
    parts = ("queue", "compute_input", "compute_infer", "compute_output")
    assert sum(inference[part]["ns"] for part in parts) == inference["success"]["ns"]
    import time

    assert 0 <= time.time() - stats["last_inference"] / 1000 < 60


def test_statistics_of_all_models_and_of_none(server: Server) -> None:
    all_models = ask(server.port, "/v2/models/stats")[1]["model_stats"]
    assert [each["name"] for each in all_models] == ['a"\\b', "m"]
    assert all_models[0]["inference_stats"]["success"] == {"count": 0, "ns": 0}
    assert all_models[0]["last_inference"] == 0
    status, answer = ask(server.port, "/v2/models/none/stats")
    assert (status, answer) == (404, {"error": "Request for unknown model: 'none' is not found"})
    assert ask(server.port, "/v2/models/m/versions/7/stats")[0] == 404


def test_names_are_escaped(server: Server) -> None:
    ask(server.port, "/v2/models/a%22%5Cb/infer", question(np.ones((1, 3))))
    found = scrape(server.port)
    assert value(found, "maas_requests_total", model='a"\\b', version="1", protocol="http") == 1
    assert value(found, "maas_model_ready", model='a"\\b', version="1") == 1


def test_what_clients_invent_makes_no_series(server: Server) -> None:
    before = set(scrape(server.port))
    for number in range(20):
        ask(server.port, f"/v2/models/x{number}/infer", b"{}")
        ask(server.port, f"/v2/models/m/versions/{number + 2}/infer", b"{}")
        ask(server.port, f"/x{number}")
    assert set(scrape(server.port)) == before


def test_figures_outlive_the_models_and_the_server() -> None:
    plane = DataPlane({"http_port": 0})
    assert parsed(metrics_text(plane.figures()))
    plane.start()
    plane.set_model("m", "1", linear().to_bytes())
    ask(plane.http_port, "/v2/models/m/infer", question(np.ones((2, 3))))
    assert plane.remove_model("m", "1")
    plane.set_model("m", "1", linear().to_bytes())
    ask(plane.http_port, "/v2/models/m/infer", question(np.ones((2, 3))))
    plane.stop(1.0)
    figures = plane.figures()
    assert [each["model"] for each in figures["models"]] == ["", "m"]
    assert figures["models"][1]["http"]["rows"] == 4
    assert figures["opened"] == figures["closed"] == {"http": 2, "raw": 0}


def test_large_requests_are_counted_too() -> None:
    plane = DataPlane({"http_port": 0})
    plane.start()
    plane.set_model("m", "1", linear().to_bytes())
    rows = np.ones((400_000, 3))
    body = question(rows[:1])
    body["inputs"][0]["shape"] = list(rows.shape)
    body["inputs"][0]["parameters"] = {"binary_data_size": rows.nbytes}
    del body["inputs"][0]["data"]
    import json

    head = json.dumps({**body, "outputs": []}).encode()
    fields = {"Inference-Header-Content-Length": str(len(head))}
    assert ask(plane.http_port, "/v2/models/m/infer", head + rows.tobytes(), **fields)[0] == 200
    found = plane.figures()["models"][1]
    plane.stop(1.0)
    assert found["http"]["rows"] == found["run_rows"]["sum"] == 400_000
    times = {part: spread["sum"] for part, spread in found["http"]["times_ns"].items()}
    assert times["all"] == times["wait"] + times["decode"] + times["run"] + times["encode"]
    assert found["run_ns"] == times["run"] > 0


def test_a_batch_waits_for_more_to_join() -> None:
    """Two requests of two connections, one after the other, are one run where a batch waits."""
    with Server({"m": linear()}, tcp_port=0, threads=1, batch_wait_us=300_000) as server:
        address = ("127.0.0.1", server.tcp_port)
        with socket.create_connection(address) as first, socket.create_connection(address) as second:

            def runs_of_two_requests() -> float:
                before = value(scrape(server.port), "maas_run_rows_count", model="m", version="1")
                for connection in (first, second):
                    connection.sendall(frame("m", np.ones((2, 3))))
                assert answer_status(first) == answer_status(second) == 0
                return value(scrape(server.port), "maas_run_rows_count", model="m", version="1") - before

            until(lambda: runs_of_two_requests() == 1)


@pytest.mark.parametrize("wait", [-1, 1_000_001])
def test_a_batch_waits_for_a_second_at_most(wait: int) -> None:
    with pytest.raises(InvalidArgument, match="0 to 1000000 us"), Server({"m": linear()}, batch_wait_us=wait):
        pass


def test_versions_that_are_long_gone_have_one_series() -> None:
    """What was counted for a model never falls, however many versions came and went."""
    plane = DataPlane({"http_port": -1, "tcp_port": 0})
    plane.start()
    try:
        with socket.create_connection(("127.0.0.1", plane.tcp_port)) as connection:
            for version in range(1, 31):
                plane.set_model("m", str(version), linear().to_bytes())
                plane.remove_model("m", str(version - 1))
                connection.sendall(frame("m", np.ones((2, 3))))
                assert answer_status(connection) == 0
                samples = parsed(metrics_text(plane.figures()))
                rows = {
                    dict(labels)["version"]: count
                    for (name, labels), count in samples.items()
                    if name == "maas_rows_total"
                }
                assert sum(rows.values()) == 2 * version
                assert len(rows) <= 10
                assert rows[str(version)] == 2
    finally:
        plane.stop(1.0)
