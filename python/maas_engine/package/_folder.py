"""A package's folder as it lies on the disk: regular files, opened by name inside it and nowhere else."""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType
from typing import BinaryIO, NoReturn

from maas_engine.errors import FormatError, NotFound

MAX_ENTRIES = 64  # more than any package has; a crowded folder is not listed to its end


def fail(name: str, expected: str, got: str) -> NoReturn:
    """Raise the FormatError of a package's file. What comes out of a package says nothing to a terminal."""
    text = f"[package] '{name}': expected {expected}, got {got}"
    raise FormatError("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text))


class Folder:
    """An open folder. Names are looked up in it even if its path comes to mean another one meanwhile.

    A context manager, for one thread.

    Raises
    ------
    NotFound : no such folder.
    FormatError : not a folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"[package] no folder '{self.path}'") from None
        except NotADirectoryError:
            fail(self.path, "a package's folder", "something else")

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def names(self) -> set[str]:
        """Return the names of the files in the folder.

        Raises
        ------
        FormatError : something in it is not a regular file, or there are more than any package has.
        """
        found: set[str] = set()
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                found.add(entry.name)
                if not entry.is_file(follow_symlinks=False):
                    fail(entry.name, "a regular file", "a link" if entry.is_symlink() else "something else")
                if len(found) > MAX_ENTRIES:
                    fail(self.path, f"{MAX_ENTRIES} files at most", "more")
        return found

    def read(self, name: str, limit: int, exact: bool = False) -> bytes:
        """Return the bytes of a regular file: ``limit`` at most, or just as many if ``exact``.

        The size is looked at before a byte is read. Links are not followed, and pipes and devices not waited for.

        Raises
        ------
        NotFound : no such file.
        FormatError : not a regular file, or of another size.
        """
        if os.sep in name or name in ("", ".", ".."):
            fail(name, "the name of a file in the folder", "a path")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        try:
            descriptor = os.open(name, flags, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise NotFound(f"[package] '{name}': expected a file in '{self.path}', got none") from None
        except OSError as error:
            if error.errno not in (
                errno.ELOOP,
                errno.ENXIO,
                errno.ENODEV,
            ):  # a link, a socket, no such device
                raise
            fail(name, "a regular file", "a link" if error.errno == errno.ELOOP else "something else")
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                fail(name, "a regular file", "something else")
            wanted = f"{limit} bytes" if exact else f"{limit} bytes at most"
            if facts.st_size > limit or (exact and facts.st_size != limit):
                fail(name, wanted, str(facts.st_size))
            with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
                return _exactly(file, name, facts.st_size)
        finally:
            os.close(descriptor)


def _exactly(file: BinaryIO, name: str, size: int) -> bytes:
    parts = []
    while size:
        part = file.read(size)
        if not part:
            fail(name, "a file that does not change while it is read", "one that shrank")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
