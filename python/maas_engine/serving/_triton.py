"""A model's configuration and statistics in the words of Triton, whose clients ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def statistics(models: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the statistics extension says of the data plane's figures of models.

    Time until a request's turn is ``queue``, its decoding ``compute_input``, its answer's encoding ``compute_output``.
    An execution is one run, of one request or of several. Figures by exact batch size are not kept: ``/metrics`` has
    their histogram.
    """
    return {"model_stats": [_of_model(each) for each in models]}


def _of_model(each: Mapping[str, Any]) -> dict[str, Any]:
    both = [each[protocol] for protocol in ("http", "raw")]
    answered = sum(requests["answered"] for requests in both)

    def time(part: str) -> dict[str, int]:
        return {"count": answered, "ns": sum(requests["times_ns"][part]["sum"] for requests in both)}

    failed = sum(sum(requests["errors"].values()) for requests in both)
    never = {"count": 0, "ns": 0}
    return {
        "name": each["model"],
        "version": each["version"],
        "last_inference": max(requests["last_ms"] for requests in both),
        "inference_count": sum(requests["rows"] for requests in both),
        "execution_count": int(each["run_rows"]["counts"].sum()),
        "inference_stats": {
            "success": time("all"),
            "fail": {"count": failed, "ns": sum(requests["failed_ns"] for requests in both)},
            "queue": time("wait"),
            "compute_input": time("decode"),
            "compute_infer": time("run"),
            "compute_output": time("encode"),
            "cache_hit": never,
            "cache_miss": never,
        },
        "batch_stats": [],
        "memory_usage": [],
    }
