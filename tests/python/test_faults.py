"""Processes that are killed, or find the disk full, at any step: nothing is lost, nothing is half there.

`make test-faults` runs every step of every change; `make test` a few.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fault_scenarios as scenarios
import pytest
from fault_scenarios import OF_PACKAGES, OF_STORES, REFUSED, SCENARIOS, Place
from s3_server import S3Server

EVERY = {  # changes by what they are tried on
    "sqlite": [*SCENARIOS],
    "postgresql": [name for name in SCENARIOS if name not in OF_PACKAGES],
    "s3": [*OF_STORES],
}
ELSEWHERE = {"change.folder_away"}  # only where no system call exchanges two folders: test_package_changes
SAMPLE = {  # what `make test` runs: points by change
    "register a version": ["store.half_written#2", "store.renamed#1", "register.inserted#1"],
    "collect garbage": ["gc.removed#1"],
    "promote": ["promote.before_commit#1"],
    "rotate": ["files.named#1"],
}

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["fault_scenarios"])


class Stage:
    """A prepared place, to be copied for each fault."""

    def __init__(self, kind: str, folder: Path, request: pytest.FixtureRequest) -> None:
        self._kind, self._folder, self._request = kind, folder, request
        self._count = 0
        self.environment: dict[str, str] = {}
        if kind == "s3":
            server: S3Server = request.getfixturevalue("s3_server")
            self.environment = {**s3_environment(server)}
            self._bucket = f"faults-{secrets.token_hex(6)}"
            self._files(server).mkdir(self._bucket)
        self._first = self._place("first", None)
        self._first.folder.mkdir()
        scenarios.prepare(self._first)

    def copy(self) -> Place:
        self._count += 1
        place = self._place(f"copy{self._count}", self._first)
        shutil.copytree(self._first.folder, place.folder)
        if self._kind == "s3":
            files = self._files(self._request.getfixturevalue("s3_server"))
            files.copy(self._first.store, place.store, recursive=True)
        return place

    def _place(self, name: str, template: Place | None) -> Place:
        folder = self._folder / name
        url, store = str(folder / "registry"), str(folder / "registry" / "blobs")
        if self._kind == "postgresql":
            server = self._request.getfixturevalue("postgres_server")
            url = server.create_database(template and template.url.rpartition("/")[2])
        if self._kind == "s3":
            store = f"s3://{self._bucket}/{name}"
        return Place(folder, url, store)

    def _files(self, server: S3Server) -> Any:
        s3fs = pytest.importorskip("s3fs")
        return s3fs.S3FileSystem(endpoint_url=server.url, use_listings_cache=False, skip_instance_cache=True)


def s3_environment(server: S3Server) -> dict[str, str]:
    from s3_server import ENVIRONMENT

    return {**ENVIRONMENT, "AWS_ENDPOINT_URL": server.url}


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "s3":
            for name, value in s3_environment(request.getfixturevalue("s3_server")).items():
                patch.setenv(name, value)
        yield Stage(request.param, tmp_path_factory.mktemp("faults"), request)


def start(target: Callable[..., None], *arguments: object) -> int:
    process = context.Process(target=target, args=arguments)
    with pytest.MonkeyPatch.context() as patch:  # for the server of forks, which the first process starts
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        process.start()
    process.join(120)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def steps(stage: Stage, name: str) -> list[str]:
    """Every step that the change passes, by point and how often it was passed."""
    place = stage.copy()
    assert start(scenarios.trace, name, place, stage.environment) == 0
    times: Counter[str] = Counter()
    found = []
    for point in (place.folder / "passed").read_text().split():
        times[point] += 1
        found.append(f"{point}#{times[point]}")
    shutil.rmtree(place.folder)
    return found


def check(stage: Stage, name: str, step: str, before: object, after: object) -> None:
    """Fail there, look at what is left, and do it again."""
    point, _, time = step.partition("#")
    for kind in ("", ":raise"):
        place = stage.copy()
        code = start(scenarios.run, name, place, f"{point}{kind}#{time}", stage.environment)
        if kind:
            assert code in (REFUSED, 0), step  # 0: a place where a full disk does no harm
            if code == REFUSED:
                assert "No space left" in (place.folder / "error").read_text(), step
        else:
            assert code == -9, step
        found = scenarios.state(place)
        assert found in (before, after), step
        if found == before:
            assert start(scenarios.run, name, place, "", stage.environment) == 0, step
            assert scenarios.state(place) == after, step
        scenarios.settle(place)
        assert scenarios.state(place) == after, step
        shutil.rmtree(place.folder)


def before_and_after(stage: Stage, name: str) -> tuple[object, object]:
    place = stage.copy()
    before = scenarios.state(place)
    assert start(scenarios.run, name, place, "", stage.environment) == 0
    after = scenarios.state(place)
    shutil.rmtree(place.folder)
    return before, after


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", SAMPLE)
def test_a_few_steps(stage: Stage, name: str) -> None:
    before, after = before_and_after(stage, name)
    for step in SAMPLE[name]:
        check(stage, name, step, before, after)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("stage", "name"), [(kind, name) for kind in EVERY for name in EVERY[kind]], indirect=["stage"]
)
def test_every_step(stage: Stage, name: str) -> None:
    before, after = before_and_after(stage, name)
    for step in steps(stage, name):
        check(stage, name, step, before, after)


@pytest.mark.faults
def test_no_point_is_forgotten(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    passed: set[str] = set()
    stage = Stage("sqlite", tmp_path, request)
    for name in SCENARIOS:
        passed |= {step.partition("#")[0] for step in steps(stage, name)}
    assert scenarios.points() - ELSEWHERE == passed
