"""The command ``predict``: a model file on a table."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import numpy as np

from maas_engine.cli._columns import feeds
from maas_engine.cli._report import finite
from maas_engine.errors import InvalidArgument
from maas_engine.model import load


def predict(path: str, table: Any, *, probabilities: bool) -> dict[str, Any]:
    """Return the columns of the answer by name, one value a row."""
    model = load(path)
    given = feeds(model, table)
    X = next(iter(given.values())) if len(given) == 1 else given
    answers = np.asarray(model.predict(X))
    columns: dict[str, Any] = {}
    if answers.ndim == 1 or answers.shape[1] == 1:
        columns["prediction"] = answers.reshape(-1)
    else:
        columns.update((f"prediction {k}", answers[:, k]) for k in range(answers.shape[1]))
    if probabilities:
        shares = np.asarray(model.predict_proba(X))
        labels = range(shares.shape[1]) if model.labels is None else model.labels
        columns.update((f"probability {label}", shares[:, k]) for k, label in enumerate(labels))
    return columns


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
