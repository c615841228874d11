"""Tokens on the command line, and secrets that must not stand on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import Answer, Ended, Refuse, run


def test_tokens(place: Path, answer_here: Answer, ended_here: Ended) -> None:
    arguments = (
        "token",
        "create",
        "predict:cancer",
        "admin",
        "--expires-in",
        "90d",
        "--description",
        "billing",
    )
    code, token, error = ended_here(*arguments)
    assert (code, error) == (0, "")
    assert token.startswith("maas_")
    assert token.count("\n") == 1
    secret = token.strip()
    (known,) = answer_here("token", "list")["tokens"]
    assert known["scopes"] == ["admin", "predict:cancer"]
    assert known["state"] == "active"
    assert known["description"] == "billing"
    assert secret[5:21] == known["id"]
    made = answer_here("token", "create", "predict:*")["token"]
    revoked = answer_here("token", "revoke", made[5:21], "--reason", "leaked")
    assert revoked["state"] == "revoked"
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert secret[22:].encode() not in everything
    assert [each["action"] for each in answer_here("registry", "history")["events"]] == [
        "token.create", "token.create", "token.revoke",
    ]  # fmt: skip


def test_a_token_is_all_that_the_program_prints(place: Path) -> None:
    done = run("token", "create", "admin")
    assert done.stderr == b""
    assert done.stdout.startswith(b"maas_")
    assert len(done.stdout.splitlines()) == 1


def test_no_token_is_made_that_nobody_could_read(place: Path, answer_here: Answer) -> None:
    command = [sys.executable, "-m", "maas_engine", "token", "create", "admin"]
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert done.returncode == 1
    assert b"standard output is closed" in done.stderr
    answer_here("token", "create", "predict:*")
    assert len(answer_here("token", "list")["tokens"]) == 1


def test_what_tokens_refuse(place: Path, answer_here: Answer, refused_here: Refuse) -> None:
    assert "expected a scope" in refused_here("token", "create", "fly")
    assert "--expires-in expects a span" in refused_here("token", "create", "admin", "--expires-in", "soon")
    assert "above 0" in refused_here("token", "create", "admin", "--expires-in", "0")
    assert "no registry at" in refused_here("token", "revoke", "maas_secret")
    answer_here("token", "create", "admin")
    assert "public id" in refused_here("token", "revoke", "maas_secret")
    assert "Missing argument" in refused_here("token", "create", status=2)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:sesame@host/name",
        "postgresql://host/name?password=sesame",
        "s3://bucket/models?secret=sesame",
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    place: Path, refused_here: Refuse, url: str
) -> None:
    line = refused_here("registry", "list", "--registry", url)
    assert "expects a URL without password" in line
    assert "sesame" not in line
    assert "sesame" not in refused_here("token", "list", "--registry", "x", "--store", url)
