"""What an API token looks like: ``maas_``, its public id, ``_``, and 48 characters that hold the secret.

Those are URL-safe base64 of 36 bytes: 32 random ones and the CRC-32, big-endian, of all before them: the text
``maas_ID_`` and the 32 bytes. A token with a slip of the pen is so known without asking anyone; the checksum
proves nothing else, as whoever forges a token computes it too.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import zlib

from maas_engine.errors import InvalidArgument

PREFIX = "maas_"
ID_BYTES = 8
SECRET_BYTES = 32

# One fixed form, which programs that look for leaked secrets can be told.
PATTERN = re.compile(rf"{PREFIX}([0-9a-f]{{{2 * ID_BYTES}}})_([A-Za-z0-9_-]{{48}})", re.ASCII)


def new_token() -> tuple[str, str]:
    """A new token's public id and its text."""
    token_id = secrets.token_hex(ID_BYTES)
    head = f"{PREFIX}{token_id}_"
    secret = secrets.token_bytes(SECRET_BYTES)
    return token_id, head + base64.urlsafe_b64encode(secret + _checksum(head, secret)).decode()


def token_id(text: str) -> str:
    """The public id in a token's text.

    Raises
    ------
    InvalidArgument : a character is missing, wrong or too many. The message does not repeat the text.
    """
    match = PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is not None:
        held = base64.urlsafe_b64decode(match[2])
        if held[SECRET_BYTES:] == _checksum(f"{PREFIX}{match[1]}_", held[:SECRET_BYTES]):
            return match[1]
    raise InvalidArgument("[token] expected a whole token: a character is missing, wrong or too many")


def hash_token(text: str) -> bytes:
    """What is kept of a token: sha256 of its text.

    No slow hash: the text holds 256 random bits, which no one finds by trying.
    """
    return hashlib.sha256(text.encode()).digest()


def _checksum(head: str, secret: bytes) -> bytes:
    return zlib.crc32(head.encode() + secret).to_bytes(4, "big")
