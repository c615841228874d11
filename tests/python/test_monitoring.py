"""Profiles of models: their columns, what they count, how they merge, and their files."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden import make_profile
from small_models import classifier, linear, mixed

import maas_engine
from maas_engine import _safetensors
from maas_engine.errors import FormatError, InvalidArgument, NotFound
from maas_engine.graph import GraphBuilder
from maas_engine.monitoring import Profile, drift

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2000, 20)).astype(np.float32)


def rows_of_people(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {
        "age": rng.normal(40, 10, n),
        "height": np.where(rng.random(n) < 0.1, np.nan, rng.normal(1.7, 0.1, n)).astype(np.float32),
        "city": rng.choice(["Oslo", "Łódź", "Rome"], n, p=[0.5, 0.3, 0.2]).astype(object),
        "count": rng.integers(0, 5, n),
    }


PEOPLE = rows_of_people(RNG, 3000)


@pytest.fixture(scope="module")
def people() -> Profile:
    return Profile.build(mixed(), PEOPLE)


def test_columns_of_a_classifier() -> None:
    model = classifier(["no", "maybe", "yes"])
    profile = Profile.build(model, X)
    names = [each.name for each in profile.columns]
    assert names[:2] == ["X[0]", "X[1]"]
    assert names[20:] == [
        "label",
        *(f"probabilities[{each}]" for each in model.labels),
        *(f"scores[{each}]" for each in model.labels),
    ]
    label = profile.states[20]
    assert label.vocabulary == ["maybe", "no", "yes"]
    values, counts = np.unique(model.predict(X), return_counts=True)
    assert dict(zip(label.vocabulary, label.counts.tolist(), strict=True)) == {
        "maybe": 0, "no": 0, "yes": 0, **dict(zip(values.tolist(), counts.tolist(), strict=True))
    }  # fmt: skip
    columns = [*X.T, None, *model.predict_proba(X).T, *model.decision_function(X).T]
    for state, column in zip(profile.states, columns, strict=True):
        if column is not None:
            inside = np.histogram(column.astype(np.float64), state.edges)[0]
            assert state.counts.tolist() == inside.tolist()
            assert (state.rows, state.below, state.above, state.missing) == (len(X), 0, 0, 0)


def test_columns_of_mixed_inputs(people: Profile) -> None:
    age, height, city, count = people.states[:4]
    assert (age.missing, height.missing) == (0, int(np.isnan(PEOPLE["height"]).sum()))
    assert city.vocabulary == sorted(set(PEOPLE["city"]))
    assert (count.vocabulary, count.unseen) == ([0, 1, 2, 3, 4], 0)
    assert [each.name for each in people.columns[:4]] == ["age", "height", "city", "count"]


def test_feature_names_name_columns() -> None:
    model = linear(features=2, feature_names=json.dumps(["age", "income"]))
    frame = pd.DataFrame({"income": X[:, 1], "age": X[:, 0], "other": 1})
    profile = Profile.build(model, frame)
    assert [each.name for each in profile.columns] == ["age", "income", "variable"]
    assert profile.to_bytes() == Profile.build(model, X[:, :2]).to_bytes()


@pytest.mark.parametrize("form", ["dict", "pandas", "arrow", "rows"])
def test_live_rows_come_in_any_form(people: Profile, form: str) -> None:
    rows = {name: values[:50] for name, values in PEOPLE.items()}
    rows["height"] = np.full(50, 1.5, np.float32)
    frame = pd.DataFrame(rows)
    X = {"dict": rows, "pandas": frame, "arrow": pa.table(rows), "rows": frame.to_dict("records")}[form]
    expected, live = people.empty(), people.empty()
    expected.update(rows, mixed().run(rows))
    live.update(X, mixed().run(X))
    assert live.to_bytes() == expected.to_bytes()
    assert live.rows == 50


def test_rows_one_by_one_are_the_batch(people: Profile) -> None:
    model, one, batch = mixed(), people.empty(), people.empty()
    rows = pd.DataFrame(PEOPLE).head(20).to_dict("records")
    for row in rows:
        one.update(row, model.run(row))
    batch.update(rows, model.run(rows))
    assert one.to_bytes() == batch.to_bytes()

    model = classifier([3, 5, 9])
    profile = Profile.build(model, X)
    one, batch = profile.empty(), profile.empty()
    for row in X[:20]:
        one.update(row, model.run(row))
    batch.update(X[:20], model.run(X[:20]))
    assert one.to_bytes() == batch.to_bytes()


def test_outputs_by_method_and_alone() -> None:
    model = classifier([3, 5, 9])
    live = Profile.build(model, X).empty()
    live.update(None, {"predict": model.predict(X[:7]), "decision_function": model.decision_function(X[:7])})
    assert [state.rows for state in live.states] == [0] * 20 + [7] + [0] * 3 + [7] * 3
    for wrong in ({"labels": [3]}, {"predict_probability": [3]}):
        with pytest.raises(InvalidArgument, match="expected outputs of label, probabilities, scores"):
            live.update(None, wrong)
    with pytest.raises(InvalidArgument, match="rows of probabilities"):
        live.update(X, {"probabilities": np.zeros((5, 2))})
    with pytest.raises(InvalidArgument, match="20"):
        live.update(X[:, :3])
    with pytest.raises(InvalidArgument, match=r"as many rows of each, got \[5, 2000\]"):
        live.update(X, {"label": [3] * 5})
    for value in ("text", [["a"]], [3, [4]], 0.5, 1j, None, [2**70]):
        with pytest.raises(InvalidArgument, match="label"):
            live.update(X[:1], {"label": value})
    with pytest.raises(InvalidArgument, match="outputs by name, got ndarray"):
        live.update(X, model.predict(X))
    assert live.rows == 7


def test_double_outputs_of_a_float_model_count_unrounded() -> None:
    profile = Profile.build(linear(features=2), X[:, :2])
    live, edges = profile.empty(), profile.states[2].edges
    live.update(None, {"variable": np.nextafter([edges[0], edges[-1]], [-np.inf, np.inf])})
    assert (live.states[2].below, live.states[2].above) == (1, 1)


def test_outputs_in_other_types_of_their_kind() -> None:
    model = linear(np.float64, features=2)
    profile = Profile.build(model, X[:, :2])
    values = model.predict(X[:9, :2]).astype(np.float32)
    expected = profile.empty()
    expected.update(None, {"variable": values.astype(np.float64)})
    for same in (values, values.astype(">f4"), values.tolist(), values.astype(object)):
        live = profile.empty()
        live.update(None, {"variable": same})
        assert live.to_bytes() == expected.to_bytes()


def test_profiles_merge_whatever_the_split(people: Profile) -> None:
    model, whole = mixed(), people.empty()
    whole.update(PEOPLE, model.run(PEOPLE))
    merged = people.empty()
    for begin, end in reversed(list(pairwise([0, 1, 700, 701, 2500, 3000]))):
        part = people.empty()
        rows = {name: values[begin:end] for name, values in PEOPLE.items()}
        part.update(rows, model.run(rows))
        assert merged.merge(Profile.from_bytes(part.to_bytes())) is merged
    assert merged.to_bytes() == whole.to_bytes() == people.to_bytes()
    with pytest.raises(InvalidArgument):
        merged.merge(Profile.build(classifier([1, 2, 3]), X))
    with pytest.raises(InvalidArgument, match="a Profile"):
        merged.merge("profile")  # type: ignore[arg-type]
    assert merged.to_bytes() == people.to_bytes()


def test_files_come_back(people: Profile, tmp_path: Path) -> None:
    path = tmp_path / "profile.safetensors"
    people.to_file(path)
    for again in (Profile.from_file(path), pickle.loads(pickle.dumps(people))):
        assert again.to_bytes() == path.read_bytes() == people.to_bytes()
        assert again.columns == people.columns
        again.update(PEOPLE)
        assert again.rows == 6000
    with pytest.raises(NotFound):
        Profile.from_file(tmp_path / "none")
    with pytest.raises(InvalidArgument, match="bytes"):
        Profile.from_bytes(str(path))  # type: ignore[arg-type]
    with pytest.raises(FormatError):
        Profile.from_bytes(_safetensors.to_bytes({"a": np.zeros(3)}))


def test_a_profile_of_the_first_version_is_read() -> None:
    data = make_profile.PATH.read_bytes()
    assert Profile.from_bytes(data).to_bytes() == data == make_profile.profile().to_bytes()


def test_a_profile_that_was_read_takes_no_more_than_its_model() -> None:
    live = Profile.from_bytes(Profile.build(linear(features=3), X[:, :3]).to_bytes())
    with pytest.raises(InvalidArgument, match="3 features"):
        live.update(X)


def test_hostile_files_are_refused(people: Profile) -> None:
    data = people.to_bytes()
    rng = np.random.default_rng(2)
    hostile = [
        data[:-1],
        data + b"\0",
        b"",
        data.replace(b"age", b"ago", 1),
        data.replace(b"00001", b"00009"),
    ]
    hostile += [data[: rng.integers(len(data))] for _ in range(50)]
    for _ in range(1500):
        changed = bytearray(data)
        changed[rng.integers(len(data))] = rng.integers(256)
        hostile.append(bytes(changed))
    for case in hostile:
        try:
            again = Profile.from_bytes(case)
        except FormatError:
            continue
        assert again.to_bytes() == case
        drift(again, again)


def changed_metadata(profile: Profile, **changes: Any) -> bytes:
    arrays, metadata = _safetensors.read(profile.to_bytes())
    document = json.loads(metadata["maas_engine.profile"])
    document.update(changes)
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return _safetensors.to_bytes(arrays, {"maas_engine.profile": text})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": True},
        {"inputs": []},
        {"inputs": [["X", "float32", [None, 10**9]]]},
        {"inputs": [[f"X{k}", "float32", [None, 1024]] for k in range(10_000)]},
        {"inputs": [["X", "float32", [None, *[2**31 - 1] * 200_000]]]},
        {"inputs": [["X", "float32", [None, -2]]]},
        {"inputs": [["X", "float32", [None, None]]]},
        {"inputs": [["X", "float16", [None, 2]]]},
        {"inputs": [["X", "float32", [None, 2.0]]]},
        {"inputs": [[["X"], "float32", [None, 2]]]},
        {"inputs": "X"},
        {"inputs": {}},
        {"outputs": [["variable", "float32", [None]]] * 2},
        {"feature_names": ["a"]},
        {"feature_names": [1, 2]},
        {"feature_names": "ab"},
        {"roles": {"predict": "other"}},
        {"roles": {"destroy": "variable"}},
        {"roles": []},
        {"labels": [1.5]},
        {"labels": [[1]]},
        {"labels": "yes"},
        {"labels": {"a": 1}},
        {"more": 1},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_hostile_descriptions_are_refused(changes: dict[str, Any]) -> None:
    profile = Profile.build(linear(features=2), X[:, :2])
    assert changed_metadata(profile) == profile.to_bytes()
    with pytest.raises(FormatError):
        Profile.from_bytes(changed_metadata(profile, **changes))


def test_names_that_are_no_unicode_survive() -> None:
    profile = Profile.build(linear(features=1, feature_names='["\\ud800"]'), X[:, :1])
    assert Profile.from_bytes(profile.to_bytes()).columns[0].name == "\ud800"


def test_threads_of_python_do_not_corrupt_a_profile() -> None:
    profile = Profile.build(linear(), X)
    live = profile.empty()

    def count() -> None:
        for _ in range(50):
            live.update(X[:64])
            live.merge(profile)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.rows == 4 * 50 * (64 + len(X))


def test_a_reference_needs_rows() -> None:
    with pytest.raises(InvalidArgument, match="rows"):
        Profile.build(linear(), X[:0])
    for bins in ("20", 3.5, None):
        with pytest.raises(InvalidArgument, match="bins"):
            Profile.build(linear(), X, bins=bins)  # type: ignore[arg-type]


def test_wide_and_unbatched_values_are_skipped() -> None:
    builder = GraphBuilder("wide")
    x = builder.input("X", np.float32, (None, 1025))
    ones = builder.constant(np.ones((1025, 2), np.float32))
    builder.output(builder.add("MatMul", x, ones, outputs="sums"))
    model = maas_engine.Model(builder.build())
    profile = Profile.build(model, np.ones((100, 1025), np.float32))
    assert profile.skipped == ("X",)
    assert [each.name for each in profile.columns] == ["sums[0]", "sums[1]"]
    assert Profile.from_bytes(profile.to_bytes()).to_bytes() == profile.to_bytes()


def one_op(op: str, dtype: Any, shape: tuple[int | None, ...]) -> maas_engine.Model:
    builder = GraphBuilder(op)
    builder.output(builder.add(op, builder.input("X", dtype, shape), outputs="Y"))
    return maas_engine.Model(builder.build())


def test_a_model_without_columns_has_an_empty_profile() -> None:
    for model, rows in (
        (one_op("Relu", np.float32, (None, 2000)), np.ones((60, 2000), np.float32)),
        (one_op("Relu", np.float32, (3,)), np.ones(3, np.float32)),
    ):
        profile = Profile.build(model, rows)
        assert (profile.columns, profile.skipped, profile.rows) == ((), ("X", "Y"), 0)
        assert Profile.from_bytes(profile.to_bytes()).fits(model)
        assert drift(profile, profile).level is None


def test_rows_of_more_axes_come_in_any_layout() -> None:
    model, images = one_op("Relu", np.float32, (None, 3, 4, 5)), RNG.normal(size=(50, 3, 4, 5)).astype("f4")
    profile = Profile.build(model, images)
    again = profile.empty()
    again.update(images[0], model.run(images[0]))
    again.update(np.asfortranarray(images[1:]), model.run(images[1:]))
    assert again.to_bytes() == profile.to_bytes()
    state = profile.states[27]
    assert state.counts.tolist() == np.histogram(images[:, 1, 1, 2].astype(float), state.edges)[0].tolist()


def test_booleans_and_large_integers() -> None:
    states = Profile.build(one_op("Not", np.bool_, (None, 1)), X[:, :1] > 0).states
    assert [state.vocabulary for state in states] == [[0, 1], [0, 1]]
    assert states[0].counts.tolist() == states[1].counts.tolist()[::-1]
    values = RNG.integers(-(2**62), 2**62, (1000, 1))
    state = Profile.build(one_op("Abs", np.int64, (None, 1)), values).states[0]
    assert (len(state.edges), state.below, state.above, state.counts.sum()) == (21, 0, 0, 1000)


def test_labels_too_long_to_keep_are_those_that_were_given() -> None:
    model = classifier(["x" * 5000, "b", "c"])
    label = Profile.build(model, X).states[20]
    assert label.vocabulary == ["b", "c"]
    assert label.unseen == (model.predict(X) == "x" * 5000).sum()


def test_many_categories_keep_the_most_frequent() -> None:
    rows = rows_of_people(RNG, 5000)
    rows["city"] = np.array([f"city {int(k)}" for k in RNG.pareto(0.5, 5000).clip(0, 10**6)], object)
    state = Profile.build(mixed(), rows).states[2]
    assert len(state.vocabulary) == 100
    assert state.vocabulary == sorted(state.vocabulary)
    assert state.unseen == 5000 - state.counts.sum() > 0
    assert "city 0" in state.vocabulary


def test_monitoring_needs_numpy_only() -> None:
    code = "import sys, maas_engine.monitoring; print('scipy' in sys.modules, 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
