"""Packages: a model with its manifest, golden rows and card, in a folder that proves itself before it is used."""

from __future__ import annotations

from maas_engine.package._encryption import decrypt, encrypt, rotate
from maas_engine.package._keys import MasterKey, generate_master_key, generate_signing_key, key_fingerprint
from maas_engine.package._manifest import Manifest, digest, read_manifest
from maas_engine.package._open import open_package
from maas_engine.package._package import Package
from maas_engine.package._policy import Policy
from maas_engine.package._regolden import re_golden
from maas_engine.package._signing import sign, verify_signature
from maas_engine.package._write import write

__all__ = [
    "Manifest",
    "MasterKey",
    "Package",
    "Policy",
    "decrypt",
    "digest",
    "encrypt",
    "generate_master_key",
    "generate_signing_key",
    "key_fingerprint",
    "open_package",
    "re_golden",
    "read_manifest",
    "rotate",
    "sign",
    "verify_signature",
    "write",
]
