"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any

from maas_engine._faults import point


def write_whole(path: str | os.PathLike[str], parts: Iterable[Any]) -> None:
    """Write bytes-like ``parts`` to a new name beside ``path``, flush them to the disk, then rename.

    A killed process, a full disk or an error in between leaves what was at ``path`` before. A link stays one.
    """
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):  # rather than speak of the temporary file
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
    temporary = os.path.join(folder, f".{name}.{os.urandom(8).hex()}")
    try:
        write_new(temporary, parts)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def write_new(path: str | os.PathLike[str], parts: Iterable[Any]) -> None:
    """Write bytes-like ``parts`` to a file that must not exist yet, and flush them to the disk."""
    # With the permissions that a new file of the user's has.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        for part in parts:
            file.write(part)
            point("files.half_written")
        file.flush()
        os.fsync(file.fileno())
    point("files.written")


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Flush a folder's names to the disk, where the system can."""
    point("files.named")
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
