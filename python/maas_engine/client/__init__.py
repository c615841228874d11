"""Clients of a server: its models as functions, over HTTP or raw frames. Needs numpy alone."""

from maas_engine.client._async import AsyncClient
from maas_engine.client._client import Client

__all__ = ["AsyncClient", "Client"]
