"""Signing packages with OpenSSF model-signing, and checking a signature without opening the package.

model.sig is over every file as it lies in the folder but itself and encryption.json, so that master keys can rotate;
encrypt first, then sign. ``model_signing verify key FOLDER --signature FOLDER/model.sig --public_key PEM`` verifies it
too; for a certificate, ``verify certificate … --certificate_chain ROOTS``. Which files are left out stands in the
signature.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from maas_engine.errors import FormatError, InvalidArgument, PermissionDenied
from maas_engine.package import _contents
from maas_engine.package import _manifest as manifests
from maas_engine.package._certificates import certificates_of, signing_key
from maas_engine.package._changes import Change
from maas_engine.package._contents import Contents
from maas_engine.package._folder import Folder
from maas_engine.package._keys import CURVES, StrPath, missing, read_key_file
from maas_engine.package._manifest import ENCRYPTION, SIGNATURE
from maas_engine.package._policy import Policy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import Certificate


Password = str | Callable[[], str]


def sign(
    folder: StrPath,
    private_key: StrPath,
    certificates: StrPath | Iterable[StrPath] | None = None,
    *,
    password: Password | None = None,
) -> None:
    """Sign a package; model.sig appears whole, in place of an earlier one.

    Parameters
    ----------
    folder : path of a package
    private_key : path of an EC private key (P-256, P-384, P-521) in PEM
    certificates : path or paths, optional
        PEM files: the certificate of the key first, then those between it and the root that verifiers trust.
    password : str or callable() -> str, optional
        Of a private key that is encrypted; a callable is asked only then. Not with certificates, for which
        model-signing takes none.

    Raises
    ------
    InvalidArgument : another kind of key, no password or a wrong one, a certificate of another key, one that is not
        for signing or not valid now.
    NotFound, FormatError : not a whole package, or no such key.
    Unsupported : model-signing is not installed.
    """
    key, secret = _private_key(private_key, password)
    chain = _chain(certificates, key)
    if chain and secret is not None:
        raise InvalidArgument(
            "[keys] expected a private key that is not encrypted beside certificates, got one that is"
        )
    with Change(folder) as change, Folder(change.folder) as opened:
        contents = _contents.read_contents(opened)
        present = _present(opened, contents)
        bundle = _bundle(change.folder, change.staging, private_key, secret, chain)
        from maas_engine.package import _statement

        if _statement.files_signed_by(key.public_key(), bundle) != present:
            raise FormatError(
                f"[package] '{change.folder}': expected files that nobody changes while they are signed"
            )
        change.put(SIGNATURE, bundle)


def verify_signature(folder: StrPath, policy: Policy) -> None:
    """Prove that whom the policy trusts signed the files as they lie. Needs no master key, and loads no model.

    Raises
    ------
    InvalidArgument : the policy trusts nobody.
    PermissionDenied, FormatError : see `open_package`.
    """
    if not policy.require_signature:
        raise InvalidArgument(
            "[package] expected a policy with a public key or certificates, got one without"
        )
    with Folder(folder) as opened:
        contents = _contents.read_contents(opened)
        signed = _contents.check_signature(opened, contents, policy)
        for name, found in _present(opened, contents).items():
            if found != signed[name]:
                raise PermissionDenied(f"[package] '{name}': expected the file that was signed, got another")


def _present(opened: Folder, contents: Contents) -> dict[str, str]:
    """SHA-256 of the files as they lie; of those not encrypted, once proven to be the manifest's."""
    found = {manifests.NAME: contents.digest}
    for name, entry in contents.manifest.files.items():
        if contents.encrypted:
            from maas_engine.package._ciphertext import sealed_limit

            lying = contents.lying(name)
            found[lying] = hashlib.sha256(opened.read(lying, sealed_limit(entry.size))).hexdigest()
        else:
            _contents.read_part(opened, contents, name, None, {})
            found[name] = entry.sha256
    return found


def _private_key(path: StrPath, password: Password | None) -> tuple[ec.EllipticCurvePrivateKey, bytes | None]:
    """The key, and the password that opened it, if it is encrypted."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        missing(error)
    data, secret = read_key_file(path, secret=True), None
    if b"ENCRYPTED" in data:  # PKCS#8's label, or the header of OpenSSL's older form
        if password is None:
            raise InvalidArgument(f"[keys] expected the password of '{os.fspath(path)}', which is encrypted")
        secret = (password() if callable(password) else password).encode()
    try:
        key = load_pem_private_key(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # No cause: it may quote the key
        what = "an EC private key in PEM" if secret is None else "an EC private key in PEM and its password"
        raise InvalidArgument(f"[keys] expected {what}, got something else: '{os.fspath(path)}'") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in CURVES:
        raise InvalidArgument(
            f"[keys] expected an EC key on one of {', '.join(CURVES)}, got '{os.fspath(path)}'"
        )
    return key, secret


def _chain(paths: StrPath | Iterable[StrPath] | None, key: ec.EllipticCurvePrivateKey) -> list[Certificate]:
    """The certificates of the files, the key's first."""
    if paths is None:
        return []
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    chain = [each for path in paths for each in certificates_of(read_key_file(path))]
    if not chain:
        raise InvalidArgument("[keys] expected the certificate of the private key first, got none")
    try:
        matches = signing_key(chain[0]) == key.public_key()
    except (PermissionDenied, ValueError) as error:  # ValueError: extensions that cannot be read
        raise InvalidArgument(str(error).replace("[package] 'model.sig':", "[keys]")) from None
    if not matches:
        raise InvalidArgument("[keys] expected the certificate of the private key first, got another key's")
    now = datetime.now(timezone.utc)
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        raise InvalidArgument(
            f"[keys] expected a certificate that is valid now, got one of {chain[0].not_valid_before_utc:%Y-%m-%d} to "
            f"{chain[0].not_valid_after_utc:%Y-%m-%d}"
        )
    return chain


def _bundle(
    folder: Path, staging: Path, private_key: StrPath, password: bytes | None, chain: list[Certificate]
) -> bytes:
    """Let model-signing hash and sign the folder, by files of the staging folder; return the signature's bytes."""
    try:
        from model_signing import hashing, signing
    except ImportError as error:
        missing(error)
    config = signing.Config()  # type: ignore[no-untyped-call]
    if chain:
        from cryptography.hazmat.primitives.serialization import Encoding

        first, rest = staging / "first.pem", staging / "rest.pem"
        first.write_bytes(chain[0].public_bytes(Encoding.PEM))
        # It wants one file of others at least; the first again does no harm.
        rest.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain[1:] or chain))
        config.use_certificate_signer(
            private_key=private_key, signing_certificate=first, certificate_chain=[rest]
        )
    else:
        # Annotated as text, and given to cryptography, which takes bytes.
        config.use_elliptic_key_signer(private_key=private_key, password=password)  # type: ignore[arg-type]
    ignored = [Path(SIGNATURE), Path(ENCRYPTION)]
    hashed = hashing.Config()  # type: ignore[no-untyped-call]
    config.set_hashing_config(hashed.set_ignored_paths(paths=ignored, ignore_git_paths=False))
    target = staging / "bundle"
    config.sign(folder, target)
    return target.read_bytes()
