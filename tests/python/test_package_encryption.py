"""Encrypted packages: what was encrypted comes back, and nothing that was changed, moved or under another key does."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_packages import policy as signers
from small_models import linear, rows

import maas_engine
from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound, PermissionDenied
from maas_engine.graph import GraphBuilder
from maas_engine.package import (
    MasterKey,
    Policy,
    decrypt,
    encrypt,
    generate_signing_key,
    open_package,
    rotate,
    sign,
)

KEY, NEW, THIRD = (MasterKey(bytes([i]) * 32) for i in (1, 2, 3))
OPENS = Policy(master_key=KEY)


def big(megabytes: float) -> maas_engine.Model:
    """A model whose weights do not compress."""
    builder = GraphBuilder("big")
    columns = int(megabytes * 2**20 / 4 / 64)
    x = builder.input("X", np.float32, (None, columns))
    weights = np.random.default_rng(1).normal(size=(columns, 64)).astype(np.float32)
    total = builder.add(
        "ReduceSum", builder.add("MatMul", x, builder.constant(weights)), builder.constant([1]), keepdims=0
    )
    builder.output(total)
    return maas_engine.Model(builder.build({"maas_engine.predict": total}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    for name, text in (("a", ""), ("b", "another")):
        linear().package(root / name, description=text, X_reference=rows(30))
    shutil.copytree(root / "a", root / "plain")
    encrypt(root / "a", KEY)
    encrypt(root / "b", KEY)
    return root


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "w")
    return tmp_path / "w"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(folder: Path, match: str, policy: Policy = OPENS) -> None:
    with pytest.raises((PermissionDenied, FormatError), match=rf"^\[package\] '.*{match}") as caught:
        open_package(folder, policy)
    assert type(caught.value) in (PermissionDenied, FormatError)


# --- there and back --------------------------------------------------------------------------------------


def test_encrypted_package_opens(work: Path) -> None:
    plain, found = open_package(work / "plain", Policy()), open_package(work / "a", OPENS)
    assert (found.encrypted, found.signed) == (True, False)
    assert found.digest == plain.digest
    assert found.manifest == plain.manifest
    assert found.model().predict(rows(9)).tobytes() == plain.model().predict(rows(9)).tobytes()
    names = {f"{name}.enc" for name in plain.manifest.files} | {"manifest.json", "encryption.json"}
    assert set(found.files()) == names == set(content(work / "a"))
    for name, data in content(work / "plain").items():  # nothing of the files lies open but the manifest
        if name != "manifest.json":
            assert all(data[:40] not in other for other in content(work / "a").values())


def test_load_by_the_environment(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        PermissionDenied, match=r"'encryption\.json': expected a master key to decrypt with, got none"
    ):
        maas_engine.load(work / "a")
    monkeypatch.setenv("MAAS_MASTER_KEY", base64.b64encode(bytes([1]) * 32).decode())
    assert maas_engine.load(work / "a").predict(rows(3)).shape == (3,)
    monkeypatch.setenv("MAAS_MASTER_KEY", (bytes([9]) * 32).hex())
    with pytest.raises(PermissionDenied, match=f"expected the master key {KEY.id}, got"):
        maas_engine.load(work / "a")


def test_decrypted_it_is_what_it_was(work: Path) -> None:
    before = content(work / "plain")
    decrypt(work / "a", KEY)
    assert content(work / "a") == before
    encrypt(work / "a", bytes([2]) * 32)
    assert open_package(work / "a", Policy(master_key=NEW)).encrypted


def test_permissions_stay(work: Path) -> None:
    (work / "plain").chmod(0o750)
    encrypt(work / "plain", KEY)
    assert (work / "plain").stat().st_mode & 0o777 == 0o750


def test_two_encryptions_share_nothing(work: Path) -> None:
    shutil.copytree(work / "plain", work / "again")
    encrypt(work / "again", KEY)
    one, other = content(work / "a"), content(work / "again")
    assert all(one[name] != other[name] for name in one if name != "manifest.json")
    for name in one.keys() - {"manifest.json"}:
        for path, data in {**one, name: other[name]}.items():
            (work / "again" / path).write_bytes(data)
        refused(work / "again", r"\.enc': expected chunk 1")


def test_five_megabytes(tmp_path: Path) -> None:
    model = big(5)
    model.package(tmp_path / "p", X_reference=np.ones((4, model.schema.inputs[0].shape[1]), np.float32))
    before = content(tmp_path / "p")
    encrypt(tmp_path / "p", KEY)
    after = content(tmp_path / "p")
    size = len(before["model.onnx"])
    assert len(after["model.onnx.enc"]) == 16 + size + 16 * -(-size // 2**20)  # 6 chunks, not compressed
    assert len(after["card.cdx.json.enc"]) < len(before["card.cdx.json"])
    X = np.ones((4, model.schema.inputs[0].shape[1]), np.float32)
    assert open_package(tmp_path / "p", OPENS).model().predict(X).tobytes() == model.predict(X).tobytes()
    path = tmp_path / "p" / "model.onnx.enc"
    step = 2**20 + 16
    for edge in range(16, len(after["model.onnx.enc"]), step):
        path.write_bytes(after["model.onnx.enc"][:edge])
        refused(tmp_path / "p", r"model\.onnx\.enc': expected")
    swapped = bytearray(after["model.onnx.enc"])
    swapped[16 : 16 + step], swapped[16 + step : 16 + 2 * step] = (
        swapped[16 + step : 16 + 2 * step],
        swapped[16 : 16 + step],
    )
    path.write_bytes(swapped)
    refused(tmp_path / "p", r"model\.onnx\.enc': expected chunk 1 of 6")
    decrypt_fails_and_changes_nothing(tmp_path / "p")


def decrypt_fails_and_changes_nothing(folder: Path) -> None:
    before = content(folder)
    with pytest.raises((PermissionDenied, FormatError)):
        decrypt(folder, KEY)
    assert content(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


# --- keys ------------------------------------------------------------------------------------------------


def test_wrong_key(work: Path) -> None:
    refused(
        work / "a",
        rf"encryption\.json': expected the master key {KEY.id}, got {NEW.id}",
        Policy(master_key=NEW),
    )
    for wrong in (NEW, lambda id: bytes(32)):
        with pytest.raises(PermissionDenied, match=r"'encryption\.json': expected"):
            decrypt(work / "a", wrong)
        with pytest.raises(PermissionDenied, match=r"'encryption\.json': expected"):
            rotate(work / "a", wrong, THIRD)
    # One that claims the id, as a key service gone wrong would.
    lying = Policy(master_key=MasterKey(lambda id: bytes(32)))
    refused(
        work / "a",
        r"encryption\.json': expected a data key wrapped for this package by this master key",
        lying,
    )
    assert open_package(work / "a", OPENS).encrypted


def test_key_service(work: Path) -> None:
    keys, asked = {"arn:aws:kms:eu-1:1/key-7": bytes([7]) * 32}, []

    def service(id: str) -> bytes:
        asked.append(id)
        return keys[id]

    encrypt(work / "plain", MasterKey(service, id="arn:aws:kms:eu-1:1/key-7"))
    assert json.loads((work / "plain" / "encryption.json").read_text())["key"] == "arn:aws:kms:eu-1:1/key-7"
    assert open_package(work / "plain", Policy(master_key=service)).encrypted
    assert set(asked) == {"arn:aws:kms:eu-1:1/key-7"}
    rotate(work / "plain", service, KEY)
    assert open_package(work / "plain", OPENS).encrypted
    refused(
        work / "plain",
        rf"encryption\.json': expected a master key {KEY.id}, got none",
        Policy(master_key=service),
    )
    with pytest.raises(InvalidArgument, match="got no id"):
        rotate(work / "plain", KEY, service)


def test_two_rotations(work: Path) -> None:
    before = content(work / "a")
    rotate(work / "a", KEY, NEW)
    middle = content(work / "a")
    rotate(work / "a", NEW, THIRD)
    after = content(work / "a")
    for key in (KEY, NEW):
        refused(work / "a", "expected the master key", Policy(master_key=key))
    assert open_package(work / "a", Policy(master_key=THIRD)).encrypted
    for files in (middle, after):
        assert {name for name in before if files[name] != before[name]} == {"encryption.json"}
    rotate(work / "a", NEW, THIRD)  # done already
    assert content(work / "a") == after
    with pytest.raises(PermissionDenied, match=f"expected the master key {THIRD.id}, got {KEY.id}"):
        rotate(work / "a", KEY, NEW)
    rotate(work / "a", THIRD, KEY)
    assert open_package(work / "a", OPENS).encrypted


def test_rotation_keeps_a_signature(work: Path) -> None:
    generate_signing_key(work / "key")
    sign(work / "a", work / "key")
    rotate(work / "a", KEY, NEW)
    found = open_package(work / "a", Policy(public_key=work / "key.pub", master_key=NEW))
    assert (found.signed, found.encrypted) == (True, True)


# --- order and states ------------------------------------------------------------------------------------


def test_what_cannot_be_encrypted_or_decrypted(work: Path) -> None:
    with pytest.raises(InvalidArgument, match="expected a package to encrypt, got an encrypted one"):
        encrypt(work / "a", KEY)
    for wrong in (decrypt, lambda folder, key: rotate(folder, key, NEW)):
        with pytest.raises(InvalidArgument, match="expected an encrypted package, got one that is not"):
            wrong(work / "plain", KEY)
        with pytest.raises(NotFound):
            wrong(work / "none", KEY)
    with pytest.raises(NotFound):
        encrypt(work / "none", KEY)
    generate_signing_key(work / "key")
    for folder, change in (("plain", encrypt), ("a", decrypt)):
        sign(work / folder, work / "key")
        before = content(work / folder)
        with pytest.raises(InvalidArgument, match=r"'model\.sig': expected no signature, got one"):
            change(work / folder, KEY)
        assert content(work / folder) == before


def test_a_package_that_is_not_whole_is_not_encrypted(work: Path) -> None:
    path = work / "plain" / "golden.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    before, beside = content(work / "plain"), sorted(work.iterdir())
    with pytest.raises(FormatError, match=r"'golden\.safetensors': expected sha256"):
        encrypt(work / "plain", KEY)
    assert content(work / "plain") == before
    assert sorted(work.iterdir()) == beside


# --- changed and moved -----------------------------------------------------------------------------------


def test_files_swapped_within_a_package(work: Path) -> None:
    a, b = work / "a" / "card.cdx.json.enc", work / "a" / "golden.safetensors.enc"
    one, other = a.read_bytes(), b.read_bytes()
    a.write_bytes(other)
    b.write_bytes(one)
    refused(work / "a", r"\.enc': expected")


@pytest.mark.parametrize(
    "name", ["model.onnx.enc", "golden.safetensors.enc", "card.cdx.json.enc", "encryption.json"]
)
def test_files_swapped_between_packages(work: Path, name: str) -> None:
    """Even of the same content: the model is the same in both, under the same master key."""
    shutil.copy(work / "b" / name, work / "a" / name)
    refused(work / "a", rf"{name}': expected")


def test_a_whole_other_package_under_this_manifest(work: Path) -> None:
    shutil.copy(work / "a" / "manifest.json", work / "b" / "manifest.json")
    refused(work / "b", r"encryption\.json': expected a data key wrapped for this package")


def test_plain_files_beside_or_instead(work: Path) -> None:
    shutil.copy(work / "plain" / "model.onnx", work / "a" / "model.onnx")
    refused(work / "a", r"model\.onnx': expected only files")
    (work / "a" / "model.onnx.enc").unlink()
    with pytest.raises(MaasError, match=r"'model\.onnx\.enc': expected a file"):
        open_package(work / "a", OPENS)
    (work / "plain" / "encryption.json").write_bytes((work / "a" / "encryption.json").read_bytes())
    with pytest.raises(MaasError, match=r"\.enc': expected a file"):
        open_package(work / "plain", OPENS)


def test_signed_ciphertext_counts(work: Path) -> None:
    """Who knows the data key can write other files that decrypt well; not under a signature."""
    shutil.copytree(work / "plain", work / "again")
    encrypt(work / "again", KEY)
    generate_signing_key(work / "key")
    sign(work / "a", work / "key")
    for name in ("model.onnx.enc", "golden.safetensors.enc", "card.cdx.json.enc", "encryption.json"):
        shutil.copy(work / "again" / name, work / "a" / name)
    assert open_package(work / "a", OPENS).encrypted
    both = Policy(public_key=signers(work).public_key, master_key=KEY)
    refused(work / "a", r"\.enc': expected the file that was signed", both)


NAMES = ["model.onnx.enc", "golden.safetensors.enc", "card.cdx.json.enc", "encryption.json"]
PLACES = st.tuples(st.sampled_from(NAMES), st.integers(0, 10**6), st.integers(0, 7))


@settings(max_examples=200, deadline=None)
@given(place=PLACES)
def test_no_bit_can_change(made: Path, place: tuple[str, int, int]) -> None:
    name, where, bit = place
    before = (made / "a" / name).read_bytes()
    changed = bytearray(before)
    changed[where % len(changed)] ^= 1 << bit
    try:
        (made / "a" / name).write_bytes(changed)
        refused(made / "a", "expected")
    finally:
        (made / "a" / name).write_bytes(before)


@settings(max_examples=100, deadline=None)
@given(place=PLACES)
def test_no_byte_can_go_or_come(made: Path, place: tuple[str, int, int]) -> None:
    name, where, kind = place
    before = (made / "a" / name).read_bytes()
    where %= len(before)
    changed = [
        before[:where],
        before[where:],
        before[:where] + before[where + 1 :],
        before[:where] + b"\0" + before[where:],
    ]
    if changed[kind % 4] == before:
        return
    try:
        (made / "a" / name).write_bytes(changed[kind % 4])
        refused(made / "a", "expected")
    finally:
        (made / "a" / name).write_bytes(before)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(version=2), lambda e: e.update(version=True), lambda e: e.update(version=1.5),
        lambda e: e.update(key=3), lambda e: e.update(key="a b"), lambda e: e.update(key=""),
        lambda e: e.update(key="é"),
        lambda e: e.update(data_key=3), lambda e: e.update(data_key="!"), lambda e: e.update(data_key=""),
        lambda e: e.update(data_key="AAAA"), lambda e: e.update(more=1), lambda e: e.pop("version"),
        lambda e: e.pop("key"), lambda e: e.pop("data_key"), lambda e: e.update(key="x" * 5000),
    ],
)  # fmt: skip
def test_other_documents(work: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = work / "a" / "encryption.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True))
    with pytest.raises(FormatError, match=r"^\[package\] 'encryption\.json': expected"):
        open_package(work / "a", Policy(master_key=lambda id: bytes([1]) * 32))


@pytest.mark.parametrize(
    "text", [b"", b"null", b"[]", b"{", b"[" * 4000, b"\xff", b'{"a":1,"a":1}', b" " * 5000]
)
def test_other_texts(work: Path, text: bytes) -> None:
    (work / "a" / "encryption.json").write_bytes(text)
    for check in (lambda: open_package(work / "a", OPENS), lambda: rotate(work / "a", KEY, NEW)):
        with pytest.raises(FormatError, match=r"^\[package\] 'encryption\.json': expected"):
            check()


def test_no_key_in_any_message(work: Path) -> None:
    """Whatever goes wrong, no message, cause or context names a key's bytes."""
    secret = os.urandom(32)
    key = MasterKey(secret)
    encrypt(work / "plain", key)
    folder = work / "plain"
    messages = []
    for name in content(folder):
        before = (folder / name).read_bytes()
        for changed in (before[:-1], b"", before[: len(before) // 2] + b"~" + before[len(before) // 2 + 1 :]):
            (folder / name).write_bytes(changed)
            for policy in (Policy(master_key=key), Policy(master_key=NEW), Policy()):
                with pytest.raises(MaasError) as caught:
                    open_package(folder, policy)
                messages.append(repr(caught.value) + str(policy) + repr(policy))
        (folder / name).write_bytes(before)
    assert len(messages) > 30
    for shown in (secret.hex(), base64.b64encode(secret).decode()[:-2], repr(secret)[2:20]):
        assert not any(shown in message for message in messages)
