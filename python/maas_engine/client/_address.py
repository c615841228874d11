"""Where a server is and how it is reached: its URL, its certificate and ours. Holds secrets; shows none."""

from __future__ import annotations

import os
import re
import ssl
from typing import TypeAlias
from urllib.parse import urlsplit

from maas_engine.errors import InvalidArgument

Path: TypeAlias = str | os.PathLike[str]
_PORTS = {"http": 80, "https": 443, "tcp": None}


class Address:
    """Immutable.

    Raises
    ------
    InvalidArgument : from the constructor: no URL of a server; a token that no header can carry. No secret is shown.
    """

    def __init__(
        self, url: str, token: str | None, ca: Path | None, cert: Path | tuple[Path, Path] | None
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidArgument("[client] expected a URL such as http://localhost:8000") from None
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise InvalidArgument(
                "[client] expected a URL without user, query and fragment: a token goes in token="
            )
        if parts.scheme not in _PORTS or not parts.hostname or not _plain(parts.hostname + parts.path):
            raise InvalidArgument(
                "[client] expected a URL such as http://localhost:8000, https://… or tcp://…"
            )
        port = port or _PORTS[parts.scheme]
        if port is None:
            raise InvalidArgument("[client] expected a port, as in tcp://localhost:8001")
        if token is not None and not re.fullmatch(r"[!-~]+", token):
            raise InvalidArgument("[client] expected a token of visible ASCII characters, without line break")
        self.scheme, self.host, self.port = parts.scheme, parts.hostname, port
        self.raw = parts.scheme == "tcp"
        self.token = token
        self.prefix = parts.path.rstrip("/")
        self.netloc = parts.netloc
        self.tls = _context(ca, cert) if parts.scheme == "https" or ca or cert else None
        if parts.scheme == "http" and self.tls is not None:
            raise InvalidArgument("[client] expected https:// where certificates are given")

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.prefix}"


def _plain(text: str) -> bool:
    return re.fullmatch(r"[!-~]+", text) is not None


def _context(ca: Path | None, cert: Path | tuple[Path, Path] | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
        if cert is not None:
            chain, key = cert if isinstance(cert, tuple) else (cert, None)
            context.load_cert_chain(os.fspath(chain), None if key is None else os.fspath(key), password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidArgument(
            f"[client] expected certificates in PEM files that can be read: {reason}"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
