"""docs/serving.md and the examples beside it name what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from maas_engine.serving import _settings
from maas_engine.serving._openapi import document

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text()
EXAMPLES = [ROOT / "examples" / "serve.service", ROOT / "examples" / "kserve.yaml"]
FLAGS = {"--model", "--config", *("--" + option.name.replace("_", "-") for option in _settings.OPTIONS)}


@pytest.mark.parametrize(
    "text", [PAGE, *(path.read_text() for path in EXAMPLES)], ids=["page", "unit", "kserve"]
)
def test_options_exist(text: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*(?!\w)", text)) - {"--now", "--h"}
    assert named - {"--help"} <= FLAGS


def test_pages_exist() -> None:
    table = PAGE.split("## Pages")[1].split("\n\n")[1]
    named = set(re.findall(r"(?:GET|POST) (/\S+?)`", table))
    assert named <= set(document()["paths"])


def test_the_file_of_options_is_one(tmp_path: Path) -> None:
    pytest.importorskip("tomllib")
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    (tmp_path / "serve.toml").write_text(block[1])
    found = _settings.from_file(tmp_path / "serve.toml")
    assert found.pop("models") == {"credit": "models:/credit@champion", "risk": str(tmp_path / "risk.onnx")}
    assert _settings.complete(found)["tcp_port"] == 8001


def test_the_environment_of_the_page() -> None:
    line = re.search(r"MAAS_SERVE_MODELS='[^']*'", PAGE)
    assert line is not None
    name, _, value = shlex.split(line[0])[0].partition("=")
    assert _settings.from_environment({name: value}) == {
        "models": {"credit": "models:/credit@champion", "risk": "risk.onnx"}
    }


@pytest.mark.parametrize(
    ("option", "value", "good"),
    [
        ("drain", 3, True),
        ("drain", "3", False),
        ("port", 1.5, False),
        ("port", False, False),
        ("host", b"x", False),
    ],
)
def test_types_of_options(option: str, value: Any, good: bool) -> None:
    if good:
        assert _settings.complete({option: value})[option] == value
    else:
        with pytest.raises(ValueError, match=option):
            _settings.complete({option: value})


def test_every_option_of_the_table_is_read_from_the_environment() -> None:
    texts = {str: "text", int: "3", float: "2.5", bool: "true"}
    environment = {_settings.PREFIX + option.name.upper(): texts[option.kind] for option in _settings.OPTIONS}
    found = _settings.from_environment(environment)
    assert set(found) == set(_settings.BY_NAME)
    assert _settings.complete(found) == found


@pytest.mark.parametrize(("text", "value"), [("true", True), ("No", False), ("1", True)])
def test_truth_as_text(text: str, value: bool) -> None:
    option = _settings.Option("flag", bool, False, "")
    assert _settings.parse(option, text, "--flag") is value
    with pytest.raises(ValueError, match="true or false"):
        _settings.parse(option, "maybe", "--flag")
