"""Training follows Keras's: the same programs, initial weights and rows, in float32, epoch by epoch.

The record (tests/golden/keras_losses.json) is made by tests/golden/make_keras_losses.py; no Keras is needed here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases.keras_programs import PROGRAMS, run, textbook

from maas_engine import nn

RECORD = json.loads((Path(__file__).parents[1] / "golden" / "keras_losses.json").read_text())


def _expect(ours: dict[str, Any], keras: dict[str, Any], tolerance: float) -> None:
    assert set(ours["history"]) == set(keras["history"])
    for name, values in keras["history"].items():
        np.testing.assert_allclose(ours["history"][name], values, rtol=tolerance, err_msg=name)
    np.testing.assert_allclose(ours["evaluate"], keras["evaluate"], rtol=tolerance, err_msg="evaluate")
    largest = np.abs(keras["predict"]).max()
    np.testing.assert_allclose(
        ours["predict"], keras["predict"], rtol=0, atol=5 * tolerance * largest, err_msg="predict"
    )


def test_the_textbook_program() -> None:
    _expect(textbook(nn), RECORD["textbook"], 1e-4)


def test_every_program_is_recorded() -> None:
    assert list(RECORD["programs"]) == list(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    program = PROGRAMS[name]
    _expect(run(nn, program), RECORD["programs"][name], program.tolerance)
