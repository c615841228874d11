"""`predict --url` beside `predict FILE`, and `bench --url` before a server that answers as slowly as told."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models
from hostile_server import answer, hostile, http

from maas_engine.cli import main

pytest.importorskip("typer")
_server = pytest.importorskip("maas_engine._server")

TABLE = "age,height,city,count\n31,1.5,Oslo,2\n40.5,1.75,Łódź,3\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    running = _server.Server({"http_port": 0, "tcp_port": 0})
    running.start()
    running.set_model("mixed", "1", small_models.mixed().to_bytes())
    running.set_model("labels", "1", small_models.classifier(["no", "yes", "może"], 2).to_bytes())
    yield running
    running.stop(2.0)


def command(*arguments: str, status: int = 0) -> str:
    """What the command line says, run in this process: starting another for each takes longer than all it proves."""
    error = io.StringIO()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,  # predict writes to the file beneath
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(output),
        redirect_stderr(error),
    ):
        patch.setattr(sys, "argv", ["maas-engine", *arguments])
        patch.setattr(warnings, "showwarning", warnings.showwarning)  # which main replaces
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == status, error.getvalue()
        output.seek(0)
        return output.read() if status == 0 else error.getvalue()


def test_in_a_process_of_its_own(server: Any, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    asked = [
        "predict",
        "--url",
        f"tcp://127.0.0.1:{server.tcp_port}",
        "--model",
        "mixed",
        str(tmp_path / "table.csv"),
    ]
    done = subprocess.run([sys.executable, "-m", "maas_engine", *asked], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 3


def test_predictions_are_those_of_the_file(server: Any, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    table = str(tmp_path / "table.csv")
    small_models.mixed().save(tmp_path / "mixed.onnx")
    expected = command("predict", str(tmp_path / "mixed.onnx"), table)
    for url in (f"http://127.0.0.1:{server.http_port}", f"tcp://127.0.0.1:{server.tcp_port}"):
        assert command("predict", "--url", url, "--model", "mixed", table) == expected
        assert command("predict", "--url", url, "--model", "mixed/1", table) == expected


def test_probabilities_have_the_labels(server: Any, tmp_path: Path) -> None:
    model = small_models.classifier(["no", "yes", "może"], 2)
    model.save(tmp_path / "labels.onnx")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,-4\n")
    table = str(tmp_path / "table.csv")
    url = f"http://127.0.0.1:{server.http_port}"
    asked = command("predict", "--url", url, "--model", "labels", "--proba", table)
    assert asked == command("predict", str(tmp_path / "labels.onnx"), "--proba", table)


def test_wrong_usage(server: Any, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.http_port}"
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    table = str(tmp_path / "table.csv")
    assert "--model NAME" in command("predict", "--url", url, table, status=2)
    assert "unknown model" in command("predict", "--url", url, "--model", "none", table, status=1)
    assert "predict FILE DATA" in command("predict", table, status=2)
    assert "one --model" in command("bench", "--url", url, status=2)


@pytest.mark.parametrize("protocol", ["http", "http-json", "tcp"])
@pytest.mark.parametrize("loop", [[], ["--rate", "500"]], ids=["closed", "open"])
def test_bench_counts_what_the_server_counts(server: Any, protocol: str, loop: list[str]) -> None:
    scheme = protocol[:4].rstrip("-")
    port = server.tcp_port if scheme == "tcp" else server.http_port
    arguments = [
        "bench",
        "--url",
        f"{scheme}://127.0.0.1:{port}",
        "--model",
        "labels",
        "--seconds",
        "0.2",
        "--json",
    ]
    body = ["--json-body"] if protocol == "http-json" else []
    result = json.loads(
        command(*arguments, *body, *loop, "--connections", "2", "--pipeline", "2", "--rows", "3")
    )
    assert result["errors"] == {}
    assert result["loop"] == ("open" if loop else "closed")
    assert sum(count for _, count in result["histogram"]) == result["requests"] > 0
    if loop:
        assert 99 <= result["requests"] <= 101
    assert result["rows_per_second"] == pytest.approx(3 * result["answers_per_second"])
    latencies = list(result["latency"].values())
    assert latencies == sorted(latencies)


def generator(port: int, **options: Any) -> Any:
    request = b"GET / HTTP/1.1\r\n\r\n"
    return _server.LoadGenerator({"port": port, "patience": 60.0, **options}, request)


def test_latency_counts_from_when_a_request_was_due() -> None:
    # One stall of 0.3 s at 100 requests a second on one connection: about 30 requests were due meanwhile.
    script = [step for i in range(200) for step in ([0.3, answer(1.0)] if i == 20 else [answer(1.0)])]
    with hostile(script) as server:
        open_loop = generator(server.port, rate=100.0, seconds=1.0).run()
    with hostile(script[:100]) as server:
        closed = generator(server.port, seconds=0.5).run()
    slow = [sum(count for end, count in run["buckets"] if end > 50e6) for run in (open_loop, closed)]
    assert slow[0] >= 20
    # Which is why a closed loop flatters: one after the other, no more fit into its time, however slow the machine.
    assert 1 <= slow[1] <= 0.5 / 0.05 + 1


def test_errors_are_counted_by_status() -> None:
    with hostile([http(b"{}", 503), http(b"{}", 200), http(b"{}", 429), None]) as server:
        result = generator(server.port, rate=40.0, seconds=0.5).run()
    assert set(result["statuses"]) == {200, 429, 503}
    assert sum(result["statuses"].values()) + sum(result["lost"].values()) == result["asked"] == 20


def test_silence_is_no_success() -> None:
    with hostile([600.0, b""]) as server:
        result = generator(server.port, rate=20.0, seconds=0.3, patience=0.2).run()
    assert result["lost"]["unanswered"] == result["asked"] == 6


@pytest.mark.parametrize("garbage", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_garbage_is_refused(garbage: bytes) -> None:
    with hostile([garbage]) as server, pytest.raises(ValueError, match="expected"):
        generator(server.port, seconds=0.3).run()


def test_it_can_be_stopped() -> None:
    with hostile([answer(1.0)] * 100_000) as server:
        running = generator(server.port, seconds=60.0)
        timer = threading.Timer(0.2, running.stop)
        timer.start()
        start = time.monotonic()
        result = running.run()
        timer.join()
    assert time.monotonic() - start < 30
    assert sum(count for _, count in result["buckets"]) > 0


def test_no_latency_is_less_than_it_took() -> None:
    with hostile([0.02, answer(1.0)] * 50) as server:
        result = generator(server.port, seconds=0.5).run()
    assert sum(count for _, count in result["buckets"]) == result["asked"] > 0
    assert min(end for end, _ in result["buckets"]) >= 20e6


def test_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from maas_engine.cli import _load

    histogram = [[1e-5 * 1.1**i, 1 + 1000 // (i + 1)] for i in range(60)]
    _load.draw(
        {"model": "m", "answers_per_second": 1000.0, "loop": "open", "histogram": histogram},
        str(tmp_path / "a.svg"),
    )
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_summary_puts_the_lost_last() -> None:
    from maas_engine.cli import _load

    measured = {
        "buckets": [(1000, 98)],
        "statuses": {200: 97, 503: 1},
        "lost": {"closed": 2},
        "asked": 100,
        "seconds": 1.0,
    }
    found = _load.summary(measured, 1)
    assert found["errors"] == {"503": 1, "closed": 2}
    assert found["latency"]["p90"] == 1e-6
    assert np.isinf(found["latency"]["p99"])
    assert found["answers_per_second"] == 97
