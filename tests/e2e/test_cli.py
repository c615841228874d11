"""The command line as a shell runs it: results on standard output, one line on standard error, exit statuses."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Refuse, answer, answer_inside, refused, run

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model


@pytest.fixture(scope="module")
def cancer(cancer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as Parquet."""
    path = tmp_path_factory.mktemp("tables") / "cancer.parquet"
    pd.read_csv(cancer).to_parquet(path)
    return path


def test_train_regression(diabetes: Path) -> None:
    result = answer_inside("train", str(diabetes), "--target", "target", "--set", "alpha=0.5", "--cv", "4")
    assert result["task"] == "regression"
    assert result["model"] == "Ridge"
    assert result["parameters"]["alpha"] == 0.5
    assert result["rows"] == {"train": 353, "test": 89}
    folds = result["cross_validation"]["scores"]
    assert len(folds["r2"]) == len(folds["rmse"]) == 4
    held_out = result["hold_out"]
    assert 0.3 < held_out["r2"]["value"] < 0.6
    assert 45 < held_out["rmse"]["value"] < 65
    assert all(item["low"] < item["value"] < item["high"] for item in held_out.values())


def test_train_from_standard_input_is_the_same(diabetes: Path) -> None:
    arguments = ("train", "--target", "target", "--model", "linear-regression", "--cv", "0")
    results = [answer(*arguments, str(diabetes)), answer(*arguments, "-", stdin=diabetes.read_bytes())]
    for result in results:
        result.pop("seconds")
        assert result["cross_validation"] is None
    assert results[0] == results[1]


def test_train_classification_with_text_and_holes(cancer: Path) -> None:
    result = answer("train", str(cancer), "--target", "target", "--threads", "1")
    assert result["task"] == "classification"
    assert result["model"] == "LogisticRegression"
    assert result["hold_out"]["accuracy"]["value"] > 0.93
    assert result["hold_out"]["roc_auc"]["value"] > 0.98
    assert np.mean(result["cross_validation"]["scores"]["accuracy"]) > 0.93


def test_train_prints_tables(diabetes: Path) -> None:
    done = run("train", str(diabetes), "--target", "target")
    assert done.returncode == 0
    text = done.stdout.decode()
    for part in ("5 folds of 353 rows", "89 rows held out", "95% interval", "rmse", "mean", "deviation"):
        assert part in text
    assert done.stderr == b""


def test_evaluate_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500)
    score = np.clip(0.3 * labels + 0.7 * rng.random(500), 0.01, 0.99)
    frame = pd.DataFrame({"y": labels, "guess": (score > 0.5).astype(int), "p": score})
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = answer_inside(
        "evaluate", str(tmp_path / "t.csv"), "--target", "y", "--prediction", "guess", "--score", "p"
    )
    assert result["metrics"]["accuracy"]["value"] == pytest.approx((frame["y"] == frame["guess"]).mean())
    assert set(result["metrics"]) == {"accuracy", "balanced_accuracy", "roc_auc", "log_loss"}


def test_a_trained_model_is_saved_predicts_and_agrees_with_onnxruntime(cancer: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "cancer.onnx")
    result = answer_inside("train", str(cancer), "--target", "target", "--cv", "0", "--out", file)
    assert result["file"] == file
    frame = pd.read_parquet(cancer)
    rows = tmp_path / "rows.csv"
    frame.drop(columns="target").iloc[::-1].to_csv(rows, index=False)  # the target is not needed
    found = answer_inside("predict", file, str(rows), "--proba")
    truth = frame["target"].to_numpy()[::-1]
    assert np.mean(np.array(found["prediction"]) == truth) > 0.95
    shares = np.array([found["probability benign"], found["probability malignant"]])
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    facts = answer_inside("inspect", file)
    assert facts["labels"] == ["benign", "malignant"]
    assert "ward: string [N, 1]" in facts["inputs"]
    report = answer_inside("verify", file, "--data", str(rows))
    assert report["same"]
    assert report["outputs"]["label"]["different"] == 0


def test_predictions_that_are_not_finite_are_null_in_json(tmp_path: Path) -> None:
    builder = GraphBuilder()
    x = builder.input("a", np.float64, (None, 1))
    builder.output(builder.add("Log", x))
    file = str(tmp_path / "log.onnx")
    Model(builder.build()).save(file)
    assert answer("predict", file, "-", stdin=b"a\n1\n0\n-1\n") == {"prediction": [0.0, None, None]}


def test_predict_writes_files(diabetes: Path, tmp_path: Path) -> None:
    file, out = str(tmp_path / "d.onnx"), str(tmp_path / "answers.parquet")
    assert run("train", str(diabetes), "--target", "target", "--cv", "0", "--out", file).returncode == 0
    assert run("predict", file, str(diabetes), "--out", out).returncode == 0
    found = pd.read_parquet(out)["prediction"].to_numpy()
    np.testing.assert_array_equal(found, answer_inside("predict", file, str(diabetes))["prediction"])
    truth = pd.read_csv(diabetes)["target"].to_numpy()
    assert np.corrcoef(found, truth)[0, 1] > 0.7


def test_info_and_version() -> None:
    result = answer("info")
    assert result["threads"] >= 1
    assert result["packages"]["numpy"] == np.__version__
    assert run("--version").stdout.decode().startswith("maas-engine ")


def test_bench() -> None:
    result = answer("bench", "--rows", "2000", "--columns", "5", "--repeat", "1", "--model", "ridge")
    assert result["results"][0]["model"] == "Ridge"
    assert result["results"][0]["score"] == pytest.approx(result["results"][0]["sklearn_score"])


def test_no_command_shows_help() -> None:
    done = run()
    assert done.returncode == 0
    assert b"train" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("train",), "Missing argument"),
        (("train", "x.csv"), "Missing option '--target'"),
        (("fly",), "No such command 'fly'."),
        (("predict", "x.onnx"), "Missing argument 'data'"),
        (("verify", "x.onnx"), "Missing option '--data'"),
        (("train", "x.csv", "--target", "y", "--threads", "0"), "Invalid value for '--threads'"),
    ],
)
def test_wrong_usage(refused_here: Refuse, arguments: tuple[str, ...], line: str) -> None:
    assert line in refused_here(*arguments, status=2)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--target", "nothing"), "no column 'nothing': the columns are 'age', 'sex'"),
        (("--target", "target", "--model", "ridgge"), "no model 'ridgge': did you mean Ridge?"),
        (("--target", "target", "--set", "alpa=1"), "Ridge has no parameter 'alpa'"),
        (("--target", "target", "--set", "alpha"), "--set expects KEY=VALUE, got 'alpha'"),
        (("--target", "target", "--set", "alpha=-1"), "The 'alpha' parameter of Ridge must be"),
        (
            ("--target", "target", "--model", "LogisticRegression"),
            "is a classifier, but the task is regression",
        ),
        (("--target", "target", "--cv", "1"), "--cv expects 2 to 353 folds"),
        (("--target", "target", "--test-size", "2"), "--test-size expects a share between 0 and 1, got 2.0"),
        (("--target", "target", "--out", "nowhere/m.onnx"), "--out: no such folder: "),
        (("--target", "target", "--task", "sorting"), "unknown task 'sorting'"),
        (("--target", "target", "--task", "classification"), "has one row"),
    ],
)
def test_what_train_refuses(
    refused_here: Refuse, diabetes: Path, options: tuple[str, ...], line: str
) -> None:
    assert line in refused_here("train", str(diabetes), *options)


def test_bad_tables_end_in_one_line() -> None:
    assert refused("train", "-", "--target", "y") == "standard input is empty"
    assert "row 3 has 1 fields" in refused("train", "-", "--target", "b", stdin=b"a,b\n1,2\n3\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n" + "1,1\n" * 50, "target 'b' has the one value 1: nothing to learn"),
        ("a,b\n" + ",1\n,2\n" * 9, "column 'a' has no values at all"),
        ("a,b\n1,2.5\n2,3.5\n3,4.5\n", "--cv expects 2 to 2 folds"),
    ],
)
def test_useless_tables_end_in_one_line(
    refused_here: Refuse, tmp_path: Path, content: str, line: str
) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert line in refused_here("train", str(tmp_path / "t.csv"), "--target", "b")


def test_no_such_file(refused_here: Refuse) -> None:
    assert refused_here("train", "nowhere.csv", "--target", "y") == "no such file: nowhere.csv"


def test_ctrl_c_ends_with_130() -> None:
    command = [sys.executable, "-m", "maas_engine", "train", "-", "--target", "y"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"a,y\n" + b"1,2\n" * 100_000)  # more than a pipe holds: now it reads
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert error.decode().splitlines() == ["maas-engine: error: interrupted"]
