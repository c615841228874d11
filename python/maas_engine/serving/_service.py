"""`Server`: the data plane, its models and its control plane, started and stopped together."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maas_engine import _runtime, _server
from maas_engine.errors import InvalidArgument
from maas_engine.serving import _settings
from maas_engine.serving._access import Access
from maas_engine.serving._certificates import Certificates
from maas_engine.serving._log import told
from maas_engine.serving._models import Models
from maas_engine.serving._sources import TRANSIENT, SharedRegistry, find_source
from maas_engine.serving._watch import Watch

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from maas_engine.model import Model
    from maas_engine.package import Package
    from maas_engine.registry import Registry
    from maas_engine.serving._asgi import App

LOG = logging.getLogger("maas_engine.serving")
CONTROL_REQUESTS = 64  # that may wait for the control plane


class Server:
    """A server in this process.

    Parameters
    ----------
    models : dict of str to path, Model, Package or ``"models:/NAME@ALIAS"``
        What is served, by the name that requests use. An alias of the registry is followed: a version that it is
        moved to is verified and takes the place of the one before within a second.
    host : str
        Default: this machine alone.
    port, tcp_port : int
        Of HTTP and of raw frames. 0: any that is free; -1: none.
    threads : int
        For input and output; 0: what the machine allows.
    registry : Registry or place, optional
        Of ``models:/`` names. Default: the environment's.
    **options
        Others of ``maas-engine serve --help``, by name.

    Raises
    ------
    InvalidArgument, NotFound : an option, a name or a source that cannot be.

    Examples
    --------
    >>> with Server({"credit": "credit.onnx"}) as server:  # doctest: +SKIP
    ...     print(server.port)
    """

    def __init__(
        self,
        models: Mapping[str, str | os.PathLike[str] | Model | Package],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tcp_port: int = -1,
        threads: int = 0,
        registry: Registry | str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        given = {"host": host, "port": port, "tcp_port": tcp_port, "threads": threads, **options}
        self._settings = _settings.complete(given)
        self._registry = SharedRegistry(registry, self._settings["store"])
        if not models:
            raise InvalidArgument("[serve] expected at least one model")
        sources = {
            _settings.check_name(name): find_source(each, self._registry, self._settings["watch"])
            for name, each in models.items()
        }
        if self._settings["anonymous"] is None and (self._settings["token_file"] or self._settings["tokens"]):
            self._settings["anonymous"] = False
        settings = _settings.native(self._settings)
        settings["threads"] = settings["threads"] or _runtime.get_num_threads()
        settings["compute_threads"] = settings["threads"]
        settings["control_requests"] = CONTROL_REQUESTS
        self._plane = _server.Server(settings)
        self._models = Models(self._plane, sources, self._settings["keep"])
        self._threads: list[threading.Thread] = []
        file, of_registry = self._settings["token_file"], self._settings["tokens"]
        self._access = Access(self._plane, self._registry, file, of_registry)
        certificates = [self._settings[name] for name in ("tls_cert", "tls_key", "tls_client_ca")]
        self._watch = Watch(
            self._models, self._registry, self._access, Certificates(self._plane, certificates)
        )
        self._state, self._stopped = "new", threading.Event()
        self._lock = threading.Lock()

    @property
    def host(self) -> str:
        return str(self._settings["host"])

    @property
    def port(self) -> int:
        """Of HTTP, after `start`; -1 for none."""
        return self._plane.http_port

    @property
    def tcp_port(self) -> int:
        """Of raw frames, after `start`; -1 for none."""
        return self._plane.tcp_port

    def start(self) -> Self:
        """Listen, load the models, and return the server.

        From the first moment on it answers; ``/v2/health/ready`` says 503 until all models are there. A model whose
        registry gives no answer is waited for in the background.

        Raises
        ------
        InvalidArgument : an address that cannot be had.
        MaasError : a model that cannot be served. Nothing is left running.
        """
        with self._lock:
            if self._state != "new":
                raise InvalidArgument("[serve] expected a server that was not started before")
            self._state = "started"
        self._access.start()
        self._plane.start()
        told(LOG, logging.INFO, "listening", host=self.host, port=self.port, tcp_port=self.tcp_port)
        self._tell_limit()
        try:
            for name in self._models.names():
                try:
                    self._models.load(name)
                except TRANSIENT:
                    continue  # the watch goes on
            self._begin()
        except BaseException as error:  # a signal's may come when all is served already
            self.stop(0 if isinstance(error, Exception) else None)
            raise
        return self

    def stop(self, timeout: float | None = None) -> None:
        """Accept nothing new, answer what has come, and end; after ``timeout`` seconds (the option ``drain``) at once.

        Does nothing the second time.
        """
        with self._lock:
            before, self._state = self._state, "stopped"
        if before != "started":
            return
        begun = time.perf_counter()
        self._watch.stop()
        self._plane.stop(self._settings["drain"] if timeout is None else max(0.0, timeout))
        for thread in self._threads:
            thread.join(timeout=5.0)
        self._registry.close()
        told(LOG, logging.INFO, "stopped", ms=round(1e3 * (time.perf_counter() - begun), 1))
        self._stopped.set()

    def reload(self) -> None:
        """Read models that are files or folders anew, within a second; one that must not be served is refused.

        May be called by a signal's handler.
        """
        self._watch.reload()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the server is stopped; False where it still runs after ``timeout`` seconds."""
        return self._stopped.wait(timeout)

    def __enter__(self) -> Self:
        return self.start() if self._state == "new" else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.host}:{self.port} {self._state}: {', '.join(self._models.names())}>"

    def _tell_limit(self) -> None:
        """Say it where the system lets in fewer connections than were asked for."""
        limit, wanted = self._plane.connection_limit, self._settings["connections"]
        if limit < wanted:
            reason = "this process may not open more files and sockets (ulimit -n)"
            told(LOG, logging.WARNING, "limited", connections=limit, wanted=wanted, reason=reason)

    def _begin(self) -> None:
        """Start what may come after the first answer."""
        from maas_engine.serving._asgi import Control  # asyncio takes as long to load as a server to start

        for thread in (Control(self._plane, self._app), self._watch):
            thread.start()
            self._threads.append(thread)

    def _app(self) -> App:
        from maas_engine.serving._control import make_app

        app: App = make_app(self._models)
        return app
