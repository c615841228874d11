from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Answer, Ended, Refuse, leave_for, one_line
from sklearn.datasets import load_breast_cancer, load_diabetes

from maas_engine.cli import main

SETTINGS = (
    "MAAS_REGISTRY_STORE",
    "MAAS_PUBLIC_KEY",
    "MAAS_CERTIFICATES",
    "MAAS_REQUIRE_SIGNATURE",
    "MAAS_MASTER_KEY",
    "MAAS_MASTER_KEY_FILE",
)


@pytest.fixture(scope="session")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "diabetes.csv"
    load_diabetes(as_frame=True).frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels of text, a column of text, and holes."""
    path = tmp_path_factory.mktemp("tables") / "cancer.csv"
    frame = load_breast_cancer(as_frame=True).frame
    frame["target"] = np.where(frame["target"] == 1, "benign", "malignant")
    frame["ward"] = np.array(["north", "south", None, "east"], dtype=object)[np.arange(len(frame)) % 4]
    frame.loc[::7, "mean radius"] = np.nan
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def ended_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ended:
    """What a command ends with, run in this process, without the second that a new one takes to start."""

    def end(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["maas-engine", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return end


@pytest.fixture
def refused_here(ended_here: Ended) -> Refuse:
    """command.refused in this process."""

    def refuse(*arguments: str, status: int = 1) -> str:
        code, output, error = ended_here(*arguments)
        assert code == status, error
        return one_line(output, error)

    return refuse


@pytest.fixture
def answer_here(ended_here: Ended) -> Answer:
    """command.answer in this process."""

    def reply(*arguments: str) -> Any:
        code, output, error = ended_here(*arguments, "--json")
        assert code == 0, error
        return json.loads(output)

    return reply


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a registry of its own."""
    leave_for(tmp_path, monkeypatch)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAAS_REGISTRY", "registry")
    monkeypatch.setenv("MAAS_CACHE", "cache")
    monkeypatch.setenv("MAAS_ACTOR", "ada")
    return tmp_path
