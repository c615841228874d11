"""`python -m benchmarks.compare.registry`: the registry beside MLflow's, both on SQLite and a local folder.

Each side runs in a fresh process with a registry of its own: MODELS models, VERSIONS versions in all, then each
operation REPEAT times. The floor of a change is what the disk takes to keep one file: write, fsync, rename.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import report

RIVALS = {"ours": "maas_engine", "mlflow_": "mlflow"}
OPERATIONS = {
    "register": "a model of 1 MB as a new version",
    "alias": "move an alias",
    "resolve": "alias to version",
    "list": "the versions of one model",
    "search": "one model's versions by a metric and a tag, best first",
    "load": "by alias, ready to predict",
}
SIZE = 500  # 500 × 500 float32 weights: 1 MB
RESULTS = Path(__file__).resolve().parents[1] / "results"
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MAAS_TARGET")

Operations = dict[str, Callable[[], Any]]


def weights() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32)


def timed(call: Callable[[], Any], repeat: int) -> list[float]:
    """Seconds of each call, after one that is not counted."""
    call()
    out = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        out.append(time.perf_counter() - start)
    return out


def kept_file(folder: str, size: int) -> float:
    """Median seconds to write a file of `size` bytes so that it survives a power cut."""
    data = os.urandom(size)

    def keep() -> None:
        path = os.path.join(folder, "new")
        with open(path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, os.path.join(folder, "kept"))

    return statistics.median(timed(keep, 31))


def work(rival: str, models: int, versions: int, repeat: int) -> None:
    """One side, in a process of its own: prints its figures as JSON."""
    module = importlib.import_module(f"benchmarks.compare.registry_{rival}")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        operations = module.operations(folder, weights(), models, versions)
        filled = time.perf_counter() - start
        seconds = {name: timed(operations[name], repeat) for name in OPERATIONS}
        floor = kept_file(folder, SIZE * SIZE * 4)
    version = importlib.import_module(RIVALS[rival]).__version__
    print(json.dumps({"version": version, "filled": filled, "floor": floor, "seconds": seconds}))


def run(rival: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--worker", rival]
    for name in ("models", "versions", "repeat"):
        command += [f"--{name}", str(getattr(arguments, name))]
    env = {name: value for name, value in os.environ.items() if name not in SLOWING}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: dict[str, dict[str, Any]], arguments: argparse.Namespace) -> str:
    """The figures in Markdown."""
    lines = [
        f"# Registry: {arguments.versions:,} versions of {arguments.models} models, SQLite and a local folder",
        "",
        f"{platform.machine()}, Python {platform.python_version()}, "
        + ", ".join(f"{RIVALS[name]} {each['version']}" for name, each in results.items())
        + f". Medians of {arguments.repeat} calls (slowest decile in brackets). Keeping one file of 1 MB "
        f"(write, fsync, rename) takes {report.text(results['ours']['floor'])} here.",
        "",
        "| operation | maas_engine | mlflow | ratio |",
        "|---|---|---|---|",
    ]
    for name, meaning in OPERATIONS.items():
        cells, medians = [], []
        for rival in RIVALS:
            seconds = sorted(results[rival]["seconds"][name])
            medians.append(statistics.median(seconds))
            cells.append(f"{report.text(medians[-1])} ({report.text(seconds[int(0.9 * len(seconds))])})")
        lines.append(f"| {name}: {meaning} | {' | '.join(cells)} | {medians[1] / medians[0]:.1f} × |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--versions", type=int, default=10_000, help="in all")
    parser.add_argument("--repeat", type=int, default=51)
    parser.add_argument("--name", default="latest-registry", help="of the table in benchmarks/results")
    parser.add_argument("--worker", choices=RIVALS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.models, arguments.versions, arguments.repeat)
        return
    results = {rival: run(rival, arguments) for rival in RIVALS}
    text = table(results, arguments)
    (RESULTS / f"{arguments.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
