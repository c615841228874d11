"""What every test relies on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Ctrl-C interrupts, here and in programs that tests start, even where a shell in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
