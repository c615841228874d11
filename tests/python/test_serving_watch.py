"""An alias moved in the registry is served within a second; what must not be served is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_client import ask, predict, question, until
from registry_models import linear

from maas_engine.errors import NotFound, Unavailable
from maas_engine.serving import Server, _watch

pytest.importorskip("sqlalchemy")
pytest.importorskip("starlette")

ROW = np.array([[1.0, 2.0, 3.0]])


def register(registry: Any, seed: int, folder: Path) -> int:
    """Register the model of a seed as the next version of m."""
    linear(seed).package(folder / f"p{seed}")
    version: int = registry.register("m", folder / f"p{seed}").version
    return version


def answer_of(seed: int) -> list[float]:
    values: list[float] = linear(seed).predict(ROW).ravel().tolist()
    return values


@pytest.fixture
def versions(small_registry: Any, tmp_path: Path) -> Any:
    """A registry with versions 1 and 2 of m, of seeds 1 and 2; champion is 1."""
    for seed in (1, 2):
        assert register(small_registry, seed, tmp_path) == seed
    small_registry.set_alias("m", "champion", 1)
    return small_registry


@pytest.fixture
def server(versions: Any) -> Iterator[Server]:
    with Server({"m": "models:/m@champion"}, registry=versions, threads=2, keep=600.0) as started:
        yield started


def look_again(server: Server) -> None:
    """Wait until the server has looked at the registry, from beginning to end."""
    looks = server._watch._looks
    until(lambda: server._watch._looks >= looks + 2)


def test_a_moved_alias_is_served(server: Server, versions: Any) -> None:
    assert _watch.PAUSE <= 0.5  # within a second, by a machine that is not busy
    assert predict(server.port, "m", ROW) == ("1", answer_of(1))
    versions.set_alias("m", "champion", 2)
    until(lambda: predict(server.port, "m", ROW) == ("2", answer_of(2)))
    # Kept for a while, by its number.
    assert ask(server.port, "/v2/models/m/versions/1/infer", question(ROW))[0] == 200
    versions.rollback("m", "champion")
    until(lambda: predict(server.port, "m", ROW) == ("1", answer_of(1)))


def test_an_old_version_goes_after_its_time(versions: Any) -> None:
    with Server({"m": "models:/m@champion"}, registry=versions, keep=0.1) as server:
        versions.set_alias("m", "champion", 2)
        until(lambda: predict(server.port, "m", ROW)[0] == "2")
        until(lambda: ask(server.port, "/v2/models/m/versions/1/infer", question(ROW))[0] == 404)
        assert predict(server.port, "m", ROW) == ("2", answer_of(2))


def test_no_request_fails_while_aliases_move(server: Server, versions: Any) -> None:
    wrong: list[Any] = []
    seen: set[str] = set()
    done = threading.Event()
    wanted = {"1": answer_of(1), "2": answer_of(2)}

    def work() -> None:
        while not done.is_set():
            status, answer = ask(server.port, "/v2/models/m/infer", question(ROW))
            if status != 200 or answer["outputs"][0]["data"] != wanted[answer["model_version"]]:
                wrong.append(answer)
            else:
                seen.add(answer["model_version"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in (2, 1, 2):
        versions.set_alias("m", "champion", version)
        until(lambda version=version: server._models.get("m").content.version == str(version))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert seen == {"1", "2"}


def test_a_bad_version_is_refused_and_said(
    server: Server, versions: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    digest, read = versions.get_version("m", 2).files["model.onnx"].sha256, versions.store.read

    def read_another(name: str, size: int) -> bytes:
        data: bytes = read(name, size)
        return data[:-1] + b"?" if name == digest else data

    versions.store.read = read_another
    versions.set_alias("m", "champion", 2)
    ready = until(lambda: ask(server.port, "/v2/health/ready")[1].get("note"))
    assert "version 2 was refused, version 1 goes on" in ready
    assert str(tmp_path) not in ready
    assert ask(server.port, "/v2/health/ready")[0] == 200
    assert predict(server.port, "m", ROW) == ("1", answer_of(1))
    row = ask(server.port, "/v2/repository/index", b"")[1][0]
    assert (row["version"], row["state"]) == ("1", "READY")
    assert "version 2 was refused" in row["reason"]
    refused = [record for record in caplog.records if getattr(record, "event", "") == "refused"]
    assert [record.fields["version"] for record in refused] == ["2"]  # type: ignore[attr-defined]
    versions.set_alias("m", "champion", 1)  # back again: nothing is wrong any more
    until(lambda: "note" not in ask(server.port, "/v2/health/ready")[1])
    assert predict(server.port, "m", ROW) == ("1", answer_of(1))


def test_a_store_that_is_down_is_asked_again(server: Server, versions: Any) -> None:
    read = versions.store.read

    def down(*_: Any) -> bytes:
        raise Unavailable("[registry] no answer from the store at /secret/place")

    versions.store.read = down
    versions.set_alias("m", "champion", 2)
    note = until(lambda: ask(server.port, "/v2/health/ready")[1].get("note"))
    assert "/secret" not in note
    versions.store.read = read
    until(lambda: predict(server.port, "m", ROW) == ("2", answer_of(2)))
    assert "note" not in ask(server.port, "/v2/health/ready")[1]


def test_a_registry_that_is_down_leaves_all_as_it_is(
    server: Server, versions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("[registry] no answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(versions), "last_event", down)
        patch.setattr(type(versions), "resolve", down)
        look_again(server)
        assert predict(server.port, "m", ROW)[0] == "1"
        assert ask(server.port, "/v2/health/ready")[0] == 200
    versions.set_alias("m", "champion", 2)
    until(lambda: predict(server.port, "m", ROW)[0] == "2")


def test_starts_while_the_registry_is_down_and_waits(versions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("[registry] no answer from the database at /secret/place")

    with monkeypatch.context() as patch:
        patch.setattr(type(versions), "resolve", down)
        server = Server({"m": "models:/m@champion", "n": linear()}, registry=versions).start()
        status, answer = ask(server.port, "/v2/health/ready")
        assert status == 503
        assert "'m': [registry] no answer" in answer["error"]
        assert "/secret" not in answer["error"]
        assert ask(server.port, "/v2/models/m/infer", question(ROW))[0] == 503
        assert predict(server.port, "n", ROW)[0] == "1"
    until(lambda: ask(server.port, "/v2/health/ready")[0] == 200)
    assert predict(server.port, "m", ROW) == ("1", answer_of(1))
    server.stop(0)


def test_starts_with_what_an_alias_meant_last(
    versions: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Server({"m": "models:/m@champion"}, registry=versions):
        pass

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("[registry] no answer")

    monkeypatch.setattr(type(versions), "resolve", down)
    monkeypatch.setattr(type(versions), "last_event", down)
    server = Server({"m": "models:/m@champion"}, registry=versions).start()
    assert predict(server.port, "m", ROW) == ("1", answer_of(1))
    assert any(getattr(record, "event", "") == "recalled" for record in caplog.records)
    server.stop(0)


@pytest.mark.parametrize("uri", ["models:/m@none", "models:/x@champion", "models:/m/9"])
def test_an_alias_that_is_none_stops_the_start(versions: Any, uri: str) -> None:
    with pytest.raises(NotFound):
        Server({"m": uri}, registry=versions).start()


def test_a_number_stays_and_latest_follows(versions: Any, tmp_path: Path) -> None:
    models = {"fixed": "models:/m/1", "newest": "models:/m/latest"}
    with Server(models, registry=versions) as server:
        assert predict(server.port, "fixed", ROW)[0] == "1"
        assert predict(server.port, "newest", ROW)[0] == "2"
        register(versions, 3, tmp_path)
        until(lambda: predict(server.port, "newest", ROW) == ("3", answer_of(3)))
        assert predict(server.port, "fixed", ROW) == ("1", answer_of(1))


def test_an_unloaded_model_is_not_loaded_by_a_move(server: Server, versions: Any) -> None:
    assert ask(server.port, "/v2/repository/models/m/unload", b"")[0] == 200
    versions.set_alias("m", "champion", 2)
    look_again(server)
    assert ask(server.port, "/v2/models/m")[0] == 404
    assert ask(server.port, "/v2/repository/models/m/load", b"")[0] == 200
    assert predict(server.port, "m", ROW)[0] == "2"
