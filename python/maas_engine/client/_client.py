"""`Client`: a server's models as functions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from maas_engine.client._address import Path
from maas_engine.client._calls import Call, Plan, Settings, key_of
from maas_engine.client._connection import Connection, Pool
from maas_engine.client._description import Description
from maas_engine.client._frames import RawCodec
from maas_engine.client._reply import Broken, Exchange, Reply
from maas_engine.client._retry import Deadline
from maas_engine.errors import MaasError, Unavailable, Unsupported

_T = TypeVar("_T")


class Client:
    """A server's models as functions. Python threads may share one.

    Parameters
    ----------
    url : str
        ``http://host:port``, ``https://host:port`` (the Open Inference Protocol, tensors in binary), or
        ``tcp://host:port`` (raw frames; over TLS where ``ca`` or ``cert`` is given).
    token : str, optional
        Sent with every request over HTTP, once a connection over TCP. Never shown.
    timeout : float or None
        Seconds that a call may take in all, tries included; sent to the server too. None: no limit.
    retries : int
        Further tries of a call that could not connect, whose connection closed before anything was answered, or that
        the server refused as overloaded (429, 503; its Retry-After is kept). Never once an answer has begun.
    connections : int
        Idle ones that are kept. Each thread that calls at the same time has its own.
    ca : path, optional
        PEM file of the authorities to trust; default: the system's.
    cert : path or (path, path), optional
        The client's own certificate (PEM), with its key in the same file or in a second one.

    Raises
    ------
    InvalidArgument : from the constructor; and from ``predict``: X does not fit the model.
    MaasError : from the methods: the class in `maas_engine.errors` that the server's status stands for.
    Unavailable : no connection, or it was lost.
    DeadlineExceeded : the timeout passed, here or there.
    FormatError : what answered does not speak the protocol.

    Examples
    --------
    >>> with Client("http://localhost:8000") as client:  # doctest: +SKIP
    ...     client.predict("credit", {"age": 31.0, "income": 52_000.0})
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
        self._pool = Pool(connections)

    def predict(
        self,
        model: str,
        X: Any,
        *,
        version: str | int | None = None,
        outputs: str | Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Return the model's answer to X, which is anything that ``Model.predict`` takes.

        Parameters
        ----------
        version : str or int, optional
            Default: the server's choice.
        outputs : str or sequence of str, optional
            One output by name, or several, which come as a dict of arrays; default: what ``Model.predict`` gives.
        timeout : float, optional
            Seconds, in place of the client's.
        """
        return self._do(self._settings.predict(model, X, version, outputs, timeout))

    def predict_many(
        self,
        model: str,
        X: Any,
        *,
        rows: int = 64,
        version: str | int | None = None,
        output: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Return ``predict``'s answer, asked in frames of ``rows`` rows that follow each other without waiting.

        For ``tcp://`` and more rows than should go in one message: the server answers while the next are on their way.
        Nothing is tried again.
        """
        from maas_engine.client._many import stream

        if not isinstance(self._settings.codec, RawCodec):
            raise Unsupported("[predict_many] expected a client of tcp://")
        deadline = self._settings.deadline(timeout)
        key = key_of(model, version)
        described = self._settings.described.get(key) or self._do(
            self._settings.ask_description(key, deadline)
        )
        connection = self._pool.take() or self._connect(deadline)
        try:
            out = stream(connection, key, described, X, output, rows, deadline)
        except Broken as broken:
            connection.close()
            raise self._settings.lost(broken) from None
        except BaseException:
            connection.close()
            raise
        self._pool.give(connection)
        return out

    def metadata(self, model: str, *, version: str | int | None = None) -> dict[str, Any]:
        """Return what the server says of a model: name, versions, inputs and outputs."""
        return self._do(self._settings.metadata(model, version))

    def monitoring(self, model: str) -> dict[str, Any]:
        """Return how the rows of a model drift from its reference; ``NotFound`` where it has no profile.

        Over HTTP alone, as `statistics` is.
        """
        return self._do(self._settings.monitoring(model))

    def statistics(self) -> dict[str, Any]:
        """Return how often each model was asked and how long it took, as Triton's statistics have it."""
        return self._do(self._settings.statistics())

    def describe(self, model: str, *, version: str | int | None = None) -> Description:
        """Return a model's ``schema`` and ``labels``, as `maas_engine.Model` has them."""
        return self._do(self._settings.describe(model, version))

    def ready(self) -> bool:
        """Whether the server answers and has all its models; over ``tcp://``, whether it answers."""
        return self._do(self._settings.healthy("ready"))

    def live(self) -> bool:
        """Whether the server answers."""
        return self._do(self._settings.healthy("live"))

    def close(self) -> None:
        """Close idle connections, and those in use after their call."""
        self._pool.clear(for_good=True)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._settings.address!r}>"

    def _do(self, plan: Plan[_T]) -> _T:
        """Make the calls of a plan one after the other, and return what it makes of the answers."""
        go: Callable[[Any], Call] = plan.send
        given: Any = None
        try:
            while True:
                call = go(given)
                try:
                    go, given = plan.send, self._call(call)
                except MaasError as error:
                    go, given = plan.throw, error
        except StopIteration as done:
            result: _T = done.value
            return result
        finally:
            given = None  # an error refers to this frame

    def _call(self, call: Call) -> Any:
        """The answer's value, tried as often as there is reason to."""
        tries = self._settings.tries(call)
        while True:
            outcome: Reply | Broken | Unavailable
            try:
                outcome = self._once(call.make, call.deadline)
            except (Broken, Unavailable) as error:
                outcome = error
            if isinstance(outcome, Reply) and outcome.error is None:
                return outcome.value
            time.sleep(self._settings.wait(tries, outcome))

    def _once(self, make: Callable[[], Exchange], deadline: Deadline) -> Reply:
        while (connection := self._pool.take()) is not None:
            try:
                return self._on(connection, make(), deadline)
            except Broken as broken:
                if broken.answered:
                    raise
                self._pool.clear()  # the server closed it meanwhile, and likely the others
        return self._on(self._connect(deadline), make(), deadline)

    def _connect(self, deadline: Deadline) -> Connection:
        connection = Connection(self._settings.address, deadline)
        greeting = self._settings.codec.greeting()
        if greeting is not None:
            try:
                reply = connection.exchange(greeting, deadline)
                if reply.error is not None:
                    raise reply.error
            except BaseException:
                connection.close()
                raise
        return connection

    def _on(self, connection: Connection, exchange: Exchange, deadline: Deadline) -> Reply:
        try:
            reply = connection.exchange(exchange, deadline)
        except BaseException:  # an interrupt too: an answer may still come
            connection.close()
            raise
        if reply.keep and not connection.buffer:
            self._pool.give(connection)
        else:
            connection.close()
        return reply
