"""Where this installation keeps the library for C++ and C programs (``docs/embedding.md``)."""

from __future__ import annotations

from pathlib import Path

from maas_engine import _core
from maas_engine.errors import NotFound

# The options of the command line that print a folder, which lies beside the extension.
FOLDERS = {
    "--cmake-dir": "lib/cmake/maas",
    "--pkg-config-dir": "lib/pkgconfig",
    "--include-dir": "include",
    "--library-dir": "lib",
}


def library_folder(option: str) -> Path:
    """Return the folder that one of `FOLDERS` asks for.

    Raises
    ------
    NotFound : an installation without the library, such as a build inside the source tree.
    """
    root = Path(_core.__file__).resolve().parent
    path = root / FOLDERS[option]
    if not (root / FOLDERS["--cmake-dir"]).is_dir():
        raise NotFound(
            f"[{option}] expected the library in {root / 'lib'}: install the wheel, or the library alone by cmake"
        )
    return path
