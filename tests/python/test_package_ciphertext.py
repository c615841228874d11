"""The bytes of encrypted files: the layout computed by hand, and every way to change them refused."""

from __future__ import annotations

import hashlib
import os
import struct
import tracemalloc

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from maas_engine.errors import FormatError, MaasError, PermissionDenied
from maas_engine.package import _ciphertext
from maas_engine.package._ciphertext import CHUNK, HEADER, TAG, seal, sealed_limit, unseal, unwrap, wrap

KEY = bytes(range(32))
DIGEST = hashlib.sha256(b"a manifest").digest()
NAME = "model.onnx"


def sealed(data: bytes, key: bytes = KEY, digest: bytes = DIGEST, name: str = NAME) -> bytes:
    return b"".join(seal(data, key, digest, name))


def noise(size: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(size)


def gcm(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
    """AES-GCM by the other interface of the library: ciphertext and tag."""
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def test_cipher_is_the_one_of_the_standard() -> None:
    # Test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation: AES-256, with associated data.
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    found = _ciphertext.AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), plain, associated)
    assert found[-TAG:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"
    assert found[:16].hex() == "522dc1f099567d07f47f37a32a84427d"
    assert gcm(key, bytes.fromhex("cafebabefacedbaddecaf888"), plain, associated) == found


def test_layout_by_hand() -> None:
    data = noise(CHUNK + 5)
    found = sealed(data)
    header = found[:16]
    assert header[:9] == b"maasenc1\0"
    expected = header
    for number, last, part in ((0, 0, data[:CHUNK]), (1, 1, data[CHUNK:])):
        nonce = header[9:] + struct.pack(">IB", number, last)
        associated = DIGEST + header + struct.pack(">IB", number, last) + b"model.onnx"
        expected += gcm(KEY, nonce, part, associated)
    assert found == expected
    assert len(found) == sealed_limit(len(data))


def test_layout_of_compressed_content_by_hand() -> None:
    data = b"weights " * 1000
    found = sealed(data)
    header = found[:16]
    assert header[:9] == b"maasenc1\1"
    packed = zstandard.ZstdCompressor(level=3).compress(data)
    associated = DIGEST + header + struct.pack(">IB", 0, 1) + b"model.onnx"
    assert found == header + gcm(KEY, header[9:] + struct.pack(">IB", 0, 1), packed, associated)


@pytest.mark.parametrize(
    "size", [0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 12345]
)
@pytest.mark.parametrize("content", ["noise", "zeros"])
def test_round_trip(size: int, content: str) -> None:
    data = noise(size) if content == "noise" else bytes(size)
    found = sealed(data)
    assert len(found) <= sealed_limit(size)
    assert unseal(found, KEY, DIGEST, NAME, size) == data
    assert unseal(memoryview(found), KEY, DIGEST, NAME, size) == data


def test_no_nonce_twice() -> None:
    heads = {sealed(b"same")[:HEADER] for _ in range(100)}
    assert len(heads) == 100


@pytest.mark.parametrize(
    ("key", "digest", "name"),
    [
        (bytes(32), DIGEST, NAME),
        (KEY, hashlib.sha256(b"another manifest").digest(), NAME),
        (KEY, DIGEST, "card.cdx.json"),
    ],
    ids=["key", "package", "file"],
)
def test_bound_to_key_package_and_file(key: bytes, digest: bytes, name: str) -> None:
    with pytest.raises(PermissionDenied, match=rf"^\[package\] '{name}\.enc': expected chunk 1 of 1"):
        unseal(sealed(noise(100)), key, digest, name, 100)


THREE = sealed(noise(2 * CHUNK + 1000))


def chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    step = CHUNK + TAG
    return data[:HEADER], [data[i : i + step] for i in range(HEADER, len(data), step)]


def test_chunks_swapped_dropped_or_repeated() -> None:
    header, parts = chunks(THREE)
    size = 2 * CHUNK + 1000
    a, b, c = parts
    assert unseal(header + a + b + c, KEY, DIGEST, NAME, size) == noise(size)
    for other in ([b, a, c], [a, a, c], [b, b, c]):
        with pytest.raises(PermissionDenied, match="expected chunk"):
            unseal(header + b"".join(other), KEY, DIGEST, NAME, size)
    for shorter in ([a, c], [b, c], [a, b], [c], [a], [], [a, b, c, c], [a, b, c, a]):
        with pytest.raises(FormatError, match="bytes"):
            unseal(header + b"".join(shorter), KEY, DIGEST, NAME, size)


@pytest.mark.parametrize("also_claimed", [False, True])
def test_truncated_at_every_chunk_edge(also_claimed: bool) -> None:
    # Even a reader that was told a matching smaller size sees it: the last chunk says that it is the last.
    size, step = 2 * CHUNK + 1000, CHUNK + TAG
    edges = [HEADER + n * step for n in range(3)] + [len(THREE)]
    for edge in edges:
        for cut in (edge - 1, edge, edge + 1):
            if not 0 <= cut < len(THREE):
                continue
            claimed = size
            if also_claimed:
                body = max(0, cut - HEADER)
                claimed = max(0, body - TAG * -(-body // step))
            with pytest.raises(
                (PermissionDenied, FormatError), match=r"^\[package\] 'model\.onnx\.enc': expected"
            ):
                unseal(THREE[:cut], KEY, DIGEST, NAME, claimed)


def test_chunks_of_two_sealings_do_not_mix() -> None:
    again = sealed(noise(2 * CHUNK + 1000))
    header, parts = chunks(THREE)
    _, others = chunks(again)
    with pytest.raises(PermissionDenied, match="chunk 2 of 3"):
        unseal(header + parts[0] + others[1] + parts[2], KEY, DIGEST, NAME, 2 * CHUNK + 1000)


SMALL = [sealed(noise(40)), sealed(b"compressible " * 50), sealed(b"")]
SIZES = [40, 650, 0]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2), st.integers(0, 10**6), st.integers(0, 7))
def test_no_bit_can_change(which: int, place: int, bit: int) -> None:
    changed = bytearray(SMALL[which])
    changed[place % len(changed)] ^= 1 << bit
    with pytest.raises((PermissionDenied, FormatError)):
        unseal(bytes(changed), KEY, DIGEST, NAME, SIZES[which])


def test_no_bit_of_a_header_or_tag_can_change() -> None:
    for which, data in enumerate(SMALL):
        for place in [*range(HEADER), *range(len(data) - TAG, len(data))]:
            for bit in range(8):
                changed = bytearray(data)
                changed[place] ^= 1 << bit
                with pytest.raises((PermissionDenied, FormatError)):
                    unseal(bytes(changed), KEY, DIGEST, NAME, SIZES[which])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_random_bytes_are_refused(data: bytes, size: int) -> None:
    with pytest.raises(MaasError, match=r"^\[package\] 'model\.onnx\.enc': expected"):
        unseal(data, KEY, DIGEST, NAME, size)
    with pytest.raises(MaasError, match=r"^\[package\] 'model\.onnx\.enc': expected"):
        unseal(SMALL[0][:9] + data, KEY, DIGEST, NAME, size)


def packed_by_hand(packed: bytes) -> bytes:
    header = b"maasenc1\1" + os.urandom(7)
    place = struct.pack(">IB", 0, 1)
    return header + gcm(KEY, header[9:] + place, packed, DIGEST + header + place + NAME.encode())


def test_bombs_are_bounded() -> None:
    """One who holds the key still cannot make the reader allocate more than the manifest announced."""
    huge = zstandard.ZstdCompressor(level=3).compress(bytes(1 << 30))
    size = 2 * len(huge)
    sealed = packed_by_hand(huge)
    tracemalloc.start()
    with pytest.raises(FormatError, match="bytes of content, got 1073741824"):
        unseal(sealed, KEY, DIGEST, NAME, size)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    nameless = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 20))
    with pytest.raises(FormatError, match="no announced size"):
        unseal(packed_by_hand(nameless), KEY, DIGEST, NAME, 1000)
    # A frame that announces the right size and brings more, less, or another frame behind it.
    lying = bytearray(zstandard.ZstdCompressor(write_checksum=False).compress(bytes(5000)))
    for claimed in (4999, 5001):
        lie = bytes(lying).replace(struct.pack("<H", 5000 - 256), struct.pack("<H", claimed - 256), 1)
        assert zstandard.frame_content_size(lie) == claimed
        with pytest.raises(FormatError, match="in one zstd frame"):
            unseal(packed_by_hand(lie), KEY, DIGEST, NAME, claimed)
    for more in (bytes(lying), b"\0", b"\x50\x2a\x4d\x18\x01\0\0\0x"):
        with pytest.raises(FormatError, match="in one zstd frame"):
            unseal(packed_by_hand(bytes(lying) + more), KEY, DIGEST, NAME, 5000)


def test_random_content_as_zstd() -> None:
    for data in (b"", b"\x28\xb5\x2f\xfd", noise(100), zstandard.compress(b"x" * 500)[:-1]):
        with pytest.raises(FormatError, match=r"'model\.onnx\.enc': expected 500 bytes of content"):
            unseal(packed_by_hand(data), KEY, DIGEST, NAME, 500)


def test_larger_than_its_content_is_refused_before_it_is_deciphered() -> None:
    with pytest.raises(FormatError, match="expected 32 to 132 bytes, got 133"):
        unseal(bytes(133), KEY, DIGEST, NAME, 100)


# --- the data key ----------------------------------------------------------------------------------------


def test_wrapped_key_by_hand() -> None:
    master, data_key = os.urandom(32), os.urandom(32)
    wrapped = wrap(data_key, master, DIGEST)
    assert wrapped[12:] == gcm(master, wrapped[:12], data_key, DIGEST)
    assert unwrap(wrapped, master, DIGEST) == data_key


def test_wrapped_key_is_bound() -> None:
    master = os.urandom(32)
    wrapped = wrap(KEY, master, DIGEST)
    for key, digest in ((os.urandom(32), DIGEST), (master, bytes(32))):
        with pytest.raises(PermissionDenied, match=r"^\[package\] 'encryption\.json': expected a data key"):
            unwrap(wrapped, key, digest)
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises(PermissionDenied):
            unwrap(bytes(changed), master, DIGEST)
    for cut in (b"", wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(FormatError, match="wrapped key of 60 bytes"):
            unwrap(cut, master, DIGEST)
