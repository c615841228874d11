"""safetensors files: the same as the safetensors package's, both ways; whole or not at all; strict.

Hostile files are in tests/attacks.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maas_engine import _safetensors
from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound

peer = pytest.importorskip("safetensors.numpy")

DTYPES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8", "c8"]
# The package's numpy face reads all of them but complex64.
NAMES = st.text(max_size=20).filter(lambda name: name != "__metadata__")
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)
TENSORS = st.dictionaries(NAMES, ARRAYS, max_size=6)
TEXTS = st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=4)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


@given(TENSORS, TEXTS)
def test_round_trip(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    data = _safetensors.to_bytes(tensors, metadata)
    found, texts = _safetensors.read(data)
    assert_same(found, tensors)
    assert texts == metadata
    assert all(array.flags.writeable and array.flags.aligned for array in found.values())
    again = dict(random.sample(list(tensors.items()), len(tensors)))
    assert _safetensors.to_bytes(again, metadata) == data


@given(TENSORS, TEXTS)
def test_the_package_reads_ours(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    plain = {name: array for name, array in tensors.items() if array.dtype != np.complex64}
    assert_same(peer.load(_safetensors.to_bytes(plain, metadata)), plain)


@given(TENSORS, TEXTS)
def test_we_read_the_package_s(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    plain = {name: array for name, array in tensors.items() if array.dtype != np.complex64}
    # Of nothing at all and {} the package makes bytes that are no JSON.
    found, texts = _safetensors.read(peer.save(plain, metadata or None))
    assert_same(found, plain)
    assert texts == metadata


def read_or_words(data: bytes) -> dict[str, Any] | str:
    """The arrays of a file, or what the error says."""
    try:
        return _safetensors.read(data)[0]
    except MaasError as error:
        return str(error)


@settings(max_examples=300)
@given(st.data())
def test_changed_bytes_are_read_or_refused_in_words(data: st.DataObject) -> None:
    whole = bytearray(_safetensors.to_bytes({"w": np.ones((2, 3), np.float32), "b": np.zeros(3)}, {"k": "v"}))
    end = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, end - 1))
        # Rather what could stand there: a change of any byte is refused nearly always.
        whole[place] = data.draw(st.sampled_from(b'0123456789FUIx{}[]:," \\-.e') | st.integers(0, 255))
    found = read_or_words(bytes(whole))
    if isinstance(found, str):
        assert found.startswith("[safetensors] ")
    else:  # what we take the package takes, and finds the same in it
        assert_same(peer.load(bytes(whole)), found)


@given(st.binary(max_size=80))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for content in (data, len(data).to_bytes(8, "little") + data):
        found = read_or_words(content)
        assert isinstance(found, dict) or found.startswith("[safetensors] ")


def test_layouts_and_byte_orders() -> None:
    base = np.arange(24, dtype=">f4").reshape(4, 6)
    for array in (base, base.T, base[::2, ::-1], np.asfortranarray(base), base.astype("<f8")):
        found, _ = _safetensors.read(_safetensors.to_bytes({"x": array}))
        np.testing.assert_array_equal(found["x"], array)
        assert found["x"].dtype.isnative
        assert found["x"].flags.c_contiguous


def test_arrays_begin_on_64_bytes_and_on_their_items() -> None:
    data = _safetensors.to_bytes(
        {"a": np.zeros(3, np.uint8), "b": np.zeros(3), "c": np.zeros(3, np.float16)}, {"note": "é" * 7}
    )
    length = int.from_bytes(data[:8], "little")
    assert (8 + length) % 64 == 0
    entries, _ = _safetensors._parse_header(data[8 : 8 + length], len(data) - 8 - length)
    assert [(entry.name, entry.begin % entry.dtype.itemsize) for entry in entries] == [
        ("b", 0),
        ("c", 0),
        ("a", 0),
    ]


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    tensors = {"w": np.arange(6.0).reshape(2, 3), "none": np.zeros((0, 4), np.float32)}
    _safetensors.write(path, tensors, {"a": "b"})
    assert_same(peer.load_file(path), tensors)
    assert_same(_safetensors.read(path)[0], tensors)
    assert _safetensors.read(os.fspath(path))[1] == {"a": "b"}
    assert path.read_bytes() == _safetensors.to_bytes(tensors, {"a": "b"})
    with pytest.raises(NotFound, match=r"no file '.*absent"):
        _safetensors.read(tmp_path / "absent")


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    _safetensors.write(path, {"w": np.zeros(3)})
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _safetensors.write(path, {"w": np.ones(3)})
    monkeypatch.undo()
    assert path.read_bytes() == before
    with pytest.raises(InvalidArgument, match="a type of the format for 'w'"):
        _safetensors.write(path, {"w": np.array(["text"])})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_a_check_comes_before_the_arrays(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    size = 10**12  # a hole in the file: it takes no room on the disk
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)

    def check(entries: list[_safetensors.Entry], metadata: dict[str, str]) -> None:
        assert [(entry.name, entry.shape) for entry in entries] == [("w", (size,))]
        assert metadata == {}
        raise FormatError("too large")

    with pytest.raises(FormatError, match="too large"):
        _safetensors.read(path, check)


def test_limits_can_be_set() -> None:
    data = _safetensors.to_bytes({"w": np.zeros(3)})
    with pytest.raises(FormatError, match="16 bytes at most"):
        _safetensors.read(data, max_header=16)


@pytest.mark.parametrize("name", ["__metadata__", "n" * 1025, "\ud800"])
def test_the_writer_refuses_names(name: str) -> None:
    with pytest.raises(InvalidArgument, match="expected names of 1024"):
        _safetensors.to_bytes({name: np.zeros(3)})
    with pytest.raises(InvalidArgument, match="metadata to be texts"):
        _safetensors.to_bytes({}, {"k": 1})  # type: ignore[dict-item]
