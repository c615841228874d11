"""Runs the pages of the documentation: their Python and shell blocks in order, in one folder.

A shell line is one command. ``# exits with N`` after it says that it must fail so. What is maas-engine alone runs in
this process, without the second that a new one takes to start; anything else by bash, as users run it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from maas_engine.cli import main

ROOT = Path(__file__).resolve().parents[2]


class Page:
    """One page, run in the current folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.names: dict[str, object] = {"__name__": "page"}
        programs = Path("programs").absolute()
        programs.mkdir()
        for name, options in (
            ("maas-engine", "-m maas_engine "),
            ("model_signing", "-m model_signing "),
            ("python", ""),
        ):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {options}"$@"\n')
            program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    def run(self, page: str) -> None:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```(python|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert blocks
        for language, block in blocks:
            if language == "python":
                exec(compile(block, page, "exec"), self.names)
                continue
            for line in block.replace("\\\n", " ").splitlines():
                self.run_line(line)

    def run_line(self, line: str) -> None:
        wanted = re.search(r"# exits with (\d+)", line)
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        setting = re.fullmatch(r"export (\w+)=(\S+)", line)
        if setting:
            self.monkeypatch.setenv(setting[1], setting[2])
            return
        if words[0] == "maas-engine" and not any(set(word) <= set("|&;<>()") for word in words):
            status, said = self.run_here(words)
        else:
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=120)
            status, said = done.returncode, done.stderr
        assert status == int(wanted[1] if wanted else 0), f"{line}\n{said}"
        assert "Traceback" not in said

    def run_here(self, words: list[str]) -> tuple[object, str]:
        self.monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, self.capsys.readouterr().err
