"""Signing certificates: a chain to a root that the reader trusts, of today, and made for signing.

model-signing's own check is at the moment the certificate began, so that an expired one passes; this one is of now.
A signature bears no trusted time, so nothing says that it was made while the certificate was good. Nor does it ask
an authority's revocation list: a key that leaked is taken out by the policy's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NoReturn

from maas_engine.errors import InvalidArgument, MaasError, PermissionDenied
from maas_engine.package._keys import CURVES, fingerprint, missing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import Certificate

MAX_CHAIN = 8


def certificates_of(pem: bytes) -> list[Certificate]:
    """Return the certificates of a PEM text, one or more.

    Raises
    ------
    InvalidArgument : there is none, or not such a text.
    """
    try:
        from cryptography import x509
    except ImportError as error:
        missing(error)
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise InvalidArgument("[policy] expected certificates in PEM, got something else") from None


def signer(
    chain: list[bytes],
    roots: Iterable[bytes],
    now: datetime | None = None,
    revoked: frozenset[str] = frozenset(),
) -> ec.EllipticCurvePublicKey:
    """Return the public key of the first certificate of a chain, once the chain is proven.

    Parameters
    ----------
    chain : certificates in DER, the signer's first, then those between it and a root, in any order
    roots : PEM texts of the trusted certificates
    revoked : fingerprints of keys that none on the way to a root may have, nor the root

    Raises
    ------
    PermissionDenied : no way from the signer to a root; one on the way is not valid now or may not issue; the
        signer's certificate is not for signing.
    """
    try:
        from cryptography import x509
        from cryptography.x509 import verification
    except ImportError as error:
        missing(error)
    if not 1 <= len(chain) <= MAX_CHAIN:
        _refuse(f"1 to {MAX_CHAIN} certificates", str(len(chain)))
    rules = verification.ExtensionPolicy
    try:
        first, *rest = [x509.load_der_x509_certificate(each) for each in chain]
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store([each for pem in roots for each in certificates_of(pem)]))
            .time(now or datetime.now(timezone.utc))
            .extension_policies(ca_policy=rules.webpki_defaults_ca(), ee_policy=rules.permit_all())
            .build_client_verifier()
        )
        proven = verifier.verify(first, rest).chain
        gone = sorted(revoked & {fingerprint(each.public_key()) for each in proven}) if revoked else []
        if gone:
            _refuse("certificates of keys that the policy has not revoked", f"one of key {gone[0]}")
        return signing_key(first)
    except verification.VerificationError as error:
        _refuse(
            "a certificate that leads to a trusted root and is valid now",
            str(error).split(" (encountered")[0],
        )
    except MaasError:
        raise
    except (
        Exception
    ) as error:  # bytes that the parser refuses, lazily and in many ways: no certificate, no trust
        _refuse("certificates that can be read", type(error).__name__)


def signing_key(certificate: Certificate) -> ec.EllipticCurvePublicKey:
    """Return the public key of a certificate that is for signing.

    The key usage must allow digital signatures, and an extended usage, if there is one, code signing: a web server's
    certificate of the same root does not sign models.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    usages = {type(each.value): each.value for each in certificate.extensions}
    usage, extended = usages.get(x509.KeyUsage), usages.get(x509.ExtendedKeyUsage)
    may_sign = usage.digital_signature if isinstance(usage, x509.KeyUsage) else extended is not None
    purposes = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if isinstance(extended, x509.ExtendedKeyUsage):
        may_sign = may_sign and any(purpose in extended for purpose in purposes)
    if not may_sign:
        _refuse("a certificate for signing (digital signature; code signing)", "one for other uses")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        _refuse(f"a certificate of an EC key on one of {', '.join(CURVES)}", "another")
    return key


def _refuse(expected: str, got: str) -> NoReturn:
    raise PermissionDenied(f"[package] 'model.sig': expected {expected}, got {got}")
