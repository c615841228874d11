"""A client of a few lines, for tests of the server: what it says does not depend on our own client."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def ask(port: int, path: str, body: Any = None, method: str = "", **fields: str) -> tuple[int, Any]:
    """Status and JSON of one request on a connection of its own; POST where there is a body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, data, fields)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def question(rows: Any, name: str = "X") -> dict[str, Any]:
    """The body of a request with one tensor."""
    array = np.asarray(rows)
    datatype = {"float64": "FP64", "float32": "FP32"}[array.dtype.name]
    return {
        "inputs": [
            {"name": name, "shape": list(array.shape), "datatype": datatype, "data": array.ravel().tolist()}
        ]
    }


def predict(port: int, model: str, rows: Any) -> tuple[str, list[float]]:
    """The version that answered, and its numbers."""
    status, answer = ask(port, f"/v2/models/{model}/infer", question(rows))
    assert status == 200, answer
    return answer["model_version"], answer["outputs"][0]["data"]


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What a call gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return value
