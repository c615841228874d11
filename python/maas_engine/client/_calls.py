"""What `Client` and `AsyncClient` share: their settings, and what each method asks and makes of the answers.

Sans I/O: a method is a plan, a generator of calls, which either client makes in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from maas_engine.client._address import Address, Path
from maas_engine.client._description import Description
from maas_engine.client._frames import RawCodec
from maas_engine.client._http import HttpCodec
from maas_engine.client._reply import Broken, Exchange, Reply
from maas_engine.client._retry import Deadline, Retries
from maas_engine.errors import FormatError, InvalidArgument, Unavailable, Unsupported


class Call(NamedTuple):
    """A question to the server; ``make`` makes the request anew for each try, with what is left of the time."""

    make: Callable[[], Exchange]
    deadline: Deadline
    retries: int | None = None  # default: the client's


_T = TypeVar("_T")
Plan = Generator[Call, Any, _T]  # is sent the value of each call's answer, or thrown its error


class Settings:
    """Where to, how long, how often, and the models seen so far; and the plan of each method."""

    def __init__(
        self,
        url: str,
        token: str | None,
        timeout: float | None,
        retries: int,
        connections: int,
        ca: Path | None,
        cert: Path | tuple[Path, Path] | None,
    ) -> None:
        if retries < 0 or connections < 1:
            raise InvalidArgument("[client] expected retries of at least 0 and connections of at least 1")
        self.address = Address(url, token, ca, cert)
        Deadline(timeout)  # that it is one
        self.timeout, self.retries, self.connections = timeout, retries, connections
        self.codec: RawCodec | HttpCodec
        if self.address.raw:
            self.codec = RawCodec(token)
        else:
            self.codec = HttpCodec(self.address.netloc, self.address.prefix, token)
        self.described: dict[tuple[str, str], Description] = {}

    def deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self.timeout if timeout is None else timeout)

    def predict(
        self,
        model: str,
        X: Any,
        version: str | int | None,
        outputs: str | Sequence[str] | None,
        timeout: float | None,
    ) -> Plan[Any]:
        deadline = self.deadline(timeout)
        key = key_of(model, version)
        known = key in self.described
        described = self.described[key] if known else (yield from self.ask_description(key, deadline))
        try:
            return (yield from self._ask(key, described, X, outputs, deadline))
        except (InvalidArgument, FormatError):
            fresh = (yield from self.ask_description(key, deadline)) if known else described
            if fresh.schema == described.schema:
                raise
        # The server has another model of that name by now.
        return (yield from self._ask(key, fresh, X, outputs, deadline))

    def metadata(self, model: str, version: str | int | None) -> Plan[dict[str, Any]]:
        key = key_of(model, version)
        found: dict[str, Any] = yield Call(lambda: self.codec.metadata(*key), self.deadline(None))
        return found

    def describe(self, model: str, version: str | int | None) -> Plan[Description]:
        return self.ask_description(key_of(model, version), self.deadline(None))

    def monitoring(self, model: str) -> Plan[dict[str, Any]]:
        codec, name = self._pages(), key_of(model, None)[0]
        found: dict[str, Any] = yield Call(lambda: codec.monitoring(name), self.deadline(None))
        return found

    def statistics(self) -> Plan[dict[str, Any]]:
        codec = self._pages()
        found: dict[str, Any] = yield Call(lambda: codec.page("/v2/models/stats"), self.deadline(None))
        return found

    def healthy(self, what: str) -> Plan[bool]:
        try:
            yield Call(lambda: self.codec.health(what), self.deadline(None), retries=0)
        except Unavailable:
            return False
        return True

    def ask_description(self, key: tuple[str, str], deadline: Deadline) -> Plan[Description]:
        found = Description((yield Call(lambda: self.codec.metadata(*key), deadline)))
        self.described[key] = found
        return found

    def tries(self, call: Call) -> Retries:
        return Retries(self.retries if call.retries is None else call.retries, call.deadline)

    def wait(self, tries: Retries, outcome: Reply | Broken | Unavailable) -> float:
        """Return the seconds to wait before the next try.

        Raises
        ------
        MaasError : what the failure means, where there is none.
        """
        if isinstance(outcome, Broken):
            failure = self.lost(outcome)
            if outcome.answered:
                raise failure
            return tries.wait(failure)
        if isinstance(outcome, Unavailable):  # no connection
            return tries.wait(outcome)
        assert outcome.error is not None
        return tries.wait(outcome.error, outcome.retry_after)

    def lost(self, broken: Broken) -> Unavailable:
        when = "in the midst of an answer" if broken.answered else "before it answered"
        return Unavailable(f"[client] {self.address!r} closed the connection {when}")

    def _ask(
        self,
        key: tuple[str, str],
        described: Description,
        X: Any,
        outputs: str | Sequence[str] | None,
        deadline: Deadline,
    ) -> Plan[Any]:
        question = described.ask(X, outputs)
        answer = yield Call(lambda: self.codec.infer(*key, question, deadline.microseconds()), deadline)
        return described.take(question, answer, outputs)

    def _pages(self) -> HttpCodec:
        if isinstance(self.codec, RawCodec):
            raise Unsupported("[client] expected a client of http:// or https://")
        return self.codec


def key_of(model: str, version: str | int | None) -> tuple[str, str]:
    """Model and version as they travel.

    Raises
    ------
    InvalidArgument : no name.
    """
    if not isinstance(model, str) or not model:
        raise InvalidArgument("[client] expected the name of a model")
    return model, "" if version is None else str(version)
