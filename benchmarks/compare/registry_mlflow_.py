"""MLflow's registry: its SQLite store asked in-process, without a server; models by its ONNX flavour.

The versions that fill it come through the client's `create_model_version`, which copies no file.
"""

from __future__ import annotations

import itertools
import logging
import os
from pathlib import Path

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}

import mlflow
import numpy as np
from mlflow import MlflowClient
from onnx import ModelProto, TensorProto, helper, numpy_helper

from .registry import Operations


def onnx_model(weights: np.ndarray) -> ModelProto:
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name, width in zip(("X", "y"), weights.shape, strict=True)
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "W"], ["y"])],
        "g",
        sides[:1],
        sides[1:],
        [numpy_helper.from_array(weights, "W")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def operations(folder: str, weights: np.ndarray, models: int, versions: int) -> Operations:
    logging.disable(logging.WARNING)
    model = onnx_model(weights)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("bench", artifact_location=(Path(folder) / "artifacts").as_uri())
    mlflow.set_experiment("bench")
    client = MlflowClient()

    def register() -> None:
        with mlflow.start_run():
            mlflow.onnx.log_model(model, name="model", registered_model_name="model-0", pip_requirements=[])

    register()
    source = client.get_model_version("model-0", "1").source
    each = versions // models
    for i in range(models):
        name = f"model-{i}"
        if i > 0:
            client.create_registered_model(name)
        for j in range(each):
            client.create_model_version(
                name, source, tags={"team": f"risk-{j % 10}", "auc": f"{0.5 + j / 1000:.4f}"}
            )
    client.set_registered_model_alias("model-0", "champion", "1")
    turn = itertools.cycle(["2", "1"])
    wanted = "name = 'model-1' AND tags.team = 'risk-3'"  # it keeps no metrics with versions
    return {
        "register": register,
        "alias": lambda: client.set_registered_model_alias("model-0", "challenger", next(turn)),
        "resolve": lambda: client.get_model_version_by_alias("model-0", "champion"),
        "list": lambda: client.search_model_versions("name = 'model-1'", max_results=1000),
        "search": lambda: client.search_model_versions(wanted, order_by=["version_number DESC"]),
        "load": lambda: mlflow.pyfunc.load_model("models:/model-0@champion"),
    }
