"""The command ``predict``: a model file, or a server's model, on a table."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import numpy as np

from maas_engine.cli._columns import feeds, feeds_of
from maas_engine.cli._report import finite
from maas_engine.client import Client
from maas_engine.errors import InvalidArgument, MissingMethod
from maas_engine.model import load


def predict(path: str, table: Any, *, probabilities: bool) -> dict[str, Any]:
    """Return the columns of the answer by name, one value a row."""
    model = load(path)
    X = _alone(feeds(model, table))
    columns = _columns(np.asarray(model.predict(X)))
    if probabilities:
        shares = np.asarray(model.predict_proba(X))
        labels = range(shares.shape[1]) if model.labels is None else model.labels
        columns.update(_shares(shares, labels))
    return columns


def predict_at(client: Client, model: str, table: Any, *, probabilities: bool) -> dict[str, Any]:
    """Like `predict`, by a server's model: its name, or name/version."""
    name, _, version = model.partition("/")
    described = client.describe(name, version=version or None)
    X = _alone(feeds_of(described.schema.inputs, described.schema.feature_names, table))
    columns = _columns(client.predict(name, X, version=version or None))
    if probabilities:
        output = described.schema.roles.get("predict_proba")
        if output is None:
            raise MissingMethod(f"[predict_proba] the server's model {name!r} does not offer it")
        shares = client.predict(name, X, version=version or None, outputs=output.name)
        columns.update(_shares(shares, described.labels or range(shares.shape[1])))
    return columns


def _alone(given: dict[str, Any]) -> Any:
    return next(iter(given.values())) if len(given) == 1 else given


def _columns(answers: Any) -> dict[str, Any]:
    if answers.ndim == 1 or answers.shape[1] == 1:
        return {"prediction": answers.reshape(-1)}
    return {f"prediction {k}": answers[:, k] for k in range(answers.shape[1])}


def _shares(shares: Any, labels: Any) -> dict[str, Any]:
    return {f"probability {label}": shares[:, k] for k, label in enumerate(labels)}


def write(columns: dict[str, Any], out: str | None, *, as_json: bool) -> None:
    """CSV or JSON on standard output, or a file whose name ends in .csv, .parquet or .arrow."""
    if as_json:
        print(json.dumps(finite({name: values.tolist() for name, values in columns.items()})))
    elif out is None or out.endswith(".csv"):
        with open(out or sys.stdout.fileno(), "w", newline="", closefd=out is not None) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    else:
        _write_arrow(columns, out)


def _write_arrow(columns: dict[str, Any], out: str) -> None:
    import pyarrow as pa
    from pyarrow import feather, parquet

    table = pa.table({name: pa.array(values.tolist()) for name, values in columns.items()})
    if out.endswith(".parquet"):
        parquet.write_table(table, out)
    elif out.endswith((".arrow", ".feather")):
        feather.write_feather(table, out, compression="uncompressed")
    else:
        raise InvalidArgument(f"--out expects a name ending in .csv, .parquet or .arrow, got {out!r}")
