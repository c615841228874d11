"""What guards the data plane, as Python sets it: tokens as the registry makes them, limits, TLS files."""

from __future__ import annotations

import http.client
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest

from maas_engine import Model, _server
from maas_engine.errors import InvalidArgument
from maas_engine.graph import GraphBuilder

pytest.importorskip("sqlalchemy")

from maas_engine.registry._token_text import hash_token, new_token

PING, METADATA, AUTH = 2, 3, 4
DENIED = 5


def model_bytes() -> bytes:
    builder = GraphBuilder("m")
    x = builder.input("x", np.float32, (None, 2))
    builder.output(builder.add("Relu", x, outputs="y"))
    return Model(builder.build()).to_bytes()


@pytest.fixture
def server() -> Iterator[_server.Server]:
    server = _server.Server({"http_port": 0, "tcp_port": 0})
    server.start()
    server.set_model("m", "1", model_bytes())
    server.set_model("n", "1", model_bytes())
    yield server
    server.stop(1.0)


def status(server: _server.Server, path: str, token: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        assert (response.status == 401) == (response.headers["WWW-Authenticate"] == "Bearer")
        assert not token or token not in response.read().decode()
        return response.status
    finally:
        connection.close()


def frame(kind: int, model: str = "", token: str = "") -> bytes:
    body = model.encode()
    if token:
        value = struct.pack("<I", len(token)) + token.encode()
        body += struct.pack("<BBHIQQ", 13, 1, 5, 0, len(value), 1) + b"token" + value
    return (
        struct.pack("<IBBHQIHHHHI", 28 + len(body), 1, kind, 0, 1, 0, len(model), 0, bool(token), 0, 0) + body
    )


def ask(connection: socket.socket, sent: bytes) -> int:
    """The answer's status."""
    connection.sendall(sent)
    head = connection.recv(4096, socket.MSG_PEEK)
    size = struct.unpack_from("<I", head)[0] + 4
    answer = b""
    while len(answer) < size:
        answer += connection.recv(size - len(answer))
    return int(struct.unpack_from("<H", answer, 6)[0])


def test_tokens_of_the_registry_are_those_of_the_server(server: _server.Server) -> None:
    assert status(server, "/v2/models/m") == 200, "this machine alone, and no tokens"
    (mine, text), (other, wide) = new_token(), new_token()
    never, _ = new_token()
    soon = time.time_ns() // 1000 + 10**9
    server.set_tokens(
        [(mine, hash_token(text), ("predict:m",), soon), (other, hash_token(wide), ["admin"], None)]
    )
    assert status(server, "/v2/models/m") == 401
    assert status(server, "/v2/models/m", text) == 200
    assert status(server, "/v2/models/n", text) == 403
    assert status(server, "/v2/models/n", wide) == 200
    assert status(server, "/v2/models/m", text[:-1] + ("A" if text[-1] != "A" else "B")) == 401
    assert status(server, "/v2/models/m", text.replace(mine, never)) == 401
    assert status(server, "/v2/health/ready") == 200
    server.set_tokens([(mine, hash_token(text), ("predict:m",), time.time_ns() // 1000 - 1)])
    assert status(server, "/v2/models/m", text) == 401, "expired"


def test_a_raw_connection_shows_its_token_once(server: _server.Server) -> None:
    token_id, text = new_token()
    server.set_tokens([(token_id, hash_token(text), ("predict:m",), None)])
    with socket.create_connection(("127.0.0.1", server.tcp_port), timeout=60) as connection:
        assert ask(connection, frame(PING)) == 0
        assert ask(connection, frame(METADATA, "m")) == DENIED
        assert ask(connection, frame(AUTH, token=text[::-1])) == DENIED
        assert ask(connection, frame(AUTH, token=text)) == 0
        assert ask(connection, frame(METADATA, "m")) == 0
        assert ask(connection, frame(METADATA, "n")) == DENIED
        server.set_tokens([])
        assert ask(connection, frame(METADATA, "m")) == DENIED, "revoked"


def test_outside_this_machine_nobody_is_anonymous_unless_asked_for() -> None:
    for options, expected in (({}, 401), ({"anonymous": True}, 200), ({"anonymous": None}, 401)):
        server = _server.Server({"host": "0.0.0.0", "http_port": 0, **options})
        server.start()
        server.set_model("m", "1", model_bytes())
        try:
            assert status(server, "/v2/models/m") == expected, options
        finally:
            server.stop(1.0)


def test_options_that_are_wrong_say_so(tmp_path: object) -> None:
    with pytest.raises(InvalidArgument, match="'connection'"):
        _server.Server({"connection": 1})
    server = _server.Server(
        {"http_port": 0, "tls_cert": f"{tmp_path}/none.pem", "tls_key": f"{tmp_path}/none.pem"}
    )
    with pytest.raises(InvalidArgument, match=r"in tls_cert, got '.*none.pem': No such file or directory"):
        server.start()
    with pytest.raises(InvalidArgument, match="sha256"):
        server.set_tokens([("0123456789abcdef", b"short", ["admin"], None)])
