"""Messages as real clients write them, byte for byte and in every way in which bytes can arrive.

Captured from tritonclient 2.73 (http and http.aio), `mlserver infer` 1.7.1, kserve 0.21 and curl.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from served import Reply, Wire, get, mlp, post, read_outputs, serve

from maas_engine import _server

MODEL = mlp(np.float32)
ROW = np.arange(10, dtype=np.float32)[None] / 8
EXPECTED = MODEL.predict(ROW)
BINARY_HEAD = (
    b'{"inputs":[{"name":"input","shape":[1,10],"datatype":"FP32","parameters":{"binary_data_size":40}}],'
    b'"parameters":{"binary_data_output":true}}'
)
BINARY_BODY = BINARY_HEAD + ROW.tobytes()
VALUES = json.dumps(ROW.astype(float).ravel().tolist(), separators=(",", ":")).encode()
JSON_BODY = (
    b'{"inputs":[{"name":"input","shape":[1,10],"datatype":"FP32","data":' + VALUES + b"}],"
    b'"outputs":[{"name":"output","parameters":{"binary_data":false}}]}'
)
NO_OUTPUTS = (
    b'{"inputs":[{"name":"input","shape":[1,10],"datatype":"FP32","data":' + VALUES + b"}],"
    b'"parameters":{"binary_data_output":true}}'
)
EXTRAS = (
    b'{"id":"my-id","inputs":[{"name":"input","shape":[1,10],"datatype":"FP32","parameters":'
    b'{"binary_data_size":40}}],"parameters":{"timeout":1000000,"foo":1,"sequence_id":7,'
    b'"sequence_start":true,"sequence_end":true,"priority":1,"binary_data_output":true}}'
)
KSERVE = (
    b'{"id":"2f3e","model_name":"small","inputs":[{"name":"input","shape":[1,10],"datatype":"FP32","data":['
    + VALUES
    + b"]}]}"
)
MLSERVER = (
    b'{"id":"c5f7","parameters":{"content_type":"np"},"inputs":[{"name":"input","shape":[1,10],'
    b'"datatype":"FP32","parameters":{"content_type":"np"},"data":' + VALUES + b"}]}"
)
GEVENT = (
    b"POST /v2/models/small/infer HTTP/1.1\r\nUser-Agent: python/gevent-http-client-2.6.1\r\n"
    b"%sHost: localhost:8000\r\nContent-Length: %d\r\n\r\n%s"
)


def gevent(fields: bytes, body: bytes, query: bytes = b"") -> bytes:
    return (GEVENT % (fields, len(body), body)).replace(b"/infer ", b"/infer" + query + b" ", 1)


def size_field(size: int) -> bytes:
    return b"Inference-Header-Content-Length: %d\r\n" % size


DEFLATED, ZIPPED = zlib.compress(BINARY_BODY), gzip.compress(BINARY_BODY, mtime=0)
AIOHTTP = (
    b"POST /v2/models/small/infer HTTP/1.1\r\nHost: localhost:8000\r\n"
    b"Inference-Header-Content-Length: %d\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
    b"User-Agent: Python/3.11 aiohttp/3.14.5\r\nContent-Length: %d\r\n"
    b"Content-Type: application/octet-stream\r\n\r\n%s"
)
MLSERVER_HEAD = (
    b"POST /v2/models/small/infer HTTP/1.1\r\nHost: localhost:8000\r\ncontent-type: application/json\r\n"
    b"seldon-puid: c5f7\r\nx-request-id: c5f7\r\n%sAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
    b"User-Agent: Python/3.11 aiohttp/3.14.5\r\nContent-Length: %d\r\n\r\n%s"
)
HTTPX = (
    b"POST /v2/models/small/infer HTTP/1.1\r\nhost: localhost:8000\r\naccept: */*\r\n"
    b"accept-encoding: gzip, deflate\r\nconnection: keep-alive\r\nuser-agent: python-httpx/0.28.1\r\n"
    b"%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
)
CURL = (
    b"POST /v2/models/small/infer HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: curl/7.88.1\r\n"
    b"Accept: */*\r\nContent-Length: %d\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n%s"
)

INFER = {
    "tritonclient binary": gevent(size_field(len(BINARY_HEAD)), BINARY_BODY),
    "tritonclient json": gevent(b"", JSON_BODY),
    "tritonclient json without outputs": gevent(b"", NO_OUTPUTS),
    "tritonclient extras": gevent(
        size_field(len(EXTRAS)) + b"X-Free: 1\r\n", EXTRAS + ROW.tobytes(), b"?q=1&r=%20"
    ),
    "tritonclient gzip": gevent(size_field(len(BINARY_HEAD)) + b"Content-Encoding: gzip\r\n", ZIPPED),
    "tritonclient deflate": gevent(size_field(len(BINARY_HEAD)) + b"Content-Encoding: deflate\r\n", DEFLATED),
    "tritonclient version": gevent(b"", JSON_BODY).replace(b"small/infer", b"small/versions/1/infer"),
    "tritonclient raw": gevent(size_field(0), ROW.tobytes()),
    "aio binary": AIOHTTP % (len(BINARY_HEAD), len(BINARY_BODY), BINARY_BODY),
    "aio json and binary": (AIOHTTP % (len(NO_OUTPUTS), len(NO_OUTPUTS), NO_OUTPUTS)),
    "mlserver json": MLSERVER_HEAD % (b"", len(MLSERVER), MLSERVER),
    "mlserver binary": MLSERVER_HEAD % (size_field(len(BINARY_HEAD)), len(BINARY_BODY), BINARY_BODY),
    "kserve json": HTTPX % (b"", len(KSERVE), KSERVE),
    "kserve binary": HTTPX % (size_field(len(BINARY_HEAD)).lower(), len(BINARY_BODY), BINARY_BODY),
    "curl": CURL % (len(JSON_BODY), JSON_BODY),
    "curl waits": (CURL % (len(JSON_BODY), JSON_BODY)).replace(
        b"Accept:", b"Expect: 100-continue\r\nAccept:"
    ),
}
BINARY_ANSWER = {"binary", "outputs", "extras", "gzip", "deflate", "raw"}


def is_binary(name: str) -> bool:
    return name == "aio json and binary" or bool(BINARY_ANSWER & set(name.split()))


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"small": MODEL}) as started:
        yield started


@pytest.fixture
def wire(server: _server.Server) -> Iterator[Wire]:
    with Wire(server.http_port) as connected:
        yield connected


def assert_answered(name: str, reply: Reply) -> None:
    assert reply.status == 200, (name, reply)
    assert ("inference-header-content-length" in reply.fields) == is_binary(name), name
    kind = "application/octet-stream" if is_binary(name) else "application/json"
    assert reply.fields["content-type"] == kind
    assert read_outputs(reply)["output"].tobytes() == EXPECTED.tobytes()
    size = int(reply.fields.get("inference-header-content-length", len(reply.body)))
    answer = json.loads(reply.body[:size])
    assert (answer["model_name"], answer["model_version"]) == ("small", "1")
    ids = {"tritonclient extras": "my-id", "kserve json": "2f3e", "mlserver json": "c5f7"}
    assert answer.get("id") == ids.get(name)


def final(wire: Wire) -> Reply:
    """The reply, behind "100 Continue" where there is one."""
    reply = wire.reply()
    return wire.reply() if reply.status == 100 else reply


@pytest.mark.parametrize("name", INFER)
def test_whole(name: str, wire: Wire) -> None:
    for _ in range(2):
        wire.send(INFER[name])
        assert_answered(name, final(wire))


@pytest.mark.parametrize("name", INFER)
def test_byte_by_byte(name: str, wire: Wire) -> None:
    for i in range(len(INFER[name])):
        wire.send(INFER[name][i : i + 1])
    assert_answered(name, final(wire))


@pytest.mark.parametrize("name", INFER)
def test_head_and_body_in_segments_of_their_own(name: str, wire: Wire) -> None:
    head, body = INFER[name].split(b"\r\n\r\n", 1)
    for part in (head + b"\r\n\r\n", body[:17], body[17:]):
        wire.send(part)
        time.sleep(0.003)
    assert_answered(name, final(wire))


def test_cut_anywhere(wire: Wire) -> None:
    for name in ("tritonclient binary", "curl"):
        for cut in range(1, len(INFER[name])):
            wire.send(INFER[name][:cut])
            wire.send(INFER[name][cut:])
            assert_answered(name, wire.reply())


def test_all_of_them_pipelined(wire: Wire) -> None:
    names = [name for name in INFER if name != "curl waits"]
    wire.send(b"".join(INFER[name] for name in names) * 20)
    for _ in range(20):
        for name in names:
            assert_answered(name, wire.reply())


def test_more_than_is_read_at_once_pipelined(wire: Wire) -> None:
    """The limit of requests under way holds the others back, it does not lose them."""
    count = 1000
    sending = threading.Thread(target=wire.send, args=(INFER["curl"] * count,))
    sending.start()
    for _ in range(count):
        assert_answered("curl", wire.reply())
    sending.join()


@pytest.mark.parametrize("name", INFER)
def test_in_chunks(name: str, wire: Wire) -> None:
    head, body = INFER[name].split(b"\r\n\r\n", 1)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    head = b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n"
    for step in (1, 7, len(body)):
        parts = [body[i : i + step] for i in range(0, len(body), step)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        wire.send(head + chunks + b"0\r\n\r\n")
        assert_answered(name, final(wire))
    wire.send(head + b"%X;name=value\r\n%s\r\n000\r\nTrailer: 1\r\n\r\n" % (len(body), body))
    assert_answered(name, final(wire))


def test_expect_sends_the_body_after_100(wire: Wire) -> None:
    head, body = INFER["curl waits"].split(b"\r\n\r\n", 1)
    for _ in range(2):
        wire.send(head + b"\r\n\r\n")
        assert wire.reply().status == 100
        wire.send(body)
        assert_answered("curl", wire.reply())


def test_expect_behind_another_request(wire: Wire) -> None:
    head, body = INFER["curl waits"].split(b"\r\n\r\n", 1)
    wire.send(INFER["curl"] + head + b"\r\n\r\n")
    assert_answered("curl", wire.reply())
    assert wire.reply().status == 100
    wire.send(body)
    assert_answered("curl", wire.reply())


def test_expect_of_a_body_that_is_refused_is_answered_at_once(wire: Wire) -> None:
    wire.send(
        b"POST /v2/models/small/infer HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Length: 99999999999\r\n\r\n"
    )
    assert wire.reply().status == 413
    assert wire.ended()


def test_http_1_0_closes_unless_asked(server: _server.Server) -> None:
    old = INFER["curl"].replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with Wire(server.http_port) as wire:
        wire.send(old)
        reply = wire.reply()
        assert_answered("curl", reply)
        assert reply.fields["connection"] == "close"
        assert wire.ended()
    with Wire(server.http_port) as wire:
        for _ in range(2):
            wire.send(old.replace(b"Accept:", b"Connection: keep-alive\r\nAccept:"))
            reply = wire.reply()
            assert_answered("curl", reply)
            assert reply.fields["connection"] == "keep-alive"


def test_http_1_0_is_never_told_to_continue(server: _server.Server) -> None:
    with Wire(server.http_port) as wire:
        head, body = INFER["curl waits"].replace(b"HTTP/1.1", b"HTTP/1.0", 1).split(b"\r\n\r\n", 1)
        wire.send(head + b"\r\n\r\n")
        time.sleep(0.05)
        wire.send(body)
        assert wire.reply().status == 200


def test_connection_close(wire: Wire) -> None:
    wire.send(get("/v2").replace(b"Host", b"Connection: close\r\nHost") + get("/v2"))
    assert wire.reply().fields["connection"] == "close"
    assert wire.ended()


def test_the_connection_goes_on_after_refusals(wire: Wire) -> None:
    refused = [
        (post("/v2/models/nobody/infer", JSON_BODY), 404),
        (post("/v2/models/small/infer", b"{"), 400),
        (post("/v2/models/small/infer", b""), 400),
        (post("/v2/models/small/infer", BINARY_BODY, Inference_Header_Content_Length=99999), 400),
        (post("/v2/models/small/infer", b"xx", Content_Encoding="gzip"), 400),
        (post("/v2/models/small/infer", b"xx", Content_Encoding="br"), 501),
        (get("/v2/models/small/infer"), 405),
        (get("/nowhere"), 404),
    ]
    for message, status in refused:
        wire.send(message + INFER["tritonclient binary"])
        reply = wire.reply()
        assert reply.status == status
        assert reply.error
        assert "connection" not in reply.fields
        assert_answered("tritonclient binary", wire.reply())


def test_health_and_metadata_as_clients_ask(wire: Wire) -> None:
    answers = {
        "/v2/health/live": {"live": True},
        "/v2/models/small/ready": {"name": "small", "ready": True},
        "/v2/models/small/versions/1/ready": {"name": "small", "ready": True},
    }
    for path, expected in answers.items():
        for query in ("", "?q=1"):
            wire.send(get(path + query))
            reply = wire.reply()
            assert (reply.status, json.loads(reply.body)) == (200, expected)
    wire.send(get("/v2/health/ready"))
    assert json.loads(wire.reply().body)["ready"] is True
    for path in ("/v2", "/v2/"):
        wire.send(get(path))
        server = json.loads(wire.reply().body)
        assert set(server) == {"name", "version", "extensions"}
        assert "binary_tensor_data" in server["extensions"]
    wire.send(get("/v2/models/small"))
    assert json.loads(wire.reply().body) == {
        "name": "small",
        "versions": ["1"],
        "platform": "maas_engine_onnx",
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 10]}],
        "outputs": [{"name": "output", "datatype": "FP32", "shape": [-1, 1]}],
    }


def test_head_has_no_body(wire: Wire) -> None:
    wire.send(get("/v2").replace(b"GET", b"HEAD") + get("/v2"))
    head = wire.reply(body=False)
    whole = wire.reply()
    assert head.fields["content-length"] == whole.fields["content-length"]


def test_one_empty_line_before_a_request_is_forgiven(wire: Wire) -> None:
    wire.send(b"\r\n" + INFER["curl"] + b"\r\n" + INFER["curl"])
    assert_answered("curl", wire.reply())
    assert_answered("curl", wire.reply())
