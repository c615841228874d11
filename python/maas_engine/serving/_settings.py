"""What a server may be told: one table for the command line, the environment, serve.toml and `Server`.

Of several places that name an option the first counts: the command line, ``MAAS_SERVE_NAME``, the file, the default.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from maas_engine.errors import InvalidArgument, NotFound, Unsupported

PREFIX = "MAAS_SERVE_"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
MOST_NAME = 255  # characters of a model's name


class Option(NamedTuple):
    """One option. ``native``: its name among the data plane's options, "" where Python alone needs it."""

    name: str
    kind: type
    default: Any
    help: str
    metavar: str = ""
    native: str = ""


OPTIONS = (
    Option("host", str, "127.0.0.1", "Address to listen on", "ADDRESS", "host"),
    Option("port", int, 8000, "HTTP port; 0: any that is free, -1: none", "N", "http_port"),
    Option("tcp_port", int, -1, "Port of raw frames; 0: any that is free, -1: none", "N", "tcp_port"),
    Option("threads", int, 0, "Threads for input and output; 0: what the machine allows", "N", "threads"),
    Option("registry", str, "", "Folder or database of models:/ names; default: MAAS_REGISTRY", "PLACE"),
    Option("store", str, "", "Folder or URL of the registry's files; default: MAAS_REGISTRY_STORE", "PLACE"),
    Option("watch", bool, False, "Models that are files or folders are read anew when they change"),
    Option(
        "access_log",
        str,
        "",
        "File for a line of JSON a request; - for standard output",
        "FILE",
        "access_log",
    ),
    Option("access_log_sample", float, 1.0, "Share of requests it tells of", "P", "access_log_sample"),
    Option(
        "batch_wait_us",
        int,
        0,
        "Microseconds in which more requests may join a batch before it runs",
        "US",
        "batch_wait_us",
    ),
    Option("drain", float, 30.0, "Seconds in which requests under way may end when the server stops", "S"),
    Option("keep", float, 30.0, "Seconds for which the version before is still served by its number", "S"),
    Option(
        "tls_cert",
        str,
        "",
        "PEM of the certificate, and those above it: HTTPS and TLS alone",
        "FILE",
        "tls_cert",
    ),
    Option("tls_key", str, "", "PEM of its key", "FILE", "tls_key"),
    Option(
        "tls_client_ca",
        str,
        "",
        "PEM of the authority that clients' certificates are of",
        "FILE",
        "tls_client_ca",
    ),
    Option("token_file", str, "", "Requests need a token: a line each, TOKEN [SCOPE ...]", "FILE"),
    Option("tokens", bool, False, "Requests need a token of the registry"),
    Option("anonymous", bool, None, "No token is needed, wherever it listens", native="anonymous"),
    Option("connections", int, 10000, "Most connections", "N", "connections"),
    Option(
        "memory_bytes",
        int,
        None,
        "Most bytes of requests and answers together; default 1 GiB",
        "N",
        "memory_bytes",
    ),
    Option("body_bytes", int, None, "Most bytes of a request's body; default 64 MiB", "N", "body_bytes"),
    Option(
        "idle_seconds",
        int,
        None,
        "Seconds that a connection may say nothing; default 300",
        "S",
        "idle_seconds",
    ),
)

BY_NAME = {option.name: option for option in OPTIONS}


def complete(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every option.

    Raises
    ------
    InvalidArgument : an option that is none, or a value of another type.
    """
    for name in given:
        if name not in BY_NAME:
            raise InvalidArgument(
                f"[serve] expected an option of the server ({', '.join(BY_NAME)}), got {name!r}"
            )
    return {
        option.name: option.default if (value := given.get(option.name)) is None else _checked(option, value)
        for option in OPTIONS
    }


def native(values: Mapping[str, Any]) -> dict[str, Any]:
    """The data plane's options among complete ones."""
    given = {option.native: values[option.name] for option in OPTIONS if option.native}
    given["expanded_bytes"] = values["body_bytes"]  # as large when it came compressed
    return {name: value for name, value in given.items() if value is not None}


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Options that MAAS_SERVE_* variables name, and ``models`` of MAAS_SERVE_MODELS: NAME=SOURCE, space between."""
    found: dict[str, Any] = {}
    for option in OPTIONS:
        text = environment.get(PREFIX + option.name.upper())
        if text:
            found[option.name] = parse(option, text, PREFIX + option.name.upper())
    models = environment.get(PREFIX + "MODELS")
    if models:
        found["models"] = parse_models(shlex.split(models))
    return found


def from_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Options of a file: ``NAME = VALUE`` lines and a table ``[models]``, in TOML.

    Paths in it are meant from the file's own folder.

    Raises
    ------
    NotFound, InvalidArgument : no such file; not TOML, or not such options.
    """
    try:
        import tomllib
    except ModuleNotFoundError:
        raise Unsupported("[serve] serve.toml needs Python 3.11 or newer") from None
    try:
        text = Path(path).read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise NotFound(
            f"[serve] expected a file of options, got {os.fspath(path)!r}: {error.strerror}"
        ) from None
    except ValueError as error:
        raise InvalidArgument(f"[serve] expected TOML in {os.fspath(path)!r}: {error}") from None
    models = table.pop("models", {})
    if not isinstance(models, dict) or not all(isinstance(each, str) for each in models.values()):
        raise InvalidArgument('[serve] expected a table [models] of NAME = "SOURCE" lines')
    for name in table:
        if name not in BY_NAME:
            raise InvalidArgument(
                f"[serve] expected an option of the server ({', '.join(BY_NAME)}), got {name!r}"
            )
    folder = Path(path).parent
    found = {name: _checked(BY_NAME[name], value) for name, value in table.items()}
    return {**found, "models": {name: _from_folder(folder, source) for name, source in models.items()}}


def parse(option: Option, text: str, where: str) -> Any:
    """An option's value as text."""
    if option.kind is bool and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    try:
        if option.kind is bool:
            raise ValueError
        return option.kind(text)
    except ValueError:
        kind = {int: "a whole number", float: "a number", bool: "true or false"}.get(
            option.kind, option.kind.__name__
        )
        raise InvalidArgument(f"[serve] {where}: expected {kind}, got {text[:40]!r}") from None


def parse_models(texts: list[str]) -> dict[str, str]:
    """Sources by name, from ``NAME=SOURCE``."""
    models: dict[str, str] = {}
    for text in texts:
        name, equals, source = text.partition("=")
        if not (name and equals and source):
            raise InvalidArgument(f"[serve] expected a model as NAME=SOURCE, got {text[:80]!r}")
        if name in models:
            raise InvalidArgument(f"[serve] expected each model's name once, got {name!r} again")
        models[name] = source
    return models


def check_name(name: str) -> str:
    """Return a name that a model may be served under: printable, without a slash."""
    if not isinstance(name, str) or not name.isprintable() or "/" in name or not 0 < len(name) <= MOST_NAME:
        raise InvalidArgument(
            f"[serve] expected a model's name of printable characters without '/', at most {MOST_NAME}, "
            f"got {str(name)[:40]!r}"
        )
    return name


def _checked(option: Option, value: Any) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    fits = isinstance(value, (int, float)) if option.kind is float else isinstance(value, option.kind)
    if not fits or (isinstance(value, bool) and option.kind is not bool):
        raise InvalidArgument(
            f"[serve] expected {option.name} as {option.kind.__name__}, got {type(value).__name__}"
        )
    return value


def _from_folder(folder: Path, source: str) -> str:
    return source if source.startswith("models:") else str(folder / source)
