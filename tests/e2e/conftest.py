from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from command import Answer, Refuse, one_line

from maas_engine.cli import main


@pytest.fixture
def refused_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """command.refused in this process, without the second that a new one takes to start."""

    def refuse(*arguments: str, status: int = 1) -> str:
        monkeypatch.setattr(sys, "argv", ["maas-engine", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == status
        return one_line(*capsys.readouterr())

    return refuse


@pytest.fixture
def answer_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    """command.answer in this process."""

    def reply(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["maas-engine", *arguments, "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        output, error = capsys.readouterr()
        assert ended.value.code == 0, error
        return json.loads(output)

    return reply
