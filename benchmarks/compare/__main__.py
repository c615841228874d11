"""`python -m benchmarks.compare [--quick]`: every rival on every case, each in a fresh process."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from . import floors, report
from .adapter import RIVALS
from .problems import LOADS, PREDICTS, Problem, problems
from .reference import REFERENCES

ROOT = Path(__file__).resolve().parents[2]
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MAAS_TARGET")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TIMEOUT = 180.0
PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-learn-intelex",
    "torch",
    "jax",
    "keras",
    "snapml",
    "cyanure",
    "celer",
    "skglm",
    "onnxruntime",
    "openvino",
    "skl2onnx",
    "pandas",
    "pyarrow",
    "maas_engine",
)
BUSY_NEIGHBOUR = ("least_squares", "logistic")


def environment(threads: int) -> dict[str, str]:
    """The caller's, without what slows a rival down, and with the thread count in the variables all read."""
    env = {name: value for name, value in os.environ.items() if name not in SLOWING}
    return env | dict.fromkeys(THREAD_VARIABLES, str(threads))


def run_worker(order: dict[str, Any], threads: int) -> dict[str, Any]:
    """One order in a fresh process that may use `threads` cores and no more."""
    cores = set(sorted(os.sched_getaffinity(0))[:threads])
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.compare.worker", json.dumps(order)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(threads),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    except subprocess.TimeoutExpired:
        return {"error": f"longer than {TIMEOUT:.0f} s"}
    if done.returncode != 0:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rivals(chosen: list[str]) -> dict[str, dict[str, list[str]]]:
    """Rival → kind → its cases ("kind" or "kind:variant"), asked in a fresh process each."""
    code = """if True:
        import importlib, json, sys
        adapter = importlib.import_module("benchmarks.compare." + sys.argv[1])
        print(json.dumps(list(adapter.cases())))"""
    found: dict[str, dict[str, list[str]]] = {}
    for rival in chosen:
        command = [sys.executable, "-W", "ignore", "-c", code, rival]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"left out: {rival}: {done.stderr.strip().splitlines()[-1]}")
            continue
        cases: dict[str, list[str]] = {}
        for case in json.loads(done.stdout.splitlines()[-1]):
            cases.setdefault(case.partition(":")[0], []).append(case)
        found[rival] = cases
    return found


def machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES if version(name)},
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def compare(cases: list[Problem], chosen: list[str], threads: list[int]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    offered = rivals(chosen)
    for problem in cases:
        order: dict[str, Any] = {"problem": dataclasses.asdict(problem), "least": 0.0, "neighbour": False}
        if problem.kind in REFERENCES:
            order["least"] = run_worker({**order, "rival": "reference"}, max(threads))["objective"]
        neighbour = problem.kind in BUSY_NEIGHBOUR and problem.rows == 1_000_000
        # One row is one thread's work.
        counts = [min(threads)] if problem.rows == 1 and problem.kind in (*PREDICTS, *LOADS) else threads
        for count, rival in itertools.product(counts, offered):
            for case in offered[rival].get(problem.kind, []):
                order |= {"rival": rival, "case": case, "neighbour": neighbour and count > 1}
                who = {"rival": rival, "variant": case.partition(":")[2], "threads": count}
                results.append({"case": problem.name, **who, **run_worker(order, count)})
                print(report.line(results[-1]), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the quick set, all cores only")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--rivals", nargs="+", default=list(RIVALS), choices=RIVALS)
    parser.add_argument("--threads", nargs="+", type=int)
    parser.add_argument("--name", default="latest", help="name of the files in benchmarks/results")
    arguments = parser.parse_args()

    cores = min(2, len(os.sched_getaffinity(0)))
    threads = arguments.threads or ([cores] if arguments.quick else sorted({1, cores}))
    cases = [case for case in problems(arguments.quick) if arguments.only in case.name]
    rates = floors.measure(threads)
    results = compare(cases, arguments.rivals, threads)
    run = {"machine": machine(), "rates": rates, "threads": threads, "results": results}
    run["floors"] = {
        f"{case.name}@{count}": floors.floor_seconds(case, rates[str(count)])
        for case in cases
        for count in threads
    }
    report.write(run, ROOT / "benchmarks" / "results", arguments.name)


if __name__ == "__main__":
    main()
