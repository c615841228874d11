"""Ctrl-C in a real process: a long fit stops soon, leaves no damage, and the process can go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads Linux's accounting")

# Far above the 0.2 s that the engine needs on an idle machine: tests share theirs.
PATIENCE = 60.0

PROGRAM = """
import time
import numpy as np
import maas_engine

maas_engine.set_num_threads({threads})
rng = np.random.default_rng(0)
X = rng.standard_normal(({rows}, 20))
y = X @ np.arange(20.0)
labels = (y > 0).astype(int)

{setup}

before = short()
try:
    print("ready", flush=True)
    long()
    print("finished")
except KeyboardInterrupt:
    stopped = time.monotonic()
    same = np.array_equal(before, short())
    print("same" if same else "other", stopped, flush=True)
"""

GRADIENT_DESCENT = """
def short():
    return maas_engine.gradient_descent(X, y, np.zeros(20), 0.1, 10)

def long():
    maas_engine.gradient_descent(X, y, np.zeros(20), 1e-9, 10**10)
"""

LOGISTIC = """
from maas_engine.linear_model import LogisticRegression

def short():
    return LogisticRegression().fit(X, labels).coef_

def long():
    LogisticRegression(solver="gd", tol=0, max_iter=10**9).fit(X, labels)
"""

SGD = """
from maas_engine.linear_model import SGDClassifier

def short():
    return SGDClassifier(random_state=0).fit(X, labels).coef_

def long():
    SGDClassifier(random_state=0, tol=None, max_iter=10**9).fit(X, labels)
"""


def processor_seconds(process: int) -> float:
    """What it has computed so far, as Linux counts it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_work(process: int) -> None:
    """Until it has computed for 0.3 s more, however many others compute too."""
    enough = processor_seconds(process) + 0.3
    late = time.monotonic() + PATIENCE
    while processor_seconds(process) < enough:
        assert time.monotonic() < late
        time.sleep(0.01)


def interrupt(program: str) -> tuple[str, float]:
    """Start ``program`` and send SIGINT in the middle of its long call.

    Returns whether the short call still gave the same result, and the seconds until the long one stopped.
    """
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            wait_for_work(process.pid)
            begin = time.monotonic()  # the same clock in both processes
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=2 * PATIENCE)
            result, stopped = out.split()
            return result, float(stopped) - begin
        finally:
            process.kill()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("setup", "rows"),
    [
        pytest.param(GRADIENT_DESCENT, 1000, id="gradient_descent"),
        pytest.param(LOGISTIC, 200, id="logistic-small"),
        pytest.param(LOGISTIC, 200_000, id="logistic-large"),
        pytest.param(SGD, 200, id="sgd-small"),
        pytest.param(SGD, 200_000, id="sgd-large"),
    ],
)
def test_interrupt(setup: str, rows: int, threads: int) -> None:
    result, waited = interrupt(PROGRAM.format(setup=setup, rows=rows, threads=threads))
    assert result == "same"
    assert waited < PATIENCE


TRAINING = """
import time
import numpy as np
from maas_engine import _core

rng = np.random.default_rng(0)
X, y = rng.standard_normal((100_000, 20)), rng.standard_normal((100_000, 3))
initializers = {{"W": rng.standard_normal((20, {width})), "V": rng.standard_normal(({width}, 3))}}
nodes = [("MatMul", "", "", ["x", "W"], ["h"], {{}}), ("Tanh", "", "", ["h"], ["a"], {{}}),
         ("MatMul", "", "", ["a", "V"], ["out"], {{}})]
graph = _core.Graph("net", [("x", "float64", [None, 20])], ["out"], nodes, initializers, {{}})
rates = np.full(10**7, 1e-4)
order = np.arange(10**7, dtype=np.uint32) % 100_000

def trainer():
    parameters = [(name, True, 0.0, 0.0, True) for name in "WV"]
    return _core.Trainer(graph, parameters, {{"name": "mse"}}, [], {{"rule": "adam"}}, 0, False)

stopped = trainer()
try:
    print("ready", flush=True)
    stopped.run(X, y, None, order, {batch}, rates)
    print("finished")
except KeyboardInterrupt:
    at = time.monotonic()
    steps = stopped.iterations
    again = trainer()
    again.run(X, y, None, order[: steps * {batch}], {batch}, rates)
    same = all(np.array_equal(a, b) for a, b in zip(stopped.get_parameters(), again.get_parameters()))
    print("same" if same and steps > 0 else "other", at, flush=True)
"""


@pytest.mark.parametrize(("width", "batch"), [(8, 1), (512, 256)])
def test_training_stops_after_a_whole_step(width: int, batch: int) -> None:
    result, waited = interrupt(TRAINING.format(width=width, batch=batch))
    assert result == "same"
    assert waited < PATIENCE
