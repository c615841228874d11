"""A registered model served and asked in four ways: raw TCP, HTTP, Triton's client, and with rows that drift.

The answers have the bits of the model in this process. The times are of one client on the same machine.
"""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import package
from maas_engine.client import Client
from maas_engine.linear_model import LogisticRegression
from maas_engine.registry import Registry
from maas_engine.serving import Server

NAME, OUTPUT = "credit", "probabilities"
CALLS = 2000


def registered(folder: Path, X: np.ndarray, y: np.ndarray) -> Registry:
    """A registry whose champion is a logistic regression."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    model = maas_engine.from_sklearn(fitted, X[:10])
    registry = Registry(folder / "registry", cache=folder / "cache")
    packed = package.write(model, folder / "package", X_reference=X, name=NAME)
    registry.register(NAME, packed)
    registry.set_alias(NAME, "champion", 1, reason="the first")
    return registry


def tritons(port: int, X: np.ndarray, output: str) -> Callable[[np.ndarray], np.ndarray] | None:
    """NVIDIA's client for the same protocol, where it is installed."""
    try:
        import tritonclient.http as triton
    except ImportError:
        return None
    client = triton.InferenceServerClient(f"127.0.0.1:{port}")
    name = client.get_model_metadata(NAME)["inputs"][0]["name"]
    wanted = [triton.InferRequestedOutput(output)]

    def ask(rows: np.ndarray) -> np.ndarray:
        tensor = triton.InferInput(name, list(rows.shape), "FP64")
        tensor.set_data_from_numpy(rows)
        return client.infer(NAME, [tensor], outputs=wanted).as_numpy(output)

    return ask


def ways(server: Server, X: np.ndarray, expected: np.ndarray, output: str) -> Table:
    raw, http = Client(f"tcp://127.0.0.1:{server.tcp_port}"), Client(f"http://127.0.0.1:{server.port}")
    asked: dict[str, Any] = {
        "raw TCP": lambda rows: raw.predict(NAME, rows, outputs=output),
        "HTTP, binary tensors": lambda rows: http.predict(NAME, rows, outputs=output),
        "Triton's client": tritons(server.port, X, output),
    }
    table = Table(title=f"{NAME}@champion: {len(X)} rows together, then one by one")
    for column in ("way", "same bits", "median, µs", "99 %, µs", "99.9 %, µs"):
        table.add_column(column, justify="right")
    for way, ask in asked.items():
        if ask is None:
            table.add_row(way, "not installed", "", "", "")
            continue
        same = np.asarray(ask(X)).tobytes() == expected.tobytes()
        seconds = []
        for i in range(CALLS):
            row = X[i % len(X)][None]
            start = time.perf_counter()
            answer = ask(row)
            seconds.append(time.perf_counter() - start)
            same = same and np.asarray(answer).tobytes() == expected[i % len(X)][None].tobytes()
        quantiles = np.percentile(np.array(seconds) * 1e6, [50, 99, 99.9])
        table.add_row(way, "yes" if same else "NO", *(f"{each:.0f}" for each in quantiles))
    raw.close()
    http.close()
    return table


def drift(server: Server, X: np.ndarray) -> Table:
    """What the server says of the rows it has seen, after some that have moved."""
    with Client(f"tcp://127.0.0.1:{server.tcp_port}") as client:
        moved = X.copy()
        moved[:, 0] += 2 * X[:, 0].std()
        client.predict_many(NAME, moved)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v2/models/{NAME}/monitoring") as answer:
        found = json.load(answer)
    table = Table(title="Drift, from counts alone: the first column was moved")
    for column in ("column", "rows", "PSI", "Jensen–Shannon", "level"):
        table.add_column(column, justify="right")
    for each in found["columns"]:
        figures = ["–" if each[key] is None else f"{each[key]:.3f}" for key in ("psi", "jensen_shannon")]
        table.add_row(each["name"], f"{each['rows']:,}", *figures, each["level"] or "too few rows")
    return table


def main() -> None:
    console = Console()
    console.width = max(console.width, 110)
    X, y = make_classification(4000, 6, n_informative=4, n_redundant=0, flip_y=0.05, random_state=0)
    with tempfile.TemporaryDirectory() as place:
        registry = registered(Path(place), X, y)
        model = registry.load(f"models:/{NAME}@champion")
        output = model.schema.roles["predict_proba"].name
        with Server({NAME: f"models:/{NAME}@champion"}, registry=registry, tcp_port=0) as server:
            console.print(ways(server, X[:500], model.predict_proba(X[:500]), output))
            console.print(drift(server, X))
        registry.close()
    console.print("the server has stopped; nothing is left running")


if __name__ == "__main__":
    main()
