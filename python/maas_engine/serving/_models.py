"""The models that a server is told to serve: what each is now, how a new version takes the old one's place."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from maas_engine._server import Server as DataPlane
from maas_engine.errors import MaasError, NotFound
from maas_engine.serving._log import told
from maas_engine.serving._monitoring import drift_page, states_of
from maas_engine.serving._sources import TRANSIENT, Content, Source
from maas_engine.serving._stamp import Stamp

LOG = logging.getLogger("maas_engine.serving")

_PLACE = re.compile(r"\w+://[^\s'\",;]+|(?<![\w:.])~?(?:/[^\s'\",:;/]+)+/?")


Mark = tuple[str, Stamp]  # a version, and the state of its files


@dataclass
class Served:
    """One name. Changed by whoever holds the lock of `Models` alone."""

    name: str
    source: Source
    wanted: bool = True  # False once unloaded on request
    state: str = "UNAVAILABLE"  # or LOADING, READY
    reason: str = "it is being loaded"  # why not, or what was refused
    content: Content | None = None  # what is answered now
    mark: Mark | None = None  # of what is answered now
    refused: Mark | None = None  # not to be tried again until the source means another
    leaving: dict[str, float] = field(default_factory=dict)  # versions before, and when each is removed


class Models:
    """All of them. Threads may share it: one load at a time, reading never waits for one.

    Parameters
    ----------
    sources : dict of str to Source
    keep : float
        Seconds for which the version before stays.
    changed : callable
        Told a name whenever another version of it is answered, or none.
    """

    def __init__(
        self,
        plane: DataPlane,
        sources: Mapping[str, Source],
        keep: float,
        changed: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._plane, self._keep, self._changed = plane, keep, changed
        self._served = {name: Served(name, source) for name, source in sources.items()}
        self._loading = threading.Lock()
        self._waits = True  # for a model that is missing
        self._tell()

    def names(self) -> list[str]:
        return list(self._served)

    def get(self, name: str) -> Served:
        """Raises NotFound for a name that the server was not told."""
        try:
            return self._served[name]
        except KeyError:
            raise unknown(name) from None

    def follows(self, what: str) -> bool:
        """Whether any of them follows "files" or the "registry"."""
        return any(each.source.follows == what for each in self._served.values())

    def incomplete(self) -> bool:
        """Whether one that is wanted is not there, or could not be read and is worth another look."""
        return any(
            each.wanted and (each.content is None or (each.reason and not each.refused))
            for each in self._served.values()
        )

    def load(self, name: str) -> None:
        """Read a model anew, verify it and put it in the place of what is answered.

        Raises
        ------
        MaasError : why it is refused. What was answered before goes on.
        """
        served = self.get(name)
        with self._loading:
            served.wanted = True
            self._load(served, served.source.current, served.source.stamp())

    def metadata(self, name: str, version: str) -> dict[str, Any]:
        """What the data plane says of a version; "" for the current one. Raises NotFound."""
        text = self._plane.metadata(name, version)
        if not text:
            raise unknown(name)
        found: dict[str, Any] = json.loads(text)
        return found

    def figures(self) -> dict[str, Any]:
        """What the data plane has done so far."""
        return self._plane.figures()

    def monitoring(self, name: str) -> dict[str, Any]:
        """How the rows of a model's current version drift from its reference. NotFound without a profile."""
        content = self.get(name).content
        found = content and content.profile and self._plane.live_profile(name, content.version)
        if content is None or content.profile is None or not found:
            raise NotFound(
                f"expected a model with a profile (of a package with a reference), got {name[:64]!r}"
            )
        return drift_page(name, content.version, content.profile, *found)

    def unload(self, name: str) -> None:
        """Answer a model no longer. Requests that run go on to their end."""
        served = self.get(name)
        with self._loading:
            served.wanted = False
            for version in [*served.leaving, *([served.content.version] if served.content else [])]:
                self._plane.remove_model(name, version)
            served.leaving.clear()
            served.content, served.state, served.reason = None, "UNAVAILABLE", "unloaded"
            told(LOG, logging.INFO, "unloaded", model=name)
            self._tell()
            self._changed(name)

    def follow(self, registry: bool) -> None:
        """Load what came to mean another version, and what is still missing. ``registry``: look there too."""
        for served in self._served.values():
            follows = served.source.follows == "files" or (served.source.follows == "registry" and registry)
            if not served.wanted or not (follows or served.content is None):
                continue
            with self._loading, suppress(Exception):  # told where it was refused
                self._follow(served)

    def reload_files(self) -> None:
        """Read files and folders anew, whether they are followed or not."""
        for served in self._served.values():
            if served.wanted and served.source.follows != "registry":
                with self._loading, suppress(Exception):  # told where it was refused
                    self._load(served, served.source.current, served.source.stamp())

    def remove_old(self) -> None:
        """Remove the versions whose time has come."""
        now = time.monotonic()
        with self._loading:
            for served in self._served.values():
                for version in [each for each, at in served.leaving.items() if at <= now]:
                    del served.leaving[version]
                    self._plane.remove_model(served.name, version)
                    told(LOG, logging.INFO, "removed", model=served.name, version=version)

    def index(self) -> list[dict[str, str]]:
        """Name, version, state and reason of each, as Triton's repository index has them."""
        rows = []
        for served in list(self._served.values()):
            content = served.content
            rows.append(
                {
                    "name": served.name,
                    "version": content.version if content else "",
                    "state": served.state,
                    "reason": served.reason,
                }
            )
        return rows

    # --- with the lock of loading held ------------------------------------------------------------------

    def _follow(self, served: Served) -> None:
        try:
            version = served.source.current()
        except TRANSIENT as error:
            if served.content is None:  # else it goes on as it is
                self._refuse(served, error, "")
            return
        mark = (version, served.source.stamp())
        if served.content is not None and served.mark == mark:
            if served.reason:
                served.refused, served.reason = None, ""
                self._tell()
            return
        if mark != served.refused:
            self._load(served, lambda: version, mark[1])

    def _load(self, served: Served, current: Callable[[], str], stamp: Stamp) -> None:
        served.state = "READY" if served.content else "LOADING"
        version, begun = "", time.perf_counter()
        try:
            version = current()
            content = served.source.read(version)
            self._plane.set_model(served.name, content.version, content.onnx, states_of(content.profile))
        except Exception as error:
            self._refuse(served, error, version, stamp)
            raise
        before = served.content
        if before is not None and before.version != content.version:
            served.leaving[before.version] = time.monotonic() + self._keep
        served.leaving.pop(content.version, None)
        served.content = content._replace(onnx=b"")  # the data plane has it
        served.state, served.reason, served.refused, served.mark = "READY", "", None, (version, stamp)
        took = round(1e3 * (time.perf_counter() - begun), 1)
        source = served.source.text
        told(LOG, logging.INFO, "loaded", model=served.name, version=version, source=source, ms=took)
        self._tell()
        self._changed(served.name)

    def _refuse(self, served: Served, error: Exception, version: str, stamp: Stamp = ()) -> None:
        """Keep what there is. Of what may pass by itself, try again; of a bad version only once."""
        if version and not isinstance(error, TRANSIENT):
            served.refused = (version, stamp)
        reason = said(error)
        if served.content is not None:
            refused, goes_on = f"version {version}", f"version {served.content.version}"
            if refused == goes_on:
                refused, goes_on = "what is there now", "what was there before"
            reason = f"{refused} was refused, {goes_on} goes on: {reason}"
        else:
            served.state = "UNAVAILABLE"
        before, served.reason = served.reason, reason
        self._tell()
        if reason != before:
            told(
                LOG, logging.ERROR, "refused", model=served.name, version=version, reason=str(error),
                error=type(error).__name__, goes_on=served.content.version if served.content else None,
            )  # fmt: skip

    def _tell(self) -> None:
        """What /v2/health/ready says."""
        wanted = [served for served in self._served.values() if served.wanted]
        missing = {served.name: served.reason for served in wanted if served.content is None}
        notes = [f"{served.name}: {served.reason}" for served in wanted if served.content and served.reason]
        self._plane.set_readiness(missing, "; ".join(notes))
        if not missing and self._waits:
            told(LOG, logging.INFO, "ready", models=len(wanted))
        self._waits = bool(missing)


def unknown(name: str) -> NotFound:
    """In the words of the data plane."""
    return NotFound(f"Request for unknown model: {name[:64]!r} is not found")


def said(error: Exception) -> str:
    """What a caller may hear of an error: nothing of this host's folders and addresses."""
    if not isinstance(error, MaasError):
        return f"{type(error).__name__}, as the server's log has it"
    return " ".join(_PLACE.sub("...", str(error)).split())
