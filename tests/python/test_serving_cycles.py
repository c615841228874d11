"""Models that come and go leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from served import Wire, infer_json, mlp, post
from serving_process import ServingProcess

pytest.importorskip("starlette")

CYCLES = 1000
MEGABYTE = 1 << 20


def test_a_thousand_loads_and_unloads(tmp_path: Path) -> None:
    """Weights of 80 KB, what a thread computes with, figures, Python's own: nothing of it grows."""
    mlp(np.float32, features=256).save(tmp_path / "m.onnx")
    ask = post("/v2/models/m/infer", infer_json({"input": np.zeros((1, 256), "f4")}))
    unload, load = (post(f"/v2/repository/models/m/{word}", b"") for word in ("unload", "load"))
    with ServingProcess("--model", f"m={tmp_path / 'm.onnx'}", "--threads", "1") as server:
        server.wait_for("ready")
        before = 0
        with Wire(server.port, 60.0) as wire:
            for cycle in range(CYCLES):
                for request, status in ((unload, 200), (ask, 404), (load, 200), (ask, 200)):
                    wire.send(request)
                    assert wire.reply().status == status
                if cycle == CYCLES // 4:
                    before = server.memory()
        assert server.memory() - before < 4 * MEGABYTE, (before, server.memory())
        assert server.end() == 0
