"""What the machine allows: memory bandwidth and multiply-add rate measured beside the rivals."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from .problems import TRAINS, Problem

SOURCE = Path(__file__).with_name("floors.cc")


def measure(threads: list[int]) -> dict[str, dict[str, float]]:
    """Bytes and floating-point operations a second, for each thread count."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "floors"
        subprocess.run(
            ["g++", "-O3", "-march=native", "-std=c++20", "-pthread", SOURCE, "-o", program], check=True
        )
        rates = {}
        for count in threads:
            out = subprocess.run([program, str(count)], check=True, capture_output=True, text=True).stdout
            rates[str(count)] = dict(
                zip(("read", "float32", "float64"), map(float, out.split()), strict=True)
            )
        return rates


def floor_seconds(problem: Problem, rates: dict[str, float]) -> float:
    """The time below which no program on this machine can do the case."""
    read, operations = problem.floor_work()
    times = read / rates["read"], operations / rates[problem.dtype]
    # The update of a large network waits for its products, step by step.
    return sum(times) if problem.kind in TRAINS else max(times)
