"""How long single calls take: the spread, and what a pause before each call costs."""

from __future__ import annotations

import time

from .adapter import Run

CALLS, SPACED_CALLS = 20_000, 500  # at most, and no longer than SECONDS
SECONDS = 1.5
PAUSE = 1e-3


def _clock() -> float:
    """Seconds that reading the clock twice takes: part of each figure, and taken off."""
    gaps = []
    for _ in range(1000):
        start = time.perf_counter_ns()
        gaps.append(time.perf_counter_ns() - start)
    return sorted(gaps)[len(gaps) // 2] * 1e-9


def _seconds(run: Run, calls: int, pause: float) -> list[float]:
    clock = _clock()
    out: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(out) < calls and time.perf_counter() < end:
        if pause:
            time.sleep(pause)
        start = time.perf_counter_ns()
        run()
        out.append(max(0.0, (time.perf_counter_ns() - start) * 1e-9 - clock))
    return sorted(out)


def latency(run: Run) -> dict[str, float]:
    """Median and 99th percentile in seconds, of calls back to back and of calls 1 ms apart."""
    near, apart = _seconds(run, CALLS, 0.0), _seconds(run, SPACED_CALLS, PAUSE)
    return {
        "median": near[len(near) // 2],
        "p99": near[len(near) * 99 // 100],
        "apart_median": apart[len(apart) // 2],
        "apart_p99": apart[len(apart) * 99 // 100],
    }
