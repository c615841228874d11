"""Times one rival on one case in a process of its own and prints the result as one line of JSON."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
import time
from typing import Any

from .adapter import Run
from .latency import latency
from .problems import PREDICTS, SAME, SAME_OTHERWISE, TRAINS, Problem
from .reference import reference

SECONDS = 1.0  # of measuring, after the warm-up
SHORTEST = 2e-3  # a sample repeats a fast call until it lasts this long
SLOW = 0.5  # a call longer than this is measured FEWEST_SLOW times
FEWEST, FEWEST_SLOW, MOST = 7, 3, 50


def sample(run: Run, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def measure(run: Run) -> list[float]:
    """Seconds a call, one number a sample. Two calls warm up: the checked one and the first here."""
    once = sample(run, 1)
    calls = max(1, math.ceil(SHORTEST / once))
    fewest = FEWEST_SLOW if once > SLOW else FEWEST
    samples: list[float] = []
    start = time.perf_counter()
    while len(samples) < MOST and (len(samples) < fewest or time.perf_counter() - start < SECONDS):
        samples.append(sample(run, calls))
    return samples


def measure_beside_a_busy_process(run: Run) -> list[float]:
    """The same while another process spins on a core."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            time.sleep(0.5)
            return measure(run)
        finally:
            neighbour.kill()


def blas_kernels() -> list[str]:
    try:
        import threadpoolctl
    except ImportError:
        return []
    pools = threadpoolctl.threadpool_info()
    return sorted(
        {f"{p['internal_api']} {p.get('architecture', '')}".strip() for p in pools if p["user_api"] == "blas"}
    )


def compete(rival: str, case: str, problem: Problem, least: float, neighbour: bool) -> dict[str, Any]:
    adapter = importlib.import_module(f"benchmarks.compare.{rival}")
    setup = adapter.cases()[case]
    data = problem.data()
    limit = least + abs(least) * SAME.get(problem.kind, SAME_OTHERWISE)
    data.reached = lambda answer: problem.objective(data, answer) <= limit
    start = time.perf_counter()
    run = setup(data)
    answer = run()
    first = time.perf_counter() - start
    result: dict[str, Any] = {"objective": problem.objective(data, answer), "seconds": measure(run)}
    if problem.kind in TRAINS:
        result["first"] = first
    if problem.kind in PREDICTS and problem.rows == 1:
        result["latency"] = latency(run)
    if neighbour:
        result["seconds_busy"] = measure_beside_a_busy_process(run)
    result["blas"] = blas_kernels()
    result["target"] = getattr(adapter, "target", lambda: "")()
    return result


def main() -> None:
    order = json.loads(sys.argv[1])
    problem = Problem(**order["problem"])
    if order["rival"] == "reference":
        print(json.dumps({"objective": reference(problem)}))
    else:
        neighbour = order["neighbour"]
        print(json.dumps(compete(order["rival"], order["case"], problem, order["least"], neighbour)))


if __name__ == "__main__":
    main()
