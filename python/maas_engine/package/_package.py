"""A verified package, as users hold it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from maas_engine.model import Model
from maas_engine.monitoring import Profile
from maas_engine.package._manifest import Manifest


@dataclass(frozen=True, repr=False)
class Package:
    """A verified package.

    Attributes
    ----------
    path : Path
    manifest : Manifest
    digest : str
        sha256 of manifest.json, which names the content of every other file.
    encrypted, signed : bool
        Whether its files were decrypted, and whether a signature was verified: one that the policy has no key for
        does not count.
    """

    path: Path
    manifest: Manifest
    digest: str
    encrypted: bool
    signed: bool
    _model: Model = field(compare=False)
    _profile: Profile | None = field(compare=False)
    _names: tuple[str, ...] = field(compare=False)

    def model(self) -> Model:
        """Return the model, made from the very bytes that were verified."""
        return self._model

    def profile(self) -> Profile | None:
        """Return the profile of the reference that the package was written with, or None: a new object each time."""
        return None if self._profile is None else copy(self._profile)

    def files(self) -> dict[str, Path]:
        """Return the paths of all files by name, as they lie in the folder, manifest.json among them."""
        return {name: self.path / name for name in self._names}

    def __repr__(self) -> str:
        more = ", encrypted" * self.encrypted + ", signed" * self.signed
        return f"<Package {self.manifest.name!r} {self.digest[:12]}{more} in {str(self.path)!r}>"
