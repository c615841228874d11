"""The commands ``token …``: the server's API tokens."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from maas_engine.cli._options import Json, Reason, RegistryPlace, Store, group, open_registry, seconds
from maas_engine.cli._registry_facts import token_facts
from maas_engine.errors import InvalidArgument

app = group("Make, list and revoke the tokens by which clients of the server prove who they are.")


@app.command()
def create(
    scopes: Annotated[
        list[str],
        typer.Argument(
            metavar="SCOPE...", help="predict:NAME of one model, predict:* of all, admin", show_default=False
        ),
    ],
    expires_in: Annotated[
        str | None, typer.Option(metavar="SPAN", help="90d, 12h, 30m, 45s; default: until it is revoked")
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for")] = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Print a new token, alone and this once: send it straight to where it is kept."""
    span = None if expires_in is None else seconds("--expires-in", expires_in)
    if sys.stdout is None:
        raise InvalidArgument("standard output is closed, on which the token is shown this once")
    with open_registry(registry, store, new=True) as opened:
        token = opened.create_token(scopes, expires_in=span, description=description)
    if json:
        from maas_engine.cli import _report

        _report.show({"token": token}, _report.facts, as_json=True)
    else:
        print(token)


@app.command("list")
def list_all(registry: RegistryPlace = None, store: Store = None, json: Json = False) -> None:
    """Show all tokens but not their text, the newest first."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        found = [token_facts(info) for info in opened.list_tokens()]
    _report.show({"tokens": found}, _registry_tables.tokens, as_json=json)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="As `token list` shows it", show_default=False)],
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """End a token; servers refuse it within a second."""
    from maas_engine.cli import _report

    with open_registry(registry, store) as opened:
        info = opened.revoke_token(id, reason=reason)
    _report.show(token_facts(info), _report.facts, as_json=json)
