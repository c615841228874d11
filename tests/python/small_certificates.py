"""Roots, intermediates and signing certificates, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


class Issued(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write_key(self, path: Path) -> Path:
        path.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        path.chmod(0o600)
        return path


def issue(
    name: str,
    by: Issued | None = None,
    *,
    authority: bool = False,
    days: tuple[float, float] = (-1, 10),
    usage: bool | None = True,
    purposes: Sequence[ObjectIdentifier] = (),
    path_length: int | None = None,
    curve: ec.EllipticCurve | None = None,
) -> Issued:
    """A certificate of ``days`` from now to then; ``usage``: for digital signatures, for others, or not said."""
    now = datetime.now(timezone.utc)
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, issuer_key = (subject, key) if by is None else (by.certificate.subject, by.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    )
    if authority:
        usage_bits = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage_bits, critical=True)
    elif usage is not None:
        usage_bits = x509.KeyUsage(usage, False, not usage, False, False, False, False, False, False)
        builder = builder.add_extension(usage_bits, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    return Issued(builder.sign(issuer_key, hashes.SHA256()), key)
