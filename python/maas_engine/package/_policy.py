"""What a package must prove before it is used: by whom it was signed, and with what it is decrypted."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maas_engine.errors import InvalidArgument
from maas_engine.package._certificates import certificates_of
from maas_engine.package._keys import (
    Key,
    MasterKey,
    StrPath,
    fingerprint,
    public_key,
    read_key_file,
    to_master_key,
)

_SIGNATURES = ("PUBLIC_KEY", "CERTIFICATES", "REQUIRE_SIGNATURE", "REVOKED_KEYS")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

Pem = StrPath | bytes  # a file's path, or the text itself as bytes


@dataclass(frozen=True, repr=False)
class Policy:
    """What :func:`open_package` asks of a package. Immutable: files are read when the policy is made.

    Parameters
    ----------
    public_key : path or bytes, optional
        PEM of the EC public key (P-256, P-384, P-521) whose private key signed.
    certificates : path, bytes, or several, optional
        PEM of the roots that a signing certificate must lead to.
    require_signature : bool
        Refuse a package without a signature. Implied by ``public_key`` and ``certificates``; alone it is refused,
        for there would be nothing to check a signature against.
    revoked : str, or several
        SHA-256, in hex, of public keys that sign nothing any more, be it themselves or as issuers of certificates;
        `key_fingerprint` tells a key's.
    master_key : MasterKey, path of its file, 32 bytes, or callable(id) -> bytes, optional
        Opens encrypted packages.

    Raises
    ------
    InvalidArgument : a file that does not hold what it should; a signature required and nothing to check it by.
    NotFound : no such file.
    """

    public_key: Pem | None = None
    certificates: Pem | Iterable[Pem] = ()
    require_signature: bool = False
    master_key: Key | None = None
    revoked: str | Iterable[str] = ()

    def __post_init__(self) -> None:
        key, certificates, master = self.public_key, self.certificates, self.master_key
        revoked = _fingerprints(self.revoked)
        if key is not None:
            key = _pem(key)
            if fingerprint(public_key(key)) in revoked:
                raise InvalidArgument("[policy] expected a public key that is not revoked, got one that is")
        if isinstance(certificates, (str, bytes, os.PathLike)):
            certificates = (certificates,)
        roots = tuple(_pem(each) for each in certificates)
        for each in roots:
            certificates_of(each)
        if self.require_signature and key is None and not roots:
            raise InvalidArgument(
                "[policy] expected a public key or certificates to check signatures by, got require_signature alone"
            )
        if master is not None:
            master = to_master_key(master)
        object.__setattr__(self, "public_key", key)
        object.__setattr__(self, "certificates", roots)
        object.__setattr__(self, "require_signature", key is not None or bool(roots))
        object.__setattr__(self, "master_key", master)
        object.__setattr__(self, "revoked", revoked)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Policy:
        """Make the policy that the environment describes; without any of the variables, one that asks for nothing.

        ``MAAS_PUBLIC_KEY`` and ``MAAS_CERTIFICATES`` are paths of PEM files, ``MAAS_REQUIRE_SIGNATURE`` is yes or
        no, ``MAAS_REVOKED_KEYS`` the path of a file with a fingerprint a line, ``MAAS_MASTER_KEY`` a key's text (hex
        or base64), ``MAAS_MASTER_KEY_FILE`` the path of a file with it.
        A variable that is set but empty is refused: a setting lost on its way must not lower the guard.
        """
        found = {
            name: environment[f"MAAS_{name}"]
            for name in (*_SIGNATURES, "MASTER_KEY", "MASTER_KEY_FILE")
            if f"MAAS_{name}" in environment
        }
        for name, value in found.items():
            if not value.strip():
                raise InvalidArgument(f"[policy] MAAS_{name}: expected a value, got an empty text")
        required = found.get("REQUIRE_SIGNATURE", "no").strip().lower()
        if required not in _YES + _NO:
            raise InvalidArgument(
                f"[policy] MAAS_REQUIRE_SIGNATURE: expected yes or no, got '{required[:40]}'"
            )
        if "MASTER_KEY" in found and "MASTER_KEY_FILE" in found:
            raise InvalidArgument("[policy] expected MAAS_MASTER_KEY or MAAS_MASTER_KEY_FILE, got both")
        master = None
        if "MASTER_KEY" in found:
            master = MasterKey.from_text(found["MASTER_KEY"], "MAAS_MASTER_KEY")
        elif "MASTER_KEY_FILE" in found:
            master = MasterKey.from_file(found["MASTER_KEY_FILE"])
        revoked = (
            read_key_file(found["REVOKED_KEYS"]).decode("ascii", "replace") if "REVOKED_KEYS" in found else ""
        )
        return cls(
            found.get("PUBLIC_KEY"),
            found.get("CERTIFICATES", ()),
            required in _YES,
            master,
            revoked.splitlines(),
        )

    @property
    def public_pem(self) -> bytes | None:
        return self.public_key if isinstance(self.public_key, bytes) else None

    @property
    def roots(self) -> tuple[bytes, ...]:
        return self.certificates if isinstance(self.certificates, tuple) else ()

    @property
    def revoked_keys(self) -> frozenset[str]:
        return self.revoked if isinstance(self.revoked, frozenset) else frozenset()

    @property
    def decrypts(self) -> MasterKey | None:
        return self.master_key if isinstance(self.master_key, MasterKey) else None

    def __repr__(self) -> str:
        shown = []
        if self.public_pem is not None:
            shown.append(f"public_key=sha256:{hashlib.sha256(self.public_pem).hexdigest()[:16]}…")
        if self.roots:
            shown.append(f"certificates={len(self.roots)}")
        if self.require_signature:
            shown.append("require_signature=True")
        if self.revoked_keys:
            shown.append(f"revoked={len(self.revoked_keys)}")
        if self.master_key is not None:
            shown.append(f"master_key={self.master_key!r}")
        return f"Policy({', '.join(shown)})"


def _fingerprints(given: str | Iterable[str]) -> frozenset[str]:
    """Fingerprints in lower case, without colons; empty lines are left out, and what follows a ``#``."""
    lines = [given] if isinstance(given, str) else given
    texts = [line.partition("#")[0].strip().lower().replace(":", "") for line in lines]
    for text in filter(None, texts):
        if not _SHA256.fullmatch(text):
            raise InvalidArgument(
                "[policy] expected fingerprints of 64 hexadecimal digits as revoked, got another text"
            )
    return frozenset(filter(None, texts))


def _pem(value: Pem) -> bytes:
    return value if isinstance(value, bytes) else read_key_file(value)
