"""The tables of docs/operators.md, from the reader, the operator cases and ONNX's test-suite; written by
tools/write_operators.py. Notes are written by hand, there, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cases.case import DTYPES, dtype_name
from cases.op_cases import ALL
from maas_engine import _core

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
OLDEST = {"": 6, "ai.onnx.ml": 1}
NEWEST = dict(zip(OLDEST, _core.NEWEST_OPSETS, strict=True))
DOMAINS = {"": "main", "ai.onnx.ml": "ai.onnx.ml"}


class Row(NamedTuple):
    op: str
    domain: str
    versions: str
    dtypes: str


def versions(domain: str, op: str) -> str:
    """The since-versions of the operator that a file of a readable opset may mean."""
    newest = NEWEST[domain]
    since = {_core.operator_version(domain, op, opset) for opset in range(OLDEST[domain], newest + 1)}
    return ", ".join(str(version) for version in sorted(since - {None}))


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
    return [row for row, _ in _written_with_notes()]


def _written_with_notes() -> list[tuple[Row, str]]:
    domains = {shown: domain for domain, shown in DOMAINS.items()}
    rows = []
    for line in written_lines():
        cells = [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            rows.append((Row(cells[0].strip("`"), domains[cells[1]], *cells[2:4]), cells[4]))
    return rows


def write_table() -> None:
    notes = {(row.domain, row.op): note for row, note in _written_with_notes()}
    lines = ["| operator | domain | versions | types | notes |", "|---|---|---|---|---|"]
    for row in expected_rows():
        cells = (
            f"`{row.op}`",
            DOMAINS[row.domain],
            row.versions,
            row.dtypes,
            notes.get((row.domain, row.op), ""),
        )
        lines.append(" ".join(f"| {cell}" if cell else "|" for cell in cells) + " |")
    _replace_table(lines)


def write_summary(lines: list[str]) -> None:
    """The table of cases of ONNX's test-suite."""
    _replace_table(lines)


def written_lines() -> list[str]:
    return DOCUMENT.read_text().splitlines()


def _replace_table(table: list[str]) -> None:
    """Put a table in the place of the one with the same heading."""
    lines = written_lines()
    start = lines.index(table[0])
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    DOCUMENT.write_text("\n".join([*lines[:start], *table, *lines[end:]]) + "\n")
