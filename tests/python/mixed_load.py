"""All that callers do to a server, good and bad, at once: what each answer should be is known."""

from __future__ import annotations

import gzip
import random
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from served import Wire, frame, get, infer_binary, infer_json, post, raw_bytes, read_outputs

from maas_engine import Model

INFER = "/v2/models/m/infer"
ROWS = 4096
LARGE = 2000  # rows: 400 KB of JSON, which the compute threads read


class TlsWire(Wire):
    def __init__(self, port: int) -> None:
        super().__init__(port, 60.0)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)


class MixedLoad:
    """Threads that ask until told to stop, each by its own draws.

    Parameters
    ----------
    ports : of HTTP, of raw frames, of HTTPS
    models : the versions that "m" may be, in float32 from ``input`` of 10 columns to ``output``.
    """

    def __init__(self, ports: tuple[int, int, int], models: Sequence[Model], threads: int = 4) -> None:
        self.http, self.tcp, self.https = ports
        draws = np.random.default_rng(5)
        self.rows = draws.standard_normal((ROWS, 10)).astype(np.float32)
        self.expected = [model.predict(self.rows).reshape(ROWS, 1) for model in models]
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(threads)]

    def __enter__(self) -> MixedLoad:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, seed: int) -> None:
        draws = random.Random(seed)
        kinds: list[Callable[[random.Random], None]] = [
            self.json, self.packed, self.binary, self.bare, self.frames, self.tls, self.pipelined, self.bad_request,
            self.bad_frame, self.garbage, self.dropped, self.pages,
        ]  # fmt: skip
        while not self._stop.is_set() and len(self.wrong) < 10:
            kind = draws.choice(kinds)
            try:
                kind(draws)
                self.done[kind.__name__] += 1
            except (AssertionError, OSError, EOFError, ValueError, struct.error) as error:
                self.wrong.append(f"{kind.__name__}: {error!r}"[:500])

    # --- good ---------------------------------------------------------------------------------------------

    def _some(self, draws: random.Random) -> tuple[int, NDArray[Any]]:
        count = draws.choice([1, 1, 1, 3, 64, 500, LARGE])
        first = draws.randrange(ROWS - count)
        return first, self.rows[first : first + count]

    def _check(self, first: int, got: NDArray[Any]) -> None:
        """One of the versions' bits, for all rows."""
        assert any(np.array_equal(got, each[first : first + len(got)]) for each in self.expected), (
            "wrong bits"
        )

    def json(self, draws: random.Random) -> None:
        with Wire(self.http, 60.0) as wire:
            for _ in range(draws.randrange(1, 5)):
                first, rows = self._some(draws)
                wire.send(post(INFER, infer_json({"input": rows})))
                self._check(first, read_outputs(wire.reply())["output"])

    def packed(self, draws: random.Random) -> None:
        with Wire(self.http, 60.0) as wire:
            first, rows = self._some(draws)
            body = gzip.compress(infer_json({"input": rows}), 1)
            wire.send(post(INFER, body, Content_Encoding="gzip"))
            self._check(first, read_outputs(wire.reply())["output"])

    def binary(self, draws: random.Random) -> None:
        with Wire(self.http, 60.0) as wire:
            first, rows = self._some(draws)
            body, size = infer_binary({"input": rows})
            wire.send(post(INFER, body, Inference_Header_Content_Length=size))
            self._check(first, read_outputs(wire.reply())["output"])

    def bare(self, draws: random.Random) -> None:
        """Rows and nothing else."""
        with Wire(self.http, 60.0) as wire:
            first, rows = self._some(draws)
            wire.send(post(INFER, raw_bytes(rows), Inference_Header_Content_Length=0))
            reply = wire.reply()
            assert reply.status == 200, reply
            size = int(reply.fields["inference-header-content-length"])
            self._check(first, np.frombuffer(reply.body[size:], np.float32).reshape(-1, 1))

    def frames(self, draws: random.Random) -> None:
        asked = {number: self._some(draws) for number in range(draws.randrange(1, 9))}
        with Wire(self.tcp, 60.0) as wire:
            wire.send(b"".join(frame({"input": rows}, "m", id=number) for number, (_, rows) in asked.items()))
            for _ in range(len(asked)):
                answer = wire.frame()
                assert answer.status == 0, answer
                self._check(asked.pop(answer.id)[0], answer.tensors["output"])

    def tls(self, draws: random.Random) -> None:
        with TlsWire(self.https) as wire:
            for _ in range(draws.randrange(1, 9)):
                first, rows = self._some(draws)
                wire.send(post(INFER, infer_json({"input": rows})))
                self._check(first, read_outputs(wire.reply())["output"])

    def pipelined(self, draws: random.Random) -> None:
        asked = [self._some(draws) for _ in range(draws.randrange(2, 12))]
        with Wire(self.http, 60.0) as wire:
            bodies = [post(INFER, infer_json({"input": rows})) for _, rows in asked]
            sender = threading.Thread(target=wire.send, args=(b"".join(bodies),))
            sender.start()
            for first, _ in asked:
                self._check(first, read_outputs(wire.reply())["output"])
            sender.join()

    def pages(self, draws: random.Random) -> None:
        with Wire(self.http, 60.0) as wire:
            page = draws.choice(
                ["/v2", "/v2/health/ready", "/v2/models/m", "/metrics", "/v2/models/m/config"]
            )
            wire.send(get(page))
            assert wire.reply().status == 200, page
            if draws.random() < 0.2:  # "other" comes and goes
                path = f"/v2/repository/models/other/{draws.choice(['load', 'unload'])}"
                wire.send(post(path, b"{}"))
                assert wire.reply().status == 200

    # --- bad ----------------------------------------------------------------------------------------------

    def bad_request(self, draws: random.Random) -> None:
        good = infer_json({"input": self.rows[:64]})
        bad = draws.choice(
            [
                post(INFER, good[: draws.randrange(len(good))]),
                post(INFER, good.replace(b"FP32", b"FP3")),
                post(INFER, good.replace(b"[64, 10]", b"[64, 11]")),
                post(INFER, good.replace(b'input"', b'none"')),
                post("/v2/models/none/infer", good),
                post(INFER, good, Content_Encoding="gzip"),
                post(INFER, good, Inference_Header_Content_Length=1 << 40),
                get("/v2/nowhere"),
            ]
        )
        with Wire(self.http, 60.0) as wire:
            wire.send(bad)
            reply = wire.reply()
            assert reply.status in (400, 404, 415, 501), reply
            assert reply.error

    def bad_frame(self, draws: random.Random) -> None:
        good = bytearray(frame({"input": self.rows[:3]}, "m"))
        good[draws.randrange(4, len(good))] ^= draws.randrange(1, 256)  # not in its size
        with Wire(self.tcp, 60.0) as wire:
            wire.send(bytes(good))
            wire.socket.shutdown(socket.SHUT_WR)
            while wire.socket.recv(1 << 16):
                pass

    def garbage(self, draws: random.Random) -> None:
        port = draws.choice([self.http, self.tcp, self.https])
        with Wire(port, 60.0) as wire:
            try:
                wire.send(draws.randbytes(draws.randrange(1, 5000)))
                wire.socket.shutdown(socket.SHUT_WR)
                while wire.socket.recv(1 << 16):
                    pass
            except ConnectionError:
                pass

    def dropped(self, draws: random.Random) -> None:
        """Gone in the middle of a request, or before its answer is read."""
        message = post(INFER, infer_json({"input": self._some(draws)[1]}))
        with Wire(self.http, 60.0) as wire:
            wire.send(message[: draws.randrange(1, len(message) + 1)])
            if draws.random() < 0.5:  # by a reset
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
