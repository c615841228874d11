"""What every rival's file offers, and the one helper they share.

A rival is a module with `LABEL` and `cases()`. `cases()` maps "kind" or "kind:variant" to a set-up function:
it takes the data, does what a user does once (conversion, compilation) and returns the call that is timed.
The timed call returns the answer: (coef, intercept) of a fit, the value of a metric, the product of a gemm.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace as Data
from typing import Any

Run = Callable[[], Any]
Setup = Callable[[Data], Run]

RIVALS = (
    "ours",
    "numpy_",
    "scipy_",
    "sklearn_",
    "sklearnex_",
    "torch_",
    "jax_",
    "keras_",
    "snapml_",
    "cyanure_",
    "celer_",
    "skglm_",
    "onnxruntime_",
    "openvino_",
)
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)


def loosest(data: Data, fit: Callable[[float], Any]) -> Run:
    """The fit at the loosest tolerance whose answer reaches the objective that all rivals must reach."""
    for tolerance in TOLERANCES:
        if data.reached(fit(tolerance)):
            return lambda: fit(tolerance)
    return lambda: fit(TOLERANCES[-1])


def threads_allowed() -> int:
    """The cores this process may use: the runner's thread count."""
    return len(os.sched_getaffinity(0))
