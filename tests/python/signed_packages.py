"""A signed package and its key, and bundles forged from it."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from small_models import linear

from maas_engine.package import Policy, generate_signing_key, sign


def make(root: Path) -> Path:
    """A folder with a package, a signing key, and a copy of the package signed with it."""
    linear().package(root / "plain")
    generate_signing_key(root / "key")
    shutil.copytree(root / "plain", root / "signed")
    sign(root / "signed", root / "key")
    return root


def policy(root: Path, name: str = "key.pub") -> Policy:
    return Policy(public_key=root / name)


def bundle_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.sig").read_text())  # type: ignore[no-any-return]


def statement_of(folder: Path) -> dict[str, Any]:
    return json.loads(base64.b64decode(bundle_of(folder)["dsseEnvelope"]["payload"]))  # type: ignore[no-any-return]


def write_bundle(folder: Path, bundle: dict[str, Any]) -> None:
    (folder / "model.sig").write_text(json.dumps(bundle))


def signed_by_hand(
    folder: Path, key: Path, payload: bytes, kind: str = "application/vnd.in-toto+json"
) -> None:
    """Put another payload under a good signature of the key."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    text = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    bundle = bundle_of(folder)
    bundle["dsseEnvelope"] = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [
            {"sig": base64.b64encode(private.sign(text, ec.ECDSA(hashes.SHA256()))).decode(), "keyid": ""}
        ],
    }
    write_bundle(folder, bundle)
