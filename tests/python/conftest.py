"""Servers that many tests share: started when a test first asks, stopped when pytest ends."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from postgres_server import PostgresServer, find_programs
from s3_server import ENVIRONMENT, S3Server

if TYPE_CHECKING:  # tests of other rooms run without the registry's libraries
    from maas_engine.registry import Registry


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL; `create_database` gives a test its own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine: tools/system_packages.sh python3 test")
    server = PostgresServer(programs)
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An SQLAlchemy URL of an empty database; a test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    url: str = request.getfixturevalue("postgres_server").create_database()
    return url


@pytest.fixture
def registry(database_url: str, tmp_path: Path) -> Iterator[Registry]:
    """An empty registry, on SQLite and on PostgreSQL."""
    with _open_registry(tmp_path, url=database_url, store=str(tmp_path / "blobs")) as made:
        yield made


@pytest.fixture
def small_registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry in a folder, for what has nothing to do with a database's dialect."""
    with _open_registry(tmp_path, url=tmp_path / "registry") as made:
        yield made


def _open_registry(folder: Path, **places: Any) -> closing[Registry]:
    from maas_engine.registry import Registry

    return closing(Registry(**places, cache=folder / "cache", actor="ann"))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A running S3; tests that stop it start it again. `s3_environment` says where it is."""
    server = S3Server()
    yield server
    server.close()


@pytest.fixture
def s3_environment(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The same, found by this process as by its children: through AWS's own variables."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    return s3_server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "maas-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
