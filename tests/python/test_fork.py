"""The thread pool in forked children: process pools that fork after the parent used the engine's threads."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import maas_engine
from maas_engine import _core

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system"),
    # Python 3.12 warns of any fork with threads about; that it works with ours is the point here.
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _four_threads() -> Iterator[None]:
    with maas_engine.num_threads(4):
        yield


def work(seed: int) -> bytes:
    """Large enough to be spread over the pool."""
    a, b = np.random.default_rng(seed).standard_normal((2, 400, 400))
    product: np.ndarray = _core.matmul(a, b)
    return product.tobytes()


def test_process_pool_after_parallel_work() -> None:
    expected = [work(seed) for seed in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as children:
        assert children.map_async(work, range(4)).get(timeout=60) == expected
    assert [work(seed) for seed in range(4)] == expected


def test_children_of_children() -> None:
    expected = work(0)
    assert in_child(lambda: in_child(lambda: work(0) == expected))
    assert work(0) == expected


def test_fork_while_another_thread_is_in_the_engine() -> None:
    expected = work(0)
    stop = threading.Event()

    def keep_the_pool_busy() -> None:
        while not stop.is_set():
            work(1)

    other = threading.Thread(target=keep_the_pool_busy)
    other.start()
    try:
        for _ in range(20):
            assert in_child(lambda: work(0) == expected)
    finally:
        stop.set()
        other.join()


def in_child(check: Callable[[], bool]) -> bool:
    """Whether ``check()`` is true in a forked child that ends within a minute."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        code = 1
        try:
            code = 0 if check() else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return status == 0
