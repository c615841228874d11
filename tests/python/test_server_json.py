"""JSON that is none, lies about what follows, or holds what a tensor cannot: refused, and the connection goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from served import Wire, get, infer_json, mlp, post, serve

from maas_engine import _server

INFER = "/v2/models/small/infer"
BODY = infer_json({"input": np.arange(10, dtype=np.float32)[None] / 8})


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"small": mlp(np.float32)}) as started:
        yield started


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "input", "shape": [1, 10], "datatype": "FP32", "data": [0] * 10, **changes}


def with_data(text: str) -> bytes:
    return json.dumps({"inputs": [entry(data="DATA")]}).replace('"DATA"', text).encode()


ZEROS = "0," * 9
JSON: dict[str, bytes] = {
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep data": with_data("[" * 50_000 + "]" * 50_000),
    "1e999": with_data(f"[{ZEROS}1e999]"),
    "-1e999": with_data(f"[{ZEROS}-1e999]"),
    "1e39 for FP32": with_data(f"[{ZEROS}1e39]"),
    "NaN": with_data(f"[{ZEROS}NaN]"),
    "Infinity": with_data(f"[{ZEROS}Infinity]"),
    "hex": with_data(f"[{ZEROS}0x10]"),
    "a leading zero": with_data(f"[{ZEROS}01]"),
    "a plus": with_data(f"[{ZEROS}+1]"),
    "a dot": with_data(f"[{ZEROS}.5]"),
    "an exponent alone": with_data(f"[{ZEROS}1e]"),
    "a text of digits": with_data(f'[{ZEROS}"1"]'),
    "true": with_data(f"[{ZEROS}true]"),
    "an object": with_data(f"[{ZEROS}{{}}]"),
    "a comma too many": with_data(f"[{ZEROS}0,]"),
    "data no list": with_data("0"),
    "data twice": with_data(f'[{ZEROS}0],"data":[{ZEROS}0]'),
    "shape twice": with_data(f'[{ZEROS}0],"shape":[1,10]'),
    "datatype twice": with_data(f'[{ZEROS}0],"datatype":"FP32"'),
    "inputs twice": BODY[:-1] + b"," + BODY[1:],
    "shape of 2^63": json.dumps({"inputs": [entry(shape=[2**63, 10])]}).encode(),
    "shape of 2^64": json.dumps({"inputs": [entry(shape=[2**64, 10])]}).encode(),
    "a product of 2^64": json.dumps({"inputs": [entry(shape=[2**32, 2**32])]}).encode(),
    "a product that overflows to ten": json.dumps({"inputs": [entry(shape=[2**63 + 5, 2])]}).encode(),
    "a product of zero": json.dumps({"inputs": [entry(shape=[2**62, 2**62, 0], data=[])]}).encode(),
    "shape of fractions": json.dumps({"inputs": [entry(shape=[1.0, 10])]}).encode(),
    "shape of texts": json.dumps({"inputs": [entry(shape=["1", "10"])]}).encode(),
    "shape of lists": json.dumps({"inputs": [entry(shape=[[1], [10]])]}).encode(),
    "shape below zero": json.dumps({"inputs": [entry(shape=[-1, -10])]}).encode(),
    "shape no list": json.dumps({"inputs": [entry(shape=10)]}).encode(),
    "a name of null": json.dumps({"inputs": [entry(name=None)]}).encode(),
    "a datatype of a number": json.dumps({"inputs": [entry(datatype=32)]}).encode(),
    "parameters of a list": json.dumps({"inputs": [entry(parameters=[1])]}).encode(),
    "an entry of null": b'{"inputs":[null]}',
    "inputs of null": b'{"inputs":null}',
    "outputs of numbers": BODY[:-1] + b',"outputs":[1]}',
    "an output without a name": BODY[:-1] + b',"outputs":[{}]}',
    "binary_data of a text": BODY[:-1]
    + b',"outputs":[{"name":"output","parameters":{"binary_data":"true"}}]}',
    "binary_data_output of a number": BODY[:-1] + b',"parameters":{"binary_data_output":1}}',
    "a timeout of a text": BODY[:-1] + b',"parameters":{"timeout":"1"}}',
    "a timeout below zero": BODY[:-1] + b',"parameters":{"timeout":-1}}',
    "a timeout of 1e999": BODY[:-1] + b',"parameters":{"timeout":1e999}}',
    "a size of a text": json.dumps({"inputs": [entry(parameters={"binary_data_size": "40"})]}).encode(),
    "a size below zero": json.dumps({"inputs": [entry(parameters={"binary_data_size": -1})]}).encode(),
    "a size without bytes": json.dumps({"inputs": [entry(parameters={"binary_data_size": 40})]}).encode(),
    "many entries": json.dumps({"inputs": [entry()] * 5000}).encode(),
    "many outputs": BODY[:-1] + b',"outputs":[' + b'{"name":"output"},' * 5000 + b'{"name":"output"}]}',
    "half a pair": BODY[:-1] + b',"id":"\\ud800"}',
    "not UTF-8": BODY[:-1] + b',"id":"\xff"}',
    "a control in a text": BODY[:-1] + b',"id":"\n"}',
    "NUL behind": BODY + b"\0",
    "two objects": BODY + BODY,
    "a mark first": b"\xef\xbb\xbf\xef\xbb\xbf" + BODY,
    "a comment": b"/**/" + BODY,
    "only spaces": b" " * 100_000,
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_is_none_or_lies(server: _server.Server, name: str) -> None:
    with Wire(server.http_port) as wire:
        wire.send(post(INFER, JSON[name]) + get("/v2/health/live"))
        reply = wire.reply()
        assert reply.status == 400, reply.body
        assert reply.error.isprintable()
        assert len(reply.error) < 400
        assert wire.reply().status == 200


def test_what_is_not_read_may_be_anything(server: _server.Server) -> None:
    deep = b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"," + BODY[1:]
    wide = b"{" + b'"x":0,' * 50_000 + BODY[1:]
    with Wire(server.http_port) as wire:
        for body in (deep, wide):
            wire.send(post(INFER, body))
            assert wire.reply().status == 200


@pytest.mark.parametrize(
    ("said", "bytes_", "good"),
    [(40, 40, True), (39, 40, False), (41, 40, False), (40, 39, False), (40, 44, False), (0, 40, False),
     (2**32 + 40, 40, False), (2**63, 40, False), (2**64 - 1, 40, False), (2**64, 40, False), (4.0, 40, False)],
)  # fmt: skip
def test_sizes_of_binary_values_that_lie(
    server: _server.Server, said: float, bytes_: int, good: bool
) -> None:
    given = entry(parameters={"binary_data_size": said})
    del given["data"]
    text = json.dumps({"inputs": [given]}).encode()
    with Wire(server.http_port) as wire:
        body = text + bytes(bytes_)
        wire.send(post(INFER, body, Inference_Header_Content_Length=len(text)))
        assert wire.reply().status == (200 if good else 400)
        for lie in (len(text) - 1, len(text) + 1, len(body) + 1, 2**64 - 1, 1):
            wire.send(post(INFER, body, Inference_Header_Content_Length=lie))
            assert wire.reply().status == 400
