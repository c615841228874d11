"""model.sig: the Sigstore bundle that OpenSSF model-signing writes, believed only once its signature is proven.

A bundle (JSON) holds how to verify (a key's fingerprint, or certificates) and a DSSE envelope; its payload is an
in-toto statement, which names every signed file with its SHA-256. Verified here with ``cryptography`` alone, from bytes
that were read once: what was verified is then what is loaded, and a server need not import a signing tool.

Formats: https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md and
https://model_signing/signature/v1.0 as model-signing 1.1 writes it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from maas_engine.errors import FormatError, PermissionDenied
from maas_engine.package._canonical import read_json
from maas_engine.package._certificates import signer
from maas_engine.package._keys import missing, public_key
from maas_engine.package._manifest import SIGNATURE
from maas_engine.package._policy import Policy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

MAX_BYTES = 4 * 2**20

_MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_signature(
    signature: bytes | None, present: Mapping[str, str | None], policy: Policy
) -> dict[str, str]:
    """Prove that the signer whom the policy trusts signed these files and no others.

    Parameters
    ----------
    signature : bytes of model.sig, or None where the package has none
    present : SHA-256 in hex of each file as it lies in the folder but model.sig and encryption.json; None for one that
        the caller compares with what is returned
    policy : one that requires a signature

    Returns
    -------
    dict : the signed SHA-256 of each file

    Raises
    ------
    PermissionDenied : no signature, another signer, a certificate that does not hold, a file that is not the one
        signed, or files added or removed.
    FormatError : not a signature of model-signing.
    """
    if signature is None:
        _deny("a signature, as the policy asks", "none")
    envelope = _Envelope(signature)
    signed = envelope.files(_trusted_key(envelope.material, policy))
    for name in sorted(signed.keys() | present.keys()):
        if name not in signed:
            _deny("a file that was signed", "one that was not", name)
        if name not in present:
            _deny("the file that was signed", "no such file", name)
        if present[name] not in (None, signed[name]):
            _deny(f"the file that was signed, SHA-256 {signed[name]}", f"{present[name]}", name)
    return signed


def files_signed_by(key: ec.EllipticCurvePublicKey, signature: bytes) -> dict[str, str]:
    """Return the SHA-256 of each signed file, once the signature is proven to be by this key."""
    return _Envelope(signature).files(key)


class _Envelope:
    """The parts of a bundle. None of them is to be believed before `files` has verified the signature."""

    def __init__(self, signature: bytes) -> None:
        bundle = _object(_parsed(signature), "a bundle")
        if bundle.get("mediaType") != _MEDIA:
            _fail(f"a bundle of type {_MEDIA}", "another")
        envelope = _object(bundle.get("dsseEnvelope"), "an envelope")
        signatures = envelope.get("signatures")
        if (
            envelope.get("payloadType") != _PAYLOAD
            or not isinstance(signatures, list)
            or len(signatures) != 1
        ):
            _fail("an envelope of one signed in-toto statement", "another")
        self.material = _object(bundle.get("verificationMaterial"), "verification material")
        self._payload = _base64(envelope.get("payload"))
        self._signature = _base64(_object(signatures[0], "a signature").get("sig"))

    def files(self, key: ec.EllipticCurvePublicKey) -> dict[str, str]:
        _verify(key, self._signature, self._payload)
        return _resources(_object(_parsed(self._payload), "a statement"))


def _trusted_key(material: dict[str, Any], policy: Policy) -> ec.EllipticCurvePublicKey:
    """The key of the policy, or of a certificate that the policy's roots vouch for; never one of the bundle's say."""
    chain = material.get("x509CertificateChain")
    if chain is not None:
        if not policy.certificates:
            _deny("a signature by the policy's key", "one by a certificate")
        listed = _object(chain, "a chain").get("certificates")
        if not isinstance(listed, list):
            _fail("a list of certificates", "something else")
        raw = [_base64(_object(each, "a certificate").get("rawBytes")) for each in listed]
        return signer(raw, policy.roots, revoked=policy.revoked_keys)
    if policy.public_pem is None:
        _deny("a signature by a certificate of the policy's roots", "one by a key")
    return public_key(policy.public_pem)


def _verify(key: ec.EllipticCurvePublicKey, signature: bytes, payload: bytes) -> None:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        missing(error)
    by_size: dict[int, hashes.HashAlgorithm] = {
        256: hashes.SHA256(),
        384: hashes.SHA384(),
        521: hashes.SHA512(),
    }
    signed = b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)
    try:
        key.verify(signature, signed, ec.ECDSA(by_size[key.curve.key_size]))
    except InvalidSignature:
        _deny("a signature by the signer whom the policy trusts", "another's, or changed bytes")


def _resources(statement: dict[str, Any]) -> dict[str, str]:
    if statement.get("_type") != _STATEMENT or statement.get("predicateType") != _PREDICATE:
        _fail(f"a statement of type {_PREDICATE}", "another")
    predicate = _object(statement.get("predicate"), "a predicate")
    if _object(predicate.get("serialization"), "a serialization").get("method") != "files":
        _fail("whole files signed", "something else")
    resources, subjects = predicate.get("resources"), statement.get("subject")
    if not isinstance(resources, list) or not isinstance(subjects, list) or len(subjects) != 1:
        _fail("one subject and a list of files", "something else")
    files: dict[str, str] = {}
    for each in resources:
        name, algorithm, digest = (
            _object(each, "a file").get(key) for key in ("name", "algorithm", "digest")
        )
        if not isinstance(name, str) or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            _fail("a file's name and SHA-256", "something else")
        if algorithm != "sha256" or name in files:
            _fail("each file once, by its SHA-256", f"{algorithm!r:.20} of {name!r:.80}")
        files[name] = digest
    root = hashlib.sha256(b"".join(map(bytes.fromhex, files.values()))).hexdigest()
    if _object(_object(subjects[0], "a subject").get("digest"), "a digest").get("sha256") != root:
        _fail("a subject that is the digest of the files' digests", "another")
    return files


def _parsed(data: bytes) -> Any:
    try:
        return read_json(data, MAX_BYTES)
    except FormatError as error:
        raise FormatError(f"[package] '{SIGNATURE}': {error}") from None


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(what, "something else")
    return value


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        _fail("base64", "something else")
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        _fail("base64", "something else")


def _fail(expected: str, got: str) -> NoReturn:
    raise FormatError(f"[package] '{SIGNATURE}': expected {expected}, got {got}")


def _deny(expected: str, got: str, name: str = SIGNATURE) -> NoReturn:
    raise PermissionDenied(f"[package] {name!r}: expected {expected}, got {got}")
