"""`python -m benchmarks.serving.raw`: raw frames beside an echo of the same bytes, on one thread each.

The echo is 90 lines of C over epoll that read no more of a request than its id: what a socket costs, and the floor of
any server. Server and echo are on the first core, each on its own while it is loaded; the generator that loads them in
turns is on the last one. Needs a C compiler.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from maas_engine import _server
from maas_engine.cli import _load
from maas_engine.client import Client

from .__main__ import MODELS, network

HERE = Path(__file__).resolve().parent
FIRST, *_, LAST = sorted(os.sched_getaffinity(0)) * 2
SERVE = (
    "import sys; from maas_engine import _server; s = _server.Server({'http_port': -1, 'tcp_port': 0});"
    "s.start(); s.set_model('small', '1', open(sys.argv[1], 'rb').read()); print(s.tcp_port, flush=True);"
    "sys.stdin.read(); s.stop(1.0)"
)


@contextmanager
def started(command: list[str]) -> Iterator[int]:
    """A server on the first core, which prints its port and ends with its standard input."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {FIRST})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(0, cores)
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate(timeout=10)


def requests_of(port: int, rows: int) -> tuple[bytes, int]:
    """A request's bytes, and how many its answer has."""
    with Client(f"tcp://127.0.0.1:{port}") as client:
        described = client.describe("small")
        request = _load.prepare(client, "small", described, rows, 0, as_json=False)
        X = np.zeros((rows, MODELS["small"][0]), np.float32)
        assert client.predict("small", X).shape == (rows, 1)
    # Head, names of model and version, one tensor of rank 2 called "output".
    return request, 32 + len("small") + len("1") + 16 + 16 + len("output") + 4 * rows


def rate(port: int, request: bytes, connections: int, pipeline: int, seconds: float) -> dict[str, Any]:
    options = {
        "port": port,
        "raw": True,
        "connections": connections,
        "pipeline": pipeline,
        "seconds": seconds,
        "warm_up": 0.3,
    }
    return _load.summary(_server.LoadGenerator(options, request).run(), 1)


def measure(
    ports: tuple[int, int], request: bytes, connections: int, pipeline: int, given: argparse.Namespace
) -> tuple[float, float, float]:
    """Median of the answers a second of ours and of the echo, and of our 99th percentile in seconds."""
    turns = [
        [rate(port, request, connections, pipeline, given.seconds) for port in ports]
        for _ in range(given.turns)
    ]
    ours, echo = (statistics.median(turn[i]["answers_per_second"] for turn in turns) for i in (0, 1))
    return ours, echo, statistics.median(turn[0]["latency"]["p99"] for turn in turns)


def report(given: argparse.Namespace) -> Iterator[str]:
    """The lines of the table."""
    with tempfile.TemporaryDirectory() as work:
        echo, model = f"{work}/echo", f"{work}/small.onnx"
        subprocess.run(["cc", "-O2", "-o", echo, str(HERE / "echo.c")], check=True)
        network("small", MODELS["small"]).save(model)
        yield "# Raw frames beside a bare epoll echo of the same bytes\n"
        yield (
            f"{platform.machine()}, Python {platform.python_version()}, the network 10-64-32-1 in FP32, one core each "
            "for server and client.\n"
        )
        yield (
            "| rows, connections × pipelined | requests/s (99th percentile) | echo/s | of the echo | rows/s "
            "| bytes there, back |"
        )
        yield "|---|---|---|---|---|---|"
        with started([sys.executable, "-c", SERVE, model]) as ours:
            for rows in given.rows:
                request, answer = requests_of(ours, rows)
                with started([echo, str(len(request)), str(answer)]) as floor:
                    for case in given.cases:
                        connections, pipeline = map(int, case.split("x"))
                        done, bare, p99 = measure((ours, floor), request, connections, pipeline, given)
                        yield (
                            f"| {rows}, {connections} × {pipeline} | {done:,.0f} ({1e3 * p99:.2f} ms) | {bare:,.0f} "
                            f"| {done / bare:.2f} | {rows * done:,.0f} | {len(request):,}, {answer:,} |"
                        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cases", nargs="+", default=["1x1", "8x1", "64x1", "8x64", "64x64"], help="CONNECTIONSxPIPELINED"
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1], help="of a request")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--write", type=Path, help="a file for the table")
    given = parser.parse_args()
    lines = []
    os.sched_setaffinity(0, {LAST})
    for line in report(given):
        print(line, flush=True)
        lines.append(line)
    if given.write:
        given.write.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
