"""The commands ``package …``: make, show, verify, sign and encrypt a package's folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maas_engine.cli._options import (
    Delimiter,
    Drop,
    Encoding,
    Format,
    Json,
    PublicKey,
    check_file,
    group,
    number_pairs,
    pairs,
    read,
    values,
    without,
)

if TYPE_CHECKING:
    from maas_engine.package import Package, Policy

app = group("Make, verify, sign and encrypt packages: folders of a model and the proof of what it is.")

Folder = Annotated[str, typer.Argument(help="The package's folder", metavar="DIR", show_default=False)]
Certificates = Annotated[
    list[str] | None,
    typer.Option("--certificate", metavar="FILE", help="PEM of a trusted root certificate; may be repeated"),
]
RequireSignature = Annotated[
    bool, typer.Option("--require-signature", help="Refuse a package that is not signed")
]
MasterKeyFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Opens encrypted packages; default: MAAS_MASTER_KEY_FILE"),
]
Metrics = Annotated[list[str] | None, typer.Option("--metric", metavar="NAME=NUMBER", help="May be repeated")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="JSON or text; may be repeated"),
]
Lineage = Annotated[
    list[str] | None,
    typer.Option("--lineage", metavar="NAME=TEXT", help="Where it comes from; may be repeated"),
]
Description = Annotated[str, typer.Option(help="Of the model, for people")]


@app.command()
def create(
    model: Annotated[str, typer.Argument(metavar="MODEL.onnx", help="Model file", show_default=False)],
    folder: Folder,
    reference: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Table of typical rows, for golden rows and the drift profile"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Default: the folder's", show_default=False)] = None,
    metric: Metrics = None,
    parameter: Parameters = None,
    lineage: Lineage = None,
    description: Description = "",
    drop: Drop = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    json: Json = False,
) -> None:
    """Make a package of a model file."""
    from maas_engine.cli import _pack, _package_tables, _report
    from maas_engine.model import load
    from maas_engine.package import write

    with _report.progress() as steps:
        check_file(model, "maas-engine package inspect shows a package")
        loaded = load(model)
        rows = None
        if reference is not None:
            rows = _pack.reference(loaded, without(read(reference, format, encoding, delimiter, steps), drop))
        with steps.step(f"writing {folder}"):
            package = write(
                loaded,
                folder,
                X_reference=rows,
                name=Path(folder).resolve().name if name is None else name,
                metrics=number_pairs("--metric", metric),
                parameters=values("--parameter", parameter),
                lineage=pairs("--lineage", lineage),
                description=description,
            )
    _report.show(facts(package), _package_tables.package, as_json=json)


@app.command()
def inspect(folder: Folder, json: Json = False) -> None:
    """Show what a package says of itself, without verifying it and without keys."""
    from maas_engine.cli import _package_tables, _report

    _report.show(facts_unverified(folder), _package_tables.package, as_json=json)


@app.command()
def verify(
    folder: Folder,
    public_key: PublicKey = None,
    certificate: Certificates = None,
    require_signature: RequireSignature = False,
    master_key: MasterKeyFile = None,
    json: Json = False,
) -> None:
    """Prove every file, the signature where one is asked for, and the golden rows."""
    from maas_engine.cli import _report
    from maas_engine.package import open_package

    asked = policy(public_key, certificate, require_signature, master_key)
    with _report.progress() as steps, steps.step(f"verifying {folder}"):
        package = open_package(folder, asked)
    signature = "verified" if asked.require_signature else "present, not asked for"
    result = {
        "folder": str(package.path),
        "name": package.manifest.name,
        "digest": package.digest,
        "files": len(package.manifest.files),
        "signature": signature if package.signed else "none",
        "encrypted": package.encrypted,
        "verified": True,
    }
    _report.show(result, _report.facts, as_json=json)


@app.command("re-golden")
def re_golden(
    folder: Folder,
    to: Annotated[str, typer.Argument(metavar="NEW", help="Where to; it must not exist", show_default=False)],
    public_key: PublicKey = None,
    certificate: Certificates = None,
    require_signature: RequireSignature = False,
    json: Json = False,
) -> None:
    """Write a package anew whose golden rows have the bits of this machine; it wants a signature of its own."""
    from maas_engine import package
    from maas_engine.cli import _package_tables, _report

    asked = policy(public_key, certificate, require_signature, None)
    with _report.progress() as steps, steps.step(f"verifying {folder}"):
        made = package.re_golden(folder, to, asked)
    _report.show(facts(made), _package_tables.package, as_json=json)


def policy(
    public_key: str | None,
    certificates: list[str] | None,
    require_signature: bool,
    master_key: str | None,
) -> Policy:
    """What the environment asks a package to prove, and what the options add."""
    from maas_engine.package import MasterKey, Policy

    asked = Policy.from_environment()
    if public_key is not None:
        asked = replace(asked, public_key=public_key)
    if certificates:
        asked = replace(asked, public_key=None, certificates=tuple(certificates))
    if require_signature:
        asked = replace(asked, require_signature=True)
    if master_key is not None:
        asked = replace(asked, master_key=MasterKey.from_file(master_key))
    return asked


def facts(package: Package) -> dict[str, Any]:
    """What a package says of itself; a signature that is there need not be good."""
    from maas_engine.package._manifest import SIGNATURE

    return {
        "folder": str(package.path),
        "digest": package.digest,
        "signed": SIGNATURE in package.files(),
        "encrypted": package.encrypted,
        "manifest": package.manifest.to_document(),
    }


def facts_unverified(path: str) -> dict[str, Any]:
    """The same of a folder that nobody has verified."""
    from maas_engine.package import _manifest as manifests
    from maas_engine.package._folder import Folder

    with Folder(path) as folder:
        names = folder.names()
        manifest = manifests.read_manifest(folder.read(manifests.NAME, manifests.MAX_BYTES))
    return {
        "folder": os.path.realpath(path),
        "digest": manifest.digest,
        "signed": manifests.SIGNATURE in names,
        "encrypted": manifests.ENCRYPTION in names,
        "manifest": manifest.to_document(),
    }


def copy(package: Package, folder: str, asked: Policy) -> Package:
    """Write a package's files to a new folder, and verify them there."""
    from maas_engine.package import open_package
    from maas_engine.package._write import write_folder

    write_folder(
        Path(os.path.realpath(folder)), {name: p.read_bytes() for name, p in package.files().items()}
    )
    return open_package(folder, asked, package.digest)
