"""Signatures: model-signing's own command agrees, only the trusted signer counts, and only for just these files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from signed_packages import bundle_of, make, policy, statement_of, write_bundle

from maas_engine.errors import FormatError, InvalidArgument, NotFound, PermissionDenied
from maas_engine.package import (
    MasterKey,
    Policy,
    encrypt,
    generate_signing_key,
    open_package,
    rotate,
    sign,
    verify_signature,
)

OLD, NEW = MasterKey(bytes(32)), MasterKey(bytes([1]) * 32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "w")
    return tmp_path / "w"


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# --- agreement with model-signing ------------------------------------------------------------------------


def test_own_command_verifies_our_packages(work: Path) -> None:
    signed = work / "signed"
    found = model_signing(
        "verify", "key", signed, "--signature", signed / "model.sig", "--public_key", work / "key.pub"
    )
    assert (found.returncode, found.stdout) == (0, "Verification succeeded\n"), found.stderr
    (signed / "model.onnx").write_bytes((signed / "model.onnx").read_bytes() + b"\0")
    found = model_signing(
        "verify", "key", signed, "--signature", signed / "model.sig", "--public_key", work / "key.pub"
    )
    assert found.returncode == 1
    assert "Hash mismatch" in found.stderr
    assert "model.onnx" in found.stderr


def test_own_command_verifies_encrypted_packages_after_rotation(work: Path) -> None:
    folder = work / "plain"
    encrypt(folder, OLD)
    sign(folder, work / "key")
    rotate(folder, OLD, NEW)
    found = model_signing(
        "verify", "key", folder, "--signature", folder / "model.sig", "--public_key", work / "key.pub"
    )
    assert (found.returncode, found.stdout) == (0, "Verification succeeded\n"), found.stderr
    assert open_package(folder, Policy(public_key=work / "key.pub", master_key=NEW)).signed
    verify_signature(folder, policy(work))  # without a master key


def test_we_verify_what_the_own_command_signed(work: Path) -> None:
    folder = work / "plain"
    found = model_signing(
        "sign", "key", folder, "--signature", folder / "model.sig", "--private_key", work / "key"
    )
    assert found.returncode == 0, found.stderr
    assert open_package(folder, policy(work)).signed


def test_signing_is_silent(
    work: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    sign(work / "plain", work / "key")
    verify_signature(work / "plain", policy(work))
    with pytest.raises(PermissionDenied):
        open_package(work / "plain", Policy(public_key=generate_signing_key(work / "other")))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_verifying_loads_no_signing_tool(work: Path) -> None:
    code = (
        "import sys; from maas_engine.package import Policy, open_package\n"
        "open_package(sys.argv[1], Policy()); assert 'cryptography' not in sys.modules\n"
        "open_package(sys.argv[1], Policy(public_key=sys.argv[2]))\n"
        "assert not {'model_signing', 'sigstore', 'requests', 'OpenSSL', 'zstandard'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, work / "signed", work / "key.pub"], check=True)


def test_without_the_extra(work: Path) -> None:
    """A plain package needs none of it; what does says what to install."""
    encrypt(work / "plain", OLD)
    code = """
import sys
for name in ("cryptography", "zstandard", "model_signing"):
    sys.modules[name] = None
from maas_engine.errors import Unsupported
from maas_engine.package import MasterKey, Policy, encrypt, generate_signing_key, open_package, sign
signed, encrypted, key = sys.argv[1:]
open_package(signed, Policy(master_key=MasterKey(bytes(32))))
for call in (
    lambda: Policy(public_key=key + ".pub"),
    lambda: Policy(certificates=key),
    lambda: open_package(encrypted, Policy(master_key=bytes(32))),
    lambda: encrypt(signed, bytes(32)),
    lambda: sign(signed, key),
    lambda: generate_signing_key(key + "2"),
):
    try:
        call()
        raise SystemExit("went through")
    except Unsupported as error:
        assert "pip install 'maas_engine[registry]'" in str(error), error
"""
    subprocess.run([sys.executable, "-c", code, work / "signed", work / "plain", work / "key"], check=True)


# --- who signed ------------------------------------------------------------------------------------------


def test_signed_package_opens(work: Path) -> None:
    opened = open_package(work / "signed", policy(work))
    assert (opened.signed, opened.encrypted) == (True, False)
    assert "model.sig" in opened.files()
    assert not open_package(work / "signed", Policy()).signed  # nobody was asked
    names = {each["name"] for each in statement_of(work / "signed")["predicate"]["resources"]}
    assert names == {*opened.manifest.files, "manifest.json"}


def test_downgrade_to_unsigned_is_refused(work: Path) -> None:
    with pytest.raises(
        PermissionDenied, match=r"^\[package\] 'model\.sig': expected a signature, .*, got none"
    ):
        open_package(work / "plain", policy(work))
    with pytest.raises(PermissionDenied, match="got none"):
        verify_signature(work / "plain", policy(work))
    with pytest.raises(InvalidArgument, match="expected a policy with a public key or certificates"):
        verify_signature(work / "signed", Policy())
    (work / "signed" / "model.sig").write_bytes(b"")
    with pytest.raises(FormatError, match=r"^\[package\] 'model\.sig': "):
        open_package(work / "signed", policy(work))


def test_another_key_of_the_same_kind_is_refused(work: Path) -> None:
    other = generate_signing_key(work / "other")
    with pytest.raises(
        PermissionDenied, match=r"'model\.sig': expected a signature by the signer whom the policy trusts"
    ):
        open_package(work / "signed", Policy(public_key=other))
    # Nor does it help to name the trusted key in the bundle, or to bring one's own.
    trusted = bundle_of(work / "signed")["verificationMaterial"]
    sign(work / "signed", work / "other")
    assert bundle_of(work / "signed")["verificationMaterial"] != trusted
    for material in (trusted, {"publicKey": {"rawBytes": other.read_text()}}, {}):
        write_bundle(work / "signed", {**bundle_of(work / "signed"), "verificationMaterial": material})
        with pytest.raises(PermissionDenied, match="whom the policy trusts"):
            open_package(work / "signed", policy(work))


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda each: each.name
)
def test_curves(work: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    (work / "k").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (work / "k").chmod(0o600)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sign(work / "plain", work / "k")
    assert open_package(work / "plain", Policy(public_key=public)).signed


def test_resigning_replaces(work: Path) -> None:
    other = generate_signing_key(work / "other")
    sign(work / "signed", work / "other")
    assert open_package(work / "signed", Policy(public_key=other)).signed
    with pytest.raises(PermissionDenied):
        open_package(work / "signed", policy(work))


# --- folders and keys that do not sign -------------------------------------------------------------------


def test_a_link_for_a_signature_or_a_file(work: Path) -> None:
    for name in ("model.sig", "model.onnx"):
        shutil.copytree(work / "signed", work / f"linked-{name}")
        path = work / f"linked-{name}" / name
        path.unlink()
        path.symlink_to(work / "signed" / name)
        with pytest.raises(FormatError, match=rf"'{name}': expected a regular file, got a link"):
            open_package(work / f"linked-{name}", policy(work))
        with pytest.raises(FormatError, match="got a link"):
            sign(work / f"linked-{name}", work / "key")


def test_only_whole_packages_are_signed(work: Path) -> None:
    before = sorted(path.name for path in work.iterdir())
    (work / "plain" / "extra").write_bytes(b"")
    with pytest.raises(FormatError, match="'extra': expected only files"):
        sign(work / "plain", work / "key")
    (work / "plain" / "extra").unlink()
    data = (work / "plain" / "model.onnx").read_bytes()
    (work / "plain" / "model.onnx").write_bytes(data[:-1] + b"\0")
    with pytest.raises(FormatError, match=r"'model\.onnx': expected sha256"):
        sign(work / "plain", work / "key")
    assert not (work / "plain" / "model.sig").exists()
    with pytest.raises(NotFound):
        sign(work / "none", work / "key")
    assert sorted(path.name for path in work.iterdir()) == before


def private(key: Any, password: bytes | None = None) -> bytes:
    how = (
        serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password)
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)  # type: ignore[no-any-return]


def test_keys_that_do_not_sign(work: Path) -> None:
    bad = {
        "public": (work / "key.pub").read_bytes(),
        "ed25519": private(ed25519.Ed25519PrivateKey.generate()),
        "curve": private(ec.generate_private_key(ec.SECP256K1())),
        "locked": private(ec.generate_private_key(ec.SECP256R1()), b"secret"),
        "empty": b"",
    }
    for name, text in bad.items():
        (work / name).write_bytes(text)
        (work / name).chmod(0o600)
        with pytest.raises(
            InvalidArgument, match=rf"^\[keys\] expected (an EC|the pass) ?.*{name}'"
        ) as caught:
            sign(work / "plain", work / name)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(NotFound, match="got no file"):
        sign(work / "plain", work / "none")
    assert not (work / "plain" / "model.sig").exists()


def test_private_key_that_others_read_warns(work: Path) -> None:
    (work / "key").chmod(0o604)
    with pytest.warns(UserWarning, match="other users may read"):
        sign(work / "plain", work / "key")


def test_a_file_changed_while_it_is_signed(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maas_engine.package import _signing

    honest = _signing._bundle

    def changed(folder: Path, *rest: Any) -> bytes:
        os.replace(work / "signed" / "card.cdx.json", folder / "model.onnx")
        return honest(folder, *rest)

    monkeypatch.setattr(_signing, "_bundle", changed)
    with pytest.raises(FormatError, match="nobody changes while they are signed"):
        sign(work / "plain", work / "key")
    assert not (work / "plain" / "model.sig").exists()
