"""Tells systemd how far the service is, where it asks (a unit of Type=notify)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` to the socket that NOTIFY_SOCKET names; nothing without one."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("\0" + place[1:] if place[0] == "@" else place)
        sender.sendall(state.encode())
