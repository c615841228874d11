"""The types that a graph's check finds are those of what comes out, for every operator case and version."""

from __future__ import annotations

import numpy as np
import pytest
from cases.case import Case, dtype_name, make_model
from cases.op_cases import ALL

from maas_engine import _core, interpreter


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case)) for case in ALL])
def test_outputs_have_the_types_that_were_found(case: Case) -> None:
    graph = _core.read_onnx(make_model(case).SerializeToString())
    for rows in (1, 3) if case.batched else (1,):
        results = interpreter.run(graph, case.with_rows(rows))
        assert list(results) == [name for name, _, _ in graph.outputs]
        for (_, dtype, shape), result in zip(graph.outputs, results.values(), strict=True):
            array = np.asarray(result)
            assert dtype_name(array) == dtype
            assert array.shape == tuple(rows if length is None else length for length in shape)
