"""Many processes at once on one registry: no number twice, none left out, every file as it was."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from registry_models import linear
from sqlalchemy import select

from maas_engine.errors import Conflict
from maas_engine.package import Policy
from maas_engine.registry import Registry
from maas_engine.registry import _tables as t

# Python 3.12 warns of any fork with threads about.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

PROCESSES = 16
FEWER = 8  # where each waits for all others
EACH = 3


def open_registry(place: tuple[str, str, str], actor: str = "ann") -> Registry:
    url, store, cache = place
    return Registry(url, store, cache=cache, actor=actor, policy=Policy())


def run_at_once(work: Callable[..., None], *arguments: Any, many: int = PROCESSES) -> None:
    """Run ``work(number, *arguments)`` in processes that begin together."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(many)

    def start(number: int) -> None:
        barrier.wait(60)
        work(number, *arguments)

    processes = [context.Process(target=start, args=(number,)) for number in range(many)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        if process.is_alive():
            process.kill()
    assert [process.exitcode for process in processes] == [0] * many


def check_whole(registry: Registry, garbage: bool = False) -> None:
    """Every version's files are in the store, none more but for garbage, and what is loaded has its digest."""
    report = registry.audit()
    assert report.whole, report.problems
    files = set()
    for model in registry.models():
        for version in registry.versions(model.name):
            files |= set(version.files.values())
            assert registry.package(version.uri).digest == version.digest
    for file in files:
        assert hashlib.sha256(registry.store.read(file.sha256, file.size)).hexdigest() == file.sha256
    wanted = {file.sha256 for file in files}
    stored = {blob.sha256 for blob in registry.store.list()}
    with registry.database.read() as connection:
        present = select(t.blobs.c.sha256).where(t.blobs.c.state == "present")
        known = set(connection.execute(present).scalars())
    assert stored == known
    assert wanted <= stored if garbage else wanted == stored


def register_some(number: int, place: tuple[str, str, str]) -> None:
    with open_registry(place, f"process {number}") as registry:
        for n in range(EACH):
            # Two of three are every process's own; the third is the same for all, at the same time.
            version = registry.register("shared", linear(1000 if n == 1 else number * EACH + n))
            registry.set_alias("shared", f"by-{number}", version.version)


def test_sixteen_processes_register_at_once(database_url: str, tmp_path: Path) -> None:
    place = (database_url, str(tmp_path / "blobs"), str(tmp_path / "cache"))
    run_at_once(register_some, place)  # which also make the database
    with open_registry(place) as registry:
        versions = registry.versions("shared")
        assert [version.version for version in versions] == list(range(PROCESSES * EACH, 0, -1))
        by_actor = {f"process {n}": 0 for n in range(PROCESSES)}
        for version in versions:
            by_actor[version.created_by] += 1
        assert set(by_actor.values()) == {EACH}
        weights = [registry.load(version.uri).to_bytes() for version in versions]
        assert weights.count(linear(1000).to_bytes()) == PROCESSES
        assert len(set(weights)) == PROCESSES * (EACH - 1) + 1
        assert len(registry.get_model("shared").aliases) == PROCESSES
        check_whole(registry)


def count_up(number: int, place: tuple[str, str, str]) -> None:
    with open_registry(place) as registry:
        for _ in range(2):
            while True:
                current = registry.get_version("a", "champion").version
                try:
                    registry.set_alias("a", "champion", current + 1, expected=current)
                    break
                except Conflict:
                    continue


def test_an_alias_moved_by_many_with_what_each_expects(database_url: str, tmp_path: Path) -> None:
    place = (database_url, str(tmp_path / "blobs"), str(tmp_path / "cache"))
    with open_registry(place) as registry:
        for seed in range(2 * FEWER + 1):
            registry.register("a", linear(seed % 2))
        registry.set_alias("a", "champion", 1)
        run_at_once(count_up, place, many=FEWER)
        assert registry.get_version("a", "champion").version == 2 * FEWER + 1
        moves = [event.version for event in registry.history("a", "champion")]
        assert moves == list(range(1, 2 * FEWER + 2))  # none was lost
        assert registry.audit()


def do_everything(number: int, place: tuple[str, str, str]) -> None:
    name = f"m{number % 4}"
    with open_registry(place) as registry:
        for n in range(EACH):
            version = registry.register(name, linear(n), tags={"n": str(n)}).version
            registry.set_tag(name, "n", str(number), version=version)
            if n == 0:
                registry.delete_version(name, version)
            if number == 0:
                registry.collect_garbage(grace=0.0)
                assert registry.audit()


def test_registering_deleting_and_collecting_at_once(database_url: str, tmp_path: Path) -> None:
    place = (database_url, str(tmp_path / "blobs"), str(tmp_path / "cache"))
    run_at_once(do_everything, place, many=FEWER)
    with open_registry(place) as registry:
        for model in registry.models():
            numbers = {version.version for version in registry.versions(model.name)}
            assert len(numbers) == FEWER // 4 * (EACH - 1)
            assert max(numbers) <= FEWER // 4 * EACH
        check_whole(registry, garbage=True)  # which a lease still holds


def register_until_killed(place: tuple[str, str, str]) -> None:
    with open_registry(place) as registry:
        for seed in range(10**6):
            registry.register("a", linear(seed))


def test_processes_killed_while_they_register(database_url: str, tmp_path: Path) -> None:
    """At moments of chance; test-faults kills at each step on purpose."""
    place = (database_url, str(tmp_path / "blobs"), str(tmp_path / "cache"))
    with open_registry(place) as registry:
        registry.register("a", linear(0))
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=register_until_killed, args=(place,)) for _ in range(4)]
        for process in processes:
            process.start()
        for n, process in enumerate(processes):
            time.sleep(0.15 + 0.037 * n)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join(60)
        versions = registry.versions("a")
        assert [version.version for version in versions] == list(range(len(versions), 0, -1))
        assert registry.register("a", linear(7)).version == len(versions) + 1
        assert registry.audit()
        for version in versions:
            registry.load(version.uri)
