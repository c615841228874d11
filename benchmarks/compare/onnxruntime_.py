"""ONNX Runtime on the same file: `run` as tutorials have it, and with bound arrays."""

from __future__ import annotations

import os
from functools import partial
from types import SimpleNamespace as Data
from typing import Any

import numpy as np
import onnxruntime

from .adapter import Run, Setup
from .models import NETWORKS

LABEL = "onnxruntime"


def session(path: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(data: Data) -> Run:
    opened = session(data.path)
    call = partial(opened.run, None, {"X": data.X})
    return lambda: call()[0]


def bound(data: Data) -> Run:
    """Input and output stay where they are: no array is made."""
    opened = session(data.path)
    out = np.empty((len(data.X), data.layers[-1][1].size), np.float32)
    binding = opened.io_binding()
    binding.bind_input("X", "cpu", 0, np.float32, data.X.shape, data.X.ctypes.data)
    name = opened.get_outputs()[0].name
    binding.bind_output(name, "cpu", 0, np.float32, out.shape, out.ctypes.data)

    def call() -> Any:
        opened.run_with_iobinding(binding)
        return out

    return call


def pipeline(data: Data) -> Run:
    opened = session(data.path)
    call = partial(opened.run, ["probabilities"], data.feed)
    return lambda: call()[0]


def load(data: Data) -> Run:
    def call() -> None:
        session(data.path)

    return call


def cases() -> dict[str, Setup]:
    return {
        **{f"{kind}:run": run for kind in NETWORKS},
        **{f"{kind}:io-binding": bound for kind in NETWORKS},
        **{f"{kind}_load": load for kind in NETWORKS},
        "predict_pipeline": pipeline,
    }
