"""A registry whose files lie on S3, by a server of its own."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import registry_models
from s3_server import S3Server
from sqlalchemy import update

from maas_engine.errors import Unavailable
from maas_engine.registry import Registry, _remote
from maas_engine.registry import _tables as t

s3fs = pytest.importorskip("s3fs")


@pytest.fixture
def bucket(s3_environment: S3Server) -> str:
    name = f"test-{secrets.token_hex(6)}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return name


@pytest.fixture
def registry(bucket: str, tmp_path: Path) -> Iterator[Registry]:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    with Registry(url, f"s3://{bucket}/models", cache=tmp_path / "cache") as made:
        yield made


def test_register_load_collect(registry: Registry) -> None:
    for seed in (1, 2):
        registry.register("m", registry_models.linear(seed))
    registry.delete_version("m", 1)
    with registry.database.write() as connection:
        connection.execute(update(t.blobs).values(lease=0))
    kept = {file.sha256 for file in registry.versions("m")[0].files.values()}
    report = registry.collect_garbage(grace=0)
    assert report.blobs
    assert report.missing == ()
    assert {blob.sha256 for blob in registry.store.list()} == kept
    assert registry.load("models:/m/2").to_bytes() == registry_models.linear(2).to_bytes()
    assert registry.audit()


def test_many_threads_register(registry: Registry) -> None:
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            registry.register("m", registry_models.linear(seed % 3))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [version.version for version in registry.versions("m")] == [6, 5, 4, 3, 2, 1]
    assert registry.collect_garbage(grace=0).missing == ()


def test_the_store_goes_down_while_a_version_is_sent(
    registry: Registry, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_remote, "ATTEMPTS", 1)
    monkeypatch.setitem(_remote._OPTIONS, "s3", {"config_kwargs": {"retries": {"max_attempts": 0}}})
    registry.register("m", registry_models.linear(1))
    registry.load("models:/m/1")

    def stop(name: str) -> None:
        if name == "store.renamed":
            s3_server.stop()

    with monkeypatch.context() as patch:
        patch.setattr(_remote, "point", stop)
        patch.setattr(_remote, "THREADS", 1)
        try:
            with pytest.raises(Unavailable, match=rf"no use of the store s3://{bucket}/models"):
                registry.register("m", registry_models.linear(2))
            assert [version.version for version in registry.versions("m")] == [1]
            registry.load("models:/m/1")  # from the cache
        finally:
            s3_server.start()
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)  # the server forgets with its process
    assert registry.register("m", registry_models.linear(2)).version == 2
    registry.load("models:/m/2")
    assert registry.audit()
    lost = {file.sha256 for file in registry.versions("m")[1].files.values()}
    assert set(registry.collect_garbage(grace=0).missing) == lost - {
        file.sha256 for file in registry.versions("m")[0].files.values()
    }
