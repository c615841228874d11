"""Our registry: `register` packs the model (golden rows, digests), `load` proves the package before it answers."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np

from maas_engine import Model, package
from maas_engine.graph import GraphBuilder
from maas_engine.registry import Registry

from .registry import Operations


def onnx_model(weights: np.ndarray) -> Model:
    builder = GraphBuilder("g")
    x = builder.input("X", np.float32, (None, weights.shape[0]))
    builder.output(builder.add("MatMul", x, builder.constant(weights)))
    return Model(builder.build())


def operations(folder: str, weights: np.ndarray, models: int, versions: int) -> Operations:
    registry = Registry(f"{folder}/registry", cache=f"{folder}/cache")
    model = onnx_model(weights)
    fresh = itertools.count(1)

    def register() -> None:  # other weights each time, so that every blob is new
        other = onnx_model(weights + np.float32(next(fresh)))
        registry.register("model-0", other)

    registry.register("model-0", model)
    each = versions // models
    with tempfile.TemporaryDirectory() as place:
        kept = package.write(model, Path(place) / "package", metrics={"accuracy": 0.9})
        for i in range(models):
            for j in range(each):
                registry.register(
                    f"model-{i}", kept, tags={"team": f"risk-{j % 10}"}, metrics={"auc": 0.5 + j / 1000}
                )
    registry.set_alias("model-0", "champion", 1)
    turn = itertools.cycle([2, 1])
    wanted = "name = 'model-1' AND tags.team = 'risk-3' AND metrics.auc > 0.5"
    return {
        "register": register,
        "alias": lambda: registry.set_alias("model-0", "challenger", next(turn)),
        "resolve": lambda: registry.resolve("models:/model-0@champion"),
        "list": lambda: registry.versions("model-1"),
        "search": lambda: registry.search(wanted, order_by="metrics.auc DESC"),
        "load": lambda: registry.load("models:/model-0@champion"),
    }
