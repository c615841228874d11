"""maas-engine monitor beside a live server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("starlette")

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from command import Answer, Ended
from small_models import linear

from maas_engine.client import Client
from maas_engine.serving import Server

ROWS = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    model = linear()
    package: Any = model.package(tmp_path / "packed", X_reference=ROWS)
    with Server({"m": package, "bare": model}, tcp_port=0, threads=1) as started:
        yield started


def test_drift_is_seen_from_the_shell(server: Server, answer_here: Answer, ended_here: Ended) -> None:
    url = f"http://127.0.0.1:{server.port}"
    before = answer_here("monitor", url)
    assert (before["level"], [each["model"] for each in before["models"]]) == (None, ["m"])
    assert ended_here("monitor", url, "--fail-on", "moderate")[0] == 0
    with Client(url) as client:
        client.predict("m", ROWS)
        assert answer_here("monitor", url, "--model", "m")["level"] == "none"
        shifted = ROWS.copy()
        shifted[:, 7] += 5
        client.predict("m", shifted)
        page = client.monitoring("m")
        assert client.statistics()["model_stats"][1]["inference_count"] == 4000
    assert page["rows"] == 4000
    code, output, error = ended_here("monitor", url, "--fail-on", "major")
    assert (code, error) == (1, "")
    assert "m version 1: 4000 rows since" in output
    assert "major" in output
    assert ended_here("monitor", url)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "bare"], "with a profile"),
        (["--model", "none"], "none"),
        (["--fail-on", "minor"], "moderate and major"),
    ],
)
def test_refusals(server: Server, ended_here: Ended, arguments: list[str], words: str) -> None:
    code, output, error = ended_here("monitor", f"http://127.0.0.1:{server.port}", *arguments)
    assert code != 0
    assert output == ""
    assert words in error
    assert len(error.splitlines()) == 1


def test_only_http(server: Server, ended_here: Ended) -> None:
    assert "http://HOST:PORT" in ended_here("monitor", f"tcp://127.0.0.1:{server.tcp_port}")[2]
