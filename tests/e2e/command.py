"""Runs the command line as a shell does, and reads what it says."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from maas_engine.cli import main


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "maas_engine", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120)


def answer(*arguments: str, stdin: bytes = b"") -> Any:
    done = run(*arguments, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def answer_inside(*arguments: str) -> Any:
    """The same in this process, also for fixtures of a module."""
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output):
        patch.setattr(sys, "argv", ["maas-engine", *arguments, "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    return json.loads(output.getvalue())


def one_line(output: str, error: str) -> str:
    """The line an error consists of, without its beginning."""
    assert output == ""
    assert len(error.splitlines()) == 1
    assert error.startswith("maas-engine: error: ")
    return error.removeprefix("maas-engine: error: ").rstrip("\n")


def refused(*arguments: str, status: int = 1, stdin: bytes = b"") -> str:
    done = run(*arguments, stdin=stdin)
    assert done.returncode == status
    return one_line(done.stdout.decode(), done.stderr.decode())


def leave_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in another folder from now on; programs still find the engine where PYTHONPATH says."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(os.path.abspath(path) for path in paths if path))
    monkeypatch.chdir(folder)


Refuse = Callable[..., str]
Answer = Callable[..., Any]
Ended = Callable[..., tuple[int, str, str]]  # exit status, standard output, standard error
