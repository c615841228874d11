"""Every operator has all its parts: shape rule, step, interpreter, cases, a line in docs/operators.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases.op_cases import ALL
from cases.operator_table import Row, expected_rows, written_rows

from maas_engine import _core
from maas_engine.interpreter import OPERATORS

KNOWN = _core.operators()  # those with a shape rule

each_operator = pytest.mark.parametrize(
    ("domain", "op", "has_step"), [pytest.param(*each, id=each[1]) for each in KNOWN]
)


@each_operator
def test_has_a_step(domain: str, op: str, has_step: bool) -> None:
    # A shape is known before any run, so Shape is always folded away.
    assert has_step or op == "Shape"


@each_operator
def test_has_an_interpreter_function(domain: str, op: str, has_step: bool) -> None:
    assert (domain, op) in OPERATORS


@each_operator
def test_has_cases(domain: str, op: str, has_step: bool) -> None:
    cases = [case for case in ALL if (case.domain, case.op) == (domain, op)]
    assert len(cases) >= 3


def test_the_interpreter_has_no_others() -> None:
    assert set(OPERATORS) == {(domain, op) for domain, op, _ in KNOWN}


def test_documentation_lists_exactly_these() -> None:
    written = {(row.domain, row.op) for row in written_rows()}
    assert written == {(domain, op) for domain, op, _ in KNOWN}


@pytest.mark.parametrize("row", expected_rows(), ids=lambda row: row.op)
def test_documentation_is_right(row: Row) -> None:
    assert row in written_rows(), (
        f"docs/operators.md: expected {row}; see {Path('tests/cases/operator_table.py')}"
    )
