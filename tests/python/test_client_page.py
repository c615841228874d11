"""docs/client.md: its Python runs, its words are the client's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import small_models

_server = pytest.importorskip("maas_engine._server")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text()


def test_python_blocks_run() -> None:
    running = _server.Server({"http_port": 0, "tcp_port": 0})
    running.start()
    model = small_models.classifier(["no", "yes", "może"], 2)
    try:
        running.set_model("labels", "1", model.to_bytes())
        running.set_model("mixed", "1", small_models.mixed().to_bytes())
        names = {
            "url": f"http://127.0.0.1:{running.http_port}",
            "tcp_url": f"tcp://127.0.0.1:{running.tcp_port}",
        }
        blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        assert len(blocks) == 3
        for block in blocks[:2]:
            exec(block, names)
        assert names["labels"].tolist() == model.predict(names["X"]).tolist()  # type: ignore[attr-defined]
        assert list(names["both"]) == ["label", "probabilities"]
        assert names["one"] == 2146.0
        assert len(names["answers"]) == 3
        exec(blocks[2], names)
        assert names["labels"].shape == (10_000,)  # type: ignore[attr-defined]
    finally:
        running.stop(2.0)


def test_the_errors_are_there() -> None:
    from maas_engine import errors

    table = PAGE.split("| error of")[1].split("\n\n")[0]
    names = re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.split("\n")[2:]))
    assert len(names) == 7
    assert all(issubclass(getattr(errors, name), errors.MaasError) for name in names)
