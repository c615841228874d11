"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import typer

from maas_engine.errors import InvalidArgument, NotFound

Data = Annotated[str, typer.Argument(help="CSV, TSV, Parquet or Arrow file; - for standard input")]
Target = Annotated[str, typer.Option(help="Column to predict", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables")]
Drop = Annotated[list[str] | None, typer.Option(help="Column to leave out; may be repeated")]
Format = Annotated[str | None, typer.Option(help="csv, tsv, parquet or arrow; default: by name or content")]
Encoding = Annotated[str, typer.Option(help="Of CSV text")]
Delimiter = Annotated[str | None, typer.Option(help="Between CSV fields", show_default="comma")]
Seed = Annotated[int, typer.Option(help="Of the split, the folds, the model and the resamples")]
Threads = Annotated[int | None, typer.Option(help="Default: what the machine allows", min=1)]

RegistryPlace = Annotated[
    str | None,
    typer.Option(
        "--registry",
        metavar="PLACE",
        help="Folder, or a database's URL without password; default: MAAS_REGISTRY, else ~/.maas_engine/registry",
    ),
]
Store = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="Folder or URL of the files; default: MAAS_REGISTRY_STORE"),
]
TokenFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="With the token for the server; default: MAAS_TOKEN")
]
Authorities = Annotated[
    str | None,
    typer.Option("--ca", metavar="FILE", help="PEM of the authorities to trust, of a server's URL"),
]
PublicKey = Annotated[
    str | None, typer.Option(metavar="FILE", help="PEM of the key that must have signed; or MAAS_PUBLIC_KEY")
]
Reason = Annotated[str, typer.Option(help="Why, for the history")]

_SECRET = re.compile("password|secret|token", re.IGNORECASE)  # in the name of an option of a URL


def group(help: str) -> typer.Typer:
    """Return commands that share a first word; the word alone shows them."""
    commands = typer.Typer(help=help, add_completion=False)

    @commands.callback(invoke_without_command=True)
    def show_commands(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            print(context.get_help())

    return commands


def pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """Values by name from ``KEY=VALUE``, each named once."""
    out: dict[str, str] = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not key.strip() or not equals:
            raise InvalidArgument(f"{option} expects KEY=VALUE, got {text!r}")
        if key.strip() in out:
            raise InvalidArgument(f"{option} names {key.strip()!r} twice")
        out[key.strip()] = value.strip()
    return out


def number_pairs(option: str, texts: list[str] | None) -> dict[str, float]:
    """Like `pairs`, of finite numbers."""
    return {key: number(f"{option} {key}", value) for key, value in pairs(option, texts).items()}


def values(option: str, texts: list[str] | None) -> dict[str, Any]:
    """Like `pairs`, of JSON; what is no JSON is text."""
    out: dict[str, Any] = {}
    for key, text in pairs(option, texts).items():
        try:
            out[key] = json.loads(text, parse_constant=_refuse_constant)
        except ValueError:
            out[key] = text
    return out


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are no JSON: text


def number(what: str, text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidArgument(f"{what}: expected a finite number, got {text!r}")
    return value


def seconds(option: str, text: str) -> int:
    """A span of time: ``90d``, ``12h``, ``30m`` or ``45s``; a number alone is seconds."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhdw]?)", text.strip(), re.ASCII)
    if not found:
        raise InvalidArgument(f"{option} expects a span of time like 90d, 12h, 30m or 45s, got {text!r}")
    return int(found[1]) * {"s": 1, "": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[found[2]]


def check_file(path: str, hint: str) -> None:
    """Refuse a package's folder and a version's URI where a model file is asked for."""
    if path.startswith("models:/") or os.path.isdir(path):
        raise InvalidArgument(f"expected a model file, got {path!r}: {hint}")


def read_token(file: str | None) -> str | None:
    """The token in a file, or that of MAAS_TOKEN; never an argument, which every user could read."""
    if file is None:
        return os.environ.get("MAAS_TOKEN") or None
    with open(file, encoding="utf-8") as opened:
        return opened.read().strip()


def limit_threads(threads: int | None) -> None:
    if threads is not None:
        import maas_engine

        maas_engine.set_num_threads(threads)


def read(
    data: str, format: str | None, encoding: str, delimiter: str | None, steps: Any, source: Any = None
) -> Any:
    """The table that a command's DATA names, or an open ``source`` holds."""
    from maas_engine.data import read_table

    with steps.step(f"reading {'standard input' if data == '-' else data}"):
        if source is None:
            source = sys.stdin.buffer if data == "-" else data
        return read_table(source, format=format, encoding=encoding, delimiter=delimiter)


def without(table: Any, names: list[str] | None) -> Any:
    """The table without the columns that ``--drop`` names."""
    unknown = [name for name in names or [] if name not in table.column_names]
    if unknown:
        raise InvalidArgument(f"no column {unknown[0]!r} to drop")
    return table.drop_columns(names) if names else table


@contextmanager
def open_registry(
    place: str | None, store: str | None, public_key: str | None = None, *, new: bool = False
) -> Iterator[Any]:
    """The registry that the options and the environment name; packages must be signed by ``public_key``.

    Raises
    ------
    InvalidArgument : a password in an option, where every user of the machine could read it.
    NotFound : there is none yet, and it is not to be a ``new`` one: an audit of a mistyped place finds nothing wrong.
    """
    for option, given in (("--registry", place), ("--store", store)):
        parts = urlsplit(given or "")
        if parts.password is not None or any(map(_SECRET.search, parse_qs(parts.query))):
            raise InvalidArgument(
                f"{option} expects a URL without password, which other users could read: set MAAS_REGISTRY, PGPASSWORD "
                "or ~/.pgpass"
            )
    from maas_engine.registry import Registry

    policy = None
    if public_key is not None:
        from maas_engine.package import Policy

        policy = replace(Policy.from_environment(), public_key=public_key)
    registry = Registry(place, store, policy=policy)
    kind, _, file = str(registry.database).partition(":///")
    if not new and kind.startswith("sqlite") and not os.path.exists(file.partition("?")[0]):
        raise NotFound(f"no registry at {file}: `registry register` and `token create` make one")
    try:
        yield registry
    finally:
        registry.close()
