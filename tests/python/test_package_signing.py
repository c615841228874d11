"""Signatures: model-signing's own command agrees, only the trusted signer counts, and only for just these files."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from small_models import linear

from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound, PermissionDenied
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
    """A folder with a package, a signing key, and a copy of the package signed with it."""
    root = tmp_path_factory.mktemp("made")
    linear().package(root / "plain")
    generate_signing_key(root / "key")
    shutil.copytree(root / "plain", root / "signed")
    sign(root / "signed", root / "key")
    return root


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "w")
    return tmp_path / "w"


def policy(root: Path, name: str = "key.pub") -> Policy:
    return Policy(public_key=root / name)


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


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


def test_own_command_verifies_encrypted_packages_before_and_after_rotation(work: Path) -> None:
    folder = work / "plain"
    encrypt(folder, OLD)
    sign(folder, work / "key")
    for _ in range(2):
        found = model_signing(
            "verify", "key", folder, "--signature", folder / "model.sig", "--public_key", work / "key.pub"
        )
        assert (found.returncode, found.stdout) == (0, "Verification succeeded\n"), found.stderr
        rotate(folder, OLD, NEW)
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


# --- what was signed -------------------------------------------------------------------------------------


def test_signature_of_another_package_is_refused(work: Path) -> None:
    linear().package(work / "second", description="another")
    sign(work / "second", work / "key")
    shutil.copy(work / "second" / "model.sig", work / "signed" / "model.sig")
    with pytest.raises(PermissionDenied, match=r"^\[package\] '[a-z.]+': expected the file that was signed"):
        open_package(work / "signed", policy(work))


def test_rolled_back_or_forged_manifest_is_refused(work: Path) -> None:
    """A package whose manifest fits its files, but is not the one that was signed."""
    linear().package(work / "second", metrics={"auc": 1.0})
    shutil.copy(work / "signed" / "model.sig", work / "second" / "model.sig")
    open_package(work / "second", Policy())
    with pytest.raises(
        PermissionDenied, match=r"'(card\.cdx|manifest)\.json': expected the file that was signed"
    ):
        open_package(work / "second", policy(work))


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "golden.safetensors", "card.cdx.json"])
def test_a_changed_file_is_named(work: Path, name: str) -> None:
    path = work / "signed" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(MaasError, match=rf"^\[package\] '{name}': expected"):
        open_package(work / "signed", policy(work))
    with pytest.raises(MaasError, match=rf"^\[package\] '{name}': expected"):
        verify_signature(work / "signed", policy(work))


def test_added_and_removed_files(work: Path) -> None:
    (work / "signed" / "profile.safetensors").write_bytes(b"")
    for check in (open_package, verify_signature):
        with pytest.raises(FormatError, match=r"'profile\.safetensors': expected only files"):
            check(work / "signed", policy(work))
    (work / "signed" / "profile.safetensors").unlink()
    (work / "signed" / "card.cdx.json").unlink()
    for check in (open_package, verify_signature):
        with pytest.raises(MaasError, match=r"'card\.cdx\.json': expected"):
            check(work / "signed", policy(work))


@pytest.mark.parametrize("change", ["drop", "add", "rename", "digest", "nothing"])
def test_a_signed_statement_must_list_just_these_files(work: Path, change: str) -> None:
    """Even under a good signature: one that leaves a file out, as ignored paths do, does not cover the package."""
    folder = work / "signed"
    statement = statement_of(folder)
    resources = statement["predicate"]["resources"]
    if change == "drop":
        resources[:] = [each for each in resources if each["name"] != "model.onnx"]
        statement["predicate"]["serialization"]["ignore_paths"].append("model.onnx")
    elif change == "add":
        resources.append({**resources[0], "name": "weights.bin"})
    elif change == "rename":
        resources[0]["name"] = "sub/../" + resources[0]["name"]
    elif change == "digest":
        resources[0]["digest"] = "0" * 64
    root = hashlib.sha256(b"".join(bytes.fromhex(each["digest"]) for each in resources)).hexdigest()
    statement["subject"][0]["digest"]["sha256"] = root
    signed_by_hand(folder, work / "key", json.dumps(statement).encode())
    if change == "nothing":
        open_package(folder, policy(work))
        return
    with pytest.raises(PermissionDenied, match="expected (the|a) file that was signed"):
        open_package(folder, policy(work))


BROKEN: list[tuple[str, Any]] = [
    ("_type", "https://in-toto.io/Statement/v0.1"),
    ("predicateType", "https://model_signing/Digests/v0.1"),  # model-signing 0.2: without a root digest
    ("predicate", None),
    ("predicate", {"serialization": {"method": "shards"}, "resources": []}),
    ("predicate", {"serialization": {"method": "files"}, "resources": {}}),
    ("predicate", {"serialization": {"method": "files"}, "resources": [3]}),
    ("predicate", {"serialization": {"method": "files"}, "resources": [{"name": 1, "algorithm": "sha256"}]}),
    ("subject", []),
    ("subject", [{"name": "x", "digest": {"sha256": "0" * 64}}]),
    ("subject", [{"name": "x", "digest": None}]),
]


@pytest.mark.parametrize(("key", "value"), BROKEN)
def test_broken_statements_under_a_good_signature(work: Path, key: str, value: Any) -> None:
    signed_by_hand(
        work / "signed", work / "key", json.dumps({**statement_of(work / "signed"), key: value}).encode()
    )
    with pytest.raises(FormatError, match=r"^\[package\] 'model\.sig': expected"):
        open_package(work / "signed", policy(work))


def test_resources_twice_or_by_another_hash(work: Path) -> None:
    for change in ("twice", "algorithm"):
        statement = statement_of(work / "signed")
        resources = statement["predicate"]["resources"]
        if change == "twice":
            resources.append(resources[0])
        else:
            resources[0]["algorithm"] = "blake3"
        signed_by_hand(work / "signed", work / "key", json.dumps(statement).encode())
        with pytest.raises(FormatError, match="expected each file once, by its SHA-256"):
            open_package(work / "signed", policy(work))
        sign(work / "signed", work / "key")


@pytest.mark.parametrize(
    "data",
    [
        b"{}", b"[]", b"null", b"{", b"\xff\xfe", b'{"mediaType": 1}', b"[" * 100000, b'{"a":1,"a":2}', b"\0" * 100,
        b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
        b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payloadType":'
        b'"application/vnd.in-toto+json","signatures":[{}],"payload":"e30="},"verificationMaterial":{}}',
        b"x" * (5 * 2**20),
    ],
)  # fmt: skip
def test_broken_bundles(work: Path, data: bytes) -> None:
    (work / "signed" / "model.sig").write_bytes(data)
    with pytest.raises(FormatError, match=r"^\[package\] 'model\.sig': expected"):
        open_package(work / "signed", policy(work))


def test_each_bit_of_the_signature_counts(work: Path) -> None:
    folder = work / "signed"
    before = bundle_of(folder)
    for part, count in (("payload", 20), ("signatures", 20)):
        for step in range(count):
            bundle = json.loads(json.dumps(before))
            holder = bundle["dsseEnvelope"] if part == "payload" else bundle["dsseEnvelope"]["signatures"][0]
            key = "payload" if part == "payload" else "sig"
            raw = bytearray(base64.b64decode(holder[key]))
            raw[step * len(raw) // count] ^= 1 << step % 8
            holder[key] = base64.b64encode(raw).decode()
            write_bundle(folder, bundle)
            with pytest.raises(PermissionDenied, match="whom the policy trusts"):
                open_package(folder, policy(work))
    for kind in ("application/json", "application/vnd.in-toto+json "):
        bundle = json.loads(json.dumps(before))
        bundle["dsseEnvelope"]["payloadType"] = kind
        write_bundle(folder, bundle)
        with pytest.raises(FormatError, match="one signed in-toto statement"):
            open_package(folder, policy(work))


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
        with pytest.raises(InvalidArgument, match=rf"^\[keys\] expected an EC .*{name}'") as caught:
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
