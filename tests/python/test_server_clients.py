"""Clients that we did not write: curl, and by `make test-clients` KServe's, MLServer's, wrk and h2load.

Those of KServe and MLServer have environments of their own below build/clients: their requirements clash.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served import infer_json, mlp, serve
from small_models import rows

from maas_engine import _server

CLIENTS = Path(os.environ.get("MAAS_CLIENTS", "build/clients"))
MODEL = mlp(np.float32)
X = rows(3, 10)
EXPECTED: list[float] = MODEL.predict(X).ravel().tolist()
BODY = infer_json({"input": X})


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"mlp": MODEL}, threads=2) as started:
        yield started


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


def run(*command: str, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def infer_url(server: _server.Server) -> str:
    return f"http://127.0.0.1:{server.http_port}/v2/models/mlp/infer"


def answers(text: str) -> list[float]:
    data = json.loads(text)["outputs"][0]["data"]
    return np.array(data, np.float32).ravel().astype(float).tolist()


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--http1.0"],
        ["--compressed"],
        ["-H", "Transfer-Encoding: chunked"],
        ["-H", "Expect: 100-continue"],
        ["-H", "Content-Type: application/json", "--no-keepalive"],
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_curl(server: _server.Server, options: list[str]) -> None:
    curl = program("curl")
    sent = run(curl, "-sS", "--fail", *options, infer_url(server), "--data-binary", BODY.decode())
    assert answers(sent) == EXPECTED


def test_curl_sends_a_file_that_waits_for_continue(server: _server.Server, tmp_path: Path) -> None:
    """Above a megabyte curl asks before it sends."""
    many = rows(20000, 10)
    (tmp_path / "body").write_bytes(infer_json({"input": many}))
    output = run(
        program("curl"), "-sS", "--fail", infer_url(server), "--data-binary", f"@{tmp_path / 'body'}"
    )
    assert answers(output) == MODEL.predict(many).ravel().astype(float).tolist()


def test_curl_shows_errors(server: _server.Server) -> None:
    output = run(program("curl"), "-sS", "-w", " %{http_code}", infer_url(server), "-d", "{}")
    assert output == '{"error":"expected a list \'inputs\'"} 400'


KSERVE = """
import asyncio, json, sys
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

async def main(url, values):
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, "mlp")
    x = np.array(values, np.float32)
    found = []
    for binary in (False, True):
        given = InferInput("input", list(x.shape), "FP32")
        given.set_data_from_numpy(x, binary_data=binary)
        answer = await client.infer(url, InferRequest("mlp", [given]), model_name="mlp")
        found.append(answer.outputs[0].as_numpy().ravel().astype(float).tolist())
    print(json.dumps(found))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
"""


@pytest.mark.clients
def test_kserve(server: _server.Server) -> None:
    url = f"http://127.0.0.1:{server.http_port}"
    output = run(str(CLIENTS / "kserve/bin/python"), "-c", KSERVE, url, json.dumps(X.tolist()))
    assert json.loads(output.splitlines()[-1]) == [EXPECTED, EXPECTED]


@pytest.mark.clients
@pytest.mark.parametrize("options", [[], ["-b"]], ids=["json", "binary"])
def test_mlserver_infer(server: _server.Server, options: list[str], tmp_path: Path) -> None:
    """A line a request, four connections; answers come in any order."""
    inputs = [rows(i + 1, 10) for i in range(40)]
    lines = []
    for i, each in enumerate(inputs):
        question = json.loads(infer_json({"input": each}, id=str(i)))
        question["inputs"][0]["parameters"] = {"content_type": "np"}
        lines.append(json.dumps(question))
    (tmp_path / "in").write_text("\n".join(lines) + "\n")
    command = [str(CLIENTS / "mlserver/bin/mlserver"), "infer", "-u", f"127.0.0.1:{server.http_port}"]
    command += ["-m", "mlp", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-w", "4", *options]
    run(*command)
    got = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert len(got) == len(inputs)
    for answer in got:
        expected = MODEL.predict(inputs[int(answer["id"])]).ravel()
        values = np.array(answer["outputs"][0]["data"], np.float32).ravel()
        assert values.tobytes() == expected.tobytes()


@pytest.mark.clients
def test_wrk(server: _server.Server, tmp_path: Path) -> None:
    script = f"wrk.method = 'POST'\nwrk.body = [==[{BODY.decode()}]==]\n"
    (tmp_path / "post.lua").write_text(script)
    output = run(program("wrk"), "-t1", "-c16", "-d2s", "-s", str(tmp_path / "post.lua"), infer_url(server))
    assert "Non-2xx" not in output
    assert "Socket errors" not in output
    assert int(re.findall(r"(\d+) requests in", output)[0]) > 0


@pytest.mark.clients
def test_h2load(server: _server.Server, tmp_path: Path) -> None:
    """Over HTTP/1.1."""
    (tmp_path / "body").write_bytes(BODY)
    options = ["--h1", "-n2000", "-c16", "-d", str(tmp_path / "body")]
    output = run(program("h2load"), *options, infer_url(server))
    assert "2000 succeeded, 0 failed, 0 errored" in output
    assert "status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx" in output
