"""What is refused, with which status and in which words, over HTTP and as raw frames.

The words tell a caller what to mend; what was sent is quoted short and escaped; nothing tells of this host.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from served import FRAME, Wire, frame, get, infer_binary, infer_json, mlp, post, serve, text_classifier

from maas_engine import _server

ROW = np.zeros((1, 10), "f4")
INPUT: dict[str, Any] = {"name": "input", "shape": [1, 10], "datatype": "FP32", "data": [0.0] * 10}
TEXTS = {"city": np.array([["a"]], object), "measures": np.zeros((2, 2), "f4")}
INFER = "/v2/models/small/infer"


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"small": mlp(np.float32), "texts": text_classifier()}) as started:
        yield started


def asked(changes: dict[str, Any] | None = None, **more: Any) -> bytes:
    """A question with some of its only input's keys changed, None for those that are left out."""
    changed = {**INPUT, **(changes or {})}
    kept = {key: value for key, value in changed.items() if value is not None}
    return post(INFER, json.dumps({"inputs": [kept], **more}).encode())


def binary(size: int, extra: bytes = b"", **changes: Any) -> bytes:
    body, json_size = infer_binary({"input": ROW})
    head = json.loads(body[:json_size])
    head["inputs"][0].update(changes)
    head["inputs"][0]["parameters"]["binary_data_size"] = size
    text = json.dumps(head).encode()
    return post(INFER, text + body[json_size:] + extra, Inference_Header_Content_Length=len(text))


# Each keeps the connection.
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no model": (
        post("/v2/models/nobody/infer", b"{}"),
        404,
        "Request for unknown model: 'nobody' is not found",
    ),
    "escaped name": (
        post("/v2/models/%00%e2%82%ac%3Cx/infer", b"{}"),
        404,
        r"Request for unknown model: '\x00\xe2\x82\xac<x' is not found",
    ),
    "no version": (
        post("/v2/models/small/versions/7/infer", b"{}"),
        404,
        "Request for unknown model: 'small' is not found",
    ),
    "not JSON": (post(INFER, b"no"), 400, "expected a JSON object of the Open Inference Protocol: "),
    "no body": (post(INFER, b""), 400, "expected a JSON object of the Open Inference Protocol: "),
    "a list": (post(INFER, b"[]"), 400, "expected a JSON object of the Open Inference Protocol: "),
    "cut": (post(INFER, b'{"inputs":['), 400, "expected a"),
    "trailing": (
        post(INFER, infer_json({"input": ROW}) + b" x"),
        400,
        "expected ",
    ),
    "no inputs": (post(INFER, b'{"id":"1"}'), 400, "expected a list 'inputs'"),
    "empty inputs": (post(INFER, b'{"inputs":[]}'), 400, "expected at least one entry in 'inputs'"),
    "inputs object": (post(INFER, b'{"inputs":{}}'), 400, "expected a list 'inputs'"),
    "inputs twice": (
        post(INFER, infer_json({"input": ROW})[:-1] + b',"inputs":[]}'),
        400,
        "expected 'inputs' once",
    ),
    "id": (asked(id=7), 400, "expected text in 'id'"),
    "parameters": (asked(parameters=[]), 400, "expected an object in 'parameters'"),
    "timeout": (
        asked(parameters={"timeout": -1}),
        400,
        "expected a whole number of microseconds in 'timeout'",
    ),
    "name": (asked({"name": None}), 400, "inputs[0]: expected a 'name'"),
    "shape": (asked({"shape": None}), 400, "inputs[0] 'input': expected 'shape' and 'datatype'"),
    "negative": (
        asked({"shape": [-1, 10]}),
        400,
        "inputs[0] 'input': expected whole numbers of 0 or more in 'shape'",
    ),
    "vast": (asked({"shape": [2**40, 2**40]}), 400, "inputs[0] 'input': expected a smaller 'shape'"),
    "large": (
        asked({"shape": [10**12, 10]}),
        400,
        "inputs[0] 'input': expected as many values as its shape says",
    ),
    "nine": (asked({"shape": [1] * 9}), 400, "inputs[0] 'input': expected at most 8 dimensions"),
    "type": (
        asked({"datatype": "fp32"}),
        501,
        "inputs[0] 'input': expected a datatype of BOOL, UINT8 to UINT64, INT8 to INT64, FP32, FP64 or BYTES, "
        "got 'fp32'",
    ),
    "no data": (
        asked({"data": None}),
        400,
        "inputs[0] 'input': expected 'data', or binary values and their 'binary_data_size'",
    ),
    "few": (
        asked({"data": [0.0] * 9}),
        400,
        "inputs[0] 'input': expected 10 values, flat or nested as its shape [1, 10]",
    ),
    "many": (
        asked({"data": [0.0] * 11}),
        400,
        "inputs[0] 'input': expected 10 values, flat or nested as its shape [1, 10]",
    ),
    "nesting": (
        asked({"data": [[0.0] * 5, [0.0] * 5]}),
        400,
        "inputs[0] 'input': expected 10 values, flat or nested as its shape [1, 10]",
    ),
    "text": (
        asked({"data": ["0"] * 10}),
        400,
        "inputs[0] 'input': expected numbers, or null for what is missing in 'data', at value 0",
    ),
    "too great": (
        asked({"data": [0.0] * 9 + [1e39]}),
        400,
        "inputs[0] 'input': expected numbers that the datatype can hold in 'data', at value 9",
    ),
    "fraction": (
        asked({"datatype": "INT32", "data": [1.5] * 10}),
        400,
        "inputs[0] 'input': expected whole numbers that the datatype can hold in 'data', at value 0",
    ),
    "wrong name": (asked({"name": "X"}), 400, "expected an input 'input'"),
    "wrong shape": (
        asked({"shape": [10]}),
        400,
        "expected input 'input' of shape [-1, 10], got [10]",
    ),
    "wider": (asked({"datatype": "FP64"}), 400, "expected input 'input' of FP32, got FP64"),
    "output": (asked(outputs=[{"name": "no"}]), 400, "expected outputs that the model has, got 'no'"),
    "output flag": (
        asked(outputs=[{"name": "output", "parameters": {"binary_data": 1}}]),
        400,
        "outputs[0] 'output': expected true or false in 'binary_data'",
    ),
    "rows differ": (
        post("/v2/models/texts/infer", infer_json(TEXTS)),
        400,
        "expected as many rows in every input, got 1 and 2",
    ),
    "binary short": (
        binary(36),
        400,
        "inputs[0] 'input': expected 10 values of 4 bytes for its shape, got 36 bytes",
    ),
    "binary long": (binary(44), 400, "inputs[0] 'input': expected 44 bytes behind the JSON, got 40"),
    "binary left": (
        binary(40, b"xyz"),
        400,
        "expected binary_data_size of the inputs to add up to the bytes behind the JSON: 3 are left over",
    ),
    "binary vast": (binary(2**63), 400, f"inputs[0] 'input': expected {2**63} bytes behind the JSON, got 40"),
    "both": (
        binary(40, data=[0] * 10),
        400,
        "inputs[0] 'input': expected either 'data' or 'binary_data_size'",
    ),
    "header length": (
        post(INFER, b"{}", Inference_Header_Content_Length=3),
        400,
        "expected Inference-Header-Content-Length of at most 2, the body's length, got 3",
    ),
    "raw": (
        post(INFER, b"x" * 41, Inference_Header_Content_Length=0),
        400,
        "expected rows of 40 bytes, got 41",
    ),
    "raw of two": (
        post("/v2/models/texts/infer", b"", Inference_Header_Content_Length=0),
        400,
        "expected JSON: bytes alone are for models of one input",
    ),
    "gzip": (post(INFER, b"xx", Content_Encoding="gzip"), 400, "expected a body in gzip"),
    "gzip cut": (
        post(INFER, gzip.compress(b"{}")[:-3], Content_Encoding="gzip"),
        400,
        "expected a body in gzip",
    ),
    "br": (post(INFER, b"xx", Content_Encoding="br"), 501, "expected a body in gzip, deflate or as it is"),
    "method": (get(INFER), 405, f"expected another method for '{INFER}'"),
    "other": (get("/v1/x"), 404, "expected a path of the Open Inference Protocol, got '/v1/x'"),
    "percent": (
        get("/v2/models/%zz"),
        404,
        "expected a path of the Open Inference Protocol, got '/v2/models/%zz'",
    ),
}
PARTS_OF_TEXT = {"trailing", "not JSON", "no body", "a list", "cut"}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, server: _server.Server) -> None:
    message, status, text = REFUSED[name]
    with Wire(server.http_port) as wire:
        wire.send(message + get("/v2/health/live"))
        reply = wire.reply()
        assert reply.status == status
        assert reply.fields["content-type"] == "application/json"
        if name in PARTS_OF_TEXT:
            assert reply.error.startswith(text)
        else:
            assert reply.error == text
        assert wire.reply().status == 200


HEAD = f"POST {INFER} HTTP/1.1\r\nHost: h\r\n".encode()
# Where the next request begins cannot be told: the connection ends.
ENDED: dict[str, tuple[bytes, int]] = {
    "no request": (b"nonsense\r\n\r\n", 400),
    "binary": (bytes(range(1, 256)), 400),
    "TLS": (bytes.fromhex("16030100f5010000f10303") + bytes(64), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "two lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "length and chunks": (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "negative length": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "signed length": (HEAD + b"Content-Length: +2\r\n\r\n{}", 400),
    "listed length": (HEAD + b"Content-Length: 2, 3\r\n\r\n{}", 400),
    "hex length": (HEAD + b"Content-Length: 0x2\r\n\r\n{}", 400),
    "vast length": (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{}", 400),
    "coding unknown": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}", 501),
    "chunked not last": (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501),
    "coded chunks": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunks twice": (HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
    "space before colon": (HEAD + b"Content-Length : 2\r\n\r\n{}", 400),
    "folded": (HEAD + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", 400),
    "NUL": (HEAD + b"X-A: \0\r\n\r\n", 400),
    "bare CR": (HEAD + b"X-A: b\rc\r\n\r\n", 400),
    "chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    "chunk vast": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413),
    "chunk end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n", 400),
    "gigabyte": (HEAD + b"Content-Length: 1073741824\r\n\r\n{}", 413),
    "long head": (HEAD + b"X-A: " + b"b" * 20000 + b"\r\n\r\n", 431),
    "many fields": (HEAD + b"".join(b"X-%d: 1\r\n" % i for i in range(200)) + b"\r\n", 431),
    "two header lengths": (HEAD + b"Inference-Header-Content-Length: 1\r\n" * 2 + b"\r\n", 400),
    "bad header length": (HEAD + b"Inference-Header-Content-Length: 1x\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", ENDED)
def test_ended(name: str, server: _server.Server) -> None:
    message, status = ENDED[name]
    with Wire(server.http_port) as wire:
        wire.send(message)
        reply = wire.reply()
        assert reply.status == status, reply
        assert reply.fields["connection"] == "close"
        assert reply.error.startswith("expected ")
        assert wire.ended()


UNSUPPORTED, INVALID, NOT_FOUND = 4, 1, 3


def test_frames_that_keep_the_connection(server: _server.Server) -> None:
    good = {"input": ROW}
    cases = [
        (frame(good, "nobody"), NOT_FOUND, "Request for unknown model: 'nobody' is not found"),
        (frame(good, "small", "9"), NOT_FOUND, "Request for unknown model: 'small' is not found"),
        (frame({"X": ROW}, "small"), INVALID, "expected an input 'input'"),
        (frame({"input": ROW.astype("f8")}, "small"), INVALID, "expected input 'input' of FP32, got FP64"),
        (
            frame({"input": ROW[:, :9]}, "small"),
            INVALID,
            "expected input 'input' of shape [-1, 10], got [1, 9]",
        ),
        (frame(good, "small", outputs=("no",)), INVALID, "expected outputs that the model has, got 'no'"),
        (frame({**good, "b": ROW}, "small"), INVALID, "expected inputs that the model has, got 'b'"),
        (frame(kind=9), UNSUPPORTED, "expected a frame of kind "),
        (frame(kind=3, model="nobody"), NOT_FOUND, "Request for unknown model: 'nobody' is not found"),
    ]
    whole = frame(good, "small")
    for at, value, status, text in [
        (28, 1, INVALID, "expected zeros in reserved fields"),
        (37, 99, UNSUPPORTED, "tensor 0: expected a known type of tensor"),
        (38, 9, INVALID, "tensor 0: expected at most 8 dimensions"),
        (41, 1, INVALID, "tensor 0: expected zeros in reserved fields"),
        (45, 39, INVALID, "tensor 0: expected 10 values of 4 bytes, got 39 bytes"),
        (52, 255, INVALID, "tensor 0: expected a frame as long as its fields say"),
        (53, 2, INVALID, "tensor 0: expected 20 values of 4 bytes, got 40 bytes"),
        (60, 255, INVALID, "tensor 0: expected smaller dimensions"),
        (24, 2, INVALID, "tensor 1: expected a frame as long as its fields say"),
        (26, 1, INVALID, "expected a frame as long as its fields say"),
        (20, 255, INVALID, "expected a frame as long as its fields say"),
    ]:
        cases.append((whole[:at] + bytes([value]) + whole[at + 1 :], status, text))
    with Wire(server.tcp_port) as wire:
        for message, status, text in cases:
            wire.send(message + frame(kind=2, id=77))
            got = wire.frame()
            assert (got.status, got.error[: len(text)]) == (status, text)
            ping = wire.frame()
            assert (ping.kind, ping.status, ping.id) == (130, 0, 77)


@pytest.mark.parametrize(
    ("message", "status", "text"),
    [
        (struct.pack("<IB", 28, 2) + bytes(27), UNSUPPORTED, "expected a raw frame of version 1"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", UNSUPPORTED, "expected a raw frame of version 1"),
        (
            struct.pack("<IB", 27, 1),
            INVALID,
            "expected a frame of 28 to 67108864 bytes behind its size, got 27",
        ),
        (
            struct.pack("<IB", 2**30, 1),
            INVALID,
            "expected a frame of 28 to 67108864 bytes behind its size, got 1073741824",
        ),
    ],
)
def test_frames_that_end_it(server: _server.Server, message: bytes, status: int, text: str) -> None:
    with Wire(server.tcp_port) as wire:
        wire.send(message)
        got = wire.frame()
        assert (got.kind, got.status, got.error) == (128, status, text)
        assert wire.ended()


def test_a_deadline_that_has_passed(server: _server.Server) -> None:
    """One microsecond is over by the time that everything of this wake-up is read."""
    rows = np.zeros((500, 10), "f4")
    with Wire(server.tcp_port) as wire:
        wire.send(b"".join(frame({"input": rows}, "small", id=i, timeout=1) for i in range(20)))
        answers = [wire.frame() for _ in range(20)]
    late = [got for got in answers if got.status]
    assert late
    assert {(got.status, got.error) for got in late} == {
        (7, "the deadline passed before the request could run")
    }


def test_long_and_wild_texts_are_quoted_short(server: _server.Server) -> None:
    with Wire(server.http_port) as wire:
        wire.send(post(f"/v2/models/{'x' * 5000}/infer", b"{}"))
        assert len(wire.reply().error) < 150
        wire.send(asked({"name": "\x1b[2J<script>\n" + "y" * 10000}))
        error = wire.reply().error
        assert "\x1b" not in error
        assert len(error) < 200
    with Wire(server.tcp_port) as wire:
        wire.send(frame({}, "\x1b[2J\r\n" + "z" * 60000))
        error = wire.frame().error
        assert "\x1b" not in error
        assert len(error) < 150
    assert FRAME.size == 32
