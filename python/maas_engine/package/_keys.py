"""Keys: the master key, the EC keys that sign and verify, and the files that hold them.

No message and no repr shows a key: a master key is named by its id, a public key by its fingerprint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from maas_engine.errors import InvalidArgument, NotFound, PermissionDenied, Unsupported

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

SIZE = 32  # bytes of a master key and of a data key: AES-256
CURVES = ("secp256r1", "secp384r1", "secp521r1")  # those of model-signing
MAX_FILE = 64 * 1024  # bytes of a key file or of a chain of certificates

_ID = re.compile(r"[A-Za-z0-9._:/@+=-]{1,200}")
_PUBLIC = ".pub"

StrPath = str | os.PathLike[str]


class MasterKey:
    """The key that wraps the data keys of packages; it shows its id, never itself. Immutable.

    Parameters
    ----------
    source : bytes of shape (32,), or callable(id) -> bytes
        The key, or a function that asks a key service for the key of an id.
    id : str, optional
        Only with a callable: the id of the key that new packages are encrypted with. Without it the callable only
        decrypts. The id of a key given as bytes is the first 8 bytes of its SHA-256, in hex.
    """

    __slots__ = ("_id", "_source")

    def __init__(self, source: bytes | Callable[[str], bytes], id: str | None = None) -> None:
        if callable(source):
            if id is not None and not is_key_id(id):
                raise InvalidArgument("[keys] expected an id of 1 to 200 letters, digits and . _ : / @ + = -")
        else:
            if id is not None:
                raise InvalidArgument("[keys] expected no id with a key's bytes: they have their own")
            source = _checked(source, "the bytes given")
            id = hashlib.sha256(source).digest()[:8].hex()
        self._source, self._id = source, id

    @classmethod
    def from_text(cls, text: str, where: str = "the text given") -> MasterKey:
        """Read 32 bytes written as hex (64 digits) or base64 (either alphabet, with or without ``=``)."""
        key = _bytes_of(text)
        if key is None:
            raise InvalidArgument(
                f"[keys] expected 32 bytes in hex or base64 from {where}, got something else"
            )
        return cls(key)

    @classmethod
    def from_file(cls, path: StrPath) -> MasterKey:
        """Read a file that holds the text of a key. Warns if other users may read it."""
        data = read_key_file(path, secret=True)
        return cls.from_text(data.decode("ascii", "replace"), f"the file '{os.fspath(path)}'")

    @property
    def id(self) -> str:
        """The id of the key that encrypts.

        Raises
        ------
        InvalidArgument : a callable that was given no id.
        """
        if self._id is None:
            raise InvalidArgument("[keys] expected MasterKey(callable, id=…) to encrypt with, got no id")
        return self._id

    def fetch(self, id: str) -> bytes:
        """Return the 32 bytes of the key ``id``.

        Raises
        ------
        PermissionDenied : this is another key, or the callable knows no such key (it raised LookupError).
        """
        if callable(self._source):
            try:
                key = self._source(id)
            except LookupError:
                raise PermissionDenied(
                    f"[keys] expected a master key {id}, got none from the callable"
                ) from None
            return _checked(key, f"the callable for {id}")
        if id != self._id:
            raise PermissionDenied(f"[keys] expected the master key {id}, got {self._id}")
        return self._source

    def __repr__(self) -> str:
        return f"MasterKey(id={self._id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MasterKey):
            return NotImplemented
        mine, its = self._source, other._source
        if isinstance(mine, bytes) and isinstance(its, bytes):
            return hmac.compare_digest(mine, its)
        return mine is its and self._id == other._id

    def __hash__(self) -> int:
        return hash(self._id)


Key = (
    MasterKey | StrPath | bytes | Callable[[str], bytes]
)  # a key's file by its path, or what MasterKey takes


def to_master_key(key: Key) -> MasterKey:
    """Return a key as it is, from its file, or made of bytes or a callable.

    Raises
    ------
    InvalidArgument : none of these; a key's text instead of a path, which no message repeats.
    NotFound : no such file.
    """
    if isinstance(key, MasterKey):
        return key
    if not isinstance(key, (str, os.PathLike)):
        return MasterKey(key)
    if isinstance(key, str) and _bytes_of(key) is not None:
        raise InvalidArgument(
            "[keys] expected the path of a key's file, got the text of a key: MasterKey.from_text"
        )
    return MasterKey.from_file(key)


def is_key_id(text: object) -> bool:
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def generate_master_key(path: StrPath) -> MasterKey:
    """Write a new master key, in base64, to a new file that only its owner reads (0600). Return the key.

    Raises
    ------
    InvalidArgument : the file exists; a key is never replaced.
    """
    key = os.urandom(SIZE)
    _create(path, base64.b64encode(key) + b"\n", 0o600)
    return MasterKey(key)


def generate_signing_key(path: StrPath, password: str | None = None) -> Path:
    """Write a new EC private key (P-256, PEM, 0600) and its public key to ``path`` + ``.pub``.

    With a password the private key is encrypted by it.

    Returns
    -------
    Path : of the public key.

    Raises
    ------
    InvalidArgument : one of the files exists: a key is never replaced; an empty password.
    Unsupported : cryptography is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        missing(error)
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        if not password:
            raise InvalidArgument("[keys] expected a password, got an empty one")
        locked = serialization.BestAvailableEncryption(password.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    target = Path(os.fspath(path) + _PUBLIC)
    _create(target, public, 0o644)
    try:
        _create(path, private, 0o600)
    except BaseException:
        target.unlink()
        raise
    return target


def public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    """Return the EC public key of a PEM text.

    Raises
    ------
    InvalidArgument : not such a text, another kind of key, a curve that model-signing lacks.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        missing(error)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):  # its text may quote the input, which may be a private key
        raise InvalidArgument("[keys] expected a public key in PEM, got something else") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise InvalidArgument(f"[keys] expected an EC key on one of {', '.join(CURVES)}, got another kind")
    return key


def key_fingerprint(path: StrPath) -> str:
    """Return the SHA-256, in hex, of the public key in a PEM file, by which `Policy` revokes it.

    It is that of ``openssl pkey -pubin -in FILE -outform DER | sha256sum``.

    Raises
    ------
    NotFound : no such file. InvalidArgument : not an EC public key in PEM.
    """
    return fingerprint(public_key(read_key_file(path)))


def fingerprint(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a public key of any kind, as `key_fingerprint` does."""
    from cryptography.hazmat.primitives import serialization

    data = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(data).hexdigest()


def read_key_file(path: StrPath, secret: bool = False) -> bytes:
    """Return a small ordinary file's bytes. With ``secret``, warn if users other than its owner may read it.

    Raises
    ------
    NotFound : no such file.
    InvalidArgument : not an ordinary file, or larger than 64 KiB.
    """
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # opening a pipe would wait for its writer
            raise InvalidArgument(f"[keys] expected an ordinary file, got '{name}', which is none")
        with open(name, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise NotFound(f"[keys] expected a key file, got no file '{name}'") from None
    if len(data) > MAX_FILE:
        raise InvalidArgument(f"[keys] expected a key file of {MAX_FILE} bytes at most, got more: '{name}'")
    if secret and os.name == "posix" and mode & 0o007:
        warnings.warn(f"[keys] other users may read '{name}', which holds a key: chmod 600", stacklevel=3)
    return data


def missing(error: ImportError) -> NoReturn:
    """Say which extra brings the package that could not be imported."""
    raise Unsupported(
        f"signing and encryption need {error.name}: install it with pip install 'maas_engine[registry]'"
    ) from error


def _bytes_of(text: str) -> bytes | None:
    """The 32 bytes that a text is in hex or base64; None where it is neither."""
    text = text.strip()
    try:
        if len(text) == 2 * SIZE:
            return bytes.fromhex(text)
        plain = text.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(plain + "=", validate=True) if len(plain) == 43 else None
    except (ValueError, binascii.Error):
        return None


def _checked(key: object, where: str) -> bytes:
    if not isinstance(key, (bytes, bytearray, memoryview)) or memoryview(key).nbytes != SIZE:
        raise InvalidArgument(f"[keys] expected {SIZE} bytes from {where}, got something else")
    return bytes(key)


def _create(path: StrPath, data: bytes, mode: int) -> None:
    """Write a new file; whatever is there already, a link too, stays."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError:
        raise InvalidArgument(f"[keys] expected a new file, got '{os.fspath(path)}', which exists") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise
