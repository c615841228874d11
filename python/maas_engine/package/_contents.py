"""What lies in a package's folder: which files, and the proven bytes of each, whether encrypted or not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from maas_engine.errors import PermissionDenied
from maas_engine.package import _manifest as manifests
from maas_engine.package._folder import Folder, fail
from maas_engine.package._manifest import ENCRYPTION, SIGNATURE, Manifest, read_manifest
from maas_engine.package._policy import Policy


class Contents(NamedTuple):
    """A folder whose names were checked against its manifest; nothing else was.

    ``data`` are the bytes of manifest.json, ``digest`` their SHA-256, which is the package's.
    """

    manifest: Manifest
    data: bytes
    digest: str
    names: frozenset[str]

    @property
    def encrypted(self) -> bool:
        return ENCRYPTION in self.names

    @property
    def signed(self) -> bool:
        return SIGNATURE in self.names

    def lying(self, name: str) -> str:
        """The name by which a listed file lies in the folder."""
        return f"{name}.enc" if self.encrypted else name


def read_contents(folder: Folder, digest: str | None = None) -> Contents:
    """Read the manifest, and check that the folder has the files that it lists and no others.

    Raises
    ------
    NotFound, FormatError : see `open_package`.
    """
    names = folder.names()
    data = folder.read(manifests.NAME, manifests.MAX_BYTES)
    found = hashlib.sha256(data).hexdigest()
    if digest is not None and found != digest:
        fail(manifests.NAME, f"the manifest of package {digest}", f"that of {found}")
    contents = Contents(read_manifest(data), data, found, frozenset(names))
    listed = {contents.lying(name) for name in contents.manifest.files}
    missing = sorted(listed - names)
    if missing:
        fail(missing[0], "a file, as the manifest lists it", "none")
    more = sorted(names - listed - {manifests.NAME, SIGNATURE, ENCRYPTION})
    if more:
        fail(more[0], "only files that the manifest lists", "one more")
    return contents


def check_signature(folder: Folder, contents: Contents, policy: Policy) -> Mapping[str, str]:
    """Prove that whom the policy trusts signed this manifest and just these files.

    Returns
    -------
    mapping : the signed SHA-256 of each file as it lies in the folder, for `read_part` to check encrypted ones by;
        empty where the policy trusts nobody, so that no signature is looked at.
    """
    if not policy.require_signature:
        return {}
    from maas_engine.package import _statement

    present: dict[str, str | None] = {
        contents.lying(name): None if contents.encrypted else entry.sha256
        for name, entry in contents.manifest.files.items()
    }
    present[manifests.NAME] = contents.digest
    data = folder.read(SIGNATURE, _statement.MAX_BYTES) if contents.signed else None
    return _statement.check_signature(data, present, policy)


def data_key(folder: Folder, contents: Contents, policy: Policy) -> bytes | None:
    """Return the key of the package's files, or None where they are not encrypted.

    Raises
    ------
    PermissionDenied : the policy has no master key, or another.
    FormatError : not an encryption.json.
    """
    if not contents.encrypted:
        return None
    if policy.decrypts is None:
        raise PermissionDenied(f"[package] '{ENCRYPTION}': expected a master key to decrypt with, got none")
    from maas_engine.package import _envelope

    envelope = _envelope.read_envelope(folder.read(ENCRYPTION, _envelope.MAX_BYTES))
    return envelope.unwrap(policy.decrypts, contents.digest)


def read_part(
    folder: Folder, contents: Contents, name: str, key: bytes | None, signed: Mapping[str, str]
) -> bytes:
    """Return the bytes of a listed file, decrypted with ``key``, as its size and SHA-256 in the manifest prove them."""
    entry = contents.manifest.files[name]
    if key is None:
        data = folder.read(name, entry.size, exact=True)
    else:
        from maas_engine.package import _ciphertext

        lying = contents.lying(name)
        sealed = folder.read(lying, _ciphertext.sealed_limit(entry.size))
        if signed and hashlib.sha256(sealed).hexdigest() != signed[lying]:
            raise PermissionDenied(f"[package] '{lying}': expected the file that was signed, got another")
        data = _ciphertext.unseal(sealed, key, bytes.fromhex(contents.digest), name, entry.size)
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        fail(name, f"sha256 {entry.sha256}", found)
    return data
