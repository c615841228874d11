"""`AsyncClient`: what `Client` does, on asyncio's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from maas_engine.client._address import Address, Path
from maas_engine.client._calls import Call, Plan, Settings
from maas_engine.client._connection import unreachable, untrusted
from maas_engine.client._description import Description
from maas_engine.client._reply import Broken, Exchange, Reply, ToEnd, Until, Wanted
from maas_engine.client._retry import Deadline, passed
from maas_engine.errors import FormatError, MaasError, Unavailable

_LIMIT = 64 << 10  # of asyncio's readers: a line or head
_PIECE = 1 << 20
_T = TypeVar("_T")


class _Stream:
    """An open connection; one exchange at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: Address) -> _Stream:
        name = address.host if address.tls is not None else None
        try:
            pair = await asyncio.open_connection(
                address.host, address.port, limit=_LIMIT, ssl=address.tls, server_hostname=name
            )
        except OSError as error:  # ssl.SSLError is one
            if getattr(error, "reason", None) is not None:
                raise untrusted(address, error) from None
            raise unreachable(address, error) from None
        return cls(*pair)

    def close(self) -> None:
        self._writer.close()

    @property
    def at_end(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    async def exchange(self, exchange: Exchange) -> Reply:
        answered = False
        reader = exchange.read()
        try:
            try:
                self._writer.writelines(exchange.parts)
                await self._writer.drain()
            except OSError:  # the server may have said why before it closed
                self._writer.close()
            wanted = next(reader)
            while True:
                data = await self._take(wanted)
                answered = True
                wanted = reader.send(data)
        except StopIteration as done:
            reply: Reply = done.value
            return reply
        except asyncio.IncompleteReadError as end:
            raise Broken("closed", answered or bool(end.partial)) from None
        except OSError as error:
            raise Broken(type(error).__name__, answered) from None
        except asyncio.LimitOverrunError:
            raise FormatError(f"[client] expected a line or head of at most {_LIMIT} bytes") from None

    async def _take(self, wanted: Wanted) -> bytes:
        if isinstance(wanted, Until):
            return await self._reader.readuntil(wanted.delimiter)
        if isinstance(wanted, ToEnd):
            pieces, total = [], 0
            while piece := await self._reader.read(_PIECE):
                pieces.append(piece)
                total += len(piece)
                if total > wanted.limit:
                    raise FormatError(
                        f"[client] expected an answer of at most {wanted.limit} bytes, got more"
                    )
            return b"".join(pieces)
        if wanted <= _PIECE:
            return await self._reader.readexactly(wanted)
        out = bytearray()  # grows with what has come, not with what is claimed
        while len(out) < wanted:
            out += await self._reader.readexactly(min(_PIECE, wanted - len(out)))
        return bytes(out)


class AsyncClient:
    """`Client` for asyncio: the same parameters, methods, errors and tries; for the tasks of one loop.

    Examples
    --------
    >>> async with AsyncClient("http://localhost:8000") as client:  # doctest: +SKIP
    ...     await client.predict("credit", {"age": 31.0, "income": 52_000.0})
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float | None = 30.0,
        retries: int = 3,
        connections: int = 8,
        ca: Path | None = None,
        cert: Path | tuple[Path, Path] | None = None,
    ) -> None:
        self._settings = Settings(url, token, timeout, retries, connections, ca, cert)
        self._idle: list[_Stream] = []
        self._closed = False

    async def predict(
        self,
        model: str,
        X: Any,
        *,
        version: str | int | None = None,
        outputs: str | Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """See `Client.predict`."""
        return await self._do(self._settings.predict(model, X, version, outputs, timeout))

    async def metadata(self, model: str, *, version: str | int | None = None) -> dict[str, Any]:
        """See `Client.metadata`."""
        return await self._do(self._settings.metadata(model, version))

    async def monitoring(self, model: str) -> dict[str, Any]:
        """See `Client.monitoring`."""
        return await self._do(self._settings.monitoring(model))

    async def statistics(self) -> dict[str, Any]:
        """See `Client.statistics`."""
        return await self._do(self._settings.statistics())

    async def describe(self, model: str, *, version: str | int | None = None) -> Description:
        """See `Client.describe`."""
        return await self._do(self._settings.describe(model, version))

    async def ready(self) -> bool:
        """See `Client.ready`."""
        return await self._do(self._settings.healthy("ready"))

    async def live(self) -> bool:
        """See `Client.live`."""
        return await self._do(self._settings.healthy("live"))

    async def close(self) -> None:
        """See `Client.close`."""
        self._closed = True
        idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient {self._settings.address!r}>"

    async def _do(self, plan: Plan[_T]) -> _T:
        """See `Client._do`."""
        go: Callable[[Any], Call] = plan.send
        given: Any = None
        try:
            while True:
                call = go(given)
                try:
                    go, given = plan.send, await self._call(call)
                except MaasError as error:
                    go, given = plan.throw, error
        except StopIteration as done:
            result: _T = done.value
            return result
        finally:
            given = None

    async def _call(self, call: Call) -> Any:
        """See `Client._call`."""
        tries = self._settings.tries(call)
        while True:
            outcome: Reply | Broken | Unavailable
            try:
                outcome = await self._once(call.make, call.deadline)
            except (Broken, Unavailable) as error:
                outcome = error
            if isinstance(outcome, Reply) and outcome.error is None:
                return outcome.value
            await asyncio.sleep(self._settings.wait(tries, outcome))

    async def _once(self, make: Callable[[], Exchange], deadline: Deadline) -> Reply:
        while self._idle:
            stream = self._idle.pop()
            if stream.at_end:
                stream.close()
                continue
            try:
                return await self._on(stream, make(), deadline)
            except Broken as broken:
                if broken.answered:
                    raise
        return await self._on(await self._connect(deadline), make(), deadline)

    async def _connect(self, deadline: Deadline) -> _Stream:
        stream: _Stream = await _within(deadline, _Stream.open(self._settings.address))
        greeting = self._settings.codec.greeting()
        if greeting is not None:
            try:
                reply = await _within(deadline, stream.exchange(greeting))
                if reply.error is not None:
                    raise reply.error
            except BaseException:
                stream.close()
                raise
        return stream

    async def _on(self, stream: _Stream, exchange: Exchange, deadline: Deadline) -> Reply:
        try:
            reply: Reply = await _within(deadline, stream.exchange(exchange))
        except BaseException:  # a cancellation too: an answer may still come
            stream.close()
            raise
        if reply.keep and not self._closed and len(self._idle) < self._settings.connections:
            self._idle.append(stream)
        else:
            stream.close()
        return reply


async def _within(deadline: Deadline, work: Any) -> Any:
    try:
        left = deadline.left()
    except BaseException:
        work.close()
        raise
    try:
        return await asyncio.wait_for(work, left)
    except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
        raise passed() from None
