"""Writes what clients send as the first inputs of conversation_fuzz and infer_fuzz.

make_server_seeds.py CONVERSATION_FOLDER INFER_FOLDER. The first byte of a conversation says the protocol (even:
HTTP, odd: raw frames) and in what steps the rest arrives; the first two of a body how long its JSON is.
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


def body_seeds() -> list[bytes]:
    """Lists of numbers of each type: short and long, flat and nested, tight and wide."""
    integers = ["0", "1", "200", "255"]
    wide = ["-1", "-0", "2147483647", "9007199254740993", "-9223372036854775808", "18446744073709551615"]
    reals = ["0.1", "-0.0", "1e22", "1e-320", "4.9e-324", "1.7976931348623157e308", "3.4028235e38", "1E+2"]
    lists = {"UINT8": integers, "INT64": wide[:-1], "UINT64": integers + wide[-1:], "BOOL": ["true", "false"]}
    lists |= {"FP32": reals[:4] + wide, "FP64": reals + wide}
    seeds = []
    for datatype, values in lists.items():
        for repeats in (1, 20):
            data = values * repeats
            head = f'{{"inputs":[{{"name":"x","datatype":"{datatype}","shape":[{len(data)},1],"data":['
            nested = "[" + "],[".join(data) + "]"
            for text in (",".join(data), " ,\n".join(data), nested):
                body = (head + text + "]}]}").encode()
                seeds.append(struct.pack(">H", len(body)) + body)
    return seeds


def main(conversations: Path, bodies: Path) -> None:
    conversations.mkdir(parents=True, exist_ok=True)
    bodies.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(body_seeds()):
        (bodies / f"body_{i}").write_bytes(seed)
    for kind, seeds in enumerate([http_seeds(), raw_seeds()]):
        for i, seed in enumerate(seeds):
            (conversations / f"{['http', 'raw'][kind]}_{i}").write_bytes(
                bytes([kind + 6 * i % 250 // 2 * 2]) + seed
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
