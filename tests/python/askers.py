"""A server in a process of its own, and callers that ask it again and again and tell what they were given."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from registry_models import linear
from serving_process import ServingProcess

from maas_engine import Model
from maas_engine.client import Client
from maas_engine.errors import Unavailable

MODELS = [linear(seed) for seed in range(3)]
FAULTS = pytest.mark.faults


class Askers:
    """Threads, each with a client and rows of its own, from ``with`` on.

    Parameters
    ----------
    models : models of 3 columns, one of which every answer is to be by its bits
    retries : of the clients; with some, what is lost may be asked again
    """

    def __init__(self, port: int, tcp_port: int, models: Sequence[Model], retries: int = 0) -> None:
        urls = [f"http://127.0.0.1:{port}", f"tcp://127.0.0.1:{tcp_port}"] * 2
        self._models, self._retries = models, retries
        self.answers = [0] * len(urls)
        self.lost: list[str] = []  # answers that broke off
        self.wrong: list[Any] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=each) for each in enumerate(urls)]

    def _ask(self, number: int, url: str) -> None:
        rows = np.random.default_rng(number).normal(size=(1 + number, 3))
        right = {model.predict(rows).tobytes() for model in self._models}
        with Client(url, timeout=120.0, retries=self._retries) as client:
            while not self._done.is_set():
                try:
                    given = client.predict("m", rows)
                except Unavailable as error:
                    self.lost.append(str(error))
                except Exception as error:
                    self.wrong.append(error)
                else:
                    self.answers[number] += 1
                    if np.asarray(given).tobytes() not in right:
                        self.wrong.append(given)

    def more(self, count: int = 20, seconds: float = 60.0) -> None:
        """Wait until each has had so many answers more."""
        wanted = [each + count for each in self.answers]
        end = time.monotonic() + seconds
        while any(has < wants for has, wants in zip(self.answers, wanted, strict=True)):
            assert time.monotonic() < end, (self.answers, wanted, self.lost[-3:], self.wrong[-3:])
            time.sleep(0.01)

    def all_well(self) -> bool:
        return self.lost == self.wrong == []

    def __enter__(self) -> Askers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[ServingProcess]:
    with ServingProcess("--tcp-port", "0", "--threads", "2", *arguments, environment=environment) as server:
        server.wait_for("ready")
        yield server


def asked_by(server: ServingProcess, models: int = 1) -> Askers:
    return Askers(server.port, server.tcp_port, MODELS[:models])


def once_or(count: int, once: int = 1) -> Any:
    """A short turn for `make test`, a long one for `make test-faults`."""
    return pytest.mark.parametrize("count", [once, pytest.param(count, marks=FAULTS)])
