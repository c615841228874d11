"""Versions side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from registry_models import linear
from registry_rows import Rows, manifest

from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.package import write
from maas_engine.registry import Comparison, Registry


def fill(registry: Registry) -> None:
    rows = Rows()
    one = manifest("credit", parameters={"C": 1.0, "solver": "lbfgs", "flag": True}, lineage={"data": "d1"})
    two = manifest(
        "credit", parameters={"C": 0.5, "solver": "lbfgs", "flag": 1, "extra": None}, labels=["no", "yes"]
    )
    rows.add("credit", metrics={"auc": 0.8, "f1": 0.5}, tags={"team": "risk"}, text=one)
    rows.add(
        "credit",
        metrics={"auc": 0.8, "f1": 0.75},
        tags={"team": "risk", "a": "b"},
        text=two,
        aliases=["champion"],
    )
    rows.write(registry)


def test_compare(registry: Registry) -> None:
    fill(registry)
    result = registry.compare(["models:/credit/1", "models:/credit@champion"])
    assert result.versions == ("models:/credit/1", "models:/credit/2")
    assert list(result.sections) == ["package", "metrics", "parameters", "schema", "tags", "lineage"]
    assert result.sections["metrics"] == {"auc": ((0.8, 0.8), True), "f1": ((0.5, 0.75), False)}
    assert result.sections["parameters"] == {
        "C": ((1.0, 0.5), False),
        "solver": (("lbfgs", "lbfgs"), True),
        "flag": ((True, 1), False),  # which Python calls equal
        "extra": ((None, None), False),  # there, and not there
    }
    assert result.sections["tags"] == {"team": (("risk", "risk"), True), "a": ((None, "b"), False)}
    assert result.sections["lineage"] == {"data": (("d1", None), False)}
    schema = result.sections["schema"]
    assert schema["input X"] == (("float64[n, 2]",) * 2, True)
    assert schema["output y"] == (("float64[n]",) * 2, True)
    assert schema["labels"] == ((None, ["no", "yes"]), False)
    assert result.sections["package"]["aliases"] == ((None, ["champion"]), False)
    assert not result.sections["package"]["digest"].equal


def test_to_dict_is_json(small_registry: Registry) -> None:
    fill(small_registry)
    result = small_registry.compare(["models:/credit/1", "models:/credit/2"]).to_dict()
    assert json.loads(json.dumps(result)) == result
    assert result["versions"] == ["models:/credit/1", "models:/credit/2"]
    assert result["sections"]["metrics"]["f1"] == {"values": [0.5, 0.75], "equal": False}


def test_repr_is_a_table(small_registry: Registry) -> None:
    fill(small_registry)
    shown = repr(small_registry.compare(["models:/credit/1", "models:/credit/2"]))
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0] == ["models:/credit/1", "models:/credit/2"]
    for line in (["metrics"], ["=", "auc", "0.8", "0.8"], ["≠", "f1", "0.5", "0.75"], ["≠", "a", "-", "b"]):
        assert line in lines
    assert len({line.index("0.8") for line in shown.splitlines() if "auc" in line}) == 1
    assert all(len(line) < 120 for line in shown.splitlines())


def test_three_real_versions(small_registry: Registry, tmp_path: Path) -> None:
    for seed in (1, 2):
        write(linear(seed), tmp_path / str(seed), metrics={"r2": 0.5 + seed / 10}, lineage={"code": "abc"})
        small_registry.register("m", tmp_path / str(seed))
    small_registry.register("other", linear(3, features=4))
    result = small_registry.compare(["models:/m/1", "models:/m/latest", "models:/other/1"])
    assert result.versions == ("models:/m/1", "models:/m/2", "models:/other/1")
    assert result.sections["metrics"]["r2"] == ((0.6, 0.7, None), False)
    assert result.sections["lineage"]["code"].values == ("abc", "abc", None)
    assert result.sections["schema"]["input X"] == (
        ("float64[n, 3]", "float64[n, 3]", "float64[n, 4]"),
        False,
    )
    same = small_registry.compare(["models:/m/1", "models:/m/1"])
    assert all(each.equal for facts in same.sections.values() for each in facts.values())


def test_text_of_others_draws_no_lines() -> None:
    hostile = "a\n=  auc  1.0\x1b[31m" + "x" * 1000
    sections = {"tags": {"k": ((hostile, "b"), False)}}
    shown = repr(Comparison(("models:/m/1", "models:/m/2"), sections))  # type: ignore[arg-type]
    assert len(shown.splitlines()) == 3
    assert "\x1b" not in shown
    assert len(shown) < 300


def test_mistakes(small_registry: Registry) -> None:
    fill(small_registry)
    for uris in ([], ["models:/credit/1"], "models:/credit/1", ["models:/credit/1"] * 21):
        with pytest.raises(InvalidArgument, match="2 to 20"):
            small_registry.compare(uris)
    with pytest.raises(NotFound):
        small_registry.compare(["models:/credit/1", "models:/credit/3"])
    with pytest.raises(InvalidArgument):
        small_registry.compare(["models:/credit/1", "credit"])
