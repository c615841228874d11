"""Whether files have changed since one last looked."""

from __future__ import annotations

import os
from pathlib import Path

Stamp = tuple[tuple[str, int, int, int], ...]


def stamp(*paths: str | os.PathLike[str]) -> Stamp:
    """What is another once a file, or one of a folder's files, was written, exchanged, added or removed.

    What cannot be looked at is left out.
    """
    found = []
    for path in map(Path, paths):
        for each in (path, *(sorted(path.rglob("*")) if path.is_dir() else ())):
            try:
                status = os.stat(each)
            except OSError:
                continue
            found.append((str(each), status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
