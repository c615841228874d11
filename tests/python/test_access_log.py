"""The access log: a line a request, none of which holds what a client sent."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_client import ask, question, until
from registry_models import linear

from maas_engine._server import Server as DataPlane
from maas_engine.errors import InvalidArgument

ROWS = question(np.ones((3, 3)))


def started(**options: Any) -> DataPlane:
    plane = DataPlane({"http_port": 0, "threads": 2, **options})
    plane.start()
    plane.set_model("m", "1", linear().to_bytes())
    return plane


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_a_request(tmp_path: Path) -> None:
    plane = started(access_log=str(tmp_path / "log"))
    threads = [
        threading.Thread(target=lambda: [ask(plane.http_port, "/v2/models/m/infer", ROWS) for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    secret = "s3cret"
    ask(plane.http_port, f"/v2/models/{secret}/infer?{secret}", ROWS, Authorization=f"Bearer {secret}")
    ask(plane.http_port, "/v2/models/m/infer", {"inputs": [], "id": secret})
    until(lambda: (tmp_path / "log").read_text().count("\n") == 162)  # written while it runs
    plane.stop(1.0)
    found = lines(tmp_path / "log")
    good = [each for each in found if each["status"] == "ok"]
    assert len(good) == 160
    for each in good:
        assert (each["model"], each["version"], each["protocol"], each["rows"]) == ("m", "1", "http", 3)
        assert 0 < each["decode_us"] + each["run_us"] + each["encode_us"] <= each["us"] + 0.2
        age = datetime.now(timezone.utc) - datetime.fromisoformat(each["time"].replace("Z", "+00:00"))
        assert 0 <= age.total_seconds() < 60
    assert sorted((each["status"], each["model"]) for each in found if each not in good) == [
        ("InvalidArgument", "m"),
        ("NotFound", ""),
    ]
    assert secret not in (tmp_path / "log").read_text()
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0
    assert plane.figures()["log_dropped"] == 0


def test_a_sample(tmp_path: Path) -> None:
    plane = started(access_log=str(tmp_path / "log"), access_log_sample=0.25, threads=1)
    for _ in range(40):
        ask(plane.http_port, "/v2/models/m/infer", ROWS)
    plane.stop(1.0)
    assert len(lines(tmp_path / "log")) == 10


def test_a_log_that_takes_nothing_stops_no_one() -> None:
    plane = started(access_log="/dev/full")
    for _ in range(10):
        assert ask(plane.http_port, "/v2/models/m/infer", ROWS)[0] == 200
    until(lambda: plane.figures()["log_dropped"] == 10)
    plane.stop(1.0)


def test_a_reader_that_sleeps_stops_no_one(tmp_path: Path) -> None:
    """A pipe that nobody empties: the log's thread waits in it, the others answer."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    plane = started(access_log=str(pipe))
    for _ in range(1000):
        assert ask(plane.http_port, "/v2/models/m/infer", ROWS)[0] == 200
    plane.stop(1.0)
    os.close(reader)
    assert plane.figures()["log_dropped"] > 0


@pytest.mark.parametrize(
    "options", [{"access_log": "/no/such/folder/log"}, {"access_log": "/dev/null", "access_log_sample": 1.5}]
)
def test_refusals(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="access"):
        DataPlane({"http_port": 0, **options})
