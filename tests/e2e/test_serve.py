"""`maas-engine serve` as an operator meets it: it starts, answers, follows an alias, says what is wrong, ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import refused, run
from serving_process import ServingProcess

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model

pytest.importorskip("starlette")

BODY = json.dumps(
    {"inputs": [{"name": "X", "shape": [1, 3], "datatype": "FP64", "data": [1.0, 2.0, 3.0]}]}
).encode()


def linear(seed: int) -> Model:
    builder = GraphBuilder("linear")
    x = builder.input("X", np.float64, (None, 3))
    weights = np.random.default_rng(seed).normal(size=(3, 1))
    builder.output(builder.add("MatMul", x, builder.constant(weights)))
    return Model(builder.build())


def get(port: int, path: str, body: bytes | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture
def model(tmp_path: Path) -> str:
    linear(1).save(tmp_path / "m.onnx")
    return f"m={tmp_path / 'm.onnx'}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_answers_and_ends_with_0(model: str, number: int) -> None:
    with ServingProcess("--model", model, "--tcp-port", "0", "--threads", "2") as server:
        server.wait_for("ready")
        assert get(server.port, "/v2/health/ready") == (200, {"ready": True, "live": True})
        status, answer = get(server.port, "/v2/models/m/infer", BODY)
        assert status == 200
        assert answer["outputs"][0]["data"] == linear(1).predict([[1.0, 2.0, 3.0]]).ravel().tolist()
        assert get(server.port, "/openapi.json")[0] == 200
        with socket.create_connection(("127.0.0.1", server.tcp_port)):
            pass
        assert server.end(number) == 0
        assert [line["event"] for line in server.log] == [
            "listening",
            "loaded",
            "ready",
            "stopping",
            "stopped",
        ]


def open_files(server: ServingProcess) -> tuple[str, str]:
    """How many the server may open: as it has it, and at most."""
    lines = Path(f"/proc/{server.process.pid}/limits").read_text().splitlines()
    now, most = next(line for line in lines if line.startswith("Max open files")).split()[3:5]
    return now, most


def test_takes_all_descriptors_that_it_may_have(model: str) -> None:
    limits = "ulimit -Sn 256; ulimit -Hn 1500"
    with ServingProcess("--model", model, "--connections", "1000", limits=limits) as server:
        assert open_files(server) == ("1500", "1500")
        server.wait_for("ready")
        assert all(line["event"] != "limited" for line in server.log)


def test_says_how_many_connections_the_descriptors_allow(model: str) -> None:
    with ServingProcess("--model", model, "--connections", "1000", limits="ulimit -n 400") as server:
        line = server.wait_for("limited")
        assert (line["level"], line["connections"], line["wanted"]) == ("warning", 240, 1000)
        assert "ulimit -n" in line["reason"]
        assert get(server.port, "/v2/health/live")[0] == 200


def test_ends_while_it_starts(model: str) -> None:
    with ServingProcess("--model", model) as server:
        assert server.end() == 0


def test_answers_before_slow_libraries_are_loaded() -> None:
    program = (
        "import sys, maas_engine.cli._serve\n"
        "slow = {'starlette', 'asyncio', 'typer', 'rich', 'sqlalchemy', 'sklearn', 'cryptography', 'pyarrow'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_options_from_the_file_and_the_environment(model: str, tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text(
        'threads = 1\ntcp_port = 0\nkeep = 2\n[models]\nfromfile = "m.onnx"\nm = "not/used.onnx"\n'
    )
    environment = {"MAAS_SERVE_CONFIG": str(tmp_path / "serve.toml"), "MAAS_SERVE_TCP_PORT": "-1"}
    with ServingProcess("--model", model, environment=environment) as server:
        server.wait_for("ready")
        assert server.tcp_port == -1
        assert [row["name"] for row in get(server.port, "/v2/repository/index", b"")[1]] == ["m"]
        assert server.end() == 0
    environment = {"MAAS_SERVE_MODELS": f"'a b={tmp_path / 'm.onnx'}' {model}", "MAAS_SERVE_THREADS": "1"}
    with ServingProcess(environment=environment) as server:
        server.wait_for("ready")
        assert get(server.port, "/v2/models/a%20b")[1]["name"] == "a b"


# --- what is wrong is one line ---------------------------------------------------------------------------


def test_a_port_in_use(model: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("serve", "--model", model, "--port", str(port))
    assert f"127.0.0.1:{port}: Address already in use" in line


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--model", "m=no/such.onnx"], 1, "no/such.onnx"),
        (["--model", "m"], 2, "NAME=SOURCE"),
        (["--model", "m=a", "--model", "m=b"], 2, "'m' again"),
        ([], 2, "at least one model"),
        (["--colour"], 2, "unrecognized arguments: --colour"),
        (["--port", "x", "--model", "m=a"], 2, "--port: expected a whole number, got 'x'"),
        (["--config", "no/such.toml"], 2, "no/such.toml"),
        (["--host", "no.such.host", "--model", "m=MODEL"], 1, "no.such.host"),
        (["--model", "m=models:/nothing@here"], 1, "nothing"),
    ],
)
def test_wrong_words(
    arguments: list[str], status: int, words: str, model: str, place: Path, tmp_path: Path
) -> None:
    given = [each.replace("m=MODEL", model) for each in arguments]
    done = run("serve", *given)
    assert done.returncode == status
    lines = done.stderr.decode().splitlines()
    assert words in lines[-1]
    assert lines[-1].startswith("maas-engine: error: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["port = ", "[models]\nm = 3", "colour = 1", 'port = "8000"', "\xff"])
def test_a_file_that_is_wrong(text: str, tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_bytes(text.encode("latin-1"))
    assert "[serve]" in refused("serve", "--config", str(tmp_path / "serve.toml"), status=2)


def test_help_names_every_option() -> None:
    from maas_engine.serving._settings import OPTIONS

    text = run("serve", "--help").stdout.decode()
    assert all("--" + option.name.replace("_", "-") in text for option in OPTIONS)
    assert "serve" in run("--help").stdout.decode()


# --- under load ------------------------------------------------------------------------------------------


class Load:
    """Threads that ask again and again, each on a connection that it keeps."""

    def __init__(self, port: int, threads: int = 3) -> None:
        self.port = port
        self.answers: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        asked = time.monotonic()
        while not self._done.is_set():
            before, asked = asked, time.monotonic()
            try:
                connection.request("POST", "/v2/models/m/infer", BODY)
                answer = connection.getresponse()
                text = answer.read()
            except OSError as error:
                # A server that stops waits a quarter of a second for what its clients may just be sending.
                if time.monotonic() - before < 0.25:  # else this machine was busy: the request came too late
                    self.wrong.append(repr(error))
                break
            if answer.status == 200:
                self.answers.append(json.loads(text))
            else:
                self.wrong.append(f"{answer.status} {text!r}")
            if answer.will_close:
                break
        connection.close()

    def end(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.faults)])
def test_sigterm_under_load_loses_nothing(model: str, rounds: int) -> None:
    for _ in range(rounds):
        with ServingProcess("--model", model, "--threads", "2") as server:
            server.wait_for("ready")
            load = Load(server.port, 4)
            late = time.monotonic() + 60
            while len(load.answers) < 100 and not load.wrong:
                assert time.monotonic() < late
                time.sleep(0.01)
            assert server.end() == 0
            load.end()
            assert load.wrong == []


def test_an_alias_moves_under_load_and_a_bad_version_is_refused(place: Path) -> None:
    from maas_engine.registry import Registry

    with Registry() as registry:
        for seed in (1, 2, 3):
            linear(seed).package(place / f"p{seed}")
            registry.register("m", place / f"p{seed}")
        registry.set_alias("m", "champion", 1)
        wanted = {str(seed): linear(seed).predict([[1.0, 2.0, 3.0]]).ravel().tolist() for seed in (1, 2, 3)}
        with ServingProcess("--model", "m=models:/m@champion", "--threads", "2") as server:
            server.wait_for("ready")
            load = Load(server.port)
            registry.set_alias("m", "champion", 2)
            server.wait_for("loaded")
            spoil(place, registry.get_version("m", 3).files["model.onnx"].sha256)
            registry.set_alias("m", "champion", 3)
            line = server.wait_for("refused")
            assert (line["model"], line["version"], line["goes_on"]) == ("m", "3", "2")
            status, ready = get(server.port, "/v2/health/ready")
            assert status == 200
            assert "version 3 was refused, version 2 goes on" in ready["note"]
            load.end()
            assert load.wrong == []
            assert {answer["model_version"] for answer in load.answers} == {"1", "2"}
            assert all(
                answer["outputs"][0]["data"] == wanted[answer["model_version"]] for answer in load.answers
            )
            assert server.end() == 0


def spoil(place: Path, digest: str) -> None:
    """Change one byte of a blob of the registry's store, as a failing disk would."""
    found = [
        path
        for path in (place / "registry").rglob("*")
        if path.is_file() and digest in str(path).replace("/", "")
    ]
    assert found
    for path in found:
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
