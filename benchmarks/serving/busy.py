"""`python -m benchmarks.serving.busy`: Python that computes beside the server, in its process and in another.

A thread in the server's own process takes as much of the cores as another process would; what is worse with it is what
the interpreter's lock costs. Needs wrk.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from .__main__ import ROOT, network_files, wrk
from .own import one_row
from .servers import SERVERS, running

CONDITIONS = {"nothing": "", "a process of its session": "process", "a thread of its process": "thread"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["ours", "fastapi"])
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    body, environments = one_row(), ROOT / "build" / "serving"
    print("| server | beside it computes | requests a second | p50 | p99 |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        network_files(work)
        for key in arguments.servers:
            turns: dict[str, list[dict[str, float]]] = {each: [] for each in CONDITIONS}
            for _ in range(arguments.turns):
                for condition in CONDITIONS:
                    os.environ["BUSY"] = CONDITIONS[condition]  # peers/busy.py reads it
                    with running(key, environments, work, work, body):
                        wrk("small", body, arguments.connections, 1, work)
                        found = wrk("small", body, arguments.connections, arguments.seconds, work)
                        turns[condition].append(found)
            for condition, each in turns.items():
                rate, p50, p99 = (
                    statistics.median(turn[name] for turn in each) for name in ("rate", "p50", "p99")
                )
                print(
                    f"| {SERVERS[key].name} | {condition} | {rate:,.0f} | {1e3 * p50:.2f} ms | {1e3 * p99:.2f} ms |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
