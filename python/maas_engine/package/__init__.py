"""Packages: a model with its manifest, golden rows and card, in a folder that proves itself before it is used."""

from __future__ import annotations

from maas_engine.package._manifest import Manifest, digest, read_manifest
from maas_engine.package._package import Package, open_package, write
from maas_engine.package._policy import Policy

__all__ = ["Manifest", "Package", "Policy", "digest", "open_package", "read_manifest", "write"]
