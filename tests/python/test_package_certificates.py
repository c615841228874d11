"""Certificates: a way to a trusted root, of today, for signing; model-signing's own command agrees where it looks."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signed_packages import bundle_of, write_bundle
from small_certificates import CODE_SIGNING, SERVER, Issued, issue
from small_models import linear

from maas_engine.errors import FormatError, InvalidArgument, MaasError, PermissionDenied
from maas_engine.package import (
    Policy,
    _certificates,
    generate_signing_key,
    open_package,
    sign,
    verify_signature,
)

ROOT = issue("root", authority=True)
BETWEEN = issue("between", ROOT, authority=True)
SIGNER = issue("signer", BETWEEN, purposes=[CODE_SIGNING])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    linear().package(root / "p")
    return root / "p"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "p")
    return tmp_path / "p"


def sign_with(folder: Path, first: Issued, *rest: Issued) -> None:
    key, chain = folder.parent / "key", folder.parent / "chain.pem"
    first.write_key(key)
    chain.write_bytes(b"".join(each.pem for each in (first, *rest)))
    sign(folder, key, chain)


def forced(folder: Path, first: Issued, *rest: Issued) -> None:
    """Sign with what `sign` would refuse."""
    key = folder.parent / "key"
    sign(folder, first.write_key(key))
    bundle = bundle_of(folder)
    certificates = [
        {"rawBytes": base64.b64encode(each.certificate.public_bytes(serialization.Encoding.DER)).decode()}
        for each in (first, *rest)
    ]
    bundle["verificationMaterial"] = {
        "x509CertificateChain": {"certificates": certificates},
        "tlogEntries": [],
    }
    write_bundle(folder, bundle)


def refused(folder: Path, match: str, roots: bytes = ROOT.pem) -> None:
    with pytest.raises(PermissionDenied, match=rf"^\[package\] 'model\.sig': expected .*{match}"):
        open_package(folder, Policy(certificates=roots))


def own_command(folder: Path, root: Issued) -> subprocess.CompletedProcess[str]:
    path = folder.parent / "root.pem"
    path.write_bytes(root.pem)
    arguments = [
        "verify",
        "certificate",
        folder,
        "--signature",
        folder / "model.sig",
        "--certificate_chain",
        path,
    ]
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_chain_to_a_root(folder: Path, tmp_path: Path) -> None:
    sign_with(folder, SIGNER, BETWEEN)
    policy = Policy(certificates=ROOT.pem)
    assert policy.require_signature
    assert open_package(folder, policy).signed
    verify_signature(folder, policy)
    # The root among several, and in the bundle too.
    others = [issue("other", authority=True).pem, ROOT.pem]
    assert open_package(folder, Policy(certificates=others)).signed
    assert open_package(folder, Policy(certificates=b"".join(others))).signed
    sign_with(folder, SIGNER, BETWEEN, ROOT)
    assert open_package(folder, policy).signed
    found = own_command(folder, ROOT)
    assert (found.returncode, found.stdout) == (0, "Verification succeeded\n"), found.stderr


def test_certificate_straight_from_the_root(folder: Path) -> None:
    sign_with(folder, issue("signer", ROOT))
    assert open_package(folder, Policy(certificates=ROOT.pem)).signed


def test_certificates_from_files_and_environment(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "first.pem").write_bytes(SIGNER.pem)
    (tmp_path / "rest.pem").write_bytes(BETWEEN.pem)
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    sign(folder, SIGNER.write_key(tmp_path / "key"), [tmp_path / "first.pem", tmp_path / "rest.pem"])
    for certificates in (tmp_path / "root.pem", [str(tmp_path / "root.pem")]):
        assert open_package(folder, Policy(certificates=certificates)).signed
    policy = Policy.from_environment({"MAAS_CERTIFICATES": str(tmp_path / "root.pem")})
    assert policy == Policy(certificates=ROOT.pem)
    assert repr(policy) == "Policy(certificates=1, require_signature=True)"


def test_another_root_of_the_same_name_is_refused(folder: Path) -> None:
    sign_with(folder, SIGNER, BETWEEN)
    refused(folder, "leads to a trusted root", issue("root", authority=True).pem)
    refused(folder, "leads to a trusted root", issue("unrelated", authority=True).pem)


def test_missing_link_is_refused(folder: Path) -> None:
    sign_with(folder, SIGNER)
    refused(folder, "leads to a trusted root")
    assert open_package(folder, Policy(certificates=BETWEEN.pem)).signed  # whoever trusts the one between


def test_expired_and_early_certificates(folder: Path) -> None:
    """model-signing checks a chain at the moment the certificate began, and so takes an expired one; we do not."""
    expired = issue("signer", BETWEEN, days=(-10, -1))
    forced(folder, expired, BETWEEN)
    refused(folder, "valid now.*not valid at validation time")
    early = issue("signer", BETWEEN, days=(1, 2))
    forced(folder, early, BETWEEN)
    refused(folder, "valid now")
    old = issue("between", ROOT, authority=True, days=(-10, -1))
    forced(folder, issue("signer", old), old)
    refused(folder, "valid now")
    gone = issue("root", authority=True, days=(-10, -1))
    forced(folder, issue("signer", gone))
    refused(folder, "valid now", gone.pem)
    for each in (expired, early):
        with pytest.raises(InvalidArgument, match=r"^\[keys\] expected a certificate that is valid now"):
            sign_with(folder, each, BETWEEN)


def test_own_command_takes_an_expired_certificate(folder: Path) -> None:
    # Why we do not rely on it: should this fail one day, model-signing has become as strict.
    long_root = issue("root", authority=True, days=(-100, 10))
    forced(folder, issue("signer", long_root, days=(-10, -1)))
    assert own_command(folder, long_root).returncode == 0
    refused(folder, "valid now", long_root.pem)


def test_time_is_looked_at(folder: Path) -> None:
    der = [each.certificate.public_bytes(serialization.Encoding.DER) for each in (SIGNER, BETWEEN)]
    now = datetime.now(timezone.utc)
    assert _certificates.signer(der, [ROOT.pem], now) == SIGNER.key.public_key()
    for days in (-2, 11):
        with pytest.raises(PermissionDenied, match="valid now"):
            _certificates.signer(der, [ROOT.pem], now + timedelta(days=days))


@pytest.mark.parametrize(
    ("usage", "purposes", "good"),
    [
        (True, (), True),
        (True, (CODE_SIGNING,), True),
        (None, (CODE_SIGNING,), True),
        (None, (), False),
        (False, (), False),
        (False, (CODE_SIGNING,), False),
        (True, (SERVER,), False),  # a web server's, by the same root
        (True, (SERVER, CODE_SIGNING), True),
    ],
)
def test_only_certificates_for_signing(
    folder: Path, usage: bool | None, purposes: Sequence[Any], good: bool
) -> None:
    first = issue("signer", ROOT, usage=usage, purposes=purposes)
    forced(folder, first)
    if good:
        assert open_package(folder, Policy(certificates=ROOT.pem)).signed
        sign_with(folder, first)
        return
    refused(folder, "a certificate for signing")
    with pytest.raises(InvalidArgument, match=r"^\[keys\] expected a certificate for signing"):
        sign_with(folder, first)


def test_issuers_must_be_authorities(folder: Path) -> None:
    ordinary = issue("ordinary", ROOT)
    forced(folder, issue("signer", ordinary), ordinary)
    refused(folder, "leads to a trusted root")
    narrow = issue("narrow", ROOT, authority=True, path_length=0)
    deeper = issue("deeper", narrow, authority=True)
    forced(folder, issue("signer", deeper), deeper, narrow)
    refused(folder, "leads to a trusted root")
    forced(folder, issue("signer", narrow), narrow)
    assert open_package(folder, Policy(certificates=ROOT.pem)).signed


def test_self_signed_is_no_way_to_a_root(folder: Path) -> None:
    alone = issue("root")
    forced(folder, alone)
    refused(folder, "leads to a trusted root")
    fake = issue("root", authority=True)
    forced(folder, issue("signer", fake), fake)
    refused(folder, "leads to a trusted root")


def test_a_good_chain_over_anothers_signature(folder: Path, tmp_path: Path) -> None:
    """The chain of the trusted signer, put beside a signature that somebody else made."""
    generate_signing_key(tmp_path / "thief")
    sign_with(folder, SIGNER, BETWEEN)
    material = bundle_of(folder)["verificationMaterial"]
    sign(folder, tmp_path / "thief")
    write_bundle(folder, {**bundle_of(folder), "verificationMaterial": material})
    refused(folder, "whom the policy trusts")


def test_key_and_certificate_do_not_stand_in_for_each_other(folder: Path, tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "k")
    sign(folder, tmp_path / "k")
    refused(folder, "got one by a key")
    sign_with(folder, SIGNER, BETWEEN)
    with pytest.raises(PermissionDenied, match="got one by a certificate"):
        open_package(folder, Policy(public_key=public))
    both = Policy(public_key=public, certificates=ROOT.pem)
    assert open_package(folder, both).signed
    sign(folder, tmp_path / "k")
    assert open_package(folder, both).signed


def test_broken_chains(folder: Path) -> None:
    sign_with(folder, SIGNER, BETWEEN)
    bundle = bundle_of(folder)
    der = bundle["verificationMaterial"]["x509CertificateChain"]["certificates"]
    changed = bytearray(base64.b64decode(der[0]["rawBytes"]))
    changed[-1] ^= 1
    for chain in (
        None, 3, {}, {"certificates": {}}, {"certificates": [3]}, {"certificates": [{}]}, {"certificates": []},
        {"certificates": [{"rawBytes": "AAAA"}]}, {"certificates": [{"rawBytes": "!"}]}, {"certificates": der * 5},
        {"certificates": [{"rawBytes": base64.b64encode(bytes(changed)).decode()}, der[1]]},
    ):  # fmt: skip
        other = json.loads(json.dumps(bundle))
        other["verificationMaterial"]["x509CertificateChain"] = chain
        write_bundle(folder, other)
        with pytest.raises((FormatError, PermissionDenied), match=r"^\[package\] 'model\.sig': expected"):
            open_package(folder, Policy(certificates=ROOT.pem))


def test_each_bit_of_a_certificate_counts(folder: Path) -> None:
    """No change of the signer's certificate is taken, and none does worse than an error of ours."""
    der = SIGNER.certificate.public_bytes(serialization.Encoding.DER)
    between = BETWEEN.certificate.public_bytes(serialization.Encoding.DER)
    for place in range(len(der)):
        changed = bytearray(der)
        changed[place] ^= 1 << place % 8
        with pytest.raises(MaasError, match="expected"):
            _certificates.signer([bytes(changed), between], [ROOT.pem])
    for place in range(0, len(between), 3):
        changed = bytearray(between)
        changed[place] ^= 1 << place % 8
        with pytest.raises(MaasError, match="expected"):
            _certificates.signer([der, bytes(changed)], [ROOT.pem])


def test_certificates_that_do_not_sign(folder: Path, tmp_path: Path) -> None:
    SIGNER.write_key(tmp_path / "key")
    (tmp_path / "other.pem").write_bytes(issue("signer", BETWEEN).pem)
    with pytest.raises(InvalidArgument, match="got another key's"):
        sign(folder, tmp_path / "key", tmp_path / "other.pem")
    (tmp_path / "none.pem").write_bytes(b"")
    with pytest.raises(InvalidArgument, match="expected certificates in PEM"):
        sign(folder, tmp_path / "key", tmp_path / "none.pem")
    with pytest.raises(InvalidArgument, match="expected the certificate of the private key first, got none"):
        sign(folder, tmp_path / "key", [])
    assert not (folder / "model.sig").exists()


def test_certificate_of_another_kind_of_key(folder: Path) -> None:
    from cryptography import x509

    key = rsa.generate_private_key(65537, 2048)
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ROOT.certificate.subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True
        )
        .sign(ROOT.key, hashes.SHA256())
    )
    with pytest.raises(PermissionDenied, match="expected a certificate of an EC key"):
        _certificates.signing_key(certificate)
    weak = issue("signer", ROOT, curve=ec.SECP256K1())
    with pytest.raises(PermissionDenied, match="expected a certificate of an EC key"):
        _certificates.signing_key(weak.certificate)
