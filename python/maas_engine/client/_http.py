"""The Open Inference Protocol over HTTP/1.1 as a client writes and reads it: tensors in binary."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any
from urllib.parse import quote

from maas_engine.client._description import Question
from maas_engine.client._reply import (
    MOST_ANSWER,
    MOST_HEAD,
    Exchange,
    Reader,
    Reply,
    ToEnd,
    Until,
    Wanted,
    http_error,
)
from maas_engine.client._tensors import TYPES, Tensor
from maas_engine.errors import FormatError

_JSON_SIZE = "inference-header-content-length"


class HttpCodec:
    """Requests as HTTP messages. Immutable."""

    def __init__(self, host: str, prefix: str, token: str | None) -> None:
        self._prefix = prefix
        self._lines = f"Host: {host}\r\nUser-Agent: maas_engine\r\n"
        if token is not None:
            self._lines += f"Authorization: Bearer {token}\r\n"

    def greeting(self) -> Exchange | None:
        return None

    def infer(self, model: str, version: str, question: Question, timeout_us: int | None) -> Exchange:
        inputs = [
            {
                "name": each.name,
                "datatype": each.datatype,
                "shape": each.shape,
                "parameters": {"binary_data_size": len(each.data)},
            }
            for each in question.tensors
        ]
        outputs = [{"name": name, "parameters": {"binary_data": True}} for name in question.outputs]
        fields: dict[str, Any] = {"inputs": inputs, "outputs": outputs}
        if timeout_us is not None:
            fields["parameters"] = {"timeout": timeout_us}
        text = json.dumps(fields, separators=(",", ":")).encode()
        size = len(text) + sum(len(each.data) for each in question.tensors)
        head = (
            f"POST {self._path(model, version)}/infer HTTP/1.1\r\n{self._lines}"
            "Content-Type: application/octet-stream\r\n"
            f"Inference-Header-Content-Length: {len(text)}\r\nContent-Length: {size}\r\n\r\n"
        )
        return Exchange([head.encode() + text, *(each.data for each in question.tensors)], _read_answer)

    def post(self, model: str, version: str, text: bytes) -> bytes:
        """An inference whose JSON is ready, whole."""
        head = (
            f"POST {self._path(model, version)}/infer HTTP/1.1\r\n{self._lines}"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        return head.encode() + text

    def metadata(self, model: str, version: str) -> Exchange:
        return self._get(self._path(model, version))

    def health(self, what: str) -> Exchange:
        return self._get(f"{self._prefix}/v2/health/{what}", with_body=False)

    def page(self, path: str) -> Exchange:
        return self._get(f"{self._prefix}{path}")

    def monitoring(self, model: str) -> Exchange:
        return self._get(f"{self._path(model, '')}/monitoring")

    def _path(self, model: str, version: str) -> str:
        path = f"{self._prefix}/v2/models/{quote(model, safe='')}"
        return f"{path}/versions/{quote(version, safe='')}" if version else path

    def _get(self, path: str, with_body: bool = True) -> Exchange:
        head = f"GET {path} HTTP/1.1\r\n{self._lines}\r\n"
        return Exchange([head.encode()], _read_json if with_body else _read_health)


def _read_json() -> Reader:
    status, fields, body = yield from _read_message()
    return _reply(status, fields, body, _json(body) if status == 200 else None)


def _read_health() -> Reader:
    status, fields, body = yield from _read_message()
    return _reply(status, fields, body, None)


def _read_answer() -> Reader:
    status, fields, body = yield from _read_message()
    return _reply(status, fields, body, _tensors(fields, body) if status == 200 else None)


def _reply(status: int, fields: dict[str, str], body: bytes, value: Any) -> Reply:
    keep = "close" not in fields.get("connection", "").lower() and "until end" not in fields
    if 200 <= status < 300:
        return Reply(value, keep=keep)
    try:
        text = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        text = ""
    wait = fields.get("retry-after", "")
    return Reply(
        error=http_error(status, text),
        retry_after=float(wait) if wait.isascii() and wait.isdigit() else None,
        keep=keep,
    )


def _read_message() -> Generator[Wanted, bytes, tuple[int, dict[str, str], bytes]]:
    """Status, fields by name in small letters, and the body."""
    status = 100
    while 100 <= status < 200:
        lines = (yield Until(b"\r\n\r\n", MOST_HEAD)).decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (rest[:3].isascii() and rest[:3].isdigit()):
            raise FormatError("[client] expected an answer in HTTP/1.1")
        status = int(rest[:3])
    fields: dict[str, str] = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon:
            raise FormatError("[client] expected an answer's header fields to be names and values")
        fields[name.strip().lower()] = value.strip()
    if version == "HTTP/1.0":
        fields.setdefault("connection", "close")
    if "chunked" in fields.get("transfer-encoding", "").lower():
        body = yield from _read_chunks()
    elif status in (204, 304):
        body = b""
    elif "content-length" in fields:
        body = yield _size(fields["content-length"], 10)
    else:
        fields["until end"] = ""
        body = yield ToEnd(MOST_ANSWER)
    return status, fields, body


def _read_chunks() -> Generator[Wanted, bytes, bytes]:
    chunks, total = [], 0
    while True:
        line = yield Until(b"\r\n", 1024)
        size = _size(line.decode("latin-1").split(";")[0].strip(), 16)
        if size == 0:
            break
        total += size
        _size(str(total), 10)
        chunks.append((yield size + 2)[:size])
    while (yield Until(b"\r\n", MOST_HEAD)) != b"\r\n":
        pass  # trailers
    return b"".join(chunks)


def _size(text: str, base: int) -> int:
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > 16 or any(c not in digits for c in text.lower()):
        raise FormatError("[client] expected a number of bytes in an answer's head")
    if int(text, base) > MOST_ANSWER:
        raise FormatError(f"[client] expected an answer of at most {MOST_ANSWER} bytes, got more")
    return int(text, base)


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FormatError("[client] expected an answer in JSON")
    return found


def _tensors(fields: dict[str, str], body: bytes) -> list[Tensor]:
    """Outputs in binary, or, of servers without that extension, in JSON."""
    size = _size(fields[_JSON_SIZE], 10) if _JSON_SIZE in fields else len(body)
    out, view, at = [], memoryview(body), size
    try:
        for each in _json(body[:size])["outputs"]:
            shape = tuple(int(dim) for dim in each["shape"])
            length = (each.get("parameters") or {}).get("binary_data_size")
            if length is None:
                out.append(_from_json(each, shape))
                continue
            if not isinstance(length, int) or not 0 <= length <= len(view) - at or min(shape, default=0) < 0:
                raise ValueError(length)
            _known(each["datatype"])
            out.append(Tensor(str(each["name"]), each["datatype"], shape, view[at : at + length]))
            at += length
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise FormatError("[client] expected an answer of the Open Inference Protocol") from None
    if at != len(body):
        raise FormatError("[client] expected as many bytes as the outputs take")
    return out


def _from_json(each: dict[str, Any], shape: tuple[int, ...]) -> Tensor:
    import numpy as np

    from maas_engine.client._tensors import pack

    dtype = TYPES[_known(each["datatype"])][0]
    values = np.asarray(each["data"], object if dtype is None else dtype).reshape(shape)
    return pack(str(each["name"]), values, shape)


def _known(datatype: Any) -> str:
    if datatype not in TYPES:
        raise ValueError(datatype)
    return str(datatype)
