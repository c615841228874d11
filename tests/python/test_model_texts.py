"""Texts that a run makes of numbers hold for all its rows."""

from __future__ import annotations

import numpy as np
import pytest

import maas_engine
from maas_engine import _core
from maas_engine.graph import GraphBuilder

STRING = 8  # TensorProto.DataType


def labels_as_text() -> GraphBuilder:
    builder = GraphBuilder("texts")
    x = builder.input("X", np.int64, (None, 1))
    text = builder.add("Cast", x, to=STRING)
    builder.output(builder.add("Reshape", text, builder.constant(np.array([-1])), outputs="label"))
    return builder


@pytest.mark.parametrize("rows", [1, 7, 961, 20_000])
def test_model_answers_with_texts_of_all_rows(rows: int) -> None:
    model = maas_engine.Model(labels_as_text().build())
    values = np.arange(rows, dtype=np.int64)[:, None] - 5
    for _ in range(2):  # the second run finds the room of the first
        assert model.predict(values).tolist() == [str(value) for value in range(-5, rows - 5)]


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_program_answers_with_texts_of_all_rows(threads: int) -> None:
    rows = 200_000
    program = _core.Program(labels_as_text().build(), ["label"], True)
    values = np.arange(rows, dtype=np.int64)[:, None]
    labels = program.run({"X": values}, threads)["label"]
    assert labels.tolist() == [str(value) for value in range(rows)]
