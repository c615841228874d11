"""The demo runs from end to end and reports every job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def test_demo_reports_every_job() -> None:
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for title in ("diabetes", "breast cancer", "generated values", "generated classes"):
        assert title in done.stdout
    for table in (
        "A Lasso path",
        "Cross-validation: LassoCV",
        "Bootstrap, 10,000 resamples",
        "Saved as ONNX",
    ):
        assert table in done.stdout
    assert "NO" not in done.stdout.partition("Saved as ONNX")[2].replace("ONNX", "")  # the same bits
