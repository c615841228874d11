"""Write the tables of operators in docs/operators.md, and what of ONNX's backend test-suite is not run.

Usage: python tools/write_operators.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from cases import onnx_suite, operator_table


def main() -> int:
    operator_table.write_table()
    with tempfile.TemporaryDirectory() as home:
        os.environ["ONNX_HOME"] = home  # the suite unpacks models there
        outcomes = list(onnx_suite.run_suite())
    failed = onnx_suite.unexplained(outcomes)
    for outcome in failed:
        print(f"{outcome}: {outcome.error}", file=sys.stderr)
    onnx_suite.write_list(onnx_suite.skipped(outcomes))
    operator_table.write_summary(onnx_suite.summary(outcomes))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
