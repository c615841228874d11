"""Other implementations of ONNX that the cases are compared with, and how close is equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

from cases.case import dtype_name

Outputs = list[np.ndarray]
TOLERANCE = {
    "float32": 2e-6,
    "float64": 1e-13,
}  # relative to the element, or to the largest finite one if larger


def reference_outputs(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> Outputs:
    with np.errstate(all="ignore"):
        return [np.asarray(y) for y in ReferenceEvaluator(model).run(None, dict(inputs))]


def runtime_outputs(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> Outputs | None:
    """None where ONNX Runtime has no such operator, for these types or in this opset."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception as error:
        if any(text in str(error) for text in ("NOT_IMPLEMENTED", "official support", "is invalid")):
            return None
        raise
    return [np.asarray(y) for y in session.run(None, dict(inputs))]


def assert_same(got: Any, want: Any, tolerance: float = 0) -> None:
    """Equal types and shapes; floats within the tolerance, everything else exactly."""
    got, want = np.asarray(got), np.asarray(want)
    assert dtype_name(got) == dtype_name(want)
    assert got.shape == want.shape
    if dtype_name(got) not in TOLERANCE:
        assert got.tolist() == want.tolist()
        return
    bound = tolerance or TOLERANCE[dtype_name(got)]
    if got.shape and got.shape[0] > 1:  # a row's largest element says nothing of another row's
        for got_row, want_row in zip(got, want, strict=True):
            _assert_close(got_row, want_row, bound)
    else:
        _assert_close(got, want, bound)


def _assert_close(got: np.ndarray, want: np.ndarray, bound: float) -> None:
    finite = np.abs(want[np.isfinite(want)])
    atol = bound * min(finite.max(initial=0), 1) + 1e-37  # subnormals of float32 may be flushed
    np.testing.assert_allclose(got, want, rtol=bound, atol=atol, equal_nan=True)
