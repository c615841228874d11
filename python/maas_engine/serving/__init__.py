"""The server: models answered over HTTP and raw TCP by threads that never take the GIL."""

from __future__ import annotations

from maas_engine.serving._service import Server

__all__ = ["Server"]
