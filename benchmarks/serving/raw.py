"""`python -m benchmarks.serving.raw`: raw frames beside an echo of the same bytes, on one thread each.

The echo is 90 lines of C over epoll that read no more of a request than its id: what a socket costs. Server and echo
are loaded in turns by the same generator, which has a core of its own where there are two. Needs a C compiler.
"""

from __future__ import annotations

import argparse
import json
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
SERVE = (
    "import sys; from maas_engine import _server; s = _server.Server({'http_port': -1, 'tcp_port': 0});"
    "s.start(); s.set_model('small', '1', open(sys.argv[1], 'rb').read()); print(s.tcp_port, flush=True);"
    "sys.stdin.read(); s.stop(1.0)"
)


@contextmanager
def started(command: list[str]) -> Iterator[int]:
    """A server that prints its port and ends with its standard input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=["1x1", "8x1", "64x1", "8x64", "64x64"])
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        echo, model = f"{work}/echo", f"{work}/small.onnx"
        subprocess.run(["cc", "-O2", "-o", echo, str(HERE / "echo.c")], check=True)
        network("small", MODELS["small"]).save(model)
        with started([sys.executable, "-c", SERVE, model]) as ours:
            request, answer = requests_of(ours, arguments.rows)
            with started([echo, str(len(request)), str(answer)]) as floor:
                for case in arguments.cases:
                    connections, pipeline = map(int, case.split("x"))
                    pairs = [
                        [
                            rate(port, request, connections, pipeline, arguments.seconds)
                            for port in (ours, floor)
                        ]
                        for _ in range(arguments.turns)
                    ]
                    rates = [
                        statistics.median(pair[i]["answers_per_second"] for pair in pairs) for i in (0, 1)
                    ]
                    p99 = statistics.median(pair[0]["latency"]["p99"] for pair in pairs)
                    found[case] = {"ours": rates[0], "echo": rates[1], "p99": p99}
                    if not arguments.json:
                        print(
                            f"{case:8} {rates[0]:10,.0f}/s  echo {rates[1]:10,.0f}/s  {rates[0] / rates[1]:.2f}  "
                            f"{arguments.rows * rates[0]:10,.0f} rows/s  p99 {1e6 * p99:.0f} us",
                            flush=True,
                        )
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
