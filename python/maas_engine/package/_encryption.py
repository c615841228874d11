"""Encrypting a package, and giving it another master key.

The manifest stays readable, for search, gates and signatures need it; every other file becomes NAME.enc. What is
encrypted is proven before, and a kill leaves the package as it was or as it was to be.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from maas_engine.errors import InvalidArgument
from maas_engine.package import _contents
from maas_engine.package._changes import Change
from maas_engine.package._contents import Contents
from maas_engine.package._folder import Folder
from maas_engine.package._keys import SIZE, Key, to_master_key
from maas_engine.package._manifest import ENCRYPTION, NAME, SIGNATURE
from maas_engine.package._policy import Policy


def encrypt(folder: str | os.PathLike[str], master_key: Key) -> None:
    """Encrypt a package in place, under a data key of its own that the master key wraps.

    The folder is replaced by one exchange. The old files are then deleted, not overwritten; if the process is killed
    before, they lie beside the folder in ``.NAME.change`` until `encrypt` is called again, which then finishes.

    Parameters
    ----------
    folder : path
    master_key : MasterKey, path of its file, 32 bytes, or callable(id) -> bytes

    Raises
    ------
    InvalidArgument : encrypted already, or signed: a signature is over the files as they lie, so sign afterwards.
    NotFound, FormatError : not a whole package; it is left as it is.
    """
    from maas_engine.package import _ciphertext, _envelope

    key = to_master_key(master_key)
    with Change(folder) as change, Folder(change.folder) as opened:
        contents = _contents.read_contents(opened)
        if contents.encrypted and change.resumed:
            _contents.data_key(opened, contents, Policy(master_key=key))  # by this key, or say so
            return
        if contents.encrypted:
            raise InvalidArgument(
                f"[package] '{ENCRYPTION}': expected a package to encrypt, got an encrypted one"
            )
        _refuse_signed(contents)
        data_key = os.urandom(SIZE)
        envelope = _envelope.wrap(data_key, key, contents.digest)

        def files() -> Iterator[tuple[str, Iterable[bytes]]]:
            for name in contents.manifest.files:
                data = _contents.read_part(opened, contents, name, None, {})
                yield f"{name}.enc", _ciphertext.seal(data, data_key, bytes.fromhex(contents.digest), name)
            yield NAME, [contents.data]
            yield ENCRYPTION, [envelope.to_bytes()]

        change.replace(files())


def decrypt(folder: str | os.PathLike[str], master_key: Key) -> None:
    """Turn an encrypted package in place into the one it was before.

    Raises
    ------
    InvalidArgument : not encrypted, or signed as it lies.
    PermissionDenied, FormatError : another key, or changed files; the package is left as it is.
    """
    policy = Policy(master_key=master_key)
    with Change(folder) as change, Folder(change.folder) as opened:
        contents = _contents.read_contents(opened)
        if not contents.encrypted and change.resumed:
            return
        _refuse_plain(contents)
        _refuse_signed(contents)
        key = _contents.data_key(opened, contents, policy)

        def files() -> Iterator[tuple[str, Iterable[bytes]]]:
            for name in contents.manifest.files:
                yield name, [_contents.read_part(opened, contents, name, key, {})]
            yield NAME, [contents.data]

        change.replace(files())


def rotate(folder: str | os.PathLike[str], old: Key, new: Key) -> None:
    """Wrap the package's data key with another master key. Only encryption.json changes; a signature stays good.

    Who has had the data key can still decrypt the files: after a leak of it, decrypt and encrypt again.

    Raises
    ------
    InvalidArgument : not encrypted.
    PermissionDenied : ``old`` is not the key that it is under, unless it is under ``new`` already.
    """
    from maas_engine.package import _envelope

    policy, key = Policy(master_key=old), to_master_key(new)
    with Change(folder) as change, Folder(change.folder) as opened:
        contents = _contents.read_contents(opened)
        _refuse_plain(contents)
        envelope = _envelope.read_envelope(opened.read(ENCRYPTION, _envelope.MAX_BYTES))
        if envelope.key == key.id:  # done before
            envelope.unwrap(key, contents.digest)
            return
        data_key = _contents.data_key(opened, contents, policy)
        assert data_key is not None
        change.put(ENCRYPTION, _envelope.wrap(data_key, key, contents.digest).to_bytes())


def _refuse_plain(contents: Contents) -> None:
    if not contents.encrypted:
        raise InvalidArgument(f"[package] '{ENCRYPTION}': expected an encrypted package, got one that is not")


def _refuse_signed(contents: Contents) -> None:
    if contents.signed:
        raise InvalidArgument(
            f"[package] '{SIGNATURE}': expected no signature, got one, which is over the files as they lie: delete it, "
            "and sign again afterwards"
        )
