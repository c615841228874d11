"""Training follows Keras's: the same programs, initial weights and rows, epoch by epoch.

The records (tests/golden/keras_losses*.json) are made by tests/golden/make_keras_losses.py; no Keras is needed
here. In float64 rounding plays no part: there only the formulas are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases.keras_programs import PROGRAMS, ROWS, run, textbook

from maas_engine import nn

GOLDEN = Path(__file__).parents[1] / "golden"
RECORD = json.loads((GOLDEN / "keras_losses.json").read_text())
RECORD64 = json.loads((GOLDEN / "keras_losses_float64.json").read_text())

# Keras sums losses and metrics in float32, also of float64 networks.
TOLERANCE64 = 5e-7


@pytest.fixture
def float64() -> Iterator[None]:
    nn.set_floatx("float64")
    yield
    nn.set_floatx("float32")


def _expect(ours: dict[str, Any], keras: dict[str, Any], tolerance: float, row: float = 0) -> None:
    """Compare losses and metrics relatively; of accuracies `row`, the share of one row, may be missing."""
    assert list(ours["history"]) == list(keras["history"])
    for name, values in keras["history"].items():
        slack = 1.01 * row if name.endswith("accuracy") else 0
        np.testing.assert_allclose(ours["history"][name], values, rtol=tolerance, atol=slack, err_msg=name)
    slack = 1.01 / ROWS if row and "accuracy" in keras["history"] else 0
    np.testing.assert_allclose(
        ours["evaluate"], keras["evaluate"], rtol=tolerance, atol=slack, err_msg="evaluate"
    )
    largest = np.abs(keras["predict"]).max()
    np.testing.assert_allclose(
        ours["predict"], keras["predict"], rtol=0, atol=5 * tolerance * largest, err_msg="predict"
    )


def test_the_textbook_program() -> None:
    _expect(textbook(nn), RECORD["textbook"], 1e-4)


@pytest.mark.usefixtures("float64")
def test_the_textbook_program_in_float64() -> None:
    _expect(textbook(nn), RECORD64["textbook"], TOLERANCE64)


def test_every_program_is_recorded() -> None:
    assert list(RECORD["programs"]) == list(RECORD64["programs"]) == list(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    program = PROGRAMS[name]
    # A row whose two best classes are within rounding of each other may go either way in float32.
    smallest = 40 if "validation" in name else ROWS
    _expect(run(nn, program), RECORD["programs"][name], program.tolerance, row=1 / smallest)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.usefixtures("float64")
def test_program_in_float64(name: str) -> None:
    _expect(run(nn, PROGRAMS[name]), RECORD64["programs"][name], TOLERANCE64)
