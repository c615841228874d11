"""Follows the registry and files: an alias that was moved, a file that changed is served within a second."""

from __future__ import annotations

import logging
import threading

from maas_engine.errors import MaasError
from maas_engine.serving._access import Access
from maas_engine.serving._certificates import Certificates
from maas_engine.serving._log import told
from maas_engine.serving._models import Models
from maas_engine.serving._sources import SharedRegistry

LOG = logging.getLogger("maas_engine.serving")
PAUSE = 0.4  # seconds from one look to the next
SURELY = 25  # looks after which models are asked for themselves, whatever the registry's last event


class Watch(threading.Thread):
    """A thread that looks until `stop`; whatever goes wrong, models that are served stay."""

    def __init__(
        self, models: Models, registry: SharedRegistry, access: Access, certificates: Certificates
    ) -> None:
        super().__init__(name="maas-watch", daemon=True)
        self._models, self._registry = models, registry
        self._access, self._certificates = access, certificates
        self._stopped = threading.Event()
        self._event, self._looks = -1, 0
        self._reachable, self._reloads = True, False

    def reload(self) -> None:
        """Read files anew at the next look. Fit for a signal's handler: it takes no lock."""
        self._reloads = True

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.wait(PAUSE):
            try:
                self.look()
            except Exception:
                LOG.exception("watch")

    def look(self) -> None:
        """Look once."""
        self._access.refresh()
        self._certificates.refresh()
        self._models.remove_old()
        if self._reloads:
            self._reloads = False
            self._models.reload_files()
        registry = (self._models.follows("registry") and self._moved()) or self._models.incomplete()
        if registry or self._models.follows("files"):
            self._models.follow(registry)

    def _moved(self) -> bool:
        """Whether anything may have changed since the last look: one small query, not one a model."""
        self._looks += 1
        try:
            event = self._registry.get().last_event()
        except MaasError as error:
            if self._reachable:
                told(LOG, logging.WARNING, "registry does not answer", reason=str(error))
            self._reachable = False
            return False
        if not self._reachable:
            told(LOG, logging.INFO, "registry answers again")
        self._reachable = True
        moved = event != self._event or self._looks % SURELY == 0
        self._event = event
        return moved
