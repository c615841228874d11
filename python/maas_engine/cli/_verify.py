"""The command ``verify``: does another runtime give the same answers on these rows?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.cli._columns import feeds
from maas_engine.cli._options import check_file
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.model import load
from maas_engine.package._tolerance import PROBABILITY, TOLERANCES, tied

Array = NDArray[Any]


def verify(path: str, table: Any, against: str) -> dict[str, Any]:
    """Run both on the rows and compare every output.

    Returns
    -------
    dict : ``against``, ``rows``, ``same`` (bool) and ``outputs``: by name the largest absolute and relative
        distance, or the number of different labels, with the tolerance and whether it is kept.
    """
    if against != "onnxruntime":
        raise InvalidArgument(f"--against knows onnxruntime, got {against!r}")
    check_file(path, "maas-engine package verify DIR proves a package, whose model.onnx is such a file")
    model = load(path)
    given = feeds(model, table)
    ours = model.run(given)
    theirs = _onnxruntime(path, given)
    scores = [np.asarray(value) for value in ours.values() if value.dtype.kind == "f" and value.ndim == 2]
    outputs = {}
    for name, value in ours.items():
        compare = _distance if value.dtype.kind == "f" else _flips
        outputs[name] = compare(value, theirs[name], scores)
    return {
        "against": against,
        "rows": len(next(iter(given.values()))),
        "same": all(item["same"] for item in outputs.values()),
        "outputs": outputs,
    }


def _onnxruntime(path: str, given: dict[str, Array]) -> dict[str, Any]:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise Unsupported("onnxruntime is not installed: pip install 'maas_engine[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds; one that lacks an operator is the usual case
        raise Unsupported(f"onnxruntime cannot run the file: {error}") from error
    wanted = {item.name: item.type for item in session.get_inputs()}
    cast = {name: _as_declared(values, wanted[name]) for name, values in given.items()}
    names = [item.name for item in session.get_outputs()]
    return {name: _plain(value) for name, value in zip(names, session.run(None, cast), strict=True)}


def _as_declared(values: Array, kind: str) -> Array:
    return values.astype(object) if kind == "tensor(string)" else values


def _plain(value: Any) -> Array:
    """A list of one dictionary a row (ZipMap) as the matrix of its values."""
    if isinstance(value, list):
        return np.array([list(row.values()) for row in value])
    return np.asarray(value)


def _distance(ours: Array, theirs: Array, scores: list[Array]) -> dict[str, Any]:
    del scores
    absolute, relative = TOLERANCES[str(ours.dtype)]
    rows_ours = ours.reshape(len(ours), -1).astype(np.float64)
    rows_theirs = theirs.reshape(len(ours), -1).astype(np.float64)
    error = np.abs(rows_ours - rows_theirs)
    error[(rows_ours == rows_theirs) | (np.isnan(rows_ours) & np.isnan(rows_theirs))] = 0.0
    size = np.max(np.abs(rows_theirs), axis=1, initial=0.0, keepdims=True)
    allowed = absolute + relative * size
    if ours.dtype == np.float32 and np.all((rows_ours >= 0) & (rows_ours <= 1)):
        allowed = np.maximum(allowed, PROBABILITY)
    return {
        "largest_absolute": float(error.max(initial=0.0)),
        "largest_relative": float((error / np.maximum(size, 1e-300)).max(initial=0.0)),
        "same": bool(np.all(error <= allowed)),  # NaN on one side only is not
    }


def _flips(ours: Array, theirs: Array, scores: list[Array]) -> dict[str, Any]:
    """Labels that differ; where the two best scores are closer than the tolerance either may be right."""
    different = np.asarray(ours != theirs).reshape(len(ours), -1).any(axis=1)
    close = np.zeros(len(ours), dtype=bool)
    for score in scores:
        if score.shape[1] > 1:
            close |= tied(score)
    return {
        "different": int(different.sum()),
        "same": not bool((different & ~close).any()),
    }
