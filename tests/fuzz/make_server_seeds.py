"""Writes what clients send as the first inputs of conversation_fuzz: make_server_seeds.py FOLDER.

The target's first byte says the protocol (even: HTTP, odd: raw frames) and in what steps the rest arrives.
"""

from __future__ import annotations

import gzip
import json
import struct
import sys
from pathlib import Path

INPUTS = [
    {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.5, -0.0]},
    {"name": "t", "datatype": "BYTES", "shape": [1, 1], "data": ["a"]},
]
ROW = struct.pack("<2f", 1.0, 2.0)


def post(body: bytes, model: str = "m", **fields: object) -> bytes:
    lines = [f"POST /v2/models/{model}/infer HTTP/1.1", "Host: h", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def http_seeds() -> list[bytes]:
    text = json.dumps({"id": "7", "inputs": INPUTS, "outputs": [{"name": "u"}]}).encode()
    sized = [
        {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}},
        INPUTS[1],
    ]
    binary = json.dumps({"inputs": sized, "parameters": {"binary_data_output": True}}).encode()
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(text[i : i + 50]), text[i : i + 50]) for i in range(0, len(text), 50)
    )
    chunked = (
        b"POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks
        + b"0\r\n\r\n"
    )
    messages = [
        post(text),
        post(binary + ROW, Inference_Header_Content_Length=len(binary)),
        post(ROW * 3, "n", Inference_Header_Content_Length=0),
        post(gzip.compress(text, mtime=0), Content_Encoding="gzip", Accept_Encoding="gzip, deflate"),
        post(text, Expect="100-continue", Connection="close"),
        chunked,
        b"GET /v2/models/m HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HEAD /v2/health/ready HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"POST /v2/repository/index HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    ]
    return [*messages, b"".join(messages[:4] + messages[5:]), messages[2] * 8]


def frame(kind: int, model: bytes = b"", tensors: list[bytes] | None = None, outputs: bytes = b"") -> bytes:
    tail = model + b"".join(tensors or []) + outputs
    counts = len(model), 0, len(tensors or []), outputs.count(b"\0")
    return struct.pack("<IBBHQIHHHHI", 28 + len(tail), 1, kind, 0, 9, 0, *counts, 0) + tail


def tensor(number: int, name: bytes, shape: tuple[int, ...], data: bytes) -> bytes:
    head = struct.pack("<BBHIQ", number, len(shape), len(name), 0, len(data))
    return head + struct.pack(f"<{len(shape)}Q", *shape) + name + data


def raw_seeds() -> list[bytes]:
    rows = tensor(11, b"x", (1, 2), ROW)
    texts = tensor(13, b"t", (1, 1), struct.pack("<I", 2) + b"ab")
    frames = [
        frame(1, b"m", [rows, texts]),
        frame(1, b"m", [rows, texts], b"\1\0u"),
        frame(1, b"n", [tensor(11, b"x", (2, 2), ROW * 2)]),
        frame(2),
        frame(3, b"m"),
        frame(4, b"", [tensor(13, b"token", (1,), struct.pack("<I", 1) + b"s")]),
    ]
    return [*frames, b"".join(frames), frames[2] * 8]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, seeds in enumerate([http_seeds(), raw_seeds()]):
        for i, seed in enumerate(seeds):
            (folder / f"{['http', 'raw'][kind]}_{i}").write_bytes(bytes([kind + 6 * i % 250 // 2 * 2]) + seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
