"""Certificates that are renewed on disk are shown to the next connection."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from maas_engine._server import Server as DataPlane
from maas_engine.errors import MaasError
from maas_engine.serving._log import told
from maas_engine.serving._stamp import stamp

LOG = logging.getLogger("maas_engine.serving")


class Certificates:
    """The files of TLS, of which there may be none. Used by one thread after another."""

    def __init__(self, plane: DataPlane, files: Sequence[str]) -> None:
        self._plane, self._files = plane, [file for file in files if file]
        self._stamp = stamp(*self._files)

    def refresh(self) -> None:
        """Read them where they have changed. What cannot be used is told once; connections see what was before."""
        now = stamp(*self._files)
        if now == self._stamp:
            return
        self._stamp = now
        try:
            self._plane.renew_tls()
        except MaasError as error:  # perhaps only one of two files is there yet
            told(LOG, logging.ERROR, "certificates", reason=str(error))
        else:
            told(LOG, logging.INFO, "certificates")
