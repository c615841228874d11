"""Counts of a column against numpy: every type, layout and length; merging and bytes; hostile bytes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas_engine import _core
from maas_engine.errors import FormatError, InvalidArgument

EXTREMES = [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, -5e-324, 1e308, -1e308, 1.0, np.nextafter(1, 2), 3.5]
EDGES = [
    [0.0, 1.0],
    [-1e308, -1.5, 0.0, 5e-324, 1.0, 3.5],
    [*np.linspace(-2, 2, 21)],
    [*np.linspace(-2, 3, 101)],
]
TEXTS = ["", "Oslo", "a text of more than eight bytes", "Łódź"]


def counted(edges: Any, values: Any) -> tuple[int, int, int, list[int]]:
    """Rows missing, below, above, and in each bin, from the definition."""
    x, edges = np.asarray(values, np.float64), np.asarray(edges)
    missing, below, above = np.isnan(x).sum(), (x < edges[0]).sum(), (x > edges[-1]).sum()
    inside = x[(x >= edges[0]) & (x <= edges[-1])]
    return int(missing), int(below), int(above), np.histogram(inside, edges)[0].tolist()


def figures(state: _core.HistogramState) -> tuple[int, int, int, list[int]]:
    return state.missing, state.below, state.above, state.counts.tolist()


@pytest.mark.parametrize("edges", EDGES, ids=len)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_length_and_layout_of_floats(dtype: Any, edges: list[float]) -> None:
    rng = np.random.default_rng(3)
    pool = np.array(
        [*EXTREMES, *edges, *np.nextafter(edges, 9), *np.nextafter(edges, -9), *rng.normal(0, 2, 40)]
    )
    with np.errstate(over="ignore"):
        pool = pool.astype(dtype)
    for n in range(2 * 64 // np.dtype(dtype).itemsize + 2):
        values = rng.choice(pool, n)
        expected = counted(edges, values)
        wide = np.zeros((n, 3), dtype)
        wide[:, 1] = values
        unaligned = np.frombuffer(b"\0" + values.tobytes(), dtype, offset=1)
        for layout in (values, wide[:, 1], values[::-1], unaligned):
            state = _core.HistogramState("", edges)
            state.update(layout)
            assert figures(state) == expected
            assert state.rows == n


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.bool_]
)
def test_integers_in_bins(dtype: Any) -> None:
    rng = np.random.default_rng(4)
    values = (
        rng.integers(0, 2, 3000).astype(dtype)
        if dtype is np.bool_
        else rng.integers(-9, 9, 3000).astype(dtype)
    )
    edges = [-5.0, -1.5, 0.0, 1.0, 7.25]
    for layout in (values, values[::-2], values.reshape(-1, 3)[:, 1]):
        state = _core.HistogramState("", edges)
        state.update(layout)
        assert figures(state) == counted(edges, layout)


def test_edges_must_rise_and_be_finite() -> None:
    for edges in ([], [1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan], [0.0, np.inf], [*range(2000)]):
        with pytest.raises(InvalidArgument, match="edges"):
            _core.HistogramState("", edges)


def test_a_histogram_takes_no_text() -> None:
    with pytest.raises(InvalidArgument, match="text"):
        _core.HistogramState("", [0.0, 1.0]).update(np.array(["a"], object))


@pytest.mark.parametrize("size", [1, 2, 50, 3000])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_integer_categories(dtype: Any, size: int) -> None:
    rng = np.random.default_rng(size)
    known = np.unique(rng.integers(-(2**22), 2**22, size))
    values = np.where(rng.random(5000) < 0.7, rng.choice(known, 5000), rng.integers(-99, 99, 5000)).astype(
        dtype
    )
    state = _core.CategoryState("", known.tolist())
    for layout in (values, values[::-1], values[::3]):
        state.update(layout)
    seen = Counter([*values.tolist(), *values.tolist(), *values[::3].tolist()])
    assert state.counts.tolist() == [seen[value] for value in known.tolist()]
    assert state.unseen == seen.total() - state.counts.sum()
    assert (state.missing, state.rows) == (0, seen.total())


def test_categories_of_numbers_that_are_none_of_them() -> None:
    known = [-(2**63), -1, 0, 1, 2**62, 2**63 - 1]
    state = _core.CategoryState("", known)
    state.update(np.array([np.nan, 0.5, -0.0, 1.0, 2.0**63, -(2.0**63), np.inf, 2.0**62]))
    assert (state.missing, state.unseen) == (1, 3)
    assert state.counts.tolist() == [1, 0, 1, 1, 1, 0]
    state.update(np.array([2**63, 2**64 - 1, 2**63 - 1, 0], np.uint64))
    assert (state.unseen, state.counts.tolist()) == (5, [1, 0, 2, 1, 1, 1])
    state.update(np.array(["0", None], object))
    assert (state.missing, state.unseen) == (2, 6)


def test_text_categories() -> None:
    state = _core.CategoryState("", TEXTS)
    values = np.array(["Oslo", None, "", "Łódź", "Oslo ", "oslo", "x" * 10**6, TEXTS[2], "Oslo"], object)
    state.update(values)
    assert state.counts.tolist() == [1, 2, 1, 1]
    assert (state.missing, state.unseen, state.rows) == (1, 3, 9)
    state.update(np.array([1.0, np.nan]))  # numbers are none of them
    assert (state.missing, state.unseen) == (2, 4)
    with pytest.raises(InvalidArgument, match="surrogate"):
        state.update(np.array(["Oslo", "\ud800"], object))
    with pytest.raises(InvalidArgument, match="text or None"):
        state.update(np.array(["Oslo", 1], object))
    assert state.rows == 11


def test_categories_must_rise() -> None:
    for values in ([1, 1], [2, 1], ["b", "a"], ["a", "a"], ["x" * 5000], [*range(70_000)]):
        with pytest.raises(InvalidArgument, match="categories"):
            _core.CategoryState("", values)


def test_profile_state_counts_only_what_it_is_given() -> None:
    histogram, texts = _core.HistogramState("h", [0.0, 1.0]), _core.CategoryState("c", ["a", "b"])
    profile = _core.ProfileState([histogram, texts])
    profile.update([np.array([0.5, np.nan]), None])
    profile.update([None, np.array(["b", "z"], object)])
    profile.update([np.array(["b"], object), np.array([1.0])])  # the wrong kinds
    assert [figures(profile.columns[0]), profile.columns[0].rows] == [(2, 0, 0, [1]), 3]
    assert (profile.columns[1].counts.tolist(), profile.columns[1].unseen) == ([0, 1], 2)
    assert [state.rows for state in profile.empty().columns] == [0, 0]
    for wrong in ([None], [None, None, None]):
        with pytest.raises(InvalidArgument, match="a column"):
            profile.update(wrong)
    with pytest.raises(InvalidArgument, match="surrogate"):
        profile.update([np.zeros(5), np.array(["\udc00"], object)])
    assert profile.columns[0].rows == 3  # nothing of a refused batch is counted


@pytest.mark.parametrize(
    "other",
    [
        [_core.HistogramState("h", [0.0, 1.0])],
        [_core.HistogramState("h", [0.0, 1.0]), _core.CategoryState("c", ["a"])],
        [_core.HistogramState("h", [0.0, 1.0]), _core.CategoryState("d", ["a", "b"])],
        [_core.HistogramState("h", [0.0, 2.0]), _core.CategoryState("c", ["a", "b"])],
        [_core.CategoryState("c", ["a", "b"]), _core.HistogramState("h", [0.0, 1.0])],
    ],
)
def test_other_profiles_do_not_merge(other: Any) -> None:
    profile = _core.ProfileState(
        [_core.HistogramState("h", [0.0, 1.0]), _core.CategoryState("c", ["a", "b"])]
    )
    stranger = _core.ProfileState(other)
    stranger.update([np.ones(3)] * len(other))
    with pytest.raises(InvalidArgument):
        profile.merge(stranger)
    assert [state.rows for state in profile.columns] == [0, 0]  # the first column neither


def fed(kind: str, parts: Any) -> Any:
    """A state that merged one state a part."""

    def new() -> Any:
        return _core.HistogramState("x", EDGES[1]) if kind == "numbers" else _core.CategoryState("x", TEXTS)

    whole = new()
    for part in parts:
        state = new()
        state.update(np.array(part, np.float64 if kind == "numbers" else object))
        whole.merge(type(whole).from_bytes(state.to_bytes()))
    return whole


BATCHES = {
    "numbers": st.lists(st.lists(st.floats(width=64) | st.sampled_from(EXTREMES), max_size=9), max_size=6),
    "texts": st.lists(st.lists(st.none() | st.sampled_from([*TEXTS, "z"]), max_size=9), max_size=6),
}


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(["numbers", "texts"]))
def test_any_split_in_any_order_gives_the_same_bytes(data: Any, kind: str) -> None:
    parts = data.draw(BATCHES[kind])
    shuffled = data.draw(st.permutations(parts))
    at_once = fed(kind, [[value for part in parts for value in part]])
    assert fed(kind, parts).to_bytes() == fed(kind, shuffled).to_bytes() == at_once.to_bytes()
    cut = data.draw(st.integers(0, len(parts)))
    left, right = fed(kind, shuffled[:cut]), fed(kind, shuffled[cut:])
    right.merge(left)
    assert right.to_bytes() == at_once.to_bytes()


def examples() -> list[Any]:
    histogram, numbers, texts = (
        _core.HistogramState('{"name": "x"}', EDGES[1]),
        _core.CategoryState("{}", [-3, 1, 2**40]),
        _core.CategoryState("", TEXTS),
    )
    histogram.update(np.array(EXTREMES))
    numbers.update(np.array([1, 1, 5, 2**40]))
    texts.update(np.array([*TEXTS, "z", None], object))
    return [histogram, numbers, texts, _core.CategoryState("", []), histogram.empty()]


@pytest.mark.parametrize("state", examples(), ids=lambda state: type(state).__name__)
def test_bytes_come_back_and_hostile_ones_are_refused(state: Any) -> None:
    data, kind = state.to_bytes(), type(state)
    assert kind.from_bytes(data).to_bytes() == data
    rng = np.random.default_rng(1)
    hostile = [data[:cut] for cut in range(len(data))] + [data + b"\0", b"MAST" + b"\xff" * 60]
    for _ in range(600):
        changed = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            changed[rng.integers(len(data))] = rng.integers(256)
        hostile.append(bytes(changed))
    for case in hostile:
        try:
            again = kind.from_bytes(case)
        except FormatError:
            continue
        assert again.to_bytes() == case  # what is read is in its one form
    other = _core.CategoryState if kind is _core.HistogramState else _core.HistogramState
    with pytest.raises(FormatError, match="state of this metric"):
        other.from_bytes(data)
