"""The registry on the command line: from a trained package to promotion, history, audit and garbage."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Answer, Ended, Refuse, answer_inside
from rich.console import Console
from sklearn.datasets import load_breast_cancer

from maas_engine.cli import _registry_tables


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and two packages: a good one, and one that saw two columns that tell little."""
    folder = tmp_path_factory.mktemp("shelf")
    frame = load_breast_cancer(as_frame=True).frame
    frame["target"] = np.where(frame["target"] == 1, "benign", "malignant")
    frame.iloc[:300].to_csv(folder / "cancer.csv", index=False)
    frame.iloc[300:].to_csv(folder / "later.csv", index=False)
    table = str(folder / "cancer.csv")
    kept = ("texture error", "smoothness error", "target")
    drops = [option for name in frame.columns if name not in kept for option in ("--drop", name)]
    common = ("--target", "target", "--cv", "0", "--package")
    answer_inside("train", table, *common, str(folder / "good"))
    answer_inside("train", table, *common, str(folder / "weak"), *drops)
    return folder


@pytest.fixture
def stocked(place: Path, shelf: Path, answer_here: Answer) -> Path:
    """Version 1 the weak model, version 2 the good one; the champion is 1."""
    answer_here("registry", "register", "cancer", str(shelf / "weak"), "--reason", "first")
    answer_here("registry", "register", "cancer", str(shelf / "good"), "--parent", "1", "--tag", "team=risk")
    answer_here("registry", "alias", "cancer/1", "champion", "--reason", "the only one")
    return place


def test_the_whole_story(
    place: Path,
    shelf: Path,
    answer_here: Answer,
    ended_here: Ended,
) -> None:
    later = str(shelf / "later.csv")
    for name in ("good", "weak"):
        shutil.copytree(shelf / name, name)
    made = answer_here("package", "keygen", "key.pem")
    assert (made["private_key"], made["public_key"]) == ("key.pem", "key.pem.pub")
    assert Path("key.pem").stat().st_mode & 0o077 == 0
    assert answer_here("package", "sign", "good", "--key", "key.pem")["signed"]
    assert answer_here("package", "verify", "good", "--public-key", "key.pem.pub")["signature"] == "verified"
    first = answer_here("registry", "register", "cancer", "weak", "--reason", "first")
    second = answer_here(
        "registry", "register", "cancer", "good", "--parent", "cancer/1", "--tag", "team=risk"
    )
    assert (first["version"], second["version"]) == (1, 2)
    assert (first["signed"], second["signed"]) == (False, True)
    assert second["parent"] == "models:/cancer/1"
    promote = ("registry", "promote", "cancer/1", "--metric", "accuracy >= 0.5", "--reason", "to begin with")
    assert answer_here(*promote)["promoted"]
    found = answer_here("predict", "models:/cancer@champion", later)
    signed = ("--signed", "--public-key", "key.pem.pub")
    made = answer_here("registry", "promote", "cancer/2", "candidate", *signed, "--metric", "accuracy > 0.8")
    assert [each["passed"] for each in made["results"]] == [True, True]
    gates = ("--better", "accuracy", "--data", later, "--target", "target")
    made = answer_here("registry", "promote", "cancer/2", *gates, "--reason", "ticket 12")
    assert made["promoted"]
    assert made["previous"] == 1
    assert made["results"][0]["dataset"] == "later.csv"
    assert answer_here("predict", "models:/cancer@champion", later) != found
    code, output, error = ended_here(
        "registry", "promote", "cancer/1", "--metric", "accuracy > 0.999", *signed, "--json"
    )
    assert code == 1
    assert output, error
    refused = json.loads(output)
    assert not refused["promoted"]
    assert len(error.splitlines()) == 1
    assert "models:/cancer/1 is not promoted to 'champion': gate failed: accuracy > 0.999 (found 0." in error
    assert "signed" in error
    assert answer_here("registry", "show", "cancer@champion")["version"] == 2
    assert answer_here("registry", "rollback", "cancer@champion", "--reason", "drift")["version"] == 1
    assert answer_here("predict", "models:/cancer@champion", later) == found
    events = answer_here("registry", "history", "cancer@champion")["events"]
    assert [(each["action"], each["version"], each["detail"]["reason"]) for each in events] == [
        ("alias.set", 1, "to begin with"),
        ("alias.set", 2, "ticket 12"),
        ("promote.refused", 1, ""),
        ("alias.set", 1, "drift"),
    ]
    assert {each["actor"] for each in events} == {"ada"}
    made = answer_here("registry", "protect", "cancer@champion", "--metric", "accuracy > 0.999", "--signed")
    assert made == {"name": "cancer", "alias": "champion", "gates": ["accuracy > 0.999", "signed"]}
    for around in (("alias", "cancer/2", "champion"), ("delete", "cancer@champion"), ("promote", "cancer/2")):
        code, _, error = ended_here("registry", *around)
        assert code == 1, around
        assert "accuracy > 0.999" in error
    _, output, _ = ended_here("registry", "history", "cancer@champion", "--limit", "2")
    assert "alias.protect" in output
    assert "│ accuracy > 0.999 " in output
    answer_here("registry", "alias", "cancer/2", "champion", "--force", "--reason", "outage")
    assert answer_here("registry", "unprotect", "cancer@champion")["gates"] == []
    assert answer_here("registry", "alias", "cancer/1", "champion")["version"] == 1
    audit = answer_here("registry", "audit")
    assert audit["whole"]
    assert answer_here("registry", "audit", "--expected-head", audit["head"])["whole"]
    assert answer_here("registry", "gc", "--grace", "0s")["blobs"] == []
    tamper(3, "reason", "another reason")
    code, output, error = ended_here("registry", "audit", "--json")
    assert code == 1
    assert json.loads(output)["first_broken"] == 3
    assert error.startswith("maas-engine: error: the history is not whole: entry 3: ")


def tamper(sequence: int, key: str, value: str) -> None:
    """Change a field of an entry behind the registry's back."""
    with sqlite3.connect("registry/registry.db") as database:
        (text,) = database.execute("SELECT detail FROM events WHERE sequence = ?", (sequence,)).fetchone()
        detail = json.dumps({**json.loads(text), key: value}, sort_keys=True, separators=(",", ":"))
        database.execute("UPDATE events SET detail = ? WHERE sequence = ?", (detail, sequence))
    database.close()


def test_a_cut_off_history_is_known_by_its_head(
    stocked: Path, answer_here: Answer, ended_here: Ended
) -> None:
    assert answer_here("registry", "audit")["entries"] == 4
    code, output, error = ended_here("registry", "audit", "--expected-head", "0" * 63 + "1")
    assert code == 1
    assert "NOT WHOLE" in output
    assert "the history is not whole: expected an entry of hash 000" in error


def test_listing_showing_and_searching(stocked: Path, answer_here: Answer) -> None:
    (model,) = answer_here("registry", "list")["models"]
    assert model["name"] == "cancer"
    assert model["aliases"] == {"champion": 1}
    assert model["latest"] == 2
    shown = answer_here("registry", "show", "cancer")
    assert [each["version"] for each in shown["versions"]] == [2, 1]
    version = answer_here("registry", "show", "models:/cancer/latest")
    assert version["tags"] == {"team": "risk"}
    assert version["manifest"]["labels"] == ["benign", "malignant"]
    found = answer_here("registry", "search", "metrics.accuracy > 0.5 AND tags.team = 'risk'")
    assert [each["uri"] for each in found["versions"]] == ["models:/cancer/2"]
    ordered = answer_here("registry", "search", "--order-by", "version", "--limit", "1")
    assert [each["version"] for each in ordered["versions"]] == [1]
    compared = answer_here("registry", "compare", "cancer/1", "cancer@champion", "cancer/2")
    assert compared["versions"] == ["models:/cancer/1", "models:/cancer/1", "models:/cancer/2"]
    assert not compared["sections"]["package"]["digest"]["equal"]


def test_tags_and_descriptions(stocked: Path, answer_here: Answer, refused_here: Refuse) -> None:
    tagged = answer_here("registry", "tag", "cancer/2", "a=1", "b=x=y", "--remove", "team")
    assert tagged["tags"] == {"a": "1", "b": "x=y"}
    assert answer_here("registry", "tag", "cancer", "owner=bo")["tags"] == {"owner": "bo"}
    answer_here("registry", "describe", "cancer", "of the breast")
    answer_here("registry", "describe", "cancer@champion", "weak")
    assert answer_here("registry", "show", "cancer")["description"] == "of the breast"
    assert answer_here("registry", "show", "cancer/1")["description"] == "weak"
    assert "--remove KEY" in refused_here("registry", "tag", "cancer/2")


def test_as_of_a_moment(stocked: Path, answer_here: Answer, refused_here: Refuse) -> None:
    moment = answer_here("registry", "history")["events"][-1]["time"]
    answer_here("registry", "alias", "cancer/2", "champion", "--expected", "1")
    assert answer_here("registry", "show", "cancer@champion")["version"] == 2
    assert answer_here("registry", "show", "cancer@champion", "--as-of", moment)["version"] == 1
    assert "moment" in refused_here("registry", "show", "cancer@champion", "--as-of", "2001-01-01T00:00:00Z")
    assert "moved meanwhile" in refused_here("registry", "alias", "cancer/2", "champion", "--expected", "1")


def test_load_writes_the_very_package(
    stocked: Path, shelf: Path, answer_here: Answer, refused_here: Refuse
) -> None:
    loaded = answer_here("registry", "load", "cancer/2", "copy")
    assert loaded["digest"] == answer_here("package", "inspect", str(shelf / "good"))["digest"]
    assert sorted(path.name for path in Path("copy").iterdir()) == sorted(
        path.name for path in (shelf / "good").iterdir()
    )
    assert answer_here("package", "verify", "copy")["verified"]
    assert "copy" in refused_here("registry", "load", "cancer/2", "copy")
    assert not [path for path in Path().iterdir() if path.name.startswith(".copy")]


def test_deleting_what_nothing_refers_to(stocked: Path, answer_here: Answer, refused_here: Refuse) -> None:
    assert "'champion'" in refused_here("registry", "delete", "cancer/1")
    deleted = answer_here("registry", "delete", "cancer@champion", "--reason", "retired")
    assert deleted == {"deleted": {"name": "cancer", "version": None, "alias": "champion"}}
    assert "version 2" in refused_here("registry", "delete", "cancer/1")  # made from it
    answer_here("registry", "delete", "cancer/2")
    answer_here("registry", "delete", "cancer/1")
    assert "--all-versions" in refused_here("registry", "delete", "cancer")
    assert "number" in refused_here("registry", "delete", "cancer/latest")
    answer_here("registry", "delete", "cancer", "--all-versions")
    assert answer_here("registry", "list")["models"] == []
    assert answer_here("registry", "audit")["whole"]
    report = answer_here("registry", "gc", "--dry-run")
    assert report["dry_run"]
    assert report["missing"] == []


def test_gc_says_what_the_store_lacks(stocked: Path, ended_here: Ended) -> None:
    largest = max(
        (path for path in Path("registry/blobs").rglob("*") if path.is_file()), key=lambda p: p.stat().st_size
    )
    largest.unlink()
    code, output, error = ended_here("registry", "gc", "--json")
    assert code == 1
    (missing,) = json.loads(output)["missing"]
    assert f"the store lacks 1 files that versions refer to, such as {missing}" in error


def test_a_model_file_is_packed_on_the_way(place: Path, shelf: Path, answer_here: Answer) -> None:
    made = answer_here(
        "registry", "register", "plain", str(shelf / "good" / "model.onnx"), "--reference", str(shelf / "later.csv"),
        "--metric", "cost=0.25", "--description", "by hand",
    )  # fmt: skip
    assert made["metrics"] == {"cost": 0.25}
    assert made["description"] == "by hand"
    rows = pd.read_csv(shelf / "later.csv")
    found = answer_here("predict", "models:/plain/1", str(shelf / "later.csv"))
    assert np.mean(np.array(found["prediction"]) == rows["target"]) > 0.9


def test_options_come_before_the_environment(stocked: Path, answer_here: Answer, shelf: Path) -> None:
    other = ("--registry", "other", "--store", "elsewhere")
    answer_here("registry", "register", "cancer", str(shelf / "good"), *other)
    assert answer_here("registry", "list", *other)["models"][0]["latest"] == 1
    assert list(Path("elsewhere").rglob("*"))
    assert answer_here("registry", "list")["models"][0]["latest"] == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("show", "nothing"), "'nothing'"),
        (("show", "cancer/9"), "version 9"),
        (("show", "cancer@nobody"), "'nobody'"),
        (("show", "cancer/seven"), "expected a version's number"),
        (("show", "models:/cancer"), "expected a version or an alias"),
        (("register", "cancer", "nowhere"), "nowhere"),
        (("register", "../cancer", "{good}"), "expected a model's name"),
        (("register", "cancer", "{good}", "--parent", "cancer/9"), "version 9"),
        (("register", "cancer", "{good}", "--tag", "odd"), "--tag expects KEY=VALUE, got 'odd'"),
        (("register", "cancer", "{good}", "--reference", "{later}"), "a package has its own"),
        (("alias", "cancer", "champion"), "expected cancer/NUMBER, cancer/latest or cancer@ALIAS"),
        (("alias", "cancer/2", "v7"), "not reserved"),
        (("rollback", "cancer@champion"), "before"),
        (("rollback", "cancer/1"), "expected NAME@ALIAS, got 'cancer/1'"),
        (("history", "cancer/1"), "expected NAME@ALIAS, got 'cancer/1'"),
        (("show", "cancer", "--as-of", "2030-01-01T00:00:00Z"), "expected cancer@ALIAS"),
        (("promote", "cancer/2"), "expected a gate: --metric, --better or --signed"),
        (("search", "metrics.auc >> 4"), "expected a number, got >, at '> 4'"),
        (("search", "colour = 'red'"), "at \"colour = 'red'\""),
        (("compare", "cancer/1"), "expected 2 to 20 URIs, got 1"),
        (("promote", "cancer/2", "--metric", "auc"), "--metric expects 'NAME >= NUMBER'"),
        (("promote", "cancer/2", "--metric", "auc > high"), "expected a finite number, got 'high'"),
        (("promote", "cancer/2", "--better", "accuracy"), "go together"),
        (
            ("promote", "cancer/2", "--better", "beauty", "--data", "{later}", "--target", "target"),
            "'beauty'",
        ),
        (
            ("promote", "cancer/2", "--better", "accuracy", "--data", "{later}", "--target", "no"),
            "no column 'no'",
        ),
        (("gc", "--grace", "soon"), "--grace expects a span of time like 90d"),
        (("delete", "cancer/9"), "version 9"),
        (("load", "cancer/9", "new"), "version 9"),
        (("list", "--registry", "mysql://host/name", "--store", "x"), "got 'mysql'"),
        (("list", "--registry", "postgresql://host/name"), "expected a store"),
    ],
)
def test_what_is_refused_in_one_line(
    stocked: Path, shelf: Path, refused_here: Refuse, arguments: tuple[str, ...], line: str
) -> None:
    given = [text.format(good=shelf / "good", later=shelf / "later.csv") for text in arguments]
    assert line in refused_here("registry", *given)


def test_a_missing_extra_is_named(
    place: Path, shelf: Path, refused_here: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("maas_engine.registry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    later = str(shelf / "later.csv")
    for command in (("registry", "list"), ("predict", "models:/cancer/1", later)):
        line = refused_here(*command)
        assert line == "sqlalchemy is not installed: pip install 'maas_engine[registry]'"


def test_a_mistyped_place_is_no_registry(stocked: Path, refused_here: Refuse) -> None:
    for command in ("list", "audit", "gc", "history"):
        assert "no registry at" in refused_here("registry", command, "--registry", "mistyped")
    database = ("--registry", "sqlite:///mistyped.db", "--store", "x")
    assert "no registry at" in refused_here("token", "list", *database)
    assert not Path("mistyped").exists()
    assert not Path("mistyped.db").exists()


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_and_cut_no_name(stocked: Path, answer_here: Answer, width: int) -> None:
    answer_here("registry", "describe", "cancer/1", "\x1b[2Jgone [bold]x[/bold] \u202e")
    token = answer_here("token", "create", "predict:cancer", "--description", "for the monthly billing run")[
        "token"
    ]
    digest = answer_here("registry", "show", "cancer/1")["digest"]
    shown = [
        (_registry_tables.models, ("registry", "list"), "@champion → 1"),
        (_registry_tables.model, ("registry", "show", "cancer"), "cancer/2"),
        (_registry_tables.version, ("registry", "show", "cancer/1"), digest[:50]),
        (_registry_tables.history, ("registry", "history"), "version.register"),
        (_registry_tables.tokens, ("token", "list"), token[5:21]),
        (_registry_tables.compared, ("registry", "compare", "cancer/1", "cancer/2"), "estimator"),
    ]
    for tables, command, part in shown:
        output = io.StringIO()
        console = Console(width=width, file=output)
        for table in tables(answer_here(*command)):
            console.print(table)
        text = output.getvalue()
        assert part in text
        assert max(map(len, text.splitlines())) <= width
        assert (
            "…" not in text.replace(f"{digest[:12]}…", "").replace("digest: ", "") or command[1] == "history"
        )
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize("command", ["registry", "token", "package"])
def test_a_group_alone_lists_its_commands(command: str, place: Path, ended_here: Ended) -> None:
    code, output, error = ended_here(command)
    assert (code, error) == (0, "")
    wanted = {
        "registry": "register list show compare alias promote rollback history audit gc search tag describe delete "
        "load",
        "token": "create list revoke",
        "package": "create inspect verify sign encrypt decrypt rotate re-golden keygen",
    }
    for name in wanted[command].split():
        assert f"│ {name} " in output
