"""Packages on the command line: trained into one, made of a file, shown, verified, and refused in one line."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Answer, Ended, Refuse, answer_inside, run

TRAIN = ("--target", "target", "--cv", "0")


@pytest.fixture(scope="module")
def packed(cancer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages") / "cancer"
    answer_inside("train", str(cancer), *TRAIN, "--package", str(folder), "--out", str(folder) + ".onnx")
    return folder


def test_training_packs_where_it_comes_from(answer_here: Answer, cancer: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "new")
    trained = answer_here("train", str(cancer), *TRAIN, "--seed", "3", "--package", folder)
    assert trained["package"] == folder
    known = answer_here("package", "inspect", folder)
    assert known["digest"] == trained["digest"]
    manifest = known["manifest"]
    assert manifest["name"] == "new"
    assert manifest["labels"] == ["benign", "malignant"]
    assert manifest["metrics"] == {name: item["value"] for name, item in trained["hold_out"].items()}
    assert manifest["parameters"]["estimator"] == "LogisticRegression"
    assert manifest["parameters"]["random_state"] == 3
    lineage = manifest["lineage"]
    assert lineage["data"] == "cancer.csv"
    assert lineage["data_sha256"] == hashlib.sha256(cancer.read_bytes()).hexdigest()
    assert lineage["seed"] == "3"
    assert lineage["command"].startswith("maas-engine train ")
    assert lineage["command"].endswith(f"--seed 3 --package {folder} --json")


def test_training_from_standard_input_hashes_what_it_read(
    answer_here: Answer, cancer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "new")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(cancer.read_bytes())))
    answer_here("train", "-", *TRAIN, "--package", folder)
    lineage = answer_here("package", "inspect", folder)["manifest"]["lineage"]
    assert lineage["data"] == "standard input"
    assert lineage["data_sha256"] == hashlib.sha256(cancer.read_bytes()).hexdigest()


def test_a_package_verifies_and_predicts_as_its_file(answer_here: Answer, packed: Path, cancer: Path) -> None:
    found = answer_here("package", "verify", str(packed))
    assert found["verified"]
    assert found["signature"] == "none"
    assert not found["encrypted"]
    assert found["digest"] == answer_here("package", "inspect", str(packed))["digest"]
    answers = [
        answer_here("predict", source, str(cancer), "--proba") for source in (str(packed), f"{packed}.onnx")
    ]
    assert answers[0] == answers[1]
    truth = pd.read_csv(cancer)["target"].to_numpy()
    assert np.mean(np.array(answers[0]["prediction"]) == truth) > 0.95


def test_a_model_file_is_packed(answer_here: Answer, packed: Path, cancer: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "made")
    options = ("--metric", "auc=0.75", "--metric", "cost=1e-3", "--lineage", "ticket=ML=12", "--name", "risk")
    parameters = ("--parameter", "alpha=[1, 2]", "--parameter", "kind=ridge", "--parameter", "odd=NaN")
    made = answer_here(
        "package", "create", f"{packed}.onnx", folder, "--reference", str(cancer), "--drop", "target",
        "--description", "for people", *options, *parameters,
    )  # fmt: skip
    manifest = made["manifest"]
    assert manifest["name"] == "risk"
    assert manifest["description"] == "for people"
    assert manifest["metrics"] == {"auc": 0.75, "cost": 0.001}
    assert manifest["parameters"] == {"alpha": [1, 2], "kind": "ridge", "odd": "NaN"}
    assert manifest["lineage"] == {"ticket": "ML=12"}
    assert answer_here("package", "verify", folder)["digest"] == made["digest"]


def test_without_a_name_it_has_the_folders(answer_here: Answer, packed: Path, tmp_path: Path) -> None:
    made = answer_here("package", "create", f"{packed}.onnx", str(tmp_path / "risk"))
    assert made["manifest"]["name"] == "risk"


def test_the_tables_hold_what_the_manifest_says(packed: Path, answer_here: Answer) -> None:
    done = run("package", "inspect", str(packed))
    text = done.stdout.decode()
    assert done.stderr == b""
    digest = answer_here("package", "inspect", str(packed))["digest"]
    for part in (
        digest,
        "LogisticRegression",
        "data_sha256",
        "mean radius",
        "[N, 1]",
        "model.onnx",
        "roc_auc",
    ):
        assert part in text


def test_texts_of_others_are_shown_and_not_obeyed(
    packed: Path, tmp_path: Path, answer_here: Answer, ended_here: Ended
) -> None:
    folder = str(tmp_path / "made")
    evil = "\x1b]0;gone\x07[bold]loud[/bold]\u202edlrow"
    _, text, _ = ended_here("package", "create", f"{packed}.onnx", folder, "--description", evil)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]loud[/bold]" in text
    assert answer_here("package", "inspect", folder)["manifest"]["description"] == evil


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--metric", "auc"), "--metric expects KEY=VALUE, got 'auc'"),
        (("--metric", "auc=high"), "--metric auc: expected a finite number, got 'high'"),
        (("--metric", "auc=nan"), "--metric auc: expected a finite number, got 'nan'"),
        (("--metric", "a=1", "--metric", "a=2"), "--metric names 'a' twice"),
        (("--reference", "nowhere.csv"), "no such file: nowhere.csv"),
        (("--name", ""), "name"),
    ],
)
def test_what_create_refuses(
    refused_here: Refuse, packed: Path, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    folder = tmp_path / "made"
    assert line in refused_here("package", "create", f"{packed}.onnx", str(folder), *options)
    assert not folder.exists()


def test_an_existing_folder_stays(refused_here: Refuse, packed: Path, cancer: Path) -> None:
    before = sorted((path.name, path.read_bytes()) for path in packed.iterdir())
    assert "exists" in refused_here("train", str(cancer), *TRAIN, "--package", str(packed))
    assert str(packed) in refused_here("package", "create", f"{packed}.onnx", str(packed))
    assert sorted((path.name, path.read_bytes()) for path in packed.iterdir()) == before
    line = refused_here("train", str(cancer), *TRAIN, "--package", "nowhere/deep")
    assert "--package: no such folder" in line


def test_a_changed_file_is_named(refused_here: Refuse, packed: Path, cancer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in packed.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    weights = bytearray(packed.joinpath("model.onnx").read_bytes())
    weights[-200] ^= 1
    (broken / "model.onnx").write_bytes(weights)
    for command in (("package", "verify", str(broken)), ("predict", str(broken), str(cancer))):
        assert "'model.onnx': expected sha256" in refused_here(*command)
    (broken / "manifest.json").write_text(json.dumps({"version": 1}))
    assert "'manifest.json'" in refused_here("package", "inspect", str(broken))
    assert "'manifest.json'" in refused_here("package", "verify", str(broken))


def test_what_is_no_package(refused_here: Refuse, cancer: Path, tmp_path: Path) -> None:
    for command in ("inspect", "verify"):
        assert "nowhere" in refused_here("package", command, "nowhere")
        assert "manifest.json" in refused_here("package", command, str(tmp_path))
        assert str(cancer) in refused_here("package", command, str(cancer))
        assert "Missing argument" in refused_here("package", command, status=2)
    assert "No such command 'fly'" in refused_here("package", "fly", status=2)


def test_where_a_file_is_asked_for_a_folder_is_told_its_command(
    refused_here: Refuse, packed: Path, cancer: Path, tmp_path: Path
) -> None:
    folder = str(packed)
    assert "package inspect DIR" in refused_here("inspect", folder)
    assert "registry show REF" in refused_here("inspect", "models:/cancer/1")
    assert "package verify DIR" in refused_here("verify", folder, "--data", str(cancer))
    assert "package inspect" in refused_here("package", "create", folder, str(tmp_path / "again"))


def test_an_encrypted_package_opens_with_its_key_alone(
    answer_here: Answer,
    refused_here: Refuse,
    place: Path,
    packed: Path,
    cancer: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(packed, "sealed")
    no_terminal = "password in MAAS_KEY_PASSWORD"
    assert no_terminal in refused_here("package", "keygen", "key.pem", "--password")
    with monkeypatch.context() as patch:
        patch.setenv("MAAS_KEY_PASSWORD", "secret")
        made = answer_here("package", "keygen", "key.pem", "--password")
        assert len(made["fingerprint"]) == 64
        assert "a master key" in refused_here("package", "keygen", "a.key", "--master", "--password")
        shutil.copytree(packed, "signed")
        assert answer_here("package", "sign", "signed", "--key", "key.pem")["signed"]
    assert no_terminal in refused_here("package", "sign", "signed", "--key", "key.pem")
    answer_here("package", "verify", "signed", "--public-key", "key.pem.pub")
    for name in ("old.key", "new.key"):
        made = answer_here("package", "keygen", name, "--master")
        assert sorted(made) == ["id", "master_key"]
        assert Path(name).stat().st_mode & 0o077 == 0
    plain = answer_here("package", "inspect", "sealed")
    sealed = answer_here("package", "encrypt", "sealed", "--master-key", "old.key")
    assert (sealed["digest"], sealed["encrypted"]) == (plain["digest"], True)
    assert answer_here("package", "inspect", "sealed")["manifest"] == plain["manifest"]  # needs no key
    assert "'encryption.json': expected a master key" in refused_here("package", "verify", "sealed")
    assert "master key" in refused_here("registry", "register", "cancer", "sealed")
    assert answer_here("package", "verify", "sealed", "--master-key", "old.key")["encrypted"]
    answer_here("package", "rotate", "sealed", "--old-key", "old.key", "--new-key", "new.key")
    assert "expected the master key" in refused_here("package", "verify", "sealed", "--master-key", "old.key")
    assert "no master key: name its file" in refused_here("package", "decrypt", "sealed")
    monkeypatch.setenv("MAAS_MASTER_KEY_FILE", "new.key")
    assert answer_here("registry", "register", "cancer", "sealed")["encrypted"]
    found = answer_here("predict", "models:/cancer/1", str(cancer))
    assert found == answer_here("predict", str(packed), str(cancer))
    answer_here("registry", "load", "cancer/1", "copy")
    assert Path("copy/model.onnx.enc").exists()
    assert not Path("copy/model.onnx").exists()
    weights = packed.joinpath("model.onnx").read_bytes()
    kept = [
        path.read_bytes()
        for folder in ("registry", "cache")
        for path in Path(folder).rglob("*")
        if path.is_file()
    ]
    assert kept
    assert not any(weights in content for content in kept)
    answer_here("package", "decrypt", "sealed")
    assert Path("sealed/model.onnx").read_bytes() == weights
    monkeypatch.delenv("MAAS_MASTER_KEY_FILE")
    assert "master key" in refused_here("predict", "models:/cancer/1", str(cancer))


def test_golden_rows_are_recorded_anew(answer_here: Answer, packed: Path, tmp_path: Path) -> None:
    made = answer_here("package", "re-golden", str(packed), str(tmp_path / "again"))
    before = answer_here("package", "inspect", str(packed))
    assert made["digest"] != before["digest"]
    assert made["manifest"]["lineage"]["re_golden"] == before["digest"]
    assert answer_here("package", "verify", str(tmp_path / "again"))["digest"] == made["digest"]


def test_package_alone_lists_its_commands() -> None:
    done = run("package")
    assert done.returncode == 0
    for command in (b"create", b"inspect", b"verify"):
        assert command in done.stdout
