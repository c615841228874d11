"""Clients before servers that are slow, wrong, cut off or down: what is tried again, what is not, what is said."""

from __future__ import annotations

import asyncio
import pickle
import socket
import time
from typing import Any

import pytest
from hostile_server import METADATA, Step, answer, hostile, http

from maas_engine import errors
from maas_engine.client import AsyncClient, Client
from maas_engine.client._frames import HEAD, decode
from maas_engine.client._reply import MOST_ANSWER

TOKEN = "s3cret-t0ken"
ROWS = [[1.0, 2.0]]


class Blocking:
    """An AsyncClient that looks like a Client: every test here is of both."""

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(url, token, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda *a, **k: self._loop.run_until_complete(method(*a, **k))

    def __repr__(self) -> str:
        return repr(self._client)

    def __enter__(self) -> Blocking:
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


@pytest.fixture(params=[Client, Blocking], ids=["sync", "asyncio"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def described(*steps: Step) -> list[Step]:
    return [http(METADATA), *steps]


def url_of(server: Any) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_closed_before_an_answer_is_tried_again(kind: Any) -> None:
    with (
        hostile(described(None), [None], [answer(3.0)]) as server,
        kind(url_of(server)) as client,
    ):
        assert client.predict("m", ROWS).tolist() == [3.0]
        assert server.connections == 3


def test_tries_are_bounded(kind: Any) -> None:
    with hostile([None]) as server, kind(url_of(server), retries=2) as client:
        with pytest.raises(errors.Unavailable, match="closed the connection before it answered"):
            client.predict("m", ROWS)
        assert server.connections == 3


@pytest.mark.parametrize("size", [1, 10, 30, -1])
def test_a_partial_answer_is_never_asked_for_again(kind: Any, size: int) -> None:
    with (
        hostile([lambda _: answer(3.0)[:size], None], [answer(3.0)]) as server,
        kind(url_of(server)) as client,
    ):
        client_settings(client).described["m", ""] = description()
        with pytest.raises((errors.Unavailable, errors.FormatError)):
            client.predict("m", ROWS)
        assert server.connections == 1


def client_settings(client: Any) -> Any:
    return client._settings if isinstance(client, Client) else client._client._settings


def description() -> Any:
    import json

    from maas_engine.client._description import Description

    return Description(json.loads(METADATA))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept(kind: Any, status: int) -> None:
    busy = http(b'{"error":"later"}', status, "Retry-After: 1")
    with hostile(described(busy, answer(3.0))) as server, kind(url_of(server)) as client:
        start = time.monotonic()
        assert client.predict("m", ROWS).tolist() == [3.0]
        assert time.monotonic() - start >= 1.0


def test_a_wait_beyond_the_deadline_is_not_begun(kind: Any) -> None:
    busy = http(b'{"error":"later"}', 429, "Retry-After: 2000")
    with hostile(described(busy)) as server, kind(url_of(server)) as client:
        start = time.monotonic()
        with pytest.raises(errors.Overloaded, match="later"):
            client.predict("m", ROWS, timeout=1000.0)
        assert time.monotonic() - start < 100


def test_an_overloaded_server_is_named_in_the_end(kind: Any) -> None:
    busy = http(b'{"error":"too many rows wait"}', 429)
    with hostile(described(busy, busy)) as server, kind(url_of(server), retries=1) as client:
        with pytest.raises(errors.Overloaded, match="too many rows wait"):
            client.predict("m", ROWS)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.InvalidArgument),
        (401, errors.PermissionDenied),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.InvalidArgument),
        (500, errors.Internal),
        (501, errors.Unsupported),
        (504, errors.DeadlineExceeded),
    ],
)
def test_statuses_have_their_class(kind: Any, status: int, error: type[Exception]) -> None:
    text = http(b'{"error":"a\\u001b[31mword"}', status)
    with hostile([text]) as server, kind(url_of(server)) as client:
        with pytest.raises(error, match=r"^a \[31mword$"):
            client.metadata("m")
        assert len(server.requests) == 1


GARBAGE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "no status": b"HTTP/1.1 abc\r\n\r\n",
    "no JSON": http(b"<html>"),
    "a list": http(b"[]"),
    "deep": http(b"[" * 100_000),
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
    "huge chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n",
    "a field without name": b"HTTP/1.1 200 OK\r\nwhat\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000,
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage(kind: Any, case: str) -> None:
    with hostile([GARBAGE[case]]) as server, kind(url_of(server), timeout=60) as client:
        with pytest.raises(errors.FormatError):
            client.metadata("m")
        assert server.connections == 1


WRONG = {
    "other outputs": answer(3.0, name=b"Z"),
    "more values": answer(3.0, 4.0),
    "no outputs": http(b"{}"),
    "a size beyond the body": http(
        b'{"outputs":[{"name":"Y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":400}}]}'
    ),
    "another type": http(b'{"outputs":[{"name":"Y","datatype":"INT32","shape":[1],"data":[1]}]}'),
    "an unknown type": http(b'{"outputs":[{"name":"Y","datatype":"FP8","shape":[1],"data":[1]}]}'),
    "a negative shape": http(b'{"outputs":[{"name":"Y","datatype":"FP32","shape":[-1],"data":[1]}]}'),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_answers(kind: Any, case: str) -> None:
    with (
        hostile(described(WRONG[case], http(METADATA))) as server,
        kind(url_of(server), timeout=60) as client,
        pytest.raises(errors.FormatError),
    ):
        client.predict("m", ROWS)


FORMS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nA: b\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\n%b",
    "continued": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n%b",
}


def test_other_forms_of_http(kind: Any) -> None:
    chunked = FORMS["chunked"] % (METADATA[:5], len(METADATA) - 5, METADATA[5:])
    ended = FORMS["until the end"] % METADATA
    continued = FORMS["continued"] % http(METADATA)
    with hostile([chunked, continued, ended, None]) as server, kind(url_of(server)) as client:
        for _ in range(3):
            assert client.metadata("m")["name"] == "m"


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_a_slow_server_meets_the_deadline(kind: Any, scheme: str) -> None:
    with hostile([600.0, b""]) as server, kind(f"{scheme}://127.0.0.1:{server.port}", timeout=0.3) as client:
        start = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            client.metadata("m")
        assert 0.25 < time.monotonic() - start < 60


def test_an_answer_drop_by_drop_meets_the_deadline(kind: Any) -> None:
    endless = b"HTTP/1.1 200 " + b"O" * 6000
    drops: list[Step] = [step for each in endless for step in (bytes([each]), 0.1)]
    with hostile(drops) as server, kind(url_of(server), timeout=0.3) as client:
        start = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            client.metadata("m")
        assert time.monotonic() - start < 60


def test_a_refused_connection(kind: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with kind(f"http://127.0.0.1:{port}", timeout=60) as client:
        assert not client.ready()
        assert not client.live()
        with pytest.raises(errors.Unavailable, match=f"no connection to http://127.0.0.1:{port}"):
            client.predict("m", ROWS)


def test_no_secret_is_shown(kind: Any) -> None:
    refused = http(b'{"error":"no"}', 403)
    with hostile([refused, None]) as server, kind(url_of(server), TOKEN, retries=0) as client:
        shown = [repr(client)]
        for _ in range(2):
            with pytest.raises((errors.PermissionDenied, errors.Unavailable)) as caught:
                client.metadata("m")
            shown += [str(caught.value), repr(caught.value)]
        assert b"Authorization: Bearer " + TOKEN.encode() in server.requests[0]
    for url, token in (
        (f"http://user:{TOKEN}@h", None),
        (f"http://h?token={TOKEN}", None),
        ("http://h", f"{TOKEN}\r\nX: y"),
        ("tcp://h", TOKEN),
        (f"ftp://{TOKEN}", None),
    ):
        with pytest.raises(errors.InvalidArgument) as caught:
            Client(url, token)
        shown.append(str(caught.value))
    assert not [text for text in shown if TOKEN in text]
    with pytest.raises(TypeError):
        pickle.dumps(Client("http://h", TOKEN))


def test_the_deadline_travels(kind: Any) -> None:
    with hostile(described(answer(3.0))) as server, kind(url_of(server)) as client:
        client.predict("m", ROWS, timeout=7.0)
        text = server.requests[1].split(b"\r\n\r\n", 1)[1]
        sent = int(text.split(b'"timeout":')[1].split(b"}")[0])
        assert 5_000_000 < sent <= 7_000_000


def frame(kind: int, status: int, id: int) -> bytes:
    return HEAD.pack(HEAD.size - 4, 1, kind, status, id, 0, 0, 0, 0, 0, 0)


def test_a_token_goes_first_over_frames(kind: Any) -> None:
    def reply(request: bytes) -> bytes:
        asked = decode(request)
        return frame(asked.kind + 128, 0, asked.id)

    with hostile([reply, reply]) as server:
        with kind(f"tcp://127.0.0.1:{server.port}", TOKEN) as client:
            assert client.ready()
        first, second = map(decode, server.requests)
        assert (first.kind, first.tensors[0].name, bytes(first.tensors[0].data)[4:]) == (
            4,
            "token",
            TOKEN.encode(),
        )
        assert second.kind == 2


@pytest.mark.parametrize(
    "bytes_",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0" * 40,
        frame(130, 0, 999),
        (MOST_ANSWER + 1).to_bytes(4, "little") + b"\1",
    ],
)
def test_wrong_frames(kind: Any, bytes_: bytes) -> None:
    with (
        hostile([bytes_]) as server,
        kind(f"tcp://127.0.0.1:{server.port}", timeout=3) as client,
        pytest.raises(errors.FormatError),
    ):
        client.ready()


@pytest.mark.parametrize("count", [0.0, -1.0, float("nan")])
def test_settings_that_make_no_sense(count: float) -> None:
    with pytest.raises(errors.InvalidArgument, match="timeout above 0"):
        Client("http://h", timeout=count)
    with pytest.raises(errors.InvalidArgument, match="retries of at least 0"):
        Client("http://h", retries=-1)
