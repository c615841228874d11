"""Our server as an operator starts it, on a port of its own, with the small network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .__main__ import MODELS, body_of, network


def model_file(work: Path) -> Path:
    path = work / "small.onnx"
    network("small", MODELS["small"]).save(path)
    return path


def one_row() -> bytes:
    """A request for the small network in JSON."""
    return body_of(np.random.default_rng(1).standard_normal((1, MODELS["small"][0])).astype(np.float32))


@contextmanager
def serving(model: Path, *arguments: str) -> Iterator[tuple[int, int]]:
    """``maas-engine serve`` on one thread: its process id and port."""
    command = [sys.executable, "-m", "maas_engine", "serve", "--model", f"small={model}", "--port", "0"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "MAAS_"))}
    with subprocess.Popen(
        [*command, "--threads", "1", *arguments], stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stderr is not None
        port = 0
        for line in process.stderr:
            said = json.loads(line)
            port = said.get("port", port)
            if said["event"] == "ready":
                break
        try:
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
