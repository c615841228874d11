"""The registry's store in a folder: whole or not at all, verified both ways."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
import time
from pathlib import Path

import pytest
import zstandard

from maas_engine import _faults
from maas_engine.errors import FormatError, InvalidArgument, NotFound, Unavailable
from maas_engine.registry import _folder
from maas_engine.registry._store import Store

NOISE = random.Random(1).randbytes(3_000_000)
TEXT = b"weights and biases, " * 100_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(store: Store, data: bytes) -> str:
    store.put(sha256(data), data)
    return sha256(data)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "blobs"))


@pytest.mark.parametrize(
    "data",
    [b"", b"x", NOISE[:1000], TEXT[:1000], NOISE, TEXT, NOISE + TEXT, NOISE[: 2**20], NOISE[: 2**20 + 1]],
    ids=lambda data: f"{len(data)}",
)
@pytest.mark.parametrize("kind", [bytes, memoryview, Path])
def test_round_trip(store: Store, tmp_path: Path, data: bytes, kind: type) -> None:
    given = kind(data) if kind is not Path else tmp_path / "file"
    if kind is Path:
        given.write_bytes(data)
    size = store.put(sha256(data), given)
    assert store.read(sha256(data), len(data)) == data
    assert store.exists(sha256(data))
    (stored,) = store.list()
    (path,) = files(tmp_path / "blobs")
    assert (stored.sha256, stored.size) == (sha256(data), size)
    assert size == path.stat().st_size
    assert abs(stored.modified / 1e6 - time.time()) < 60
    assert path.parent.name + path.name.removesuffix(".zst") == sha256(data)
    assert store.put(sha256(data), given) == size  # again
    assert files(tmp_path / "blobs") == [path]


@pytest.mark.parametrize(("data", "packed"), [(NOISE, False), (TEXT, True), (NOISE[:99], False)])
def test_only_what_gains_is_compressed(store: Store, tmp_path: Path, data: bytes, packed: bool) -> None:
    size = store.put(sha256(data), data)
    (path,) = files(tmp_path / "blobs")
    assert path.suffix == (".zst" if packed else "")
    assert size < 0.01 * len(data) if packed else size == len(data)
    assert not packed or zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()) == data


def test_a_wrong_digest_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    for data in (NOISE, TEXT, b""):
        with pytest.raises(FormatError, match=sha256(b"other")):
            store.put(sha256(b"other"), data)
    assert files(tmp_path / "blobs") == []
    put(store, b"other")
    with pytest.raises(FormatError, match=sha256(b"wrong")):  # also where the right one lies already
        store.put(sha256(b"other"), b"wrong")
    assert store.read(sha256(b"other"), 5) == b"other"


def test_one_bad_blob_of_several_keeps_none(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        store.put_all({sha256(NOISE): NOISE, sha256(b"a"): b"b"})
    assert files(tmp_path / "blobs") == []


@pytest.mark.parametrize(
    "digest", ["", "ab", "../" * 20 + "etc", "A" * 64, "a" * 65, "a" * 63 + "\n", "é" * 64, None]
)
def test_only_digests_are_names(store: Store, digest: str) -> None:
    for call in (
        store.exists,
        store.delete,
        lambda name: store.put(name, b""),
        lambda name: store.read(name, 0),
    ):
        with pytest.raises(InvalidArgument, match="sha256"):
            call(digest)


CHANGES = ["flip", "shorten", "empty", "swap"]


@pytest.mark.parametrize(
    ("data", "change"),
    [(data, change) for data in (NOISE, TEXT) for change in CHANGES] + [(NOISE, "lengthen")],
    ids=lambda value: value if isinstance(value, str) else "plain" if value == NOISE else "packed",
)
def test_what_was_changed_is_refused_and_mended_by_putting(
    store: Store, tmp_path: Path, data: bytes, change: str
) -> None:
    put(store, data)
    (path,) = files(tmp_path / "blobs")
    whole = path.read_bytes()
    flipped = whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]
    changed = {
        "flip": flipped,
        "shorten": whole[:-1],
        "lengthen": whole + b"x",
        "empty": b"",
        "swap": b"other",
    }
    path.write_bytes(changed[change])
    with pytest.raises(FormatError, match=sha256(data)):
        store.read(sha256(data), len(data))
    put(store, data)
    assert store.read(sha256(data), len(data)) == data


def test_a_bomb_is_not_unpacked(store: Store, tmp_path: Path) -> None:
    import tracemalloc

    digest = sha256(b"small")
    path = tmp_path / "blobs" / digest[:2] / f"{digest[2:]}.zst"
    path.parent.mkdir(parents=True)
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(bytes(300_000_000)))
    tracemalloc.start()
    with pytest.raises(FormatError):
        store.read(digest, 10**6)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_huge_file_in_a_blobs_place_is_not_read(store: Store, tmp_path: Path) -> None:
    digest = put(store, NOISE)
    (path,) = files(tmp_path / "blobs")
    with open(path, "r+b") as file:
        file.truncate(2**40)
    with pytest.raises(FormatError):
        store.read(digest, len(NOISE))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_regular_files_are_read(store: Store, tmp_path: Path, kind: str) -> None:
    digest = put(store, NOISE)
    (path,) = files(tmp_path / "blobs")
    moved = path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(moved)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(Unavailable):
        store.read(digest, len(NOISE))
    assert kind == "folder" or list(store.list()) == []


def test_what_is_not_there(store: Store, tmp_path: Path) -> None:
    digest = sha256(b"absent")
    assert not store.exists(digest)
    assert list(store.list()) == []
    assert store.sweep(10**18) == 0
    store.delete(digest)
    with pytest.raises(
        Unavailable, match="folder is not there"
    ):  # nothing mounted, rather than one blob lost
        store.read(digest, 6)
    assert not (tmp_path / "blobs").exists()  # asking makes nothing
    put(store, b"present")
    with pytest.raises(NotFound, match=digest):
        store.read(digest, 6)


def test_delete(store: Store) -> None:
    digests = [put(store, data) for data in (b"a", b"b", NOISE, TEXT)]
    store.delete(*digests[1:])
    assert [blob.sha256 for blob in store.list()] == digests[:1]
    store.delete(*digests)
    assert list(store.list()) == []


def test_foreign_files_are_not_listed(store: Store, tmp_path: Path) -> None:
    digest = put(store, b"a")
    for name in ("README", "zz/readme", f"{digest[:2]}/short", f"{digest[:2]}/.unfinished.x", "ab/cd/ef"):
        path = tmp_path / "blobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert [blob.sha256 for blob in store.list()] == [digest]


def test_many_threads_put_and_read_the_same(store: Store, tmp_path: Path) -> None:
    blobs = {sha256(data): data for data in (NOISE[:100_000], TEXT[:100_000], b"x", NOISE[5:500_000])}
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                store.put_all(blobs)
                for digest, data in blobs.items():
                    assert store.read(digest, len(data)) == data
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(files(tmp_path / "blobs")) == len(blobs)


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault in ("store.half_written", "store.written"):
        monkeypatch.setenv(_faults.VARIABLE, f"{fault}:raise")
        with pytest.raises(Unavailable, match=r"\[registry\] no use of the store .*blobs: .*No space left"):
            put(store, NOISE)
        assert files(tmp_path / "blobs") == []
    monkeypatch.delenv(_faults.VARIABLE)
    assert store.read(put(store, NOISE), len(NOISE)) == NOISE


def test_interrupting_leaves_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            put(store, NOISE)
    assert files(tmp_path / "blobs") == []


def test_sweep_removes_only_old_unfinished_uploads(store: Store, tmp_path: Path) -> None:
    digest = put(store, b"a")
    folder = tmp_path / "blobs" / digest[:2]
    for age, name in ((100, ".unfinished.old"), (0, ".unfinished.new")):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    os.utime(folder / digest[2:], (0, 0))
    before = int((time.time() - 50) * 1e6)
    assert store.sweep(before, dry_run=True) == 1
    assert len(files(folder)) == 3
    assert store.sweep(before) == 1
    assert {path.name for path in files(folder)} == {digest[2:], ".unfinished.new"}


def test_an_upload_that_was_swept_away_under_way(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sweep(name: str) -> None:
        if name == "store.written":
            assert store.sweep(10**18) == 1

    monkeypatch.setattr(_folder, "point", sweep)
    with pytest.raises(Unavailable, match="no use of the store"):
        put(store, NOISE)
    assert files(tmp_path / "blobs") == []


def test_what_is_written_is_flushed_before_it_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_flush(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        steps.append("flush folder" if os.path.isdir(name) else "flush file")
        fsync(descriptor)

    def note_rename(source: str, target: str) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(os, "replace", note_rename)
    put(store, NOISE)
    assert steps[:2] == ["flush file", "rename"]
    assert set(steps[2:]) == {"flush folder"}


def test_the_source_is_to_blame_for_its_own_absence(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        store.put(sha256(b""), tmp_path / "absent")
    with pytest.raises(OSError, match="directory") as caught:
        store.put(sha256(b""), tmp_path)
    assert caught.value.errno == errno.EISDIR


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_folder_is_meant_from_where_it_was_named(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("blobs" if not prefix else f"file://{tmp_path}/blobs")
    monkeypatch.chdir("/")
    assert str(store) == str(tmp_path / "blobs")
    put(store, b"a")
    assert len(files(tmp_path / "blobs")) == 1
