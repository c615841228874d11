"""Files on disk that change while they are served: models, certificates; what must not be served is not."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_client import ask, predict, until
from registry_models import linear

from maas_engine.serving import Server, _watch
from maas_engine.serving._systemd import notify

pytest.importorskip("starlette")

ROW = np.array([[1.0, 2.0, 3.0]])


def answer_of(seed: int) -> tuple[str, list[float]]:
    return "1", linear(seed).predict(ROW).ravel().tolist()


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if getattr(record, "event", "") == name]  # type: ignore[attr-defined]


def exchange(path: Path, seed: int) -> None:
    """As an editor or a deployment does: a new file takes the old one's name."""
    linear(seed).save(path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watch, "PAUSE", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    linear(0).save(tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


@pytest.fixture
def server(path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    caplog.set_level("INFO", "maas_engine.serving")
    with Server({"m": path}, watch=True) as started:
        yield started


def test_a_file_that_changes_is_served(server: Server, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert predict(server.port, "m", ROW) == answer_of(0)
    exchange(path, 1)
    until(lambda: predict(server.port, "m", ROW) == answer_of(1), 30)
    linear(2).save(path)  # written in place
    until(lambda: predict(server.port, "m", ROW) == answer_of(2), 30)
    until(lambda: len(events(caplog, "loaded")) == 2, 30)


def test_a_bad_file_is_refused_and_the_old_one_goes_on(
    server: Server, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = path.read_bytes()
    for bad in (good[: len(good) // 2], b"", b"\x08\x07junk"):
        caplog.clear()
        path.write_bytes(bad)
        until(lambda: events(caplog, "refused"), 30)
        assert predict(server.port, "m", ROW) == answer_of(0)
        status, ready = ask(server.port, "/v2/health/ready")
        assert status == 200
        assert "m: what is there now was refused, what was there before goes on: " in ready["note"]
        assert str(path.parent) not in ready["note"]
        row = ask(server.port, "/v2/repository/index", b"")[1][0]
        assert row["state"] == "READY"
        assert "was refused" in row["reason"]
        for _ in range(3):
            server._watch.look()
        assert len(events(caplog, "refused")) == 1, "said once"
    exchange(path, 3)
    until(lambda: predict(server.port, "m", ROW) == answer_of(3), 30)
    assert "note" not in ask(server.port, "/v2/health/ready")[1]


def test_a_file_that_is_gone_for_a_while(server: Server, path: Path) -> None:
    away = path.with_name("away")
    path.rename(away)
    until(lambda: ask(server.port, "/v2/health/ready")[1].get("note"), 30)
    assert predict(server.port, "m", ROW) == answer_of(0)
    away.rename(path)
    until(lambda: "note" not in ask(server.port, "/v2/health/ready")[1], 30)


def test_a_folder_that_changes_is_served_once_it_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for seed in (0, 1):
        linear(seed).package(tmp_path / f"p{seed}")
    (tmp_path / "now").symlink_to("p0")
    with Server({"m": tmp_path / "now"}, watch=True) as server:
        (tmp_path / "next").symlink_to("p1")
        os.replace(tmp_path / "next", tmp_path / "now")  # as Kubernetes exchanges a volume
        until(lambda: predict(server.port, "m", ROW) == answer_of(1), 30)
        shutil.copy(tmp_path / "p0" / "model.onnx", tmp_path / "p1" / "model.onnx")
        until(lambda: events(caplog, "refused"), 30)
        assert predict(server.port, "m", ROW) == answer_of(1)


def test_files_are_left_alone_unless_asked(path: Path) -> None:
    with Server({"m": path}) as server:
        exchange(path, 1)
        for _ in range(5):
            server._watch.look()
        assert predict(server.port, "m", ROW) == answer_of(0)
        server.reload()
        until(lambda: predict(server.port, "m", ROW) == answer_of(1), 30)
        path.write_bytes(b"junk")
        server.reload()
        until(lambda: ask(server.port, "/v2/health/ready")[1].get("note"), 30)
        assert predict(server.port, "m", ROW) == answer_of(1)


def test_an_unloaded_file_stays_unloaded(server: Server, path: Path) -> None:
    assert ask(server.port, "/v2/repository/models/m/unload", b"")[0] == 200
    exchange(path, 1)
    server.reload()
    for _ in range(5):
        server._watch.look()
    assert ask(server.port, "/v2/models/m")[0] == 404


# --- certificates ----------------------------------------------------------------------------------------


def shown(port: int) -> bytes:
    """The certificate that the server shows a new connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain) as secured,
    ):
        return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"").encode()


def test_certificates_are_renewed(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("cryptography")
    from small_certificates import issue

    caplog.set_level("INFO", "maas_engine.serving")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    first, second = issue("localhost"), issue("localhost")
    cert.write_bytes(first.pem)
    first.write_key(key)
    with Server({"m": path}, tls_cert=str(cert), tls_key=str(key)) as server:
        assert shown(server.port) == first.pem
        cert.write_bytes(second.pem)  # its key is not there yet
        until(lambda: [each for each in events(caplog, "certificates") if "reason" in each], 30)
        assert shown(server.port) == first.pem
        second.write_key(key)
        until(lambda: shown(server.port) == second.pem, 30)
        cert.unlink()
        until(lambda: "No such file" in events(caplog, "certificates")[-1].get("reason", ""), 30)
        assert shown(server.port) == second.pem


# --- systemd ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True])
def test_states_go_to_the_socket_of_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    place = f"maas-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + place if abstract else place)
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + place if abstract else place)
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("place", ["", "relative", "/no/such/socket"])
def test_no_manager_is_no_error(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", place)
    notify("READY=1")
