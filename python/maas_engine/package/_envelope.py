"""encryption.json: the package's data key, wrapped by a master key. Rotation rewrites this file and no other.

``{"version": 1, "key": ID, "data_key": BASE64}``: the master key's id, and nonce, ciphertext and tag of AES-256-GCM
over the data key, with the package digest as associated data.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple, NoReturn

from maas_engine.errors import FormatError, PermissionDenied
from maas_engine.package import _ciphertext
from maas_engine.package._canonical import canonical, parse
from maas_engine.package._keys import MasterKey, is_key_id
from maas_engine.package._manifest import ENCRYPTION

VERSION = 1
MAX_BYTES = 4096


class Envelope(NamedTuple):
    """A master key's id, and a data key under it."""

    key: str
    wrapped: bytes

    def unwrap(self, master_key: MasterKey, digest: str) -> bytes:
        """Return the data key of the package with this digest.

        Raises
        ------
        PermissionDenied : another master key, another package, changed bytes.
        """
        try:
            key = master_key.fetch(self.key)
        except PermissionDenied as error:
            raise PermissionDenied(
                f"[package] '{ENCRYPTION}': {str(error).removeprefix('[keys] ')}"
            ) from None
        return _ciphertext.unwrap(self.wrapped, key, bytes.fromhex(digest))

    def to_bytes(self) -> bytes:
        """Return the content of encryption.json."""
        wrapped = base64.b64encode(self.wrapped).decode()
        return canonical({"version": VERSION, "key": self.key, "data_key": wrapped})


def wrap(data_key: bytes, master_key: MasterKey, digest: str) -> Envelope:
    """Wrap a data key for the package with this digest."""
    id = master_key.id
    return Envelope(id, _ciphertext.wrap(data_key, master_key.fetch(id), bytes.fromhex(digest)))


def read_envelope(data: bytes) -> Envelope:
    """Return the content of encryption.json.

    Raises
    ------
    FormatError : not such a file.
    """
    try:
        document = parse(data, MAX_BYTES)
    except FormatError as error:
        raise FormatError(f"[package] '{ENCRYPTION}': {error}") from None
    if not isinstance(document, dict) or sorted(document) != ["data_key", "key", "version"]:
        _fail("version, key and data_key", "something else")
    version, key, wrapped = document["version"], document["key"], document["data_key"]
    if type(version) is not int or version != VERSION:
        _fail(f"version {VERSION}", f"{version!a:.40}")
    if not is_key_id(key) or not isinstance(wrapped, str):
        _fail("a key's id and a wrapped data key", "something else")
    try:
        return Envelope(key, base64.b64decode(wrapped, validate=True))
    except (ValueError, binascii.Error):
        _fail("a data key in base64", "something else")


def _fail(expected: str, got: str) -> NoReturn:
    raise FormatError(f"[package] '{ENCRYPTION}': expected {expected}, got {got}")
