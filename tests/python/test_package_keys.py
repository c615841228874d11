"""Keys and policies: their texts, files and environment; no key in any message."""

from __future__ import annotations

import base64
import copy
import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from maas_engine.errors import InvalidArgument, MaasError, NotFound, PermissionDenied
from maas_engine.package._keys import (
    MasterKey,
    generate_master_key,
    generate_signing_key,
    public_key,
    read_key_file,
    to_master_key,
)
from maas_engine.package._policy import Policy

KEY = hashlib.sha256(b"a master key").digest()
ID = hashlib.sha256(KEY).hexdigest()[:16]
TEXTS = [
    KEY.hex(),
    KEY.hex().upper(),
    base64.b64encode(KEY).decode(),
    base64.b64encode(KEY).decode().rstrip("="),
    base64.urlsafe_b64encode(KEY).decode(),
]


def names_of(text: str) -> bool:
    """Whether a message gives a key away, in any of its texts."""
    return any(each[:12].lower() in text.lower() for each in [*TEXTS, repr(KEY)[2:]])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("around", ["{}", " {}\n", "\t{}\r\n"])
def test_texts_of_a_master_key(text: str, around: str) -> None:
    key = MasterKey.from_text(around.format(text))
    assert key == MasterKey(KEY)
    assert key.fetch(ID) == KEY
    assert key.id == ID


@pytest.mark.parametrize(
    "text",
    ["", "=", KEY.hex()[:-2], KEY.hex() + "00", KEY.hex()[:-1] + "g", base64.b64encode(KEY[:-1]).decode(),
     base64.b64encode(KEY + b"1").decode(), base64.b64encode(KEY).decode()[:-2] + "!=", "ü" * 64, "é" * 43,
     " ".join(KEY.hex()), KEY.hex()[:31] + "  " + KEY.hex()[31:62]],
)  # fmt: skip
def test_other_texts_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidArgument, match="expected 32 bytes in hex or base64") as caught:
        MasterKey.from_text(text)
    assert not names_of(str(caught.value))
    assert caught.value.__cause__ is None


def test_master_key_shows_its_id_only() -> None:
    key = MasterKey(KEY)
    policy = Policy(master_key=key)
    assert repr(key) == str(key) == f"MasterKey(id='{ID}')"
    for text in (
        repr(key),
        repr(policy),
        str(policy),
        f"{key!r:>80}",
        repr({"key": key}),
        repr(copy.copy(key)),
    ):
        assert not names_of(text)
        assert ID in text
    with pytest.raises(PermissionDenied, match=f"expected the master key other, got {ID}") as caught:
        key.fetch("other")
    assert not names_of(str(caught.value))
    assert key != MasterKey(bytes(32))
    assert hash(key) == hash(MasterKey(KEY))


@pytest.mark.parametrize("bad", [KEY[:31], KEY + b"1", KEY.hex(), 3, None, memoryview(KEY)[::2]])
def test_bytes_that_are_no_key(bad: object) -> None:
    with pytest.raises(InvalidArgument, match="expected 32 bytes") as caught:
        MasterKey(bad)  # type: ignore[arg-type]
    assert not names_of(str(caught.value))


def test_a_key_is_named_by_its_file_and_not_given_as_text(tmp_path: Path) -> None:
    path = tmp_path / "key"
    generate_master_key(path)
    for given in (path, str(path)):
        assert Policy(master_key=given) == Policy(master_key=MasterKey.from_file(path))
    with pytest.raises(NotFound, match="no file 'nowhere'"):
        to_master_key("nowhere")
    for text in TEXTS:
        with pytest.raises(InvalidArgument, match="expected the path of a key's file") as caught:
            Policy(master_key=text)
        assert not names_of(str(caught.value))


def test_callable() -> None:
    asked = []

    def service(id: str) -> bytes:
        asked.append(id)
        return {"k1": KEY, "short": KEY[:5]}[id]

    key = MasterKey(service, id="k1")
    assert key.id == "k1"
    assert asked == []
    assert key.fetch("k1") == KEY
    with pytest.raises(PermissionDenied, match="expected a master key gone, got none"):
        key.fetch("gone")
    with pytest.raises(InvalidArgument, match="expected 32 bytes from the callable for short"):
        key.fetch("short")
    with pytest.raises(InvalidArgument, match="to encrypt with, got no id"):
        _ = MasterKey(service).id
    assert repr(MasterKey(service)) == "MasterKey(id=None)"
    for id in ("", "a b", "x" * 201, "a\n", 'a"b'):
        with pytest.raises(InvalidArgument, match="expected an id"):
            MasterKey(service, id=id)
    with pytest.raises(InvalidArgument, match="expected no id"):
        MasterKey(KEY, id="mine")


# --- files -----------------------------------------------------------------------------------------------


def test_generated_master_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    previous = os.umask(0)
    try:
        key = generate_master_key(path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MasterKey.from_file(path) == key
    assert key != generate_master_key(tmp_path / "other.key")
    before = path.read_bytes()
    with pytest.raises(InvalidArgument, match="expected a new file"):
        generate_master_key(path)
    assert path.read_bytes() == before


def test_generated_signing_key(tmp_path: Path) -> None:
    path = tmp_path / "sign.key"
    public = generate_signing_key(path)
    assert public == tmp_path / "sign.key.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert private.public_key() == public_key(public.read_bytes())
    before = path.read_bytes()
    with pytest.raises(InvalidArgument, match="expected a new file"):
        generate_signing_key(path)
    public.unlink()
    with pytest.raises(
        InvalidArgument, match="expected a new file"
    ):  # and no public key of a key that is not there
        generate_signing_key(path)
    assert not public.exists()
    assert path.read_bytes() == before


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(InvalidArgument, match="expected a new file"):
        generate_master_key(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_key_file_that_others_read(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    generate_master_key(path)
    path.chmod(0o644)
    with pytest.warns(UserWarning, match=r"other users may read .*master\.key.*chmod 600"):
        MasterKey.from_file(path)
    path.chmod(0o440)
    MasterKey.from_file(path)  # warnings are errors here


def test_files_that_are_no_key_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="got no file"):
        MasterKey.from_file(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(InvalidArgument, match="expected an ordinary file"):
            MasterKey.from_file(tmp_path / name)
    (tmp_path / "large").write_bytes(b"0" * 70000)
    with pytest.raises(InvalidArgument, match="bytes at most"):
        read_key_file(tmp_path / "large")
    (tmp_path / "raw").write_bytes(KEY)
    (tmp_path / "raw").chmod(0o600)
    with pytest.raises(InvalidArgument, match=r"from the file '.*raw'") as caught:
        MasterKey.from_file(tmp_path / "raw")
    assert not names_of(str(caught.value))


# --- policies --------------------------------------------------------------------------------------------


def pem(key: object) -> bytes:
    return key.public_key().public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_key_requires_a_signature(tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "k")
    assert not Policy().require_signature
    for key in (public, str(public), public.read_bytes()):
        assert Policy(public_key=key).require_signature
        assert Policy(public_key=key) == Policy(public_key=public.read_bytes())
    assert Policy(public_key=public, require_signature=False).require_signature
    with pytest.raises(InvalidArgument, match="got require_signature alone"):
        Policy(require_signature=True)
    with pytest.raises(NotFound):
        Policy(public_key=tmp_path / "none")


def test_policy_is_read_once(tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "k")
    policy = Policy(public_key=public)
    before = policy.public_pem
    public.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    assert policy.public_pem == before
    assert hashlib.sha256(before or b"").hexdigest()[:16] in repr(policy)


def test_keys_that_do_not_verify(tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "k")
    bad = {
        "private": (tmp_path / "k").read_bytes(),
        "empty": b"",
        "ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
        "rsa": pem(rsa.generate_private_key(65537, 2048)),
        "curve": pem(ec.generate_private_key(ec.SECP256K1())),
    }
    for name, text in bad.items():
        with pytest.raises(InvalidArgument, match=r"^\[keys\] expected") as caught:
            Policy(public_key=text)
        assert "PRIVATE" not in str(caught.value), name
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        assert Policy(public_key=pem(ec.generate_private_key(curve))).require_signature
    with pytest.raises(InvalidArgument, match="expected certificates in PEM"):
        Policy(certificates=b"none")


def test_environment(tmp_path: Path) -> None:
    public = generate_signing_key(tmp_path / "k")
    generate_master_key(tmp_path / "m")
    assert Policy.from_environment({}) == Policy()
    found = Policy.from_environment({"MAAS_PUBLIC_KEY": str(public), "MAAS_MASTER_KEY": KEY.hex()})
    assert found == Policy(public_key=public, master_key=MasterKey(KEY))
    assert found.require_signature
    found = Policy.from_environment(
        {"MAAS_MASTER_KEY_FILE": str(tmp_path / "m"), "MAAS_REQUIRE_SIGNATURE": "0"}
    )
    assert found == Policy(master_key=MasterKey.from_file(tmp_path / "m"))
    # No does not switch off what a key implies.
    both = {"MAAS_PUBLIC_KEY": str(public), "MAAS_REQUIRE_SIGNATURE": "no"}
    assert Policy.from_environment(both).require_signature


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAAS_PUBLIC_KEY", ""),
        ("MAAS_CERTIFICATES", " "),
        ("MAAS_REQUIRE_SIGNATURE", ""),
        ("MAAS_REQUIRE_SIGNATURE", "maybe"),
        ("MAAS_REQUIRE_SIGNATURE", "1"),  # and nothing to check by
        ("MAAS_MASTER_KEY", ""),
        ("MAAS_MASTER_KEY", KEY.hex()[:-1]),
        ("MAAS_MASTER_KEY_FILE", "/none"),
    ],
)
def test_environment_that_lost_a_setting_fails_closed(name: str, value: str) -> None:
    with pytest.raises(MaasError, match=r"^\[(policy|keys)\]") as caught:
        Policy.from_environment({name: value})
    assert not names_of(str(caught.value))
    assert value.strip() or f"{name}: expected a value, got an empty text" in str(caught.value)


def test_two_master_keys_in_the_environment() -> None:
    with pytest.raises(InvalidArgument, match="got both"):
        Policy.from_environment({"MAAS_MASTER_KEY": KEY.hex(), "MAAS_MASTER_KEY_FILE": "x"})
