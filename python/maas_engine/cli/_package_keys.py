"""The commands of ``package`` that need keys: keygen, sign, encrypt, decrypt, rotate."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from maas_engine.cli._options import Json
from maas_engine.cli._package import Folder, MasterKeyFile, app, facts_unverified
from maas_engine.errors import InvalidArgument

__all__ = ["app"]


@app.command()
def keygen(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Where to; it must not exist", show_default=False)
    ],
    master: Annotated[
        bool, typer.Option("--master", help="A master key to encrypt with, instead of a key to sign with")
    ] = False,
    json: Json = False,
) -> None:
    """Make a key that only its owner can read: to sign with, or to encrypt with."""
    from maas_engine import package
    from maas_engine.cli import _report

    if master:
        made: dict[str, Any] = {"master_key": file, "id": package.generate_master_key(file).id}
    else:
        made = {"private_key": file, "public_key": str(package.generate_signing_key(file))}
    _report.show(made, _report.facts, as_json=json)


@app.command()
def sign(
    folder: Folder,
    key: Annotated[str, typer.Option(metavar="FILE", help="PEM of the private key", show_default=False)],
    certificate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="PEM of the key's certificate, then of its issuers; may be repeated"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Sign a package's files as they lie in its folder."""
    from maas_engine import package

    package.sign(folder, key, certificate or None)
    _show_changed(folder, json)


@app.command()
def encrypt(folder: Folder, master_key: MasterKeyFile = None, json: Json = False) -> None:
    """Encrypt a package's files; the manifest stays readable."""
    from maas_engine import package

    package.encrypt(folder, _master_key("--master-key", master_key))
    _show_changed(folder, json)


@app.command()
def decrypt(folder: Folder, master_key: MasterKeyFile = None, json: Json = False) -> None:
    """Put the plain files back."""
    from maas_engine import package

    package.decrypt(folder, _master_key("--master-key", master_key))
    _show_changed(folder, json)


@app.command()
def rotate(
    folder: Folder,
    old_key: Annotated[str, typer.Option(metavar="FILE", help="The master key so far", show_default=False)],
    new_key: Annotated[str, typer.Option(metavar="FILE", help="The one from now on", show_default=False)],
    json: Json = False,
) -> None:
    """Wrap an encrypted package's key anew; its files, digest and signature stay."""
    from maas_engine import package

    package.rotate(folder, _master_key("--old-key", old_key), _master_key("--new-key", new_key))
    _show_changed(folder, json)


def _show_changed(folder: str, as_json: bool) -> None:
    from maas_engine.cli import _report

    result = facts_unverified(folder)
    del result["manifest"]
    _report.show(result, _report.facts, as_json=as_json)


def _master_key(option: str, file: str | None) -> Any:
    from maas_engine.package import MasterKey, Policy

    key = MasterKey.from_file(file) if file is not None else Policy.from_environment().master_key
    if key is None:
        raise InvalidArgument(f"no master key: name its file by {option} or MAAS_MASTER_KEY_FILE")
    return key
