"""Networks on the command line: short names of parameters, one file, and the picture of the loss."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Answer, Refuse, run

QUICK = ("--model", "mlp", "--cv", "0", "--set", "hidden=16,8", "--set", "epochs=15")
FASTER = ("--set", "learning_rate_init=0.01")


def test_a_classifier_is_trained_drawn_saved_and_predicts(
    answer_here: Answer, cancer: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    file, picture = str(tmp_path / "cancer.onnx"), tmp_path / "loss.svg"
    result = answer_here(
        "train", str(cancer), "--target", "target", *QUICK, *FASTER, "--out", file, "--plot", str(picture)
    )
    assert result["model"] == "MLPClassifier"
    assert result["parameters"]["hidden_layer_sizes"] == [16, 8]
    assert result["parameters"]["max_iter"] == 15
    assert result["parameters"]["random_state"] == 0
    assert result["plot"] == str(picture)
    assert result["hold_out"]["accuracy"]["value"] > 0.93
    found = answer_here("predict", file, str(cancer), "--proba")
    truth = pd.read_csv(cancer)["target"].to_numpy()
    assert np.mean(np.array(found["prediction"]) == truth) > 0.95
    shares = np.array([found["probability benign"], found["probability malignant"]])
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-6)
    assert picture.read_bytes().startswith(b"<?xml")


def test_a_regressor_learns_in_units_of_the_target(
    answer_here: Answer, diabetes: Path, tmp_path: Path
) -> None:
    file = str(tmp_path / "diabetes.onnx")
    learned = (*QUICK, *FASTER, "--set", "optimizer=adam", "--set", "epochs=40")
    result = answer_here("train", str(diabetes), "--target", "target", *learned, "--out", file)
    assert result["model"] == "MLPRegressor"
    assert 0.3 < result["hold_out"]["r2"]["value"] < 0.6
    found = np.array(answer_here("predict", file, str(diabetes))["prediction"])
    truth = pd.read_csv(diabetes)["target"].to_numpy()
    assert abs(found.mean() - truth.mean()) < 10
    again = answer_here("train", str(diabetes), "--target", "target", *learned)
    assert again["hold_out"] == result["hold_out"]  # --seed is the network's too


def test_a_saved_network_agrees_with_onnxruntime(answer_here: Answer, cancer: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    file = str(tmp_path / "cancer.onnx")
    answer_here("train", str(cancer), "--target", "target", *QUICK, "--out", file)
    report = answer_here("verify", file, "--data", str(cancer))
    assert report["same"]


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_network_that_onnxruntime_lacks_operators_for(
    answer_here: Answer, refused_here: Refuse, diabetes: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    file = str(tmp_path / "gelu.onnx")
    float64 = ("--set", "activation=gelu", "--set", "solver=lbfgs")
    answer_here("train", str(diabetes), "--target", "target", *QUICK, *float64, "--out", file)
    line = refused_here("verify", file, "--data", str(diabetes))
    assert line.startswith("onnxruntime cannot run the file: ")
    assert "Erf" in line


@pytest.mark.parametrize(("ending", "begin"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_pictures(answer_here: Answer, diabetes: Path, tmp_path: Path, ending: str, begin: bytes) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / f"loss.{ending}"
    stopping = ("--set", "early_stopping=true", "--plot", str(picture))
    answer_here("train", str(diabetes), "--target", "target", *QUICK, *stopping)
    assert picture.read_bytes().startswith(begin)


def test_lines_of_epochs_go_to_standard_error(diabetes: Path) -> None:
    done = run("train", str(diabetes), "--target", "target", *QUICK, "--set", "verbose=true", "--json")
    assert done.returncode == 0
    assert done.stdout.startswith(b"{")
    assert done.stderr.count(b"loss") == 15


def test_ctrl_c_ends_training(diabetes: Path) -> None:
    endless = ("--set", "epochs=1000000000", "--set", "tol=0", "--set", "n_iter_no_change=inf")
    arguments = ["train", str(diabetes), "--target", "target", *QUICK, *endless, "--set", "verbose=true"]
    with subprocess.Popen(
        [sys.executable, "-m", "maas_engine", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()  # an epoch is done
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert output == b""
    # The interrupt may come between an epoch's text and the end of its line.
    assert error.decode().endswith("maas-engine: error: interrupted\n")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--set", "hiden=3"), "MLPRegressor has no parameter 'hiden': activation, alpha, "),
        (("--set", "hiden=3"), " epochs, "),
        (
            ("--set", "hidden=12,x"),
            "sizes of hidden layers are whole numbers from 1 on, such as hidden=128,64",
        ),
        (("--set", "hidden=0"), "got 0"),
        (("--set", "hidden=4.5"), "got 4.5"),
        (("--set", "epochs=many"), "The 'max_iter' parameter of MLPRegressor must be an int"),
        (("--set", "optimizer=adamm"), "The 'solver' parameter of MLPRegressor must be"),
        (("--set", "early_stopping=perhaps"), "The 'early_stopping' parameter of MLPRegressor must be"),
        (("--plot", "loss.bmp"), "--plot expects a file .svg, .png or .pdf, got 'loss.bmp'"),
        (("--plot", "nowhere/loss.svg"), "--plot: no such folder: "),
        (("--plot", "l.svg", "--set", "solver=lbfgs"), "MLPRegressor has none: use --model mlp"),
        (("--plot", "l.svg", "--model", "ridge"), "Ridge has none: use --model mlp"),
        (("--model", "mlp-classifier"), "is a classifier, but the task is regression"),
    ],
)
def test_what_train_refuses(
    refused_here: Refuse, diabetes: Path, options: tuple[str, ...], line: str
) -> None:
    assert line in refused_here("train", str(diabetes), "--target", "target", "--model", "mlp", *options)


def test_a_picture_without_matplotlib(diabetes: Path) -> None:
    code = (
        "import importlib.util as u, sys; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'matplotlib' else real(name, *a)\n"
        "from maas_engine.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "train", str(diabetes), "--target", "target", *QUICK]
    done = subprocess.run([*command, "--plot", "loss.svg"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "--plot needs matplotlib: install it with pip install 'maas_engine[plot]'" in done.stderr
