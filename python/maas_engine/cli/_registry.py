"""The commands ``registry …`` that change nothing: list, show, search, compare, history, audit, load."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from maas_engine.cli import fail
from maas_engine.cli._options import Json, PublicKey, RegistryPlace, Store, group, open_registry
from maas_engine.cli._registry_facts import (
    event_facts,
    find,
    is_version,
    model_facts,
    parse_alias,
    uri,
    version_facts,
    without_caret,
)
from maas_engine.errors import InvalidArgument

app = group(
    "Keep models by name and version, move aliases, and tell who did what. Where REF is asked for: NAME/7, NAME/latest "
    "or NAME@ALIAS, with models:/ before it or not."
)

Ref = Annotated[
    str, typer.Argument(metavar="REF", help="NAME/7, NAME/latest or NAME@ALIAS", show_default=False)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="MOMENT", help="What REF meant then, such as 2026-01-31T09:00:00Z", show_default=False
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="At most so many")]


@app.command("list")
def list_all(registry: RegistryPlace = None, store: Store = None, json: Json = False) -> None:
    """Show all models with their aliases."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        found = [model_facts(each) for each in opened.models()]
        result = {"registry": str(opened.database), "models": found}
    _report.show(result, _registry_tables.models, as_json=json)


@app.command()
def show(
    ref: Annotated[str, typer.Argument(metavar="NAME|REF", help="A model, or a version", show_default=False)],
    as_of: AsOf = None,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show a model and its versions; or a version and what its package says."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        if is_version(ref):
            found = find(opened, ref, as_of)
            result = {**version_facts(found), "manifest": found.manifest.to_document()}
        else:
            if as_of is not None:
                raise InvalidArgument(f"--as-of asks what a REF meant: expected {ref}@ALIAS, got {ref!r}")
            versions = [version_facts(each) for each in opened.versions(ref)]
            result = {**model_facts(opened.get_model(ref)), "versions": versions}
    tables = _registry_tables.version if is_version(ref) else _registry_tables.model
    _report.show(result, tables, as_json=json)


@app.command()
def search(
    filter: Annotated[
        str,
        typer.Argument(
            metavar="FILTER", help="Such as \"metrics.auc > 0.9 AND tags.team = 'risk' AND name LIKE 'cre%'\""
        ),
    ] = "",
    order_by: Annotated[str, typer.Option(help="Such as 'metrics.auc DESC, version'")] = "",
    limit: Limit = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first ones")] = 0,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Find versions by name, number, alias, tag, metric, time or digest."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        try:
            found = opened.search(filter, order_by=order_by, limit=limit, offset=offset)
        except InvalidArgument as error:
            raise InvalidArgument(without_caret(str(error))) from None
        result = {"versions": [version_facts(each) for each in found]}
    _report.show(result, _registry_tables.versions, as_json=json)


@app.command()
def history(
    ref: Annotated[str | None, typer.Argument(metavar="[NAME|NAME@ALIAS]", help="Default: all")] = None,
    limit: Limit = 100,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show who changed what, when and why: the last changes, in order."""
    from maas_engine.cli import _registry_tables, _report

    name, alias = parse_alias(ref) if ref is not None and is_version(ref) else (ref, None)
    with open_registry(registry, store) as opened:
        events = opened.history(name, alias, limit=limit)
    _report.show({"events": [event_facts(each) for each in events]}, _registry_tables.history, as_json=json)


@app.command()
def compare(
    refs: Annotated[list[str], typer.Argument(metavar="REF REF...", show_default=False)],
    all: Annotated[bool, typer.Option("--all", help="In tables, also what is the same")] = False,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show in what versions differ, side by side."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        result = opened.compare([uri(ref) for ref in refs]).to_dict()
    tables = _registry_tables.compared if all else _registry_tables.different
    _report.show(result, tables, as_json=json)


@app.command()
def audit(
    expected_head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Of an earlier audit; the log must hold it", show_default=False),
    ] = None,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Prove the history whole; exit status 1 and the first broken entry where it is not."""
    from maas_engine.cli import _registry_tables, _report

    with open_registry(registry, store) as opened:
        report = opened.audit(expected_head=expected_head)
    result = {"whole": report.whole, **asdict(report)}
    _report.show(result, _registry_tables.audit, as_json=json)
    if not report.whole:
        fail(f"the history is not whole: {report.problems[0]}", 1)


@app.command()
def load(
    ref: Ref,
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Where to; it must not exist", show_default=False)
    ],
    as_of: AsOf = None,
    public_key: PublicKey = None,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Verify a version and write its package to a folder."""
    from maas_engine.cli import _package_tables, _report
    from maas_engine.cli._package import copy, facts

    with (
        _report.progress() as steps,
        open_registry(registry, store, public_key) as opened,
        steps.step(f"loading {ref}"),
    ):
        version = find(opened, ref, as_of)
        package = copy(opened.package(version.uri), folder, opened.policy)
    _report.show(facts(package), _package_tables.package, as_json=json)
