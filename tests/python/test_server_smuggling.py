"""Requests made to be read in two ways, and names made to be read as something else.

A proxy before the server may take the end of a message elsewhere than the server does. Whatever could be taken in
two ways is refused and ends the connection: what lies behind it never becomes a request of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from served import Wire, get, infer_json, mlp, post, serve

from maas_engine import _server
from maas_engine.serving import Server

ROW = np.arange(10, dtype=np.float32)[None] / 8
PATH = b"/v2/models/small/infer"
BODY = infer_json({"input": ROW})
HIDDEN = b"GET /v2/models/hidden HTTP/1.1\r\nHost: h\r\n\r\n"  # never to be answered
SIZE = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def head(
    *lines: bytes, first: bytes = b"POST " + PATH + b" HTTP/1.1\r\n", host: bytes = b"Host: h\r\n"
) -> bytes:
    return first + host + b"".join(lines) + b"\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve({"small": mlp(np.float32)}) as started:
        yield started


def statuses(port: int, message: bytes) -> list[int]:
    """Of all answers until the server closes, or has answered a question sent behind the message."""
    found = []
    with Wire(port) as wire:
        wire.send(message + get("/v2/health/live"))
        while True:
            try:
                reply = wire.reply()
            except (EOFError, ConnectionResetError):
                return found
            found.append(reply.status)
            if b'"live"' in reply.body:
                return found


TWO_WAYS: dict[str, bytes] = {
    "length, then chunks": head(SIZE, CHUNKED) + CHUNKS + HIDDEN,
    "chunks, then length": head(CHUNKED, SIZE) + CHUNKS + HIDDEN,
    "chunks that hide in a length": head(b"Content-Length: 6\r\n", CHUNKED) + b"0\r\n\r\nG" + HIDDEN,
    "lengths that differ": head(SIZE, b"Content-Length: 0\r\n") + BODY + HIDDEN,
    "lengths in a list": head(b"Content-Length: %d, 0\r\n" % len(BODY)) + BODY + HIDDEN,
    "a length with a sign": head(b"Content-Length: +%d\r\n" % len(BODY)) + BODY + HIDDEN,
    "a length of other digits": head(b"Content-Length: \xd9\xa1\r\n") + b"x" + HIDDEN,
    "a length and a letter": head(b"Content-Length: 5a\r\n") + BODY + HIDDEN,
    "an empty length": head(b"Content-Length:\r\n") + HIDDEN,
    "chunks twice": head(CHUNKED, CHUNKED) + CHUNKS + HIDDEN,
    "chunks in a list": head(b"Transfer-Encoding: chunked, chunked\r\n") + CHUNKS + HIDDEN,
    "chunks and nothing": head(b"Transfer-Encoding: chunked, identity\r\n") + CHUNKS + HIDDEN,
    "chunks in quotes": head(b'Transfer-Encoding: "chunked"\r\n', SIZE) + CHUNKS + HIDDEN,
    "chunks behind a control": head(b"Transfer-Encoding: \x0bchunked\r\n", SIZE) + CHUNKS + HIDDEN,
    "chunks with a parameter": head(b"Transfer-Encoding: chunked;q=1\r\n") + CHUNKS + HIDDEN,
    "no coding": head(b"Transfer-Encoding:\r\n", SIZE) + CHUNKS + HIDDEN,
    "chunks from long ago": head(CHUNKED, first=b"POST " + PATH + b" HTTP/1.0\r\n") + CHUNKS + HIDDEN,
    "space before the colon": head(b"Transfer-Encoding : chunked\r\n", SIZE) + CHUNKS + HIDDEN,
    "a tab before the colon": head(b"Content-Length\t: 5\r\n") + BODY + HIDDEN,
    "a name that begins with space": head(b" Content-Length: 5\r\n") + BODY + HIDDEN,
    "a fold": head(b"X: a\r\n Transfer-Encoding: chunked\r\n", SIZE) + BODY + HIDDEN,
    "a fold of the coding": head(b"Transfer-Encoding:\r\n chunked\r\n") + CHUNKS + HIDDEN,
    "a fold by tab": head(b"X: a\r\n\tb\r\n", SIZE) + BODY + HIDDEN,
    "a fold first": head(host=b" X: a\r\nHost: h\r\n") + HIDDEN,
    "a lone line feed": head(b"X: a\nTransfer-Encoding: chunked\r\n", SIZE) + BODY + HIDDEN,
    "a lone carriage return": head(b"X: a\rTransfer-Encoding: chunked\r\n", SIZE) + BODY + HIDDEN,
    "NUL in a name": head(b"Content\0-Length: 5\r\n", SIZE) + BODY + HIDDEN,
    "NUL in a value": head(b"X: a\0b\r\n", SIZE) + BODY + HIDDEN,
    "NUL in a path": head(first=b"GET /v2\0/x HTTP/1.1\r\n") + HIDDEN,
    "a space in a path": head(first=b"GET /v2 /x HTTP/1.1\r\n") + HIDDEN,
    "a tab for a space": head(first=b"GET\t/v2 HTTP/1.1\r\n") + HIDDEN,
    "no path": head(first=b"GET  HTTP/1.1\r\n") + HIDDEN,
    "a line without a colon": head(b"Content-Length\r\n", SIZE) + BODY + HIDDEN,
    "a colon alone": head(b": 5\r\n", SIZE) + BODY + HIDDEN,
    "a bracket in a name": head(b"Content[Length: 5\r\n", SIZE) + BODY + HIDDEN,
    "two hosts": head(b"Host: g\r\n", SIZE) + BODY + HIDDEN,
    "no host": head(SIZE, host=b"") + BODY + HIDDEN,
    "a chunk's size and a sign": head(CHUNKED) + b"+2\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's size in C's way": head(CHUNKED) + b"0x2\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's size behind space": head(CHUNKED) + b" 2\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "no chunk's size": head(CHUNKED) + b";x\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's line by line feed": head(CHUNKED) + b"2\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk that ends in a line feed": head(CHUNKED) + b"2\r\n{}\n0\r\n\r\n" + HIDDEN,
    "a chunk longer than said": head(CHUNKED) + b"2\r\n{}{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk as large as can be": head(CHUNKED) + b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a line feed in an extension": head(CHUNKED) + b"2;a\nb\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a return in an extension": head(CHUNKED) + b"2;a\rb\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "an endless extension": head(CHUNKED) + b"2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "endless trailers": head(CHUNKED) + b"0\r\n" + b"A: b\r\n" * 5000 + b"\r\n" + HIDDEN,
}


@pytest.mark.parametrize("name", TWO_WAYS)
def test_what_can_be_taken_in_two_ways_ends_the_connection(server: _server.Server, name: str) -> None:
    found = statuses(server.http_port, TWO_WAYS[name])
    assert len(found) == 1, found
    assert found[0] in {400, 413, 501, 505}


ONE_WAY: dict[str, tuple[bytes, list[int]]] = {
    "GET with a body": (
        head(b"Content-Length: %d\r\n" % len(HIDDEN), first=b"GET /v2 HTTP/1.1\r\n") + HIDDEN,
        [200],
    ),
    "HEAD with a body": (post("/v2/x", HIDDEN).replace(b"POST", b"PUT", 1), [404]),
    "the same length twice": (head(SIZE, SIZE) + BODY, [200]),
    "a length with zeros before": (head(b"Content-Length: 000%d\r\n" % len(BODY)) + BODY, [200]),
    "a request in trailers": (
        head(CHUNKED) + CHUNKS[:-2] + b"Content-Length: 99\r\nX: GET / HTTP/1.1\r\n\r\n",
        [200],
    ),
    "a request in an extension": (
        head(CHUNKED) + CHUNKS.replace(b"\r\n", b";x=GET / HTTP/1.1\r\n", 1),
        [200],
    ),
    "a request in a chunk": (head(CHUNKED) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), [400]),
    "chunks in capitals": (head(b"TRANSFER-ENCODING: CHUNKED\r\n") + CHUNKS, [200]),
    "an upgrade": (
        head(SIZE, b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n") + BODY,
        [200],
    ),
    "an expectation unheard of": (head(SIZE, b"Expect: a-miracle\r\n") + BODY, [200]),
    "other lengths": (head(SIZE, b"X-Content-Length: 0\r\nContent_Length: 0\r\n") + BODY, [200]),
    "a server in the target": (
        head(SIZE, first=b"POST http://other:1" + PATH + b" HTTP/1.1\r\n") + BODY,
        [200],
    ),
    "a target without a path": (head(first=b"OPTIONS * HTTP/1.1\r\n"), [404]),
    "a tunnel": (head(first=b"CONNECT evil:443 HTTP/1.1\r\n"), [404]),
    "a method in small letters": (head(first=b"get /v2 HTTP/1.1\r\n"), [405]),
}


@pytest.mark.parametrize("name", ONE_WAY)
def test_what_can_be_taken_in_one_way_is_answered_once(server: _server.Server, name: str) -> None:
    message, expected = ONE_WAY[name]
    assert statuses(server.http_port, message) == [*expected, 200]


def test_lines_that_end_in_line_feeds_alone_are_no_request(server: _server.Server) -> None:
    with Wire(server.http_port) as wire:
        wire.send(get("/v2").replace(b"\r\n", b"\n") + HIDDEN)
        assert wire.reply().status == 505
        assert wire.ended()


# --- methods and lengths ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v2/models/small", "GET, HEAD"),
        ("OPTIONS", "/v2", "GET, HEAD"),
        ("PUT", "/v2/models/small/infer", "POST"),
        ("HEAD", "/v2/models/small/infer", "POST"),
        ("TRACE", "/v2/health/live", "GET, HEAD"),
    ],
)
def test_another_method_hears_which_are_allowed(
    server: _server.Server, method: str, path: str, allowed: str
) -> None:
    with Wire(server.http_port) as wire:
        wire.send(get(path).replace(b"GET", method.encode(), 1) + get("/v2/health/live"))
        reply = wire.reply(body=method != "HEAD")
        assert (reply.status, reply.fields["allow"]) == (405, allowed)
        assert wire.reply().status == 200


@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414, "a request line of at most"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 20_000 + b"\r\n\r\n", 431, "bytes of header fields"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n", 413, "a body of at most"),
    ],
)
def test_what_is_too_long_hears_how_long_it_may_be(
    server: _server.Server, message: bytes, status: int, words: str
) -> None:
    with Wire(server.http_port) as wire:
        wire.send(message)
        reply = wire.reply()
        assert reply.status == status
        assert words in reply.error
        assert reply.fields["connection"] == "close"


def test_a_post_without_length_has_no_body(server: _server.Server) -> None:
    assert statuses(server.http_port, head()) == [400, 200]


# --- what comes back into heads and texts ----------------------------------------------------------------

NAMES = {
    "line ends": "%0d%0aSet-Cookie:%20a=b",
    "NUL": "small%00",
    "dots": "..%2f..%2fetc%2fpasswd",
    "more dots": "%2e%2e%2fsmall",
    "twice encoded": "%2573mall",
    "a slash": "small%2fx",
    "quotes": "%22%7d%5c",
    "not UTF-8": "%ff%fe",
    "half": "small%",
    "no hex": "%zz",
    "long": "a" * 5000,
    "markup": "%3cscript%3e",
    "a format": "%25s%25n%7b0%7d",
}


@pytest.fixture(scope="module")
def whole() -> Iterator[Server]:
    """With the control plane."""
    pytest.importorskip("starlette")
    with Server({"small": mlp(np.float32)}, threads=1) as started:
        yield started


@pytest.mark.parametrize("name", NAMES)
def test_strange_names_are_unknown_and_come_back_escaped(whole: Server, name: str) -> None:
    for path in (
        "{}",
        "{}/infer",
        "{}/ready",
        "{}/config",
        "{}/versions/{}/infer",
        "{}/versions/{}",
        "{}/monitoring",
    ):
        place = "/v2/models/" + path.format(NAMES[name], NAMES[name])
        with Wire(whole.port) as wire:
            wire.send(post(place, BODY) if place.endswith("infer") else get(place))
            reply = wire.reply()
            assert reply.status == 404, place
            assert "set-cookie" not in reply.fields
            assert len(reply.error) < 400
            assert reply.error.isprintable()
            wire.send(get("/v2/health/live"))
            assert wire.reply().status == 200


@pytest.mark.parametrize(
    "path",
    [
        "//v2/models/small",
        "/v2//models/small",
        "/v2/models//small",
        "/v2/models/small//ready",
        "/v2/models/./small",
        "/v2/models/small/../small",
        "/v2/models/small/%2e%2e/small/config",
        "/v2/%6dodels/small/infer",
        "/v2/models/small/versions/",
        "/v2/models/small/versions//infer",
        "/v2/repository/index/",
        "/openapi.json/",
        "//evil.example/%2e%2e",
        "/v2;a=b",
        "/v2/models/small;v=1",
        "/v2/models/small%3fa/config",
    ],
)
def test_a_path_has_one_spelling(whole: Server, path: str) -> None:
    """Nothing is tidied up, and nobody is sent elsewhere by a Host of their own."""
    with Wire(whole.port) as wire:
        wire.send(get(path).replace(b"localhost", b"evil.example"))
        reply = wire.reply()
        assert (reply.status, "location" in reply.fields) == (404, False)
        assert b"evil.example" not in reply.body or b"//evil" in path.encode()


def test_pages_of_the_web_do_not_load_and_unload(whole: Server) -> None:
    """A browser on this machine sends what a page anywhere tells it to, and says so."""
    page = "/v2/repository/models/small/unload"
    with Wire(whole.port) as wire:
        wire.send(post(page, b"", Origin="https://evil.example", Content_Type="text/plain"))
        assert wire.reply().status == 403
        for message in (post(PATH.decode(), BODY, Origin="https://ours.example"), get("/v2/models/small")):
            wire.send(message)
            assert wire.reply().status == 200, "it is still there"
        wire.send(post("/v2/repository/index", b"", Origin="null"))
        assert wire.reply().status == 200
        for change in (page, page.replace("unload", "load")):
            wire.send(post(change, b""))
            assert wire.reply().status == 200


def test_an_id_comes_back_as_it_was_and_breaks_out_of_nothing(whole: Server) -> None:
    for id in ('"}\r\nX: y', "\x00\x1f\x7f", "\u2028\ud7ff\U0001f600", "a" * 100_000, "</script>", "%0d%0a"):
        with Wire(whole.port) as wire:
            wire.send(post(PATH.decode(), infer_json({"input": ROW}, id=id)))
            reply = wire.reply()
            assert reply.status == 200
            assert json.loads(reply.body)["id"] == id
