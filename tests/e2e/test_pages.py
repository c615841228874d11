"""The pages about packages and the registry run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import leave_for
from pages import Page


@pytest.mark.parametrize("page", ["docs/packages.md", "docs/registry.md"])
def test_a_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_for(tmp_path, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MAAS_REGISTRY", "MAAS_REGISTRY_STORE", "MAAS_CACHE", "MAAS_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    Page(monkeypatch, capsys).run(page)
