"""The registry: models by name, version and alias, with their history. Needs the extra ``registry``."""

from __future__ import annotations

from maas_engine.registry._audit import AuditReport
from maas_engine.registry._compare import Comparison
from maas_engine.registry._events import Event
from maas_engine.registry._garbage import GarbageReport
from maas_engine.registry._gates import BetterThanChampion, GateResult, MetricThreshold, Signed
from maas_engine.registry._promotion import GateFailed, Promotion
from maas_engine.registry._registry import Registry
from maas_engine.registry._token_check import TokenInfo
from maas_engine.registry._token_table import TokenTable
from maas_engine.registry._version import File, RegisteredModel, Version

__all__ = [
    "AuditReport",
    "BetterThanChampion",
    "Comparison",
    "Event",
    "File",
    "GarbageReport",
    "GateFailed",
    "GateResult",
    "MetricThreshold",
    "Promotion",
    "RegisteredModel",
    "Registry",
    "Signed",
    "TokenInfo",
    "TokenTable",
    "Version",
]
