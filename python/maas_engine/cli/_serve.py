"""``maas-engine serve``. Without typer, which takes longer to load than the server to start."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from maas_engine import _server
from maas_engine.cli import fail
from maas_engine.cli._errors import describe
from maas_engine.errors import MaasError
from maas_engine.serving import Server, _settings
from maas_engine.serving._log import log_as_json, told
from maas_engine.serving._systemd import notify

LOG = logging.getLogger("maas_engine.serving")
EPILOG = (
    "Each option may also stand in serve.toml (port = 8000) and in the environment (MAAS_SERVE_PORT); models in a "
    "table [models], or as MAAS_SERVE_MODELS='NAME=SOURCE ...'. The command line counts first, then the environment, "
    "then the file. The log is one JSON object a line on standard error. SIGTERM and SIGINT: requests that have come "
    "are answered, then the server exits with 0. SIGHUP: models that are files are read anew."
)


class _Stop(BaseException):
    """A signal asks the server to stop."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(f"{message} (see {self.prog} --help)", 2)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's words."""
    made = _Parser(
        "maas-engine serve",
        description="Serve models over HTTP (Open Inference Protocol v2) and raw TCP.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    made.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME=SOURCE",
        help="A model: an ONNX file, a package's folder, models:/NAME@ALIAS or models:/NAME/VERSION; may be repeated",
    )
    made.add_argument("--config", metavar="FILE", help="Options as TOML; or MAAS_SERVE_CONFIG")
    for option in _settings.OPTIONS:
        flag = "--" + option.name.replace("_", "-")
        shown = (
            f"{option.help}; default {option.default}"
            if option.default not in ("", False, None)
            else option.help
        )
        if option.kind is bool:
            made.add_argument(flag, action="store_const", const="true", help=option.help)
        else:
            made.add_argument(flag, metavar=option.metavar, help=shown.replace("%", "%%"))
    return made


def settings(arguments: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return options and ``models`` from the command line, the environment and the file, in this order."""
    words = vars(parser().parse_args(arguments))
    models, file = words.pop("model"), words.pop("config") or environment.get("MAAS_SERVE_CONFIG")
    given = {
        name: _settings.parse(_settings.BY_NAME[name], text, "--" + name.replace("_", "-"))
        for name, text in words.items()
        if text is not None
    }
    if models:
        given["models"] = _settings.parse_models(models)
    from_file = _settings.from_file(file) if file else {}
    return {"models": {}, **from_file, **_settings.from_environment(environment), **given}


def main(arguments: list[str]) -> int:
    """Serve until a signal comes; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    server = None
    try:
        if importlib.util.find_spec("starlette") is None:
            fail("the server needs starlette: install it with pip install 'maas_engine[serve]'", 1)
        given = _given(arguments)
        log_as_json()
        _server.release_large_blocks()
        _open_files()
        server = Server(given.pop("models"), **{"port": _settings.BY_NAME["port"].default, **given})
        signal.signal(signal.SIGHUP, lambda number, frame: _reload(server))
        server.start()
        notify("READY=1")
        _wait()
    except _Stop:
        if server is not None:  # it answers while it still starts
            server.stop()
    except Exception as error:
        fail(describe(error), 1)
    return 0


def _open_files() -> None:
    """As many as the system allows this process: each connection is one."""
    import resource

    with suppress(ValueError, OSError):  # a system that has no such limit
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _given(arguments: list[str]) -> dict[str, Any]:
    try:
        given = settings(arguments, os.environ)
    except MaasError as error:
        fail(str(error), 2)
    if not given["models"]:
        fail("expected at least one model: --model NAME=SOURCE (see maas-engine serve --help)", 2)
    return given


def _reload(server: Server) -> None:
    told(LOG, logging.INFO, "reloading", signal="SIGHUP")
    server.reload()


def _stop(number: int, frame: object) -> NoReturn:
    del frame
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)  # a second one ends it at once
    notify("STOPPING=1")
    told(LOG, logging.INFO, "stopping", signal=signal.Signals(number).name)
    raise _Stop


def _wait() -> None:
    """Wait for a signal, on whichever thread the system delivers it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    while True:
        os.read(reader, 1)
