"""Every hostile model of tests/attacks is stopped, in words, in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attacks.__main__ import modules

TESTS = Path(__file__).resolve().parents[1]
SECONDS = 20.0  # of processor time, each; the slowest takes one on an idle machine


@pytest.fixture(scope="module")
def results() -> dict[str, list[dict[str, Any]]]:
    path = os.pathsep.join([str(TESTS), *sys.path])
    run = subprocess.run(
        [sys.executable, "-m", "attacks"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for line in run.stdout.splitlines():
        result = json.loads(line)
        found.setdefault(result["idea"], []).append(result)
    last = found[list(found)[-1]][-1]["attack"] if found else "none"
    assert run.returncode == 0, f"after {last}: {run.stderr[-2000:]}"
    return found


@pytest.mark.parametrize("idea", modules())
def test_attack(idea: str, results: dict[str, list[dict[str, Any]]]) -> None:
    for result in results[idea]:
        assert result["error"] == result["expected"], result
        assert result["words"] in result["text"], result
        assert len(result["text"]) < 3000, result
        assert result["seconds"] < SECONDS, result
