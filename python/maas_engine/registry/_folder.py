"""A store in a folder: files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from maas_engine._faults import point

_UNFINISHED = ".unfinished."  # begins the name of a file that is being written


class Folder:
    """Objects as files ``ab/cdef…`` of one folder, which is made when first written to."""

    checks_cheaply = True

    def __init__(self, path: str) -> None:
        self._path = path

    def put_all(self, objects: Mapping[str, Iterable[bytes]]) -> dict[str, int]:
        """Write each under a temporary name, flush all, then rename: the waits for the disk are shared."""
        written: list[tuple[str, str]] = []
        sizes: dict[str, int] = {}
        changed: set[str] = set()  # folders with new names
        try:
            for name, pieces in objects.items():
                folder = os.path.join(self._path, os.path.dirname(name))
                changed |= {folder, *self._make(folder)}
                temporary = os.path.join(folder, _UNFINISHED + os.urandom(8).hex())
                written.append((temporary, os.path.join(self._path, name)))
                sizes[name] = _write(temporary, pieces)
            for temporary, _ in written:
                _flush(temporary)
            point("store.written")
            for temporary, path in written:
                os.replace(temporary, path)
                point("store.renamed")
        except BaseException:
            for temporary, _ in written:
                _remove(temporary)
            raise
        for folder in changed:
            _flush(folder)
        return sizes

    def read(self, name: str, limit: int) -> bytes:
        path = os.path.join(self._path, name)
        # A pipe or a link put there by someone else is not waited for, nor followed.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            self._expect_folder()
            raise
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return file.read(min(status.st_size, limit))

    def size(self, name: str) -> int | None:
        try:
            return os.stat(os.path.join(self._path, name), follow_symlinks=False).st_size
        except FileNotFoundError:
            return None

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            _remove(os.path.join(self._path, name))

    def list(self) -> Iterator[tuple[str, int, int]]:
        for folder, entry, status in self._entries():
            if not entry.startswith(_UNFINISHED):
                yield f"{folder}/{entry}", status.st_size, status.st_mtime_ns // 1000

    def sweep(self, before: int, dry_run: bool) -> int:
        count = 0
        for folder, entry, status in self._entries():
            if entry.startswith(_UNFINISHED) and status.st_mtime_ns // 1000 < before:
                count += 1
                if not dry_run:
                    _remove(os.path.join(self._path, folder, entry))
        return count

    def _entries(self) -> Iterator[tuple[str, str, os.stat_result]]:
        try:
            folders = sorted(os.listdir(self._path))
        except FileNotFoundError:  # nothing was ever put
            return
        for folder in folders:
            path = os.path.join(self._path, folder)
            if len(folder) != 2 or not os.path.isdir(path):
                continue
            with os.scandir(path) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # another process's, gone since
                        continue
                    if stat.S_ISREG(status.st_mode):
                        yield folder, entry.name, status

    def _make(self, folder: str) -> set[str]:
        """Make a folder where it is missing; return those that then have a new name in them."""
        if os.path.isdir(folder):
            return set()
        os.makedirs(folder, exist_ok=True)
        return {self._path, os.path.dirname(self._path)}

    def _expect_folder(self) -> None:
        if not os.path.isdir(self._path):  # a disk that is not mounted, rather than one lost file
            raise NotADirectoryError(errno.ENOTDIR, "the folder is not there")


def _write(path: str, pieces: Iterable[bytes]) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        if hasattr(os, "posix_fadvise"):  # begins to write, so that flushing several files waits once
            with contextlib.suppress(OSError):  # a hint, which some file systems do not take
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return file.tell()


def _flush(path: str) -> None:
    """Bring a file or the names in a folder to the disk."""
    if os.name != "posix" and os.path.isdir(path):
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
