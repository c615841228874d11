"""OpenVINO on the same file, tuned for latency, float32 kept."""

from __future__ import annotations

import os
from types import SimpleNamespace as Data
from typing import Any

import openvino

from .adapter import Run, Setup
from .models import NETWORKS

LABEL = "openvino"


def compiled(path: str, rows: int) -> Any:
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([rows, *[int(d.get_length()) for d in list(model.inputs[0].partial_shape)[1:]]])
    settings = {
        "INFERENCE_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return core.compile_model(model, "CPU", settings)


def run(data: Data) -> Run:
    """One request, its input tensor sharing our array."""
    request = compiled(data.path, len(data.X)).create_infer_request()
    request.set_input_tensor(openvino.Tensor(data.X, shared_memory=True))
    out = request.get_output_tensor().data

    def call() -> Any:
        request.infer()
        return out

    return call


def load(data: Data) -> Run:
    def call() -> None:
        compiled(data.path, 1)

    return call


def cases() -> dict[str, Setup]:
    return {**dict.fromkeys(NETWORKS, run), **{f"{kind}_load": load for kind in NETWORKS}}
