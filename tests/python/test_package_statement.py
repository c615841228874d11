"""What a signature covers: just the files of the manifest and the manifest, or the package does not open."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from signed_packages import bundle_of, make, policy, signed_by_hand, statement_of, write_bundle
from small_models import linear

from maas_engine.errors import FormatError, MaasError, PermissionDenied
from maas_engine.package import Policy, open_package, sign, verify_signature


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "w")
    return tmp_path / "w"


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
    with pytest.raises(PermissionDenied, match=r"expected (the|a) file that was signed"):
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


def test_nothing_around_a_good_signature_is_waved_through(work: Path) -> None:
    folder = work / "signed"
    before = bundle_of(folder)
    envelope = before["dsseEnvelope"]
    twice = {**before, "dsseEnvelope": {**envelope, "signatures": envelope["signatures"] * 2}}
    for other in ({**before, "mediaType": before["mediaType"].replace("0.3", "0.2")}, twice):
        write_bundle(folder, other)
        with pytest.raises(FormatError, match=r"^\[package\] 'model\.sig': expected"):
            open_package(folder, policy(work))
    write_bundle(folder, before)
    statement = statement_of(folder)
    statement["predicate"]["serialization"]["method"] = "shards"
    signed_by_hand(folder, work / "key", json.dumps(statement).encode())
    with pytest.raises(FormatError, match="expected whole files signed"):
        open_package(folder, policy(work))


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
