"""Local copies of packages that were loaded, and what names meant when they were last resolved."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from maas_engine._files import write_whole
from maas_engine.errors import FormatError, MaasError, NotFound, Overloaded, PermissionDenied, Unavailable

_PACKAGES = "packages"
_RESOLVED = "resolved"
_FRESH = 60  # seconds for which a note of what a URI means is not written again
_FILLING = ".filling."
_EVICTED = ".evicted."
_ABANDONED = 24 * 3600  # seconds after which a folder being filled or removed belongs to a process that died
_T = TypeVar("_T")


class Resolution(NamedTuple):
    """What a URI meant: a version, the digest of its package, and when (microseconds since 1970)."""

    version: int
    digest: str
    time: int

    @property
    def age(self) -> str:
        """How long ago, as one says it."""
        seconds = max(0, time.time_ns() // 1000 - self.time) // 1_000_000
        for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * size:
                return f"{seconds // size} {unit}"
        return f"{seconds} seconds"

    @property
    def is_fresh(self) -> bool:
        """Whether noting it anew would say little more."""
        return abs(time.time_ns() // 1000 - self.time) < _FRESH * 10**6


class Cache:
    """Whole packages by digest in one folder, at most ``limit`` bytes, the least recently used removed first.

    Threads and processes may share the folder. A copy appears whole, by one rename; it may be removed at any
    moment, so what is made of one must not need its folder afterwards.
    """

    def __init__(self, folder: str | os.PathLike[str], limit: int) -> None:
        self._folder = Path(folder).absolute()
        self._limit = limit

    def load(self, digest: str, fill: Callable[[Path], object], use: Callable[[Path], _T]) -> _T:
        """What ``use`` makes of the package, from the copy here if it verifies, else from a new one.

        Parameters
        ----------
        digest : str
            Of the package.
        fill : callable
            Writes the package's files into the empty folder it is given.
        use : callable
            Verifies the package in the folder it is given, including that its digest is ``digest``, and returns
            what needs the folder no longer.
        """
        entry = self.place(digest)
        refusal: Exception | None = None
        if entry.is_dir():
            try:
                result = use(entry)
            except (FormatError, NotFound, OSError) as error:  # PermissionDenied is an OSError
                refusal = error if entry.is_dir() else None  # else only removed by another process meanwhile
            else:
                with contextlib.suppress(OSError):  # removed meanwhile, or not ours to touch
                    os.utime(entry)
                return result
        return self._load_new(entry, fill, use, refusal)

    def place(self, digest: str) -> Path:
        """Where the copy of a package is, if there is one."""
        if not (digest.isascii() and digest.isalnum()):  # from a database or a note that someone edited
            raise FormatError(f"[registry] expected a package's digest, got {digest[:80]!r}")
        return self._folder / _PACKAGES / digest

    def remember(self, registry: str, uri: str, version: int, digest: str) -> None:
        """Note what a URI means now in a registry, for when its database does not answer."""
        known = self.recall(registry, uri)
        if known is not None and (known.version, known.digest) == (version, digest) and known.is_fresh:
            return
        fields = {"registry": registry, "uri": uri, "version": version, "digest": digest}
        text = json.dumps({**fields, "time": time.time_ns() // 1000})
        path = self._note(registry, uri)
        with contextlib.suppress(OSError):  # a full or read-only disk does not keep a model from being loaded
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, [text.encode()])

    def recall(self, registry: str, uri: str) -> Resolution | None:
        """What it meant when last remembered."""
        try:
            note = json.loads(self._note(registry, uri).read_bytes())
            if (note["registry"], note["uri"]) != (registry, uri):
                return None
            return Resolution(int(note["version"]), str(note["digest"]), int(note["time"]))
        except (OSError, ValueError, KeyError, TypeError):  # absent, or not written by us
            return None

    def _note(self, registry: str, uri: str) -> Path:
        name = hashlib.sha256(f"{registry}\n{uri}".encode()).hexdigest()
        return self._folder / _RESOLVED / f"{name}.json"

    def _load_new(
        self,
        entry: Path,
        fill: Callable[[Path], object],
        use: Callable[[Path], _T],
        refusal: Exception | None,
    ) -> _T:
        if isinstance(refusal, PermissionDenied):  # which another policy may allow
            with contextlib.suppress(Unavailable, Overloaded):
                return self._fetch(entry, fill, use, replace=True)
            raise refusal
        if refusal is not None:
            warnings.warn(
                f"[registry] the copy in the cache was changed and is fetched again: {refusal}", stacklevel=4
            )
            _remove(entry)
        return self._fetch(entry, fill, use, replace=False)

    def _fetch(
        self, entry: Path, fill: Callable[[Path], object], use: Callable[[Path], _T], replace: bool
    ) -> _T:
        """Fill a folder beside the copies; elsewhere, to be thrown away, where the cache takes none."""
        with contextlib.ExitStack() as stack:
            try:
                entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                temporary = _temporary(stack, _FILLING, entry.parent)
                fill(temporary)
            except MaasError:
                raise
            except OSError:  # a file in its place, no permission, a full disk
                temporary = _temporary(stack, "maas_engine.", None)
                fill(temporary)
            # Used before it gets its name: no process removes it meanwhile, none sees what does not verify.
            result = use(temporary)
            self._keep(temporary, entry, replace)
        return result

    def _keep(self, temporary: Path, entry: Path, replace: bool) -> None:
        size = _size(temporary)
        if temporary.parent != entry.parent or size > self._limit:
            return
        if replace:
            _remove(entry)
        self._make_room(size)
        with contextlib.suppress(OSError):  # another process was first
            os.rename(temporary, entry)

    def _make_room(self, size: int) -> None:
        entries: list[tuple[float, int, Path]] = []
        old = time.time() - _ABANDONED
        for path in (self._folder / _PACKAGES).iterdir():
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                modified = path.stat().st_mtime
                if not path.name.startswith("."):
                    entries.append((modified, _size(path), path))
                elif modified < old:
                    shutil.rmtree(path, ignore_errors=True)
        total = sum(entry_size for _, entry_size, _ in entries) + size
        for _, entry_size, path in sorted(entries):
            if total <= self._limit:
                break
            _remove(path)
            total -= entry_size


def _temporary(stack: contextlib.ExitStack, prefix: str, parent: Path | None) -> Path:
    folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _size(folder: Path) -> int:
    total = 0
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
    return total


def _remove(folder: Path) -> None:
    """Take a copy out of sight by one rename, then remove it."""
    gone = folder.parent / f"{_EVICTED}{os.urandom(8).hex()}"
    with contextlib.suppress(OSError):  # another process was first
        os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)
