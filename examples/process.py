"""A model's way from a table to those who ask it: train, package, sign, register, promote through gates, roll back.

Everything lies in a temporary folder. The last page is the history, which proves itself whole.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import metrics, package
from maas_engine.linear_model import LogisticRegression
from maas_engine.neural_network import MLPClassifier
from maas_engine.registry import BetterThanChampion, GateFailed, MetricThreshold, Registry, Signed

NAME = "credit"


def rows() -> tuple[np.ndarray, ...]:
    """Train rows, held-out rows, and their labels."""
    X, y = make_classification(4000, 12, n_informative=8, class_sep=0.8, flip_y=0.05, random_state=0)
    return tuple(train_test_split(X, y, test_size=0.25, random_state=0))


def candidates(X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Three models of the same task; the second is too weak, the third the best."""
    few = slice(0, 40)
    return {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
        "40 rows": make_pipeline(StandardScaler(), LogisticRegression()).fit(X[few], y[few]),
        "network": make_pipeline(
            StandardScaler(), MLPClassifier((32, 16), max_iter=60, early_stopping=True, random_state=0)
        ).fit(X, y),
    }


def when(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, timezone.utc).strftime("%H:%M:%S.%f")[:-3]


def register(registry: Registry, folder: Path, key: Path, split: tuple[np.ndarray, ...]) -> Table:
    """Pack, sign and register each candidate, and ask for its promotion."""
    X, X_test, y, y_test = split
    gates = [
        MetricThreshold("roc_auc_score", ">=", 0.8),
        BetterThanChampion("roc_auc_score", X_test, y_test),
        Signed(),
    ]
    table = Table(title="Three versions at the gates", show_lines=True)
    for column in ("model", "version", "held-out AUC", "package", "champion?"):
        table.add_column(column)
    for title, fitted in candidates(X, y).items():
        model = maas_engine.from_sklearn(fitted, X[:10])
        auc = metrics.roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
        place = folder / title
        packed = package.write(
            model,
            place,
            X_reference=X,
            name=NAME,
            metrics={"roc_auc_score": auc},
            lineage={"data": "generated"},
        )
        package.sign(place, key)
        version = registry.register(NAME, place, description=title)
        try:
            outcome = str(registry.promote(NAME, version.version, gates=gates, reason=f"{title} is trained"))
        except GateFailed as refused:
            outcome = str(refused.promotion)
        table.add_row(title, str(version.version), f"{auc:.4f}", f"{packed.digest[:12]}…", outcome)
    return table


def history(registry: Registry) -> Table:
    report = registry.audit()
    whole = "proved whole" if report.whole else str(report)
    table = Table(
        title="The history", caption=f"{report.entries} entries, each with the hash of all before it: {whole}"
    )
    for column in ("when", "who", "what", "version", "alias", "why", "hash"):
        table.add_column(column)
    for event in registry.history(NAME):
        version = "" if event.version is None else str(event.version)
        table.add_row(
            when(event.time),
            event.actor,
            event.action,
            version,
            event.alias or "",
            event.detail.get("reason", ""),
            f"{event.hash[:12]}…",
        )
    return table


def main() -> None:
    console = Console()
    console.width = max(console.width, 110)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        key = folder / "key.pem"
        public = package.generate_signing_key(key)
        policy = package.Policy(public_key=public)
        registry = Registry(folder / "registry", cache=folder / "cache", policy=policy)
        split = rows()
        console.print(register(registry, folder, key, split))
        champion = registry.resolve(f"models:/{NAME}@champion")
        model = registry.load(champion.uri)  # verified before it answers: digests, signature, golden rows
        answer = model.predict_proba(split[1][0])
        console.print(f"{champion.uri} says of the first held-out row: {answer}")
        back = registry.rollback(NAME, "champion", reason="to show that one can")
        console.print(f"rolled back to version {back}")
        console.print(history(registry))
        registry.close()


if __name__ == "__main__":
    main()
