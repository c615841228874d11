"""`Server` inside a program: what it serves, what its control plane says, how it ends."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_client import ask, predict, question, until
from registry_models import linear

from maas_engine.errors import FormatError, InvalidArgument, NotFound
from maas_engine.serving import Server
from maas_engine.serving._asgi import call

pytest.importorskip("starlette")

ROW = np.array([[1.0, 2.0, 3.0]])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({"m": linear()}, threads=1) as started:
        yield started


def test_every_kind_of_source(tmp_path: Path) -> None:
    model = linear()
    model.save(tmp_path / "m.onnx")
    package = model.package(tmp_path / "packed")
    sources: dict[str, Any] = {
        "file": str(tmp_path / "m.onnx"),
        "path": tmp_path / "m.onnx",
        "folder": tmp_path / "packed",
        "model": model,
        "package": package,
    }
    wanted = model.predict(ROW).ravel().tolist()
    with Server(sources, threads=1) as server:
        assert {name: predict(server.port, name, ROW) for name in sources} == dict.fromkeys(
            sources, ("1", wanted)
        )


def test_ports(tmp_path: Path) -> None:
    with Server({"m": linear()}, tcp_port=0, threads=2) as server:
        assert server.port > 0
        assert server.tcp_port > 0
        assert repr(server) == f"<Server 127.0.0.1:{server.port} started: m>"
    with Server({"m": linear()}, port=-1, tcp_port=0) as server:
        assert server.port == -1


def test_a_port_in_use_leaves_nothing_running(server: Server) -> None:
    urllib.request.urlopen(
        f"http://127.0.0.1:{server.port}/metrics"
    ).close()  # its own threads are all there now
    threads = threading.active_count()
    with pytest.raises(InvalidArgument, match=rf"127.0.0.1:{server.port}: Address already in use"):
        Server({"m": linear()}, port=server.port).start()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("models", "options", "error", "words"),
    [
        ({}, {}, InvalidArgument, "at least one model"),
        ({"m": "no/such/file.onnx"}, {}, NotFound, "no/such/file.onnx"),
        ({"m": 3}, {}, InvalidArgument, "got int"),
        ({"a/b": "x"}, {}, InvalidArgument, "without '/'"),
        ({"": "x"}, {}, InvalidArgument, "printable"),
        ({"a\nb": "x"}, {}, InvalidArgument, "printable"),
        ({"m": linear()}, {"colour": 1}, InvalidArgument, "colour"),
        ({"m": linear()}, {"port": "80"}, InvalidArgument, "port as int, got str"),
        ({"m": linear()}, {"threads": True}, InvalidArgument, "threads as int, got bool"),
        ({"m": linear()}, {"threads": -1}, InvalidArgument, "at least one thread"),
    ],
)
def test_what_cannot_be(models: Any, options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Server(models, **options)


def test_a_broken_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07broken")
    server = Server({"m": tmp_path / "m.onnx"})
    with pytest.raises(FormatError):
        server.start()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=60)


def test_a_package_that_was_altered_stops_the_start(tmp_path: Path) -> None:
    linear().package(tmp_path / "p")
    data = bytearray((tmp_path / "p" / "golden.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "p" / "golden.safetensors").write_bytes(data)
    with pytest.raises(FormatError, match="golden"):
        Server({"m": tmp_path / "p"}).start()


def test_stops_once_and_starts_once() -> None:
    server = Server({"m": linear()}).start()
    assert not server.wait(0)
    server.stop(1)
    server.stop(1)
    assert server.wait(0)
    with pytest.raises(InvalidArgument, match="not started before"):
        server.start()


def test_threads_end_with_the_server() -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        with Server({"m": linear()}) as server:
            assert ask(server.port, "/openapi.json")[0] == 200
    assert set(threading.enumerate()) <= before


# --- the control plane -----------------------------------------------------------------------------------


def test_index(server: Server) -> None:
    row = {"name": "m", "version": "1", "state": "READY", "reason": ""}
    assert ask(server.port, "/v2/repository/index", b"") == (200, [row])
    assert ask(server.port, "/v2/repository/index", {"ready": True}) == (200, [row])


def test_config_is_tritons(server: Server) -> None:
    status, config = ask(server.port, "/v2/models/m/config")
    assert status == 200
    assert config["name"] == "m"
    assert config["input"] == [{"name": "X", "data_type": "TYPE_FP64", "dims": [-1, 3]}]
    assert ask(server.port, "/v2/models/m/versions/1/config") == (200, config)
    assert ask(server.port, "/v2/models/m/versions/2/config")[0] == 404


def test_unload_and_load() -> None:
    with Server({"m": linear(), "n": linear(1)}) as server:
        assert ask(server.port, "/v2/repository/models/m/unload", {}) == (200, {})
        status, answer = ask(server.port, "/v2/models/m/infer", question(ROW))
        assert (status, answer) == (404, {"error": "Request for unknown model: 'm' is not found"})
        assert ask(server.port, "/v2/health/ready")[0] == 200  # it is as it was asked to be
        index = ask(server.port, "/v2/repository/index", {"ready": True})[1]
        assert [row["name"] for row in index] == ["n"]
        assert ask(server.port, "/v2/repository/models/m/load", {}) == (200, {})
        assert predict(server.port, "m", ROW)[0] == "1"


def test_a_load_reads_the_file_anew_and_refuses_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    linear(0).save(path)
    with Server({"m": path}) as server:
        linear(1).save(path)
        assert predict(server.port, "m", ROW)[1] == linear(0).predict(ROW).ravel().tolist()
        assert ask(server.port, "/v2/repository/models/m/load", b"")[0] == 200
        assert predict(server.port, "m", ROW)[1] == linear(1).predict(ROW).ravel().tolist()
        path.write_bytes(b"junk")
        status, answer = ask(server.port, "/v2/repository/models/m/load", b"")
        assert status == 400
        assert str(tmp_path) not in json.dumps(answer)
        assert predict(server.port, "m", ROW)[1] == linear(1).predict(ROW).ravel().tolist()
        status, ready = ask(server.port, "/v2/health/ready")
        assert status == 200
        assert "what is there now was refused, what was there before goes on" in ready["note"]
        path.unlink()
        status, answer = ask(server.port, "/v2/repository/models/m/load", b"")
        assert status == 404
        assert str(tmp_path) not in json.dumps(answer)


@pytest.mark.parametrize(
    ("path", "body", "method", "status", "words"),
    [
        ("/", None, "", 404, "GET /openapi.json"),
        ("/v2/nothing", None, "", 404, "'/v2/nothing'"),
        ("/v2/models/x/config", None, "", 404, "unknown model"),
        ("/v2/repository/models/x/load", b"", "", 404, "unknown model: 'x'"),
        ("/v2/repository/models/m/load", b"{", "", 400, "JSON"),
        ("/v2/repository/models/m/load", b"[" * 100_000, "", 400, "JSON"),
        ("/v2/repository/models/m/load", b"[1]", "", 400, "JSON object"),
        ("/v2/repository/index", {"ready": 1}, "", 400, "true or false"),
        ("/v2/repository/index", None, "GET", 405, "another method"),
        ("/openapi.json", b"", "DELETE", 405, "another method"),
        ("/v2/models/m/config", b"", "POST", 405, "another method"),
        ("/%2e%2e/etc/passwd", None, "", 404, "expected a path"),
        ("/%ff%fe", None, "", 404, "expected a path"),
        ("/?" + "a=b&" * 500, None, "", 404, "expected a path"),
    ],
)
def test_errors_are_json_with_one_field(
    server: Server, path: str, body: Any, method: str, status: int, words: str
) -> None:
    got, answer = ask(server.port, path, body, method)
    assert got == status
    assert list(answer) == ["error"]
    assert words in answer["error"]


def test_compressed_bodies_arrive_as_they_were(server: Server) -> None:
    import gzip

    body = gzip.compress(b'{"ready": true}')
    status, rows = ask(server.port, "/v2/repository/index", body, **{"Content-Encoding": "gzip"})
    assert (status, len(rows)) == (200, 1)


def test_many_at_once_get_each_their_own(server: Server) -> None:
    wrong = []

    def work(number: int) -> None:
        for i in range(10):
            path = f"/v2/{number}/{i}"
            status, answer = ask(server.port, path)
            if status != 404 or repr(path) not in answer["error"]:
                wrong.append((path, answer))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_client_that_leaves_does_not_matter(server: Server) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as left:
            left.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
    assert ask(server.port, "/openapi.json")[0] == 200


def test_the_document_names_every_page_and_no_other(server: Server) -> None:
    document = ask(server.port, "/openapi.json")[1]
    from maas_engine.serving._control import make_app

    routes: set[tuple[str, str]] = set()
    for route in make_app(server._models).routes:
        methods = getattr(route, "methods", None) or set()
        routes |= {(method.lower(), getattr(route, "path", "")) for method in methods - {"HEAD"}}
    described = {
        (verb, path) for path, page in document["paths"].items() for verb in page if verb != "parameters"
    }
    fast = {"/v2", "/v2/health/live", "/v2/health/ready"}
    for path in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        fast |= {path, f"{path}/ready", f"{path}/infer"}
    assert {(verb, path) for verb, path in described if path not in fast} == routes
    for verb, path in described - routes:
        place = path.format(model="m", version="1")
        status, _ = ask(server.port, place, b"" if verb == "post" else None)
        assert status in (200, 400), path


def test_an_answer_in_parts_goes_back_whole() -> None:
    import asyncio

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b"y"})

    assert asyncio.run(call(app, (1, b"GET", b"/", [], b""))) == (200, [(b"a", b"b")], b"xy")


# --- who may ask -----------------------------------------------------------------------------------------


def test_a_file_of_tokens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("sqlalchemy")
    from maas_engine.registry._token_text import new_token

    (_, one), (_, admin), (_, late) = new_token(), new_token(), new_token()
    path = tmp_path / "tokens"

    def write(text: str) -> None:
        """At once, as Kubernetes renews a Secret: nobody reads half of it."""
        (tmp_path / "next").write_text(text)
        (tmp_path / "next").replace(path)

    write(f"# ours\n{one} predict:m\n\n{admin} admin  # operators\n")
    with Server({"m": linear(), "n": linear()}, token_file=path) as server:

        def status(name: str, text: str) -> int:
            fields = {"Authorization": f"Bearer {text}"} if text else {}
            return ask(server.port, f"/v2/models/{name}/infer", question(ROW), **fields)[0]

        assert [status("m", text) for text in ("", one, admin, late)] == [401, 200, 200, 401]
        assert status("n", one) == 403
        page = "/v2/repository/models/n/unload"
        assert [ask(server.port, page, b"", Authorization=f"Bearer {text}")[0] for text in (one, admin)] == [
            403,
            200,
        ]
        write(f"{late}\n")
        until(lambda: status("m", late) == 200)
        assert status("m", one) == 401
        write("junk\n")  # what was good goes on
        until(lambda: [record for record in caplog.records if getattr(record, "event", "") == "tokens"])
        assert status("m", late) == 200


@pytest.mark.parametrize("text", ["junk", "maas_0123456789abcdef_" + "A" * 48, "TOKEN everything"])
def test_a_line_that_is_no_token_is_named_and_not_repeated(tmp_path: Path, text: str) -> None:
    pytest.importorskip("sqlalchemy")
    from maas_engine.registry._token_text import new_token

    given = text.replace("TOKEN", new_token()[1])
    (tmp_path / "tokens").write_text(f"\n{given}\n")
    with pytest.raises(InvalidArgument, match="line 2") as raised:
        Server({"m": linear()}, token_file=tmp_path / "tokens").start()
    assert given.split()[0] not in str(raised.value)
    with pytest.raises(NotFound):
        Server({"m": linear()}, token_file=tmp_path / "none").start()


def test_tokens_of_the_registry(small_registry: Any) -> None:
    with Server({"m": linear()}, registry=small_registry, tokens=True) as server:

        def status(text: str) -> int:
            return ask(server.port, "/v2/models/m", Authorization=f"Bearer {text}")[0]

        assert ask(server.port, "/v2/models/m")[0] == 401  # none yet: nobody, not everybody
        text = small_registry.create_token(["predict:m"])
        until(lambda: status(text) == 200)
        small_registry.revoke_token(small_registry.list_tokens()[0].id)
        until(lambda: status(text) == 401)
