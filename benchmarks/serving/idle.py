"""`python -m benchmarks.serving.idle`: thousands of connections that say nothing while another asks.

Each asks one row once and then stays. The one beside them asks at a fixed rate; latencies count from when a request was
due. In turns without and with the others.
"""

from __future__ import annotations

import argparse
import resource
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from maas_engine import _server
from maas_engine.cli import _load

from .__main__ import ROOT, network_files
from .own import one_row
from .servers import PORT, SERVERS, resident, running

Row = dict[str, float]


def question(body: bytes) -> bytes:
    head = "POST /v2/models/small/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def holding(count: int, request: bytes) -> Iterator[None]:
    """So many connections, each of which has been answered once."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", PORT), 30))
            connection.sendall(request)
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("a connection is not answered")
        yield


def asked(request: bytes, rate: float, seconds: float) -> Row:
    options = {"port": PORT, "rate": rate, "seconds": seconds, "warm_up": 0.3}
    found = _load.summary(_server.LoadGenerator(options, request).run(), 1)
    if found["errors"]:
        raise RuntimeError(f"errors: {found['errors']}")
    return {name: found["latency"][name] for name in ("p50", "p99")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["ours", "asgi"])
    parser.add_argument("--connections", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    body, environments = one_row(), ROOT / "build" / "serving"
    request = question(body)
    print(
        f"| server | p50, p99 alone | beside {arguments.connections} idle | KB a connection | MB before, after |\n"
        "|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        network_files(work)
        for key in arguments.servers:
            alone, beside, sizes = [], [], []
            with running(key, environments, work, work, body) as (pid, _):
                asked(request, arguments.rate, 1)
                time.sleep(1)
                before = resident(pid)
                for _ in range(arguments.turns):
                    alone.append(asked(request, arguments.rate, arguments.seconds))
                    with holding(arguments.connections, request):
                        beside.append(asked(request, arguments.rate, arguments.seconds))
                        sizes.append((resident(pid) - before) / arguments.connections)
                    time.sleep(2)
                after = resident(pid)
            cells = [
                ", ".join(
                    f"{1e6 * statistics.median(turn[name] for turn in turns):.0f} µs"
                    for name in ("p50", "p99")
                )
                for turns in (alone, beside)
            ]
            print(
                f"| {SERVERS[key].name} | {cells[0]} | {cells[1]} | {statistics.median(sizes) / 1024:.1f} | "
                f"{before / 2**20:.0f}, {after / 2**20:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
