"""Signing keys behind a password, and keys that sign nothing any more."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from registry_models import linear
from small_certificates import CODE_SIGNING, issue

from maas_engine.errors import InvalidArgument, NotFound, PermissionDenied
from maas_engine.package import (
    Policy,
    generate_signing_key,
    key_fingerprint,
    open_package,
    sign,
    verify_signature,
    write,
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write(linear(0), tmp_path / "package").path


# --- passwords -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["secret", "пароль Ω", "a" * 1000])
def test_a_key_behind_a_password_signs(package: Path, tmp_path: Path, password: str) -> None:
    public = generate_signing_key(tmp_path / "key", password)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "key").read_bytes()
    for given in (password, lambda: password):
        sign(package, tmp_path / "key", password=given)
        assert open_package(package, Policy(public_key=public)).signed
        (package / "model.sig").unlink()


def test_openssl_s_own_form_of_an_encrypted_key(package: Path, tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "plain")
    command = [
        "openssl",
        "ec",
        "-in",
        tmp_path / "plain",
        "-aes256",
        "-passout",
        "pass:old",
        "-out",
        tmp_path / "key",
    ]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "key").chmod(0o600)
    assert b"Proc-Type: 4,ENCRYPTED" in (tmp_path / "key").read_bytes()
    sign(package, tmp_path / "key", password="old")
    verify_signature(package, Policy(public_key=tmp_path / "plain.pub"))


def test_wrong_passwords(package: Path, tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "key", "secret")
    with pytest.raises(InvalidArgument, match=r"expected the password of '.*key', which is encrypted"):
        sign(package, tmp_path / "key")
    for wrong in ("", "Secret", "secret "):
        with pytest.raises(InvalidArgument, match="and its password, got something else") as caught:
            sign(package, tmp_path / "key", password=wrong)
        assert caught.value.__cause__ is None
    with pytest.raises(InvalidArgument, match="empty"):
        generate_signing_key(tmp_path / "other", "")
    assert not (tmp_path / "other").exists()
    assert not (package / "model.sig").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_plain_key_asks_for_none(package: Path, tmp_path: Path) -> None:
    def never() -> str:
        raise AssertionError

    generate_signing_key(tmp_path / "key")
    sign(package, tmp_path / "key", password=never)
    sign(package, tmp_path / "key", password="not needed")
    verify_signature(package, Policy(public_key=tmp_path / "key.pub"))


def test_no_password_beside_certificates(package: Path, tmp_path: Path) -> None:
    signer = issue("signer", issue("root", authority=True), purposes=[CODE_SIGNING])
    private = signer.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_bytes(private)
    (tmp_path / "certificate").write_bytes(signer.pem)
    with pytest.raises(InvalidArgument, match="not encrypted beside certificates"):
        sign(package, tmp_path / "key", tmp_path / "certificate", password="secret")


# --- revoked keys ----------------------------------------------------------------------------------------


def test_a_fingerprint_is_what_openssl_says(tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "key")
    command = ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"]
    der = subprocess.run(command, check=True, capture_output=True).stdout
    assert key_fingerprint(public) == hashlib.sha256(der).hexdigest()
    with pytest.raises(InvalidArgument):
        key_fingerprint(tmp_path / "key")
    with pytest.raises(NotFound):
        key_fingerprint(tmp_path / "none")


def test_a_revoked_key_is_no_policys_key(tmp_path: Path) -> None:
    public, other = generate_signing_key(tmp_path / "key"), generate_signing_key(tmp_path / "other")
    gone = key_fingerprint(public)
    spread = ":".join(gone[i : i + 2] for i in range(0, 64, 2)).upper()
    for revoked in (gone, [gone], [key_fingerprint(other), spread], ["# leaked", f" {gone}  # in May", ""]):
        with pytest.raises(InvalidArgument, match="not revoked"):
            Policy(public_key=public, revoked=revoked)
    policy = Policy(public_key=public, revoked=key_fingerprint(other))
    assert policy.revoked_keys == {key_fingerprint(other)}
    assert "revoked=1" in repr(policy)
    for text in ("f" * 63, "g" * 64, "f" * 65, str(public)):
        with pytest.raises(InvalidArgument, match="64 hexadecimal digits"):
            Policy(revoked=text)


@pytest.mark.parametrize("leaked", ["root", "between", "signer", "none"])
def test_a_revoked_key_anywhere_in_a_chain(package: Path, tmp_path: Path, leaked: str) -> None:
    root = issue("root", authority=True)
    between = issue("between", root, authority=True)
    signer = issue("signer", between, purposes=[CODE_SIGNING])
    signer.write_key(tmp_path / "key")
    (tmp_path / "chain").write_bytes(signer.pem + between.pem)
    sign(package, tmp_path / "key", tmp_path / "chain")
    (tmp_path / "root").write_bytes(root.pem)
    keys = {"root": root, "between": between, "signer": signer, "none": issue("none", authority=True)}
    public = (
        keys[leaked]
        .key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "leaked.pub").write_bytes(public)
    gone = key_fingerprint(tmp_path / "leaked.pub")
    (tmp_path / "revoked").write_text(f"# keys that leaked, {datetime.now(timezone.utc)}\n\n{gone}\n")
    environment = {"MAAS_CERTIFICATES": str(tmp_path / "root")}
    assert open_package(package, Policy.from_environment(environment)).signed
    policy = Policy.from_environment({**environment, "MAAS_REVOKED_KEYS": str(tmp_path / "revoked")})
    if leaked == "none":
        assert open_package(package, policy).signed
    else:
        with pytest.raises(PermissionDenied, match=f"not revoked, got one of key {gone}"):
            open_package(package, policy)


def test_a_list_that_is_lost_is_refused(tmp_path: Path) -> None:
    for value, error in (("", InvalidArgument), (str(tmp_path / "none"), NotFound)):
        with pytest.raises(error):
            Policy.from_environment({"MAAS_REVOKED_KEYS": value})
