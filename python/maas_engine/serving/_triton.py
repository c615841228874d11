"""A model's configuration in the words of Triton, whose clients ask for it."""

from __future__ import annotations

from typing import Any


def config(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model from the Open Inference Protocol's metadata."""
    return {
        "name": metadata["name"],
        "platform": metadata["platform"],
        "backend": "maas_engine",
        "max_batch_size": 0,  # the batch is a dimension of its own, -1 in dims
        "input": [_tensor(each) for each in metadata["inputs"]],
        "output": [_tensor(each) for each in metadata["outputs"]],
    }


def _tensor(each: dict[str, Any]) -> dict[str, Any]:
    datatype = "STRING" if each["datatype"] == "BYTES" else each["datatype"]
    return {"name": each["name"], "data_type": f"TYPE_{datatype}", "dims": each["shape"]}
