"""The registry's store behind URLs: S3 by a server of its own, and file systems that cannot put whole files."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import random
import secrets
import sys
import threading
import time
import uuid
from typing import Any

import pytest
from s3_server import ENVIRONMENT, S3Server
from test_store import NOISE, TEXT, put, sha256

from maas_engine.errors import FormatError, InvalidArgument, NotFound, Unavailable, Unsupported
from maas_engine.registry import _remote
from maas_engine.registry._store import Store

s3fs = pytest.importorskip("s3fs")

ABSENT = sha256(b"absent")


@functools.cache  # making one takes most of a second
def files_of(server: S3Server) -> Any:
    return s3fs.S3FileSystem(endpoint_url=server.url, use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture
def bucket(s3_environment: S3Server) -> str:
    name = f"test-{secrets.token_hex(6)}"
    files_of(s3_environment).mkdir(name)
    return name


@pytest.fixture(scope="module")
def system(s3_server: S3Server) -> Any:
    """The file system as a store opens it, for all stores."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": s3_server.url}.items():
            patch.setenv(name, value)
        return _remote.Remote("s3://bucket/models")._create()[0]


@pytest.fixture
def store(bucket: str, system: Any) -> Store:
    made = Store(f"s3://{bucket}/models")
    made._backend._opened = (os.getpid(), system, f"{bucket}/models")  # type: ignore[attr-defined]
    return made


@pytest.fixture
def impatient(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store that tries once where others try again and again."""
    monkeypatch.setattr(_remote, "ATTEMPTS", 1)
    monkeypatch.setitem(_remote._OPTIONS, "s3", {"config_kwargs": {"retries": {"max_attempts": 0}}})
    return Store(f"s3://{bucket}/models")


@pytest.fixture
def memory() -> Store:
    return Store(f"memory://{uuid.uuid4().hex}/models")


@pytest.fixture(params=["store", "memory"])
def each(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("data", [b"", b"x", NOISE, TEXT], ids=len)
def test_round_trip(each: Store, data: bytes) -> None:
    size = each.put(sha256(data), data)
    assert each.put(sha256(data), data) == size
    assert each.read(sha256(data), len(data)) == data
    assert each.exists(sha256(data))
    (stored,) = each.list()
    assert (stored.sha256, stored.size) == (sha256(data), size)
    assert abs(stored.modified / 1e6 - time.time()) < 60
    each.delete(sha256(data))
    assert not each.exists(sha256(data))
    assert list(each.list()) == []


def test_what_is_not_there(each: Store) -> None:
    assert not each.exists(ABSENT)
    assert list(each.list()) == []
    each.delete(ABSENT)
    assert each.sweep(10**18) == 0
    with pytest.raises(NotFound, match=ABSENT):
        each.read(ABSENT, 1)


def test_a_wrong_digest_is_refused_and_leaves_nothing(each: Store) -> None:
    with pytest.raises(FormatError, match=ABSENT):
        each.put(ABSENT, NOISE)
    assert list(each.list()) == []


@pytest.mark.parametrize("data", [NOISE, TEXT], ids=["plain", "packed"])
@pytest.mark.parametrize("change", [b"", b"other", bytes(4_000_000)], ids=len)
def test_what_was_changed_is_refused(
    store: Store, bucket: str, s3_server: S3Server, data: bytes, change: bytes
) -> None:
    put(store, data)
    system = files_of(s3_server)
    (path,) = system.find(bucket)
    system.pipe_file(path, change)
    with pytest.raises(FormatError, match=sha256(data)):
        store.read(sha256(data), len(data))
    put(store, data)
    assert store.read(sha256(data), len(data)) == data


def test_a_large_file_is_asked_for_before_it_is_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = random.Random(2).randbytes(10_000_000)
    put(store, data)
    with monkeypatch.context() as patch:
        patch.setattr(_remote.Remote, "_put", None)
        assert store.put(sha256(data), data) == len(data)


def test_sixteen_threads(store: Store) -> None:
    errors: list[BaseException] = []
    shared = {sha256(data): data for data in (NOISE[:300_000], TEXT)}

    def work(seed: int) -> None:
        try:
            blobs = {
                **shared,
                **{sha256(data): data for data in (f"{seed} {i}".encode() * 50 for i in range(3))},
            }
            store.put_all(blobs)
            for digest, data in blobs.items():
                assert store.read(digest, len(data)) == data
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(store.list())) == 2 + 16 * 3


def _use(store: Store, done: Any) -> None:
    done.put(store.read(sha256(b"a"), 1) + str(store.put(sha256(b"b"), b"b")).encode())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_connections(store: Store) -> None:
    put(store, b"a")
    context = multiprocessing.get_context("fork")
    done = context.SimpleQueue()
    child = context.Process(target=_use, args=(store, done))
    child.start()
    child.join(60)
    assert done.get() == b"a1"
    assert store.read(sha256(b"b"), 1) == b"b"


CALLS = {
    "read": lambda store: store.read(ABSENT, 6),
    "put": lambda store: store.put(sha256(NOISE), NOISE),
    "exists": lambda store: store.exists(ABSENT),
    "list": lambda store: list(store.list()),
    "delete": lambda store: store.delete(ABSENT),
    "sweep": lambda store: store.sweep(0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_bucket_that_vanishes(store: Store, bucket: str, s3_server: S3Server, call: Any) -> None:
    files_of(s3_server).rm(bucket, recursive=True)
    with pytest.raises(
        Unavailable, match=rf"no use of the store s3://{bucket}/models: the bucket is not there"
    ):
        call(store)
    assert not files_of(s3_server).exists(bucket)  # and is not made again by the way


def test_a_store_that_goes_down_in_the_middle(
    impatient: Store, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = impatient

    def stop_after_the_first(name: str) -> None:
        if name == "store.renamed":
            s3_server.stop()

    monkeypatch.setattr(_remote, "THREADS", 1)
    monkeypatch.setattr(_remote, "point", stop_after_the_first)
    try:
        with pytest.raises(Unavailable, match="no use of the store"):
            store.put_all({sha256(data): data for data in (b"a", b"b", NOISE)})
        for name in ("read", "put", "list"):
            with pytest.raises(Unavailable, match=r"no use of the store s3://\S+/models: .*[Cc]onnect"):
                CALLS[name](store)
    finally:
        s3_server.start()
    with pytest.raises(Unavailable, match="bucket is not there"):  # the connection itself is back
        store.read(ABSENT, 6)


def test_uploads_in_parts_that_nobody_finished_are_ended(
    store: Store, bucket: str, s3_server: S3Server
) -> None:
    system = files_of(s3_server)
    for key in ("models/ab/cd", "models/ab/ef", "others/x"):
        system.call_s3("create_multipart_upload", Bucket=bucket, Key=key)
    assert store.sweep(10**15) == 0  # 2001: the server says that all begin in 2010
    later = int((time.time() + 60) * 1e6)
    assert store.sweep(later, dry_run=True) == 2
    assert store.sweep(later) == 2
    assert [upload["Key"] for upload in system.list_multipart_uploads(bucket)] == ["others/x"]


def test_parts_of_a_large_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random.Random(3).randbytes(12 * 2**20)
    system, _ = store._backend._open()  # type: ignore[attr-defined]
    pipe = type(system)._pipe_file
    monkeypatch.setattr(
        type(system),
        "_pipe_file",
        lambda self, path, data, **more: pipe(self, path, data, chunksize=5 * 2**20),
    )
    put(store, data)
    assert store.read(sha256(data), len(data)) == data


# --- what is said -------------------------------------------------------------------------------------------


def test_the_endpoint_may_come_in_the_url(
    bucket: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    store = Store(f"s3://{bucket}/x?endpoint_url={s3_server.url}")
    put(store, NOISE)
    assert str(store) == f"s3://{bucket}/x"
    assert len(files_of(s3_server).find(f"{bucket}/x")) == 1


def test_no_secrets_in_messages(
    s3_environment: S3Server, impatient: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]
    monkeypatch.setenv("AWS_SESSION_TOKEN", "sesame-open")
    url = f"s3://bucket/x?endpoint_url=http://user:{secret}@127.0.0.1:1/&secret={secret}&key=mine"
    store = Store(url)
    for name in ("read", "put", "delete"):
        with pytest.raises(Unavailable) as caught:
            CALLS[name](store)
        text = "".join(map(str, [caught.value, caught.value.__cause__]))
        assert secret not in text
        assert "sesame" not in text
        assert caught.value.__suppress_context__  # so that no traceback shows what the library said


def test_refused_credentials(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(
            f"denied with {ENVIRONMENT['AWS_SECRET_ACCESS_KEY']} at https://me:pw@host/?sig=abc"
        )

    system, _ = store._backend._open()  # type: ignore[attr-defined]
    monkeypatch.setattr(system, "cat_file", refuse)
    with pytest.raises(Unavailable, match=r"PermissionError: denied with … at https://host/$"):
        store.read(ABSENT, 6)


def test_unknown_schemes_and_missing_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="nonsense://"):
        Store("nonsense://secret@place").exists(ABSENT)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(importlib.import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(Unsupported, match=r"pip install 'maas_engine\[s3\]'"):
        Store("s3://bucket").exists(ABSENT)


# --- file systems that cannot put a whole file -----------------------------------------------------------------


@pytest.fixture
def partial(memory: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(_remote, "_WHOLE", set())
    return memory


def test_is_written_under_another_name_first(partial: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = put(partial, NOISE)
    assert partial.read(digest, len(NOISE)) == NOISE
    monkeypatch.setenv("MAAS_FAULT", "store.written:raise")
    with pytest.raises(Unavailable, match="No space left"):
        put(partial, TEXT)
    assert [blob.sha256 for blob in partial.list()] == [digest]
    assert partial.sweep(0) == 0
    assert partial.sweep(10**18) == 1
    assert partial.sweep(10**18) == 0
    assert [blob.sha256 for blob in partial.list()] == [digest]
