"""What goes wrong around a server: it is killed, its registry, its files, its disk go, callers mean ill.

Whoever asks meanwhile is answered, with the right bits. `make test-faults` does each for long, `make test` what
takes a second.
"""

from __future__ import annotations

import contextlib
import random
import socket
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from askers import FAULTS, MODELS, Askers, asked_by, once_or, serving
from plain_client import ask, until
from served import infer_json, post
from serving_process import ServingProcess

pytest.importorskip("starlette")

ROWS = np.ones((1, 3))
INFER = post("/v2/models/m/infer", infer_json({"X": ROWS}))
MEGABYTE = 1 << 20


@pytest.fixture
def model(tmp_path: Path) -> str:
    MODELS[0].save(tmp_path / "m.onnx")
    return f"m={tmp_path / 'm.onnx'}"


def metric(server: ServingProcess, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith((name + "{", name + " ")))


# --- the server ------------------------------------------------------------------------------------------


def free_ports() -> list[str]:
    """Two that the system gives to nobody by itself."""
    found: list[str] = []
    while len(found) < 2:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(str(port))
    return found


@once_or(15)
def test_killed_under_load_and_started_again(model: str, count: int) -> None:
    """Callers that ask again notice nothing but time; what broke off is told, never made up."""
    port, tcp_port = free_ports()
    command = ["--model", model, "--port", port, "--tcp-port", tcp_port, "--threads", "2"]
    server = ServingProcess(*command)
    try:
        with Askers(int(port), int(tcp_port), MODELS[:1], retries=10_000) as askers:
            for _ in range(count):
                askers.more()
                server.kill()
                server = ServingProcess(*command)
            askers.more()
        assert askers.wrong == []
        assert len(askers.lost) <= 4 * count, "at most the answer that each was reading"
        assert all("in the midst of an answer" in each for each in askers.lost)
        assert server.end() == 0
    finally:
        server.__exit__(None, None, None)


# --- what it rests on ------------------------------------------------------------------------------------


def registered(folder: Path, url: str, store: str) -> Any:
    """A registry with the three models as versions of m; champion is the first."""
    pytest.importorskip("sqlalchemy")
    from maas_engine.registry import Registry

    registry = Registry(url, store, cache=folder / "cache of the writer")
    for seed, each in enumerate(MODELS):
        each.package(folder / f"p{seed}")
        registry.register("m", folder / f"p{seed}")
    registry.set_alias("m", "champion", 1)
    return registry


def follow(folder: Path, url: str, store: str, cache: Path | None = None) -> Any:
    cache = cache or folder / "cache"
    return serving(
        "--model", "m=models:/m@champion", "--registry", url, "--store", store, MAAS_CACHE=str(cache)
    )


def serves(server: ServingProcess, seed: int) -> bool:
    answer = ask(server.port, "/v2/models/m/infer", infer_json({"X": ROWS}))[1]
    return bool(answer["outputs"][0]["data"] == MODELS[seed].predict(ROWS).ravel().tolist())


def ready(server: ServingProcess) -> dict[str, Any]:
    status, page = ask(server.port, "/v2/health/ready")
    assert status == 200
    assert isinstance(page, dict)
    return page


@FAULTS
def test_the_database_goes_and_comes_back(postgres_server: Any, tmp_path: Path) -> None:
    url, store = postgres_server.create_database(), str(tmp_path / "blobs")
    with (
        contextlib.closing(registered(tmp_path, url, store)) as registry,
        follow(tmp_path, url, store) as server,
        asked_by(server, 2) as askers,
    ):
        for version in (2, 1, 2):
            postgres_server.stop()
            try:
                server.wait_for("registry does not answer")
                askers.more(100)
                assert "note" not in ready(server)
            finally:
                postgres_server.start()
            server.wait_for("registry answers again")
            registry.set_alias("m", "champion", version)
            until(lambda version=version: serves(server, version - 1), 60)
        askers.more()
        assert askers.all_well()


@once_or(5)
def test_the_store_goes_and_comes_back(tmp_path: Path, count: int) -> None:
    """A version that cannot be read is asked for again; the one before goes on."""
    url, store = str(tmp_path / "registry"), tmp_path / "blobs"
    with (
        contextlib.closing(registered(tmp_path, url, str(store))) as registry,
        follow(tmp_path, url, str(store)) as server,
        asked_by(server, 2) as askers,
    ):
        for turn in range(count):
            store.rename(tmp_path / "away")
            with contextlib.suppress(FileNotFoundError):
                (tmp_path / "cache").rename(tmp_path / f"cache{turn}")
            registry.set_alias("m", "champion", 2 - turn % 2)
            server.wait_for("refused")
            assert "goes on" in ready(server)["note"]
            askers.more()
            (tmp_path / "away").rename(store)
            server.wait_for("loaded")
            until(lambda: "note" not in ready(server), 60)
        askers.more()
        assert askers.all_well()


@FAULTS
def test_s3_goes_and_comes_back(s3_environment: Any, tmp_path: Path) -> None:
    s3fs = pytest.importorskip("s3fs")

    def files() -> Any:
        return s3fs.S3FileSystem(
            endpoint_url=s3_environment.url, use_listings_cache=False, skip_instance_cache=True
        )

    url, store = str(tmp_path / "registry"), "s3://server-faults/blobs"
    files().mkdir("server-faults")
    with (
        contextlib.closing(registered(tmp_path, url, store)) as registry,
        follow(tmp_path, url, store) as server,
        asked_by(server, 2) as askers,
    ):
        files().get("server-faults/blobs", str(tmp_path / "saved"), recursive=True)
        s3_environment.stop()
        try:
            registry.set_alias("m", "champion", 2)
            line = server.wait_for("refused", 300)
            assert line["goes_on"] == "1"
            askers.more()
            ready(server)
        finally:
            s3_environment.start()
        files().mkdir("server-faults")
        files().put(str(tmp_path / "saved"), "server-faults/blobs", recursive=True)
        # Before its files were put back it was not down but empty: then a version is refused for good.
        registry.set_alias("m", "champion", 1)
        until(lambda: serves(server, 0) and "note" not in ready(server), 300)
        registry.set_alias("m", "champion", 2)
        until(lambda: serves(server, 1), 300)
        assert askers.all_well()


def fill(folder: Path) -> Path:
    path = folder / "fill"
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


def test_a_disk_full_of_the_access_log(model: str, small_disk: Path) -> None:
    with (
        serving("--model", model, "--access-log", str(small_disk / "log")) as server,
        asked_by(server) as askers,
    ):
        until(lambda: (small_disk / "log").stat().st_size > 0, 60)
        filled = fill(small_disk)
        until(lambda: metric(server, "maas_access_log_dropped_total") > 0, 60)
        askers.more()
        filled.unlink()
        size = (small_disk / "log").stat().st_size
        until(lambda: (small_disk / "log").stat().st_size > size, 60)
        assert askers.all_well()
        assert server.end() == 0


def test_a_disk_full_of_the_cache(small_disk: Path, tmp_path: Path) -> None:
    """Which is done without."""
    url, store = str(tmp_path / "registry"), str(tmp_path / "blobs")
    with contextlib.closing(registered(tmp_path, url, store)) as registry:
        (small_disk / "cache").mkdir()
        fill(small_disk)
        with follow(tmp_path, url, store, small_disk / "cache") as server, asked_by(server, 2) as askers:
            registry.set_alias("m", "champion", 2)
            until(lambda: serves(server, 1), 60)
            askers.more()
            assert askers.all_well()


@FAULTS
def test_an_alias_moves_and_bad_versions_come_under_load(tmp_path: Path) -> None:
    url, store = str(tmp_path / "registry"), tmp_path / "blobs"
    with (
        contextlib.closing(registered(tmp_path, url, str(store))) as registry,
        follow(tmp_path, url, str(store)) as server,
    ):
        spoil(store, registry.get_version("m", 3).files["model.onnx"].sha256)
        with asked_by(server, 2) as askers:
            askers.more()
            before = server.memory()
            for turn in range(30):
                version = (2, 3, 1)[turn % 3]
                registry.set_alias("m", "champion", version)
                server.wait_for("refused" if version == 3 else "loaded")
                until(lambda refused=version == 3: ("note" in ready(server)) == refused)
            askers.more()
            assert askers.all_well()
        assert server.memory() < before + 40 * MEGABYTE
        assert server.end() == 0


def spoil(store: Path, digest: str) -> None:
    """Change one byte of a blob, as a failing disk would."""
    for path in store.rglob("*"):
        if path.is_file() and digest in str(path).replace("/", ""):
            path.chmod(0o600)
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
