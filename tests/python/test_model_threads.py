"""One Model, many threads, every batch: the same bits; forks and interrupted calls leave it usable."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from small_models import classifier, linear, rows

import maas_engine
from maas_engine import _core
from maas_engine.graph import GraphBuilder


def network(dtype: Any = np.float32, features: int = 10) -> maas_engine.Model:
    """10-64-32-1, rectified."""
    draws = np.random.default_rng(0)
    builder = GraphBuilder("network")
    x, wide = builder.input("X", dtype, (None, features)), features
    for units in (64, 32, 1):
        weights = (draws.normal(size=(wide, units)) / wide**0.5).astype(dtype)
        bias = draws.normal(size=units).astype(dtype)
        x = builder.add("Gemm", x, builder.constant(weights), builder.constant(bias))
        x, wide = (builder.add("Relu", x) if units > 1 else x), units
    builder.output(x)
    return maas_engine.Model(builder.build())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [linear, network])
def test_same_bits_for_every_batch_thread_count_layout_and_target(make: Any, dtype: Any) -> None:
    model = make(dtype)
    X = rows(3000, model.schema.inputs[0].row_size, dtype)
    fortran, wide = np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]
    base = model.predict(X)
    target = _core.active_target()
    try:
        for name in _core.supported_targets():
            _core.set_target(name)
            if not _core.target_has_fma():
                continue
            for threads in (1, 2, 4):
                with maas_engine.num_threads(threads):
                    for each in (X, fortran, wide):
                        assert model.predict(each).tobytes() == base.tobytes(), (name, threads)
            for n in (1, 2, 3, 4, 7, 8, 31, 64, 1000):
                out = np.empty_like(base[:n])
                assert model.predict(X[5 : 5 + n]).tobytes() == base[5 : 5 + n].tobytes(), (name, n)
                assert model.predict_into(fortran[5 : 5 + n], out).tobytes() == base[5 : 5 + n].tobytes()
            for i in (0, 17, 2999):
                assert model.predict(X[i]).tobytes() == base[i].tobytes()
                assert model.predict(X[i].tolist()).tobytes() == base[i].tobytes()
                assert model.predict(memoryview(X[i])).tobytes() == base[i].tobytes()
    finally:
        _core.set_target(target)


def test_one_model_many_python_threads() -> None:
    models = [network(), classifier(["a", "b", "ccc"], features=10)]
    batches = [rows(n, 10) for n in (1, 2, 64, 1000, 20_000)]
    answers = [[model.predict(X).tobytes() for X in batches] for model in models]
    models = [
        maas_engine.Model(model.graph) for model in models
    ]  # their other programs are made by the threads
    start = threading.Barrier(8)

    def work(seed: int) -> int:
        draws = np.random.default_rng(seed)
        start.wait()
        wrong = 0
        for _ in range(60):
            m, b = draws.integers(len(models)), draws.integers(len(batches))
            wrong += models[m].predict(batches[b]).tobytes() != answers[m][b]
            wrong += models[1].predict_proba(batches[b]).shape != (len(batches[b]), 3)
        return wrong

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) == 0
    finally:
        sys.setswitchinterval(interval)


def test_large_calls_let_other_threads_run() -> None:
    model, X = network(), rows(200_000, 10)
    ticks, stop = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.wait(0.0005):
            ticks += 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(600)  # between bytecodes this thread goes on: only its calls let others run
    other = threading.Thread(target=tick)
    try:
        other.start()
        deadline = time.monotonic() + 60
        while ticks == 0 and time.monotonic() < deadline:
            model.predict(X)
        assert ticks > 0
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        other.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_model_works_in_a_forked_child() -> None:
    model, X = network(), rows(50_000, 10)
    base = model.predict(X).tobytes()
    child = os.fork()
    if child == 0:
        os._exit(
            0 if model.predict(X).tobytes() == base and model.predict(X[:1]).tobytes() == base[:4] else 1
        )
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert model.predict(X).tobytes() == base


def test_the_floating_point_word_is_set_for_small_calls_too() -> None:
    tiny = np.full((1, 1), 1e-310)
    builder = GraphBuilder()
    builder.output(builder.add("Mul", builder.input("X", np.float64, (None, 1)), builder.constant(0.5)))
    assert maas_engine.Model(builder.build()).predict(tiny)[0, 0] == 5e-311
