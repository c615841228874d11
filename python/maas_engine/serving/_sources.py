"""Where a served model comes from: a file, a package, an object, or the registry. Each gives verified bytes."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from maas_engine.errors import InvalidArgument, NotFound, Overloaded, Unavailable
from maas_engine.model import Model, load
from maas_engine.serving._log import told
from maas_engine.serving._stamp import Stamp, stamp

if TYPE_CHECKING:
    from maas_engine.monitoring import Profile
    from maas_engine.package import Package
    from maas_engine.registry import Registry

LOG = logging.getLogger("maas_engine.serving")
ONLY_VERSION = "1"  # of what has no versions
TRANSIENT = (Unavailable, Overloaded)  # what may pass by itself


class Content(NamedTuple):
    """One version, proven as far as it can be; with the profile of its package, where it has one."""

    version: str
    onnx: bytes
    profile: Profile | None = None


def _of_package(version: str, package: Package) -> Content:
    return Content(version, package.model().to_bytes(), package.profile())


class Source:
    """A model's origin. ``follows``: what may come to mean another version while the server runs."""

    follows = ""  # or "registry", "files"
    text = ""  # for the log

    def current(self) -> str:
        """The version it means now."""
        return ONLY_VERSION

    def stamp(self) -> Stamp:
        """What is another where the same version has other content."""
        return ()

    def read(self, version: str) -> Content:
        """That version. Raises errors of the engine for what must not be served."""
        raise NotImplementedError


class FileSource(Source):
    """An ONNX file or a package's folder; read again at each load, and when it changes where that is followed."""

    def __init__(self, path: str | os.PathLike[str], followed: bool = False) -> None:
        self.path = Path(path)
        self.text = str(self.path)
        self.follows = "files" if followed else ""
        if not self.path.exists():
            raise NotFound(
                f"[serve] expected an ONNX file, a package's folder or models:/NAME@ALIAS, got {self.text!r}"
            )

        self._seen = self._settled = self._look()

    def stamp(self) -> Stamp:
        """As it is, once two looks have found it so: what is still being written is let alone."""
        now = self._look()
        if now == self._seen:
            self._settled = now
        self._seen = now
        return self._settled

    def _look(self) -> Stamp:
        return stamp(self.path) if self.follows else ()

    def read(self, version: str) -> Content:
        if self.path.is_dir():
            from maas_engine.package import open_package

            return _of_package(version, open_package(self.path))
        return Content(version, self._bytes())

    def _bytes(self) -> bytes:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise NotFound(
                f"[serve] expected a file that can be read, got {self.text!r}: {error.strerror}"
            ) from None
        # Weights in other files have their "location" in this one, and are read through the path alone.
        return load(self.path).to_bytes() if b"location" in data else data


class ObjectSource(Source):
    """A `Model` or `Package` of this process."""

    def __init__(self, given: Model | Package) -> None:
        self.text = type(given).__name__
        self._given = given

    def read(self, version: str) -> Content:
        if isinstance(self._given, Model):
            return Content(version, self._given.to_bytes())
        return _of_package(version, self._given)


class RegistrySource(Source):
    """A version of the registry, by number, as the newest, or by alias."""

    def __init__(self, uri: str, registry: SharedRegistry) -> None:
        self.text = uri
        self._uri = uri
        self._registry = registry
        name, slash, version = uri.removeprefix("models:/").rpartition("/")
        if not slash:
            name = version.rpartition("@")[0]
        self._name = name
        self.follows = "" if slash and version.isdigit() else "registry"

    def current(self) -> str:
        registry = self._registry.get()
        try:
            return str(registry.resolve(self._uri).version)
        except TRANSIENT:
            recalled = registry.cache.recall(str(registry.database), self._uri)
            if recalled is None:
                raise
            told(
                LOG,
                logging.WARNING,
                "recalled",
                source=self._uri,
                version=recalled.version,
                age=recalled.age,
                reason="the registry gives no answer",
            )
            return str(recalled.version)

    def read(self, version: str) -> Content:
        registry = self._registry.get()
        package = registry.package(f"models:/{self._name}/{version}")
        # So that a start while the database is down finds what the name meant last.
        registry.cache.remember(str(registry.database), self._uri, int(version), package.digest)
        return _of_package(version, package)


class SharedRegistry:
    """The registry, opened when it is first needed: its libraries take longer to load than the server to start."""

    def __init__(self, given: Registry | str | os.PathLike[str] | None, store: str | None = None) -> None:
        self._given, self._store = given, store
        self._opened: Registry | None = None
        self._lock = threading.Lock()

    def get(self) -> Registry:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def close(self) -> None:
        """Close what was opened here; a registry that was given is its owner's."""
        with self._lock:
            if self._opened is not None and self._opened is not self._given:
                self._opened.close()
            self._opened = None

    def _open(self) -> Registry:
        from maas_engine.registry import Registry

        if isinstance(self._given, Registry):
            return self._given
        return Registry(self._given or None, self._store or None)


def find_source(given: Any, registry: SharedRegistry, watch: bool = False) -> Source:
    """Return the source that a path, URI, model or package is. ``watch``: files are followed.

    Raises
    ------
    NotFound : no such file or folder.
    InvalidArgument : not a source.
    """
    if isinstance(given, str) and given.startswith("models:"):
        return RegistrySource(given, registry)
    if isinstance(given, (str, os.PathLike)):
        return FileSource(given, watch)
    if isinstance(given, Model) or type(given).__name__ == "Package":
        return ObjectSource(given)
    raise InvalidArgument(
        f"[serve] expected a path, models:/NAME@ALIAS, a Model or a Package, got {type(given).__name__}"
    )
