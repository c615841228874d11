"""Aliases: where they point now and pointed then, who moved them, and back again."""

from __future__ import annotations

import datetime
import threading
import time

import pytest
from registry_models import linear

from maas_engine.errors import Conflict, InvalidArgument, NotFound
from maas_engine.registry import Registry

UTC = datetime.timezone.utc


def moment() -> datetime.datetime:
    """A moment that is after every earlier change and before every later one."""
    time.sleep(0.002)
    now = datetime.datetime.now(UTC)
    time.sleep(0.002)
    return now


@pytest.fixture
def three(registry: Registry) -> Registry:
    """Model "a" of versions 1, 2 and 3."""
    for seed in range(3):
        registry.register("a", linear(seed))
    return registry


def test_an_alias_points_to_one_version(three: Registry) -> None:
    three.set_alias("a", "champion", 1)
    three.set_alias("a", "shadow", 1)
    assert three.get_version("a", 1).aliases == ("champion", "shadow")
    three.set_alias("a", "champion", "2")
    assert three.get_version("a", 1).aliases == ("shadow",)
    assert three.resolve("models:/a@champion") == three.get_version("a", "champion")
    assert three.resolve("models:/a@champion").version == 2
    three.delete_alias("a", "shadow")
    for read in (lambda: three.resolve("models:/a@shadow"), lambda: three.delete_alias("a", "shadow")):
        with pytest.raises(NotFound, match="'shadow'"):
            read()


def test_what_is_not_there(three: Registry) -> None:
    for change in (
        lambda: three.set_alias("b", "champion", 1),
        lambda: three.set_alias("a", "champion", 4),
        lambda: three.delete_alias("b", "champion"),
        lambda: three.rollback("a", "champion"),
        lambda: three.resolve("models:/b/1"),
        lambda: three.resolve("models:/a/4"),
        lambda: three.get_version("a", "champion"),
    ):
        with pytest.raises(NotFound):
            change()
    for wrong in ("latest", "LATEST", "v1", "V12", "", "a b", "é", "a@b", "x" * 256, 1, None):
        with pytest.raises(InvalidArgument):
            three.set_alias("a", wrong, 1)  # type: ignore[arg-type]
    for number in (0, -1, 2**31, "1.0", "01", True, None, 1.0):
        with pytest.raises(InvalidArgument):
            three.set_alias("a", "champion", number)  # type: ignore[arg-type]
    assert three.history("a", "champion") == []


def test_history_tells_who_moved_it_when_and_why(three: Registry) -> None:
    start = moment()
    three.set_alias("a", "champion", 1, reason="first")
    three.actor = "bob"
    three.set_alias("a", "champion", 2, reason="better\nby far")
    three.set_alias("a", "champion", 2, reason="again")  # no change
    three.delete_alias("a", "champion", reason="audit")
    events = three.history("a", "champion")
    assert [(e.actor, e.action, e.version, e.reason) for e in events] == [
        ("ann", "alias.set", 1, "first"),
        ("bob", "alias.set", 2, "better\nby far"),
        ("bob", "alias.delete", None, "audit"),
    ]
    assert [e.detail["previous"] for e in events] == [None, 1, 2]
    assert start < events[0].moment <= events[1].moment <= moment()
    assert three.history("a", "champion", limit=2) == events[1:]
    assert three.history(alias="champion") == events
    assert three.history(limit=1) == events[-1:]
    assert three.history("b") == []
    for limit in (0, -1, 1.5, True):
        with pytest.raises(InvalidArgument, match="limit"):
            three.history(limit=limit)  # type: ignore[arg-type]


def test_one_of_two_that_move_it_at_once_is_refused(three: Registry) -> None:
    three.set_alias("a", "champion", 1, expected=0)
    with pytest.raises(Conflict, match="got 1"):
        three.set_alias("a", "champion", 2, expected=0)
    with pytest.raises(Conflict, match="expected alias 'champion' of 'a' at version 3"):
        three.set_alias("a", "champion", 2, expected=3)
    results: list[str] = []

    def move(version: int) -> None:
        try:
            three.set_alias("a", "champion", version, expected=1)
            results.append("moved")
        except Conflict:
            results.append("refused")

    threads = [threading.Thread(target=move, args=(version,)) for version in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["moved", "refused"]
    with pytest.raises(Conflict, match="no alias"):
        three.set_alias("a", "new", 1, expected=1)
    assert three.audit()


def test_an_alias_as_of_a_moment(three: Registry) -> None:
    moments = [moment()]
    for version in (1, 2):
        three.set_alias("a", "champion", version)
        moments.append(moment())
    three.delete_alias("a", "champion")
    moments.append(moment())
    three.set_alias("a", "champion", 3)
    uri = "models:/a@champion"
    assert three.resolve(uri, as_of=moments[1]).version == 1
    assert three.resolve(uri, as_of=moments[2].isoformat()).version == 2
    for gone in (moments[0], moments[3]):
        with pytest.raises(NotFound, match="at that moment"):
            three.resolve(uri, as_of=gone)
    assert three.resolve(uri, as_of=moment()).version == three.resolve(uri).version == 3
    elsewhere = moments[1].astimezone(datetime.timezone(datetime.timedelta(hours=-9.5)))
    assert three.resolve(uri, as_of=elsewhere.isoformat()).version == 1
    assert three.load(uri, as_of=moments[1]).to_bytes() == linear(0).to_bytes()
    exactly = three.history("a", "champion")[0].moment
    assert three.resolve(uri, as_of=exactly).version == 1
    with pytest.raises(NotFound):
        three.resolve(uri, as_of=exactly - datetime.timedelta(microseconds=1))


def test_versions_as_of_a_moment(registry: Registry) -> None:
    registry.register("a", linear(0))
    first = moment()
    registry.register("a", linear(1))
    second = moment()
    registry.delete_version("a", 2)
    third = moment()
    registry.register("a", linear(2))
    assert registry.resolve("models:/a/latest", as_of=first).version == 1
    assert registry.resolve("models:/a/latest", as_of=third).version == 1
    assert registry.resolve("models:/a/1", as_of=first).version == 1
    with pytest.raises(NotFound, match="got version 2, deleted since"):
        registry.resolve("models:/a/latest", as_of=second)
    for missing in ("models:/a/3", "models:/a/2"):
        with pytest.raises(NotFound, match="nothing of that name then"):
            registry.resolve(missing, as_of=third)
    with pytest.raises(NotFound):
        registry.resolve("models:/a/latest", as_of="1999-12-31T23:59:60Z".replace("60Z", "59Z"))


def test_a_name_given_again_does_not_mean_the_earlier_model(registry: Registry) -> None:
    registry.register("a", linear(0))
    registry.set_alias("a", "champion", 1)
    early = moment()
    registry.delete_alias("a", "champion")
    registry.delete_model("a")
    registry.register("a", linear(1))
    for uri in ("models:/a@champion", "models:/a/1", "models:/a/latest"):
        with pytest.raises(NotFound, match="deleted since"):
            registry.resolve(uri, as_of=early)
    with pytest.raises(NotFound, match="before"):
        registry.rollback("a", "champion")
    registry.set_alias("a", "champion", 2)
    with pytest.raises(NotFound, match="before"):
        registry.rollback("a", "champion")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T09:00:00Z",
        "2026-01-31t09:00:00z",
        "2026-01-31 10:00:00.5+01:00",
        "2026-01-31T09:00:00.123456789Z",
    ],
)
def test_moments_as_rfc_3339_writes_them(small_registry: Registry, text: str) -> None:
    with pytest.raises(NotFound):
        small_registry.resolve("models:/a/1", as_of=text)


@pytest.mark.parametrize(
    "wrong",
    ["2026-01-31", "2026-01-31T09:00:00", "2026-02-30T09:00:00Z", "now", "", "2026-01-31T09:00:00Z'--",
     datetime.datetime(2026, 1, 31), 1769850000, datetime.date(2026, 1, 31), "2026-01-31T09:00:00+99:00", "x" * 10**6],
)  # fmt: skip
def test_moments_without_a_time_zone_or_sense(small_registry: Registry, wrong: object) -> None:
    with pytest.raises(InvalidArgument, match="time zone") as caught:
        small_registry.resolve("models:/a/1", as_of=wrong)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


def test_rolling_back_goes_to_the_version_before_and_further(three: Registry) -> None:
    for version in (1, 2, 3):
        three.set_alias("a", "champion", version)
    assert three.rollback("a", "champion", reason="worse") == 2
    assert three.history(limit=1)[0].detail == {"previous": 3, "reason": "worse", "rollback": True}
    assert three.rollback("a", "champion") == 1
    with pytest.raises(NotFound, match="before"):
        three.rollback("a", "champion")
    assert three.resolve("models:/a@champion").version == 1
    three.set_alias("a", "champion", 3)
    assert three.rollback("a", "champion") == 1
    assert three.audit()


def test_rolling_back_brings_a_deleted_alias_back(three: Registry) -> None:
    three.set_alias("a", "champion", 2)
    three.delete_alias("a", "champion")
    assert three.rollback("a", "champion") == 2
    assert three.get_version("a", "champion").version == 2


def test_rolling_back_leaves_out_versions_that_are_gone(three: Registry) -> None:
    for version in (1, 2, 3):
        three.set_alias("a", "champion", version)
    three.delete_version("a", 2)
    assert three.rollback("a", "champion") == 1


def test_rolling_back_where_it_went_to_and_fro(three: Registry) -> None:
    for version in (1, 2, 1, 3, 1):
        three.set_alias("a", "champion", version)
    assert [three.rollback("a", "champion") for _ in range(4)] == [3, 1, 2, 1]
