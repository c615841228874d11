"""The cache of packages: verified on every use, bounded, shared by processes."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import warnings
from pathlib import Path

import pytest

from maas_engine.errors import FormatError, NotFound, PermissionDenied, Unavailable
from maas_engine.registry._cache import Cache

SIZE = 1000


def content(digest: str) -> bytes:
    return digest.encode().ljust(SIZE, b".")


class Source:
    """A store as the cache sees it, and a way to verify what came from it."""

    def __init__(self) -> None:
        self.filled: list[str] = []
        self.down = False
        self.forbidden = False

    def load(self, cache: Cache, digest: str) -> bytes:
        def fill(folder: Path) -> None:
            if self.down:
                raise Unavailable("[registry] the store is down")
            self.filled.append(digest)
            (folder / "manifest.json").write_bytes(content(digest))

        def use(folder: Path) -> bytes:
            try:
                data = (folder / "manifest.json").read_bytes()
            except FileNotFoundError:
                raise NotFound("[package] 'manifest.json': expected a file, got none") from None
            if data != content(digest):
                raise FormatError("[package] 'manifest.json': expected another digest")
            if self.forbidden:
                raise PermissionDenied("[package] 'model.sig': expected a signature, got none")
            return data

        return cache.load(digest, fill, use)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 3 * SIZE)


def held(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "cache" / "packages").iterdir()}


def age(tmp_path: Path, digest: str, seconds: float) -> None:
    os.utime(tmp_path / "cache" / "packages" / digest, (time.time() - seconds,) * 2)


def test_a_second_load_asks_the_store_no_more(cache: Cache, source: Source, tmp_path: Path) -> None:
    assert source.load(cache, "a") == content("a")
    source.down = True
    assert source.load(cache, "a") == content("a")
    assert source.filled == ["a"]
    assert held(tmp_path) == {"a"}


def test_the_least_recently_used_goes_first(cache: Cache, source: Source, tmp_path: Path) -> None:
    for seconds, digest in enumerate("cba"):
        source.load(cache, digest)
        age(tmp_path, digest, 10 + seconds)
    source.load(cache, "a")  # the oldest, now used
    source.load(cache, "d")
    assert held(tmp_path) == {"a", "c", "d"}
    source.load(cache, "b")
    assert source.filled == ["c", "b", "a", "d", "b"]


@pytest.mark.parametrize("limit", [0, SIZE - 1])
def test_what_is_larger_than_the_limit_is_loaded_but_not_kept(
    tmp_path: Path, source: Source, limit: int
) -> None:
    cache = Cache(tmp_path / "cache", limit)
    assert source.load(cache, "a") == source.load(cache, "a") == content("a")
    assert source.filled == ["a", "a"]
    assert held(tmp_path) == set()


@pytest.mark.parametrize("change", ["tamper", "swap", "remove"])
def test_a_changed_copy_is_noticed_and_fetched_again(
    cache: Cache, source: Source, tmp_path: Path, change: str
) -> None:
    source.load(cache, "a")
    path = tmp_path / "cache" / "packages" / "a" / "manifest.json"
    if change == "remove":
        path.unlink()
    else:
        path.write_bytes(content("b") if change == "swap" else b"tampered")
    with pytest.warns(
        UserWarning, match=r"copy in the cache was changed and is fetched again: .*'manifest.json'"
    ):
        assert source.load(cache, "a") == content("a")
    assert source.load(cache, "a") == content("a")
    assert source.filled == ["a", "a"]


def test_a_changed_copy_is_not_used_when_the_store_is_down(
    cache: Cache, source: Source, tmp_path: Path
) -> None:
    source.load(cache, "a")
    (tmp_path / "cache" / "packages" / "a" / "manifest.json").write_bytes(b"tampered")
    source.down = True
    with pytest.warns(UserWarning, match="changed"), pytest.raises(Unavailable, match="store is down"):
        source.load(cache, "a")
    assert held(tmp_path) == set()


def test_what_never_verifies_is_never_kept(cache: Cache, source: Source, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "manifest.json").write_bytes(b"wrong from the start")

    def use(folder: Path) -> bytes:
        raise FormatError("[package] wrong")

    with pytest.raises(FormatError):
        cache.load("a", fill, use)
    assert held(tmp_path) == set()


def test_a_policys_refusal_does_not_cost_the_copy(cache: Cache, source: Source, tmp_path: Path) -> None:
    source.load(cache, "a")
    source.forbidden = True
    with pytest.raises(PermissionDenied):  # tried with a new copy too: keys may have been rotated
        source.load(cache, "a")
    assert source.filled == ["a", "a"]
    source.down = True
    with pytest.raises(PermissionDenied):
        source.load(cache, "a")
    source.forbidden = False
    assert source.load(cache, "a") == content("a")
    assert held(tmp_path) == {"a"}


@pytest.mark.parametrize("digest", ["", "..", "../packages/a", "/etc", "a/../b", "é"])
def test_only_a_plain_name_is_a_place(cache: Cache, source: Source, tmp_path: Path, digest: str) -> None:
    source.load(cache, "a")
    with pytest.raises(FormatError, match="digest"):
        source.load(cache, digest)
    assert held(tmp_path) == {"a"}


def test_an_error_of_the_store_leaves_nothing(cache: Cache, source: Source, tmp_path: Path) -> None:
    source.down = True
    with pytest.raises(Unavailable):
        source.load(cache, "a")
    assert held(tmp_path) == set()


def test_leftovers_of_processes_that_died_are_removed(cache: Cache, source: Source, tmp_path: Path) -> None:
    source.load(cache, "a")
    for name, seconds in ((".filling.old", 2 * 86400), (".evicted.old", 2 * 86400), (".filling.new", 10)):
        (tmp_path / "cache" / "packages" / name).mkdir()
        age(tmp_path, name, seconds)
    source.load(cache, "b")
    assert held(tmp_path) == {"a", "b", ".filling.new"}


@pytest.mark.parametrize("obstacle", ["file", "link to nothing"])
def test_a_cache_that_cannot_be_written_is_done_without(
    cache: Cache, source: Source, tmp_path: Path, obstacle: str
) -> None:
    if obstacle == "file":
        (tmp_path / "cache").write_bytes(b"")
    else:
        (tmp_path / "cache").symlink_to(tmp_path / "nowhere" / "at all")
    assert source.load(cache, "a") == content("a")
    cache.remember("registry", "models:/a@b", 1, "a")
    assert cache.recall("registry", "models:/a@b") is None


def test_the_cache_is_ours_alone(cache: Cache, source: Source, tmp_path: Path) -> None:
    source.load(cache, "a")
    assert (tmp_path / "cache" / "packages").stat().st_mode & 0o077 == 0


# --- what URIs meant -----------------------------------------------------------------------------------


def test_remember_and_recall(cache: Cache) -> None:
    assert cache.recall("sqlite:///a", "models:/m@x") is None
    cache.remember("sqlite:///a", "models:/m@x", 3, "digest")
    cache.remember("sqlite:///b", "models:/m@x", 4, "other")
    cache.remember("sqlite:///a", "models:/m@x", 5, "newer")
    found = cache.recall("sqlite:///a", "models:/m@x")
    assert found is not None
    assert found[:2] == (5, "newer")
    assert abs(found.time / 1e6 - time.time()) < 60
    assert cache.recall("sqlite:///a", "models:/m@y") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7300, "2 hours"), (200_000, "2 days")],
)
def test_ages_are_readable(cache: Cache, seconds: int, text: str) -> None:
    cache.remember("r", "u", 1, "d")
    found = cache.recall("r", "u")
    assert found is not None
    assert found._replace(time=time.time_ns() // 1000 - seconds * 1_000_000).age == text


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"registry": "r", "uri": "u"}', b"\xff", b'{"time": 1}']
)
def test_a_damaged_note_is_no_note(cache: Cache, tmp_path: Path, text: bytes) -> None:
    cache.remember("r", "u", 1, "d")
    (note,) = (tmp_path / "cache" / "resolved").iterdir()
    note.write_bytes(text)
    assert cache.recall("r", "u") is None


# --- many processes ------------------------------------------------------------------------------------


def _hammer(folder: Path, seed: int, errors: multiprocessing.Queue[str]) -> None:
    warnings.simplefilter("error")  # a copy removed under a reader is no reason to warn
    try:
        cache, source, draw = Cache(folder, 3 * SIZE), Source(), random.Random(seed)
        for _ in range(150):
            digest = draw.choice("abcdefgh")
            assert source.load(cache, digest) == content(digest)
    except BaseException as error:
        errors.put(repr(error))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_many_processes_share_a_cache_smaller_than_what_they_load(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    errors: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=_hammer, args=(tmp_path / "cache", i, errors)) for i in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert errors.empty(), errors.get()
    assert len(held(tmp_path)) <= 3 + len(processes)  # each may have judged before the others' came
    assert not [name for name in held(tmp_path) if name.startswith(".")]
