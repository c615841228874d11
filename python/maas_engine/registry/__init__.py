"""The registry: models by name, version and alias, with their history. Needs the extra ``registry``."""

from __future__ import annotations

from maas_engine.registry._registry import Registry

__all__ = ["Registry"]
