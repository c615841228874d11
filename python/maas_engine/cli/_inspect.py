"""The command ``inspect``: what a model file holds and how it will run."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from maas_engine.cli._options import check_file
from maas_engine.model import load


def inspect(path: str) -> dict[str, Any]:
    """Return the facts of a model file by name."""
    check_file(path, "maas-engine package inspect DIR and maas-engine registry show REF show packages")
    model = load(path)
    graph = model.graph
    labels = model.labels
    return {
        "file": path,
        "bytes": os.path.getsize(path),
        "name": graph.name,
        "inputs": [_value(*item) for item in graph.inputs],
        "outputs": [_value(*item) for item in graph.outputs],
        "labels": None if labels is None else labels.tolist(),
        "operators": dict(sorted(Counter(node.op for node in graph.nodes).items())),
        "constants": sum(int(array.size) for array in graph.initializers.values()),
        "metadata": dict(graph.metadata),
        "steps of predict": model.describe().partition("\nsteps\n")[2].splitlines(),
    }


def _value(name: str, dtype: str, shape: tuple[int | None, ...]) -> str:
    return f"{name}: {dtype} [{', '.join('N' if size is None else str(size) for size in shape)}]"
