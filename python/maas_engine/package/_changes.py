"""Changes of a package's folder that a kill leaves either undone or done, with nothing strange inside it.

What is being written lies beside the folder, in ``.NAME.change``, and comes in by one rename: a file, or the whole
folder by an exchange. Whatever a kill leaves there is cleared by the next change of the same folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from maas_engine._faults import point
from maas_engine._files import sync_folder, write_new
from maas_engine.errors import NotFound

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


class Change:
    """A change of one folder, while which others of the same parent folder wait. A context manager, for one thread.

    Attributes
    ----------
    folder : Path
        With links resolved.
    staging : Path
        Beside it, readable by the owner only, empty at first; gone at the end.
    resumed : bool
        An earlier change was killed; what it left was cleared.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.staging = self.folder.with_name(f".{self.folder.name}.change")
        self._old = self.staging / "old"
        self.resumed = False

    def __enter__(self) -> Change:
        self._lock = _lock(self.folder.parent)
        try:
            self._put_back()
            if os.path.lexists(self.staging):
                shutil.rmtree(self.staging)
                self.resumed = True
            if self.folder.exists():
                os.mkdir(self.staging, 0o700)
        except BaseException:
            _unlock(self._lock)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._put_back()
            if self.staging.exists():
                shutil.rmtree(self.staging)
                sync_folder(self.folder.parent)
        finally:
            _unlock(self._lock)

    def _put_back(self) -> None:
        """Undo the first of the two renames of `_exchange`, if the second did not come."""
        if self._old.is_dir() and not self.folder.exists():
            os.rename(self._old, self.folder)

    def put(self, name: str, data: bytes) -> None:
        """Write one file of the folder, or replace it."""
        write_new(self.staging / name, [data])
        point("change.file_written")
        os.replace(self.staging / name, self.folder / name)
        point("change.file_replaced")
        sync_folder(self.folder)

    def replace(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        """Replace the folder by one with these files, each given as its parts."""
        new = self.staging / "new"
        os.mkdir(new)
        for name, parts in files:
            write_new(new / name, parts)
        os.chmod(new, self.folder.stat().st_mode & 0o7777)
        sync_folder(new)
        point("change.folder_written")
        self._exchange(new)
        point("change.folder_replaced")
        sync_folder(self.folder.parent)

    def _exchange(self, new: Path) -> None:
        """Exchange the names at once, where the system can; else a kill in between leaves it to the next change."""
        if not _exchange(new, self.folder):
            os.rename(self.folder, self._old)
            point("change.folder_away")
            os.rename(new, self.folder)


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two folders' names by one call of Linux; False where it or the file system has none."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:  # a C library older than 2018
        return False
    if call(_HERE, os.fsencode(a), _HERE, os.fsencode(b), ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(b))


def _lock(folder: Path) -> int | None:
    """Wait until no other process changes a package in this folder; the lock dies with its process."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise NotFound(f"[package] no folder '{folder}'") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            os.close(descriptor)
            raise
        # A network folder without locks: changes at the same time are then the user's to avoid.
    return descriptor


def _unlock(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
