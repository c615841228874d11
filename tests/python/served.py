"""A server in this process without any Python in the path of a request, and sockets that speak to it by hand."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import maas_engine
from maas_engine import _server
from maas_engine.graph import ML_DOMAIN, GraphBuilder

FRAME = struct.Struct("<IBBHQIHHHHI")
TENSOR = struct.Struct("<BBHIQ")
NUMBERS: dict[Any, int] = {
    np.dtype(name): number
    for name, number in {
        "bool": 1, "uint8": 2, "uint16": 3, "uint32": 4, "uint64": 5, "int8": 6, "int16": 7, "int32": 8,
        "int64": 9, "float32": 11, "float64": 12,
    }.items()
}  # fmt: skip
TEXT = 13
DATATYPES = {
    np.dtype("float32"): "FP32",
    np.dtype("float64"): "FP64",
    np.dtype("int64"): "INT64",
    np.dtype("int32"): "INT32",
    np.dtype("bool"): "BOOL",
    np.dtype("object"): "BYTES",
}


@contextmanager
def serve(models: dict[str, maas_engine.Model], **options: Any) -> Iterator[_server.Server]:
    """The models as version "1" of their names, over HTTP and raw frames at ports of their own."""
    server = _server.Server({"http_port": 0, "tcp_port": 0, "threads": 1, **options})
    server.start()
    try:
        for name, model in models.items():
            server.set_model(name, "1", model.to_bytes())
        yield server
    finally:
        server.stop(5.0)


class ServerApart(NamedTuple):
    """A server in a process of its own: its memory and descriptors are nobody else's."""

    http_port: int
    tcp_port: int
    process: int

    def memory(self) -> int:
        """Bytes that no other process shares."""
        lines = Path(f"/proc/{self.process}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        return 1024 * (sizes["Private_Clean"] + sizes["Private_Dirty"])

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process}/fd"))


APART = """
import json, resource, sys
descriptors, models, options = json.loads(sys.argv[1])
descriptors = descriptors or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
from maas_engine import _server
_server.release_large_blocks()
server = _server.Server({"http_port": 0, "tcp_port": 0, "threads": 2, **options})
server.start()
for name, path in models.items():
    server.set_model(name, "1", open(path, "rb").read())
print(server.http_port, server.tcp_port, flush=True)
sys.stdin.read()
server.stop(5.0)
"""


@contextmanager
def serve_apart(
    models: dict[str, maas_engine.Model], descriptors: int = 0, **options: Any
) -> Iterator[ServerApart]:
    """The same in a process of its own, which may open that many ``descriptors`` (0: all the system gives)."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: f"{folder}/{name}.onnx" for name in models}
        for name, model in models.items():
            Path(files[name]).write_bytes(model.to_bytes())
        command = [sys.executable, "-c", APART, json.dumps([descriptors, files, options])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                http_port, tcp_port = map(int, child.stdout.readline().split())
                yield ServerApart(http_port, tcp_port, child.pid)
                child.stdin.close()
                assert child.wait(60) == 0
            finally:
                child.kill()


def until(true: Callable[[], Any]) -> None:
    """Wait until it is, for a minute at most."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def mlp(dtype: Any, features: int = 10, seed: int = 3) -> maas_engine.Model:
    """features-64-32-1 with ReLU, from `input` to `output`."""
    draws = np.random.default_rng(seed)
    builder = GraphBuilder("mlp")
    value = builder.input("input", dtype, (None, features))
    sizes = [features, 64, 32, 1]
    for i, (wide, narrow) in enumerate(pairwise(sizes)):
        weight = (draws.standard_normal((wide, narrow)) / np.sqrt(wide)).astype(dtype)
        bias = draws.standard_normal(narrow).astype(dtype)
        value = builder.add("Gemm", value, builder.constant(weight), builder.constant(bias))
        if i < len(sizes) - 2:
            value = builder.add("Relu", value)
    builder.output(builder.add("Identity", value, outputs="output"))
    return maas_engine.Model(builder.build())


def text_classifier() -> maas_engine.Model:
    """Of a city (text) and two measures (float32): a text label and three probabilities."""
    draws = np.random.default_rng(4)
    cities = ["Oslo", "Łódź", "", "São Paulo"]
    builder = GraphBuilder("text_classifier")
    city = builder.input("city", str, (None, 1))
    measures = builder.input("measures", np.float32, (None, 2))
    known = builder.add("OneHotEncoder", city, domain=ML_DOMAIN, cats_strings=cities, zeros=1)
    flat = builder.add("Reshape", known, builder.constant(np.array([-1, len(cities)])))
    features = builder.add("Concat", builder.add("Cast", flat, to=1), measures, axis=1)
    label, probabilities = builder.add(
        "LinearClassifier",
        features,
        domain=ML_DOMAIN,
        outputs=["label", "probabilities"],
        coefficients=draws.normal(size=(3, 6)).astype(np.float32).ravel().tolist(),
        intercepts=[0.25, -0.5, 0.125],
        post_transform="SOFTMAX",
        classlabels_strings=["no", "yes", "może"],
    )
    builder.output(label, probabilities)
    return maas_engine.Model(builder.build())


def every_type() -> maas_engine.Model:
    """Hands back each of its six inputs, one of each type that a model can have, as `name_out`."""
    builder = GraphBuilder("every_type")
    types = {"f4": np.float32, "f8": np.float64, "i8": np.int64, "i4": np.int32, "b1": np.bool_, "text": str}
    inputs = {name: builder.input(name, dtype, (None, 2)) for name, dtype in types.items()}
    builder.output(*[builder.add("Identity", each, outputs=f"{name}_out") for name, each in inputs.items()])
    return maas_engine.Model(builder.build())


class Reply(NamedTuple):
    status: int
    fields: dict[str, str]  # names in lower case
    body: bytes

    @property
    def error(self) -> str:
        parsed = json.loads(self.body)
        assert list(parsed) == ["error"]
        return str(parsed["error"])


class Wire:
    """One TCP connection; the caller writes bytes, replies are read one after the other."""

    def __init__(self, port: int, timeout: float = 60.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def head(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = text.decode("ascii").split("\r\n")
        assert first.startswith("HTTP/1.1 ")
        fields = [line.split(": ", 1) for line in lines]
        assert len({name.lower() for name, _ in fields}) == len(fields), fields
        return int(first.split(" ")[1]), {name.lower(): value for name, value in fields}

    def reply(self, *, body: bool = True) -> Reply:
        status, fields = self.head()
        if status == 100:
            return Reply(status, fields, b"")
        return Reply(status, fields, self.take(int(fields["content-length"]) if body else 0))

    def frame(self) -> Frame:
        size = struct.unpack("<I", self.take(4))[0]
        return read_frame(struct.pack("<I", size) + self.take(size))

    def ended(self) -> bool:
        """Whether the server closes, with nothing more said."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def post(path: str, body: bytes, **fields: object) -> bytes:
    """A request as bytes; `_` in the names of fields stands for `-`."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def infer_json(arrays: dict[str, NDArray[Any]], **more: Any) -> bytes:
    inputs = [
        {"name": name, "shape": list(a.shape), "datatype": DATATYPES[a.dtype], "data": a.ravel().tolist()}
        for name, a in arrays.items()
    ]
    return json.dumps({"inputs": inputs, **more}).encode()


def raw_bytes(array: NDArray[Any]) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    texts = [str(text).encode() for text in array.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def infer_binary(arrays: dict[str, NDArray[Any]], **more: Any) -> tuple[bytes, int]:
    """A body and the bytes of its JSON."""
    data = [raw_bytes(array) for array in arrays.values()]
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": DATATYPES[array.dtype],
            "parameters": {"binary_data_size": len(each)},
        }
        for (name, array), each in zip(arrays.items(), data, strict=True)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}, **more}).encode()
    return head + b"".join(data), len(head)


def read_texts(data: bytes) -> list[str]:
    texts = []
    while data:
        size = struct.unpack_from("<I", data)[0]
        texts.append(data[4 : 4 + size].decode())
        data = data[4 + size :]
    return texts


def read_outputs(reply: Reply) -> dict[str, NDArray[Any]]:
    """The outputs of an answer in JSON, binary or both."""
    size = int(reply.fields.get("inference-header-content-length", len(reply.body)))
    assert reply.status == 200, reply
    answer, rest = json.loads(reply.body[:size]), reply.body[size:]
    types = {name: dtype for dtype, name in DATATYPES.items()}
    outputs: dict[str, NDArray[Any]] = {}
    for output in answer["outputs"]:
        dtype, shape = types[output["datatype"]], output["shape"]
        if "parameters" in output:
            count = output["parameters"]["binary_data_size"]
            data, rest = rest[:count], rest[count:]
            text = output["datatype"] == "BYTES"
            values = np.array(read_texts(data), object) if text else np.frombuffer(data, dtype)
        else:
            values = np.array(output["data"], dtype)
        outputs[output["name"]] = values.reshape(shape)
    assert rest == b""
    return outputs


class Frame(NamedTuple):
    kind: int
    status: int
    id: int
    tensors: dict[str, NDArray[Any]]

    @property
    def error(self) -> str:
        assert list(self.tensors) == ["error"]
        return str(self.tensors["error"][0])


def frame(
    arrays: dict[str, NDArray[Any]] | None = None,
    model: str = "",
    version: str = "",
    *,
    kind: int = 1,
    id: int = 0,
    timeout: int = 0,
    outputs: tuple[str, ...] = (),
) -> bytes:
    """A request as docs/raw_protocol.md has it."""
    tail = model.encode() + version.encode()
    for name, array in (arrays or {}).items():
        data = raw_bytes(array)
        number = TEXT if array.dtype == object else NUMBERS[array.dtype]
        tail += TENSOR.pack(number, array.ndim, len(name.encode()), 0, len(data))
        tail += struct.pack(f"<{array.ndim}Q", *array.shape) + name.encode() + data
    for output in outputs:
        tail += struct.pack("<H", len(output.encode())) + output.encode()
    size = FRAME.size - 4 + len(tail)
    counts = len(model.encode()), len(version.encode()), len(arrays or {}), len(outputs)
    return FRAME.pack(size, 1, kind, 0, id, timeout, *counts, 0) + tail


def read_frame(data: bytes) -> Frame:
    size, protocol, kind, status, id, _, model, version, tensors, outputs, reserved = FRAME.unpack_from(data)
    assert (size + 4, protocol, outputs, reserved) == (len(data), 1, 0, 0)
    at = FRAME.size + model + version
    types: dict[int, Any] = {number: dtype for dtype, number in NUMBERS.items()}
    found: dict[str, NDArray[Any]] = {}
    for _ in range(tensors):
        number, rank, name_size, _, count = TENSOR.unpack_from(data, at)
        at += TENSOR.size
        shape = struct.unpack_from(f"<{rank}Q", data, at)
        at += 8 * rank
        name, at = data[at : at + name_size].decode(), at + name_size
        values, at = data[at : at + count], at + count
        array = (
            np.array(read_texts(values), object) if number == TEXT else np.frombuffer(values, types[number])
        )
        found[name] = array.reshape(shape)
    assert at == len(data)
    return Frame(kind, status, id, found)
