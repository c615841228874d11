"""The command line ``maas-engine``: train, predict, inspect, verify, evaluate, info, bench; package, registry, token.

Needs the extra ``train`` or ``registry``, as the command does. Results go to standard output (tables, or one JSON
object with ``--json``), progress and warnings to standard error. Exit status: 0 done, 1 the data, the model or the
package cannot be used, or a promotion or an audit failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NoReturn

from maas_engine._library import FOLDERS, library_folder
from maas_engine.errors import NotFound


def main() -> None:
    """Run the command line on ``sys.argv`` and exit."""
    if len(sys.argv) == 2 and sys.argv[1] in FOLDERS:  # for builds, which need no extra
        print_folder(sys.argv[1])
        return
    if sys.argv[1:2] == ["serve"]:  # answers before typer would be loaded
        from maas_engine.cli import _serve

        sys.exit(_serve.main(sys.argv[2:]))
    try:
        from maas_engine.cli import _app
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("maas_engine"):
            raise
        fail(f"the command line needs {error.name}: install it with pip install 'maas_engine[train]'", 1)
    _shown.clear()
    warnings.showwarning = show_warning
    _app.run()


def print_folder(option: str) -> None:
    """Print where the library for C++ and C programs lies."""
    try:
        print(library_folder(option))
    except NotFound as error:
        fail(str(error), 1)


def fail(message: str, status: int) -> NoReturn:
    """Print one line on standard error and exit."""
    print(f"maas-engine: error: {one_line(message)}", file=sys.stderr)
    sys.exit(status)


def one_line(text: str) -> str:
    """Text as one line for a terminal."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters as escapes, line breaks kept."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def show_warning(
    message: Warning | str, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """Warnings as one line each, like errors; what every fold says, once."""
    del category, filename, lineno, file, line
    text = one_line(str(message))
    if text not in _shown:
        _shown.add(text)
        print(f"maas-engine: warning: {text}", file=sys.stderr)


_shown: set[str] = set()
