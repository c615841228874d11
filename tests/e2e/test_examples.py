"""Each example of networks runs from end to end, scores as well as its peers, and saves what it trained."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str) -> str:
    """Return what the example printed; it warns of nothing."""
    command = [sys.executable, "-W", "error", EXAMPLES / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(r"saved as ONNX and loaded, same bits: yes", done.stdout, re.IGNORECASE)
    return done.stdout


def scores(printed: str) -> dict[str, float]:
    """Return the first figure of each row of the table, by the row's title."""
    rows = re.findall(r"^│\s*(.+?)\s*│\s*([\d.]+)\s*│", printed, re.MULTILINE)
    return {title: float(score) for title, score in rows}


def test_digits_classifier_ends_where_scikit_learn_does() -> None:
    found = scores(run("digits_classifier.py"))
    assert found["maas_engine"] == pytest.approx(found["scikit-learn"], abs=0.003)
    assert found["maas_engine, float32"] > 0.95


def test_diabetes_regressor_is_ahead_of_scikit_learns_network() -> None:
    found = scores(run("diabetes_regressor.py"))
    assert found["maas_engine.nn"] > found["scikit-learn MLPRegressor"]
    assert found["maas_engine.nn"] > found["scikit-learn Ridge"] - 0.02


def test_anomaly_autoencoder_ranks_as_well_as_a_forest() -> None:
    printed = run("anomaly_autoencoder.py")
    found = scores(printed)
    assert found["maas_engine.nn autoencoder, 30-24-1-24-30"] > found["scikit-learn IsolationForest"] - 0.01
    assert "Flagged above an error of" in printed


def test_categorical_embedding_predicts_as_well_as_one_hot_columns() -> None:
    found = scores(run("categorical_embedding.py"))
    assert found["maas_engine.nn, vectors of 4"] > found["scikit-learn one-hot + LogisticRegression"] - 0.01
