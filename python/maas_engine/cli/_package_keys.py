"""The commands of ``package`` that need keys: keygen, sign, encrypt, decrypt, rotate."""

from __future__ import annotations

import os
import sys
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
    password: Annotated[
        bool,
        typer.Option("--password", help="Encrypt the key to sign with: MAAS_KEY_PASSWORD, else asked for"),
    ] = False,
    json: Json = False,
) -> None:
    """Make a key that only its owner can read: to sign with, or to encrypt with."""
    from maas_engine import package
    from maas_engine.cli import _report

    if master and password:
        raise InvalidArgument("--password is for keys to sign with: a master key's file holds the key alone")
    if master:
        made: dict[str, Any] = {"master_key": file, "id": package.generate_master_key(file).id}
    else:
        public = package.generate_signing_key(file, _password(twice=True) if password else None)
        fingerprint = package.key_fingerprint(public)
        made = {"private_key": file, "public_key": str(public), "fingerprint": fingerprint}
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
    """Sign a package's files as they lie in its folder. MAAS_KEY_PASSWORD opens an encrypted key, or you are asked."""
    from maas_engine import package

    package.sign(folder, key, certificate or None, password=_password)
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


def _password(twice: bool = False) -> str:
    """Of a private key: never an option, which every user of the machine could read."""
    found = os.environ.get("MAAS_KEY_PASSWORD")
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise InvalidArgument(
            "expected the key's password in MAAS_KEY_PASSWORD: there is no terminal to ask at"
        )
    return str(typer.prompt("Password of the key", hide_input=True, confirmation_prompt=twice, err=True))


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
