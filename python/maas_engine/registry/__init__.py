"""The registry: models by name, version and alias, with their history. Needs the extra ``registry``."""

from __future__ import annotations

from maas_engine.registry._audit import AuditReport
from maas_engine.registry._events import Event
from maas_engine.registry._garbage import GarbageReport
from maas_engine.registry._registry import Registry
from maas_engine.registry._version import File, RegisteredModel, Version

__all__ = ["AuditReport", "Event", "File", "GarbageReport", "RegisteredModel", "Registry", "Version"]
