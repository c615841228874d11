"""Points at which a test lets this process die or the disk fill up: MAAS_FAULT=name or name:raise, and #7 for the
seventh time there."""

from __future__ import annotations

import errno
import os
import signal

VARIABLE = "MAAS_FAULT"

_passed = 0


def point(name: str) -> None:
    """Kill this process, or raise OSError (no space left), where the variable names this point; else nothing.

    Points stand before and after every step that another process, or the next one, could see.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    place, _, time = wanted.partition("#")
    if place.removesuffix(":raise") != name:
        return
    global _passed
    _passed += 1
    if _passed != int(time or _passed):
        return
    if place == name:
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
