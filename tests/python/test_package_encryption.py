"""Encrypted packages: what was encrypted comes back, and nothing that was changed, moved or under another key does."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_models import linear, rows

import maas_engine
from maas_engine.errors import FormatError, InvalidArgument, NotFound, PermissionDenied
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
