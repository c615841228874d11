"""The table of docs/operators.md, from onnx's history and the operator cases; notes there are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import onnx

from cases.case import DTYPES, dtype_name
from cases.op_cases import ALL
from maas_engine import _core

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
OLDEST = {"": 9, "ai.onnx.ml": 1}
DOMAINS = {"": "main", "ai.onnx.ml": "ai.onnx.ml"}


class Row(NamedTuple):
    op: str
    domain: str
    versions: str
    dtypes: str


def versions(domain: str, op: str) -> str:
    """The since-versions of the operator that a file of a readable opset may mean."""
    all_schemas = onnx.defs.get_all_schemas_with_history()
    since = sorted({s.since_version for s in all_schemas if (s.domain, s.name) == (domain, op)})
    first = max([version for version in since if version <= OLDEST[domain]], default=0)
    return ", ".join(str(version) for version in since if version >= first)


def dtypes(domain: str, op: str) -> str:
    """What the first input is in the cases."""
    seen = {
        dtype_name(next(x for x in case.inputs if x is not None))
        for case in ALL
        if (case.domain, case.op) == (domain, op)
    }
    return ", ".join(name for name in DTYPES if name in seen)


def expected_rows() -> list[Row]:
    known = sorted((domain, op) for domain, op, _ in _core.operators())
    return [Row(op, domain, versions(domain, op), dtypes(domain, op)) for domain, op in known]


def written_rows() -> list[Row]:
    domains = {shown: domain for domain, shown in DOMAINS.items()}
    rows = []
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            rows.append(Row(cells[0].strip("`"), domains[cells[1]], *cells[2:4]))
    return rows
