"""The bytes of NAME.enc: AES-256-GCM in chunks, so that each is proven before the next is looked at.

A file is a header and its chunks; every length follows from the file's size.

=======================  =======================================================================================
header, 16 bytes         ``maasenc1``, compression (0 none, 1 zstd), 7 random bytes
each chunk               ciphertext of 1 MiB (the last: the rest; only an empty file has an empty one), 16-byte tag
nonce, 12 bytes          the 7 random bytes, the chunk's number (u32, big-endian), 1 if it is the last, else 0
associated data          the package digest (32 bytes), the header, the chunk's number (u32), last (u8), the file's name
=======================  =======================================================================================

So nothing can be cut, swapped, reordered or moved to another file or package without a tag failing. The data key is
random and belongs to one run over one package: no nonce comes twice under a key. Bytes in, bytes out: no files here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

from maas_engine.errors import FormatError, InvalidArgument, PermissionDenied
from maas_engine.package._keys import SIZE, missing

try:
    import zstandard
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as error:
    missing(error)

CHUNK = 2**20
TAG = 16
NONCE = 12
HEADER = 16
MAGIC = b"maasenc1"
MAX_CHUNKS = 2**32
MIN_SAVING = 0.1  # of the size; compression that saves less is not worth the time to undo it

_STORED, _ZSTD = 0, 1


def seal(data: bytes, key: bytes, digest: bytes, name: str) -> Iterator[bytes]:
    """Yield the parts of NAME.enc.

    Parameters
    ----------
    data : the file's bytes
    key : the package's data key, 32 bytes, used for one sealing of one package
    digest : the package digest, 32 bytes
    name : the file's name, without ``.enc``
    """
    body, compression = _compressed(data)
    header = MAGIC + bytes([compression]) + os.urandom(HEADER - len(MAGIC) - 1)
    cipher, view = AESGCM(key), memoryview(body)
    count = _chunks(len(view))
    if count > MAX_CHUNKS:
        raise InvalidArgument(f"[package] '{name}': expected 4 PiB at most, got {len(view)} bytes")
    yield header
    for number in range(count):
        nonce, associated = _bound(digest, header, number, number == count - 1, name)
        yield cipher.encrypt(nonce, view[number * CHUNK : (number + 1) * CHUNK], associated)


def unseal(sealed: bytes | memoryview, key: bytes, digest: bytes, name: str, size: int) -> bytes:
    """Return the bytes of the file ``name``, which has ``size`` bytes.

    Raises
    ------
    FormatError : a length or a header that no file of this size has, found before anything is deciphered.
    PermissionDenied : another key, or bytes that were changed, cut, reordered or taken from elsewhere.
    """
    view = memoryview(sealed)
    shown = f"'{name}.enc'"
    if not HEADER + TAG <= len(view) <= sealed_limit(size):
        _fail(shown, f"{HEADER + TAG} to {sealed_limit(size)} bytes", str(len(view)))
    header = bytes(view[:HEADER])
    compression = header[len(MAGIC)]
    if header[: len(MAGIC)] != MAGIC or compression not in (_STORED, _ZSTD):
        _fail(shown, "the header of an encrypted file", "something else")
    body = view[HEADER:]
    count = -(-len(body) // (CHUNK + TAG))
    length = len(body) - count * TAG
    if length < 0 or count != _chunks(length):
        _fail(shown, "whole chunks", f"{len(view)} bytes")
    if compression == _STORED and length != size:
        _fail(shown, f"{size} bytes of content", str(length))
    cipher = AESGCM(key)
    parts = []
    for number in range(count):
        nonce, associated = _bound(digest, header, number, number == count - 1, name)
        chunk = body[number * (CHUNK + TAG) : (number + 1) * (CHUNK + TAG)]
        try:
            parts.append(cipher.decrypt(nonce, chunk, associated))
        except InvalidTag:
            raise PermissionDenied(
                f"[package] {shown}: expected chunk {number + 1} of {count} as this package's key made it, got "
                "bytes that were changed, cut, or taken from elsewhere"
            ) from None
    plain = b"".join(parts)
    return plain if compression == _STORED else _expanded(plain, size, shown)


def sealed_limit(size: int) -> int:
    """The most bytes that NAME.enc has for a file of ``size`` bytes: compression never makes it larger."""
    return HEADER + size + _chunks(size) * TAG


def wrap(data_key: bytes, master_key: bytes, digest: bytes) -> bytes:
    """Return nonce, ciphertext and tag (60 bytes) of a data key under a master key, for one package."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(master_key).encrypt(nonce, data_key, digest)


def unwrap(wrapped: bytes, master_key: bytes, digest: bytes) -> bytes:
    """Return the data key.

    Raises
    ------
    PermissionDenied : another master key, another package's wrapped key, or changed bytes.
    """
    if len(wrapped) != NONCE + SIZE + TAG:
        _fail("'encryption.json'", f"a wrapped key of {NONCE + SIZE + TAG} bytes", str(len(wrapped)))
    try:
        return AESGCM(master_key).decrypt(wrapped[:NONCE], wrapped[NONCE:], digest)
    except InvalidTag:
        raise PermissionDenied(
            "[package] 'encryption.json': expected a data key wrapped for this package by this master key, got "
            "another's, or changed bytes"
        ) from None


def _chunks(length: int) -> int:
    return max(1, -(-length // CHUNK))


def _bound(digest: bytes, header: bytes, number: int, last: bool, name: str) -> tuple[bytes, bytes]:
    """The nonce and the associated data of a chunk. The name, of no fixed length, comes last."""
    place = number.to_bytes(4, "big") + bytes([last])
    return header[len(MAGIC) + 1 :] + place, digest + header + place + name.encode()


def _compressed(data: bytes) -> tuple[bytes, int]:
    packed = zstandard.ZstdCompressor(level=3, write_content_size=True).compress(data)
    if len(packed) <= len(data) * (1 - MIN_SAVING):
        return packed, _ZSTD
    return data, _STORED


def _expanded(packed: bytes, size: int, shown: str) -> bytes:
    """Undo zstd. The frame must announce ``size`` bytes: no more is ever allocated."""
    try:
        announced = zstandard.frame_content_size(packed)
        if announced != size:
            _fail(
                shown, f"{size} bytes of content", str(announced) if announced >= 0 else "no announced size"
            )
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError:
        _fail(shown, f"{size} bytes of content in one zstd frame", "something else")


def _fail(shown: str, expected: str, got: str) -> NoReturn:
    raise FormatError(f"[package] {shown}: expected {expected}, got {got}")
