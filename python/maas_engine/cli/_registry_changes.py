"""The commands ``registry …`` that change something: register, alias, tag, describe, rollback, delete, gc."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from maas_engine.cli import fail
from maas_engine.cli._options import (
    Delimiter,
    Drop,
    Encoding,
    Format,
    Json,
    PublicKey,
    Reason,
    RegistryPlace,
    Store,
    number_pairs,
    open_registry,
    pairs,
    read,
    seconds,
    without,
)
from maas_engine.cli._registry import Ref, app
from maas_engine.cli._registry_facts import find, is_version, parse, parse_alias, version_facts
from maas_engine.errors import InvalidArgument

__all__ = ["app"]

NameOrRef = Annotated[
    str, typer.Argument(metavar="NAME|REF", help="A model, or a version", show_default=False)
]
Force = Annotated[
    bool, typer.Option("--force", help="Go around the gates of a protected alias; takes --reason")
]
AliasRef = Annotated[str, typer.Argument(metavar="NAME@ALIAS", show_default=False)]


@app.command()
def register(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the model; new or known", show_default=False)
    ],
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Package folder, or ONNX file to pack", show_default=False)
    ],
    description: Annotated[str, typer.Option(help="Default: the package's own")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be repeated")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Beside the package's own; may be repeated"),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="The version it was made from; a number is of NAME", show_default=False
        ),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="DATA", help="Of an ONNX file: table of typical rows")
    ] = None,
    drop: Drop = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    reason: Reason = "",
    public_key: PublicKey = None,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Verify a package and keep it as the model's next version."""
    from maas_engine.cli import _registry_tables, _report

    with _report.progress() as steps, open_registry(registry, store, public_key, new=True) as opened:
        model, rows = None, None
        if reference is not None:
            if os.path.isdir(source):
                raise InvalidArgument("--reference is for a model file: a package has its own rows")
            from maas_engine.cli._pack import reference as reference_rows
            from maas_engine.model import load

            model = load(source)
            rows = reference_rows(model, without(read(reference, format, encoding, delimiter, steps), drop))
        with steps.step(f"registering {source}"):
            made = opened.register(
                name,
                source if model is None else model,
                description=description,
                tags=pairs("--tag", tag),
                metrics=number_pairs("--metric", metric),
                parent=_parent(opened, parent),
                X_reference=rows,
                reason=reason,
            )
        result = version_facts(made)
    _report.show(result, _registry_tables.registered, as_json=json)


@app.command()
def alias(
    ref: Ref,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Such as champion", show_default=False)],
    expected: Annotated[
        int | None,
        typer.Option(help="Only if it points to this version now; 0: to none", show_default=False, min=0),
    ] = None,
    force: Force = False,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Point an alias to a version; see promote for gates, delete to take it away."""
    with open_registry(registry, store) as opened:
        version = find(opened, ref)
        opened.set_alias(version.name, alias, version.version, reason=reason, expected=expected, force=force)
    _show_alias(version.name, alias, version.version, json)


@app.command()
def rollback(
    ref: AliasRef,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Put an alias back to where it pointed before."""
    name, alias = parse_alias(ref)
    with open_registry(registry, store) as opened:
        version = opened.rollback(name, alias, reason=reason)
    _show_alias(name, alias, version, json)


@app.command()
def tag(
    ref: NameOrRef,
    tags: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", show_default=False)] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Take a tag away; may be repeated")
    ] = None,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Put tags on a model or a version."""
    from maas_engine.cli import _report

    given = pairs("tag", tags)
    if not given and not remove:
        raise InvalidArgument("expected KEY=VALUE to put on, or --remove KEY")
    with open_registry(registry, store) as opened:
        name, version = _model_or_version(opened, ref)
        for key, value in given.items():
            opened.set_tag(name, key, value, version=version)
        for key in remove or []:
            opened.delete_tag(name, key, version=version)
        now = opened.get_model(name) if version is None else opened.get_version(name, version)
    _report.show({"name": name, "version": version, "tags": now.tags}, _report.facts, as_json=json)


@app.command()
def describe(
    ref: NameOrRef,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Write a model's or a version's description."""
    from maas_engine.cli import _report

    with open_registry(registry, store) as opened:
        name, version = _model_or_version(opened, ref)
        opened.set_description(name, text, version=version)
    _report.show({"name": name, "version": version, "description": text}, _report.facts, as_json=json)


@app.command()
def delete(
    ref: Annotated[
        str,
        typer.Argument(
            metavar="NAME/7|NAME@ALIAS|NAME",
            help="A version, an alias but not its version, or a model",
            show_default=False,
        ),
    ],
    all_versions: Annotated[bool, typer.Option("--all-versions", help="Yes, the whole model")] = False,
    force: Force = False,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Delete a version, an alias or a model that nothing refers to; its files go with gc."""
    from maas_engine.cli import _report

    name, version, alias = parse(ref) if is_version(ref) else (ref, None, None)
    if is_version(ref) and version is None and alias is None:
        raise InvalidArgument(f"expected the number of the version to delete, got {ref!r}")
    if not is_version(ref) and not all_versions:
        raise InvalidArgument(
            f"{ref!r} is a model with all its versions: name one (NAME/7) or add --all-versions"
        )
    with open_registry(registry, store) as opened:
        if alias is not None:
            opened.delete_alias(name, alias, reason=reason, force=force)
        elif version is not None:
            opened.delete_version(name, version, reason=reason)
        else:
            opened.delete_model(name, reason=reason)
    result = {"deleted": {"name": name, "version": version, "alias": alias}}
    _report.show(result if json else {"deleted": ref}, _report.facts, as_json=json)


@app.command()
def gc(
    grace: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Leave what is younger: 1h, 2d; default: 1h")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go")] = False,
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Remove files from the store that no version refers to."""
    from maas_engine.cli import _registry_tables, _report

    span: dict[str, Any] = {} if grace is None else {"grace": seconds("--grace", grace)}
    with open_registry(registry, store) as opened:
        found = opened.collect_garbage(**span, dry_run=dry_run)
    _report.show(asdict(found), _registry_tables.garbage, as_json=json)
    if found.missing:
        fail(
            f"the store lacks {len(found.missing)} files that versions refer to, such as {found.missing[0]}",
            1,
        )


def _parent(registry: Any, ref: str | None) -> Any:
    if ref is None or ref.isdecimal():
        return None if ref is None else int(ref)
    return find(registry, ref)


def _model_or_version(registry: Any, ref: str) -> tuple[str, int | None]:
    if not is_version(ref):
        return ref, None
    version = find(registry, ref)
    return version.name, version.version


def _show_alias(name: str, alias: str, version: int, as_json: bool) -> None:
    from maas_engine.cli import _report

    result = {"name": name, "alias": alias, "version": version, "uri": f"models:/{name}/{version}"}
    _report.show(result, _report.facts, as_json=as_json)
