"""Encrypted packages that were changed, cut, swapped or put together of others: refused, naming the file."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_packages import policy as signers
from small_models import linear, rows

from maas_engine.errors import FormatError, MaasError, PermissionDenied
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

KEY, NEW = MasterKey(bytes([1]) * 32), MasterKey(bytes([2]) * 32)
OPENS = Policy(master_key=KEY)


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
    for path in (work / "again").iterdir():
        shutil.copy(path, work / "a" / path.name)
    assert open_package(work / "a", OPENS).encrypted
    both = Policy(public_key=signers(work).public_key, master_key=KEY)
    refused(work / "a", r"\.enc': expected the file that was signed", both)
    with pytest.raises(PermissionDenied, match=r"\.enc': expected the file that was signed"):
        verify_signature(work / "a", signers(work))  # which needs no master key


NAMES = [
    "model.onnx.enc",
    "golden.safetensors.enc",
    "profile.safetensors.enc",
    "card.cdx.json.enc",
    "encryption.json",
]
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
