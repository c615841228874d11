"""What a package must prove before it is used, and the key that opens it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """Asks for a signature, or not, and knows the keys.

    Parameters
    ----------
    public_key : path of a PEM file, or None
        The key that must have signed. It, or certificates, imply ``require_signature``.
    certificates : tuple of paths
        Of PEM files: the roots of trust of a certificate that must have signed.
    require_signature : bool
    master_key : object or None
        Opens encrypted packages.
    """

    public_key: str | os.PathLike[str] | None = None
    certificates: tuple[str | os.PathLike[str], ...] = ()
    require_signature: bool = False
    master_key: Any = None

    def __post_init__(self) -> None:
        if self.public_key is not None or self.certificates:
            object.__setattr__(self, "require_signature", True)

    @classmethod
    def from_environment(cls) -> Policy:
        """Read ``MAAS_PUBLIC_KEY`` (a path) and ``MAAS_REQUIRE_SIGNATURE`` (1, true, yes, on)."""
        asked = os.environ.get("MAAS_REQUIRE_SIGNATURE", "").strip().lower()
        return cls(
            public_key=os.environ.get("MAAS_PUBLIC_KEY") or None,
            require_signature=asked in ("1", "true", "yes", "on"),
        )
