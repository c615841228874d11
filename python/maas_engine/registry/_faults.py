"""Points at which a test lets this process die or the disk fill up: MAAS_FAULT=name or name:raise."""

from __future__ import annotations

import errno
import os
import signal

VARIABLE = "MAAS_FAULT"


def point(name: str) -> None:
    """Kill this process, or raise OSError (no space left), where the variable names this point; else nothing.

    Points stand before and after every step that another process could see.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    if wanted == name:
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted == f"{name}:raise":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
