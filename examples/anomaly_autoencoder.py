"""An autoencoder that flags anomalies: trained on benign tumours alone, it rebuilds malignant ones badly.

Its error ranks rows it never saw, benign and malignant; beside scikit-learn's IsolationForest and PCA, which get
the same rows. Figures are means over five splits.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import nn

SPLITS = 5
Scores = Callable[[np.ndarray], np.ndarray]


def errors(X: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
    """How far each row is from what was rebuilt of it."""
    return np.mean((X - rebuilt) ** 2, axis=1)


def autoencoder(X: np.ndarray, seed: int) -> nn.Sequential:
    """Rebuild rows of which values are missing from a single number: a curve through the training rows."""
    nn.set_random_seed(seed)
    columns = X.shape[1]
    model = nn.Sequential(
        [
            nn.Input((columns,)),
            nn.Dropout(0.3),
            nn.Dense(24, activation="tanh", kernel_regularizer=nn.regularizers.L2(1e-4)),
            nn.Dense(1, activation="tanh", name="code"),
            nn.Dense(24, activation="tanh", kernel_regularizer=nn.regularizers.L2(1e-4)),
            nn.Dense(columns),
        ]
    )
    model.compile(optimizer=nn.optimizers.Adam(0.003), loss="mse")
    model.fit(X, X, batch_size=16, epochs=200, verbose=0)
    return model


def network_scores(X: np.ndarray, seed: int) -> Scores:
    model = autoencoder(X, seed)
    return lambda rows: errors(rows, model.predict(rows, verbose=0))


def forest_scores(X: np.ndarray, seed: int) -> Scores:
    forest = IsolationForest(random_state=seed).fit(X)
    return lambda rows: -forest.score_samples(rows)


def pca_scores(components: int) -> Callable[[np.ndarray, int], Scores]:
    def fit(X: np.ndarray, seed: int) -> Scores:
        pca = PCA(components, random_state=seed).fit(X)
        return lambda rows: errors(rows, pca.inverse_transform(pca.transform(rows)))

    return fit


def split(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return benign rows to learn from, other rows, and which of those are malignant; scaled by the first."""
    X, benign = load_breast_cancer(return_X_y=True)
    known, unseen = train_test_split(X[benign == 1], test_size=0.4, random_state=seed)
    malignant = X[benign == 0]
    scaler = StandardScaler().fit(known)
    others = scaler.transform(np.concatenate([unseen, malignant])).astype(np.float32)
    return (
        scaler.transform(known).astype(np.float32),
        others,
        np.repeat([False, True], [len(unseen), len(malignant)]),
    )


def row(title: str, fit: Callable[[np.ndarray, int], Scores]) -> list[str]:
    """Fit on each split's benign rows and judge the ranking of the others."""
    areas, seconds = [], []
    for seed in range(SPLITS):
        known, others, malignant = split(seed)
        start = time.perf_counter()
        scores = fit(known, seed)
        seconds.append(time.perf_counter() - start)
        areas.append(roc_auc_score(malignant, scores(others)))
    return [title, f"{np.mean(areas):.4f}", f"± {np.std(areas):.4f}", f"{1e3 * np.median(seconds):.1f}"]


def flags(model: nn.Sequential, known: np.ndarray, others: np.ndarray, malignant: np.ndarray) -> str:
    """Say what a threshold finds that lets 95 % of the training rows pass."""
    threshold = np.quantile(errors(known, model.predict(known, verbose=0)), 0.95)
    flagged = errors(others, model.predict(others, verbose=0)) > threshold
    return (
        f"Flagged above an error of {threshold:.2f}: {flagged[malignant].mean():.1%} of the malignant, "
        f"{flagged[~malignant].mean():.1%} of the benign rows."
    )


def same_after_loading(model: nn.Sequential, rows: np.ndarray) -> bool:
    """Whether a file of the model rebuilds the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "autoencoder.onnx"
        model.save(path)
        loaded = maas_engine.load(path)
    return bool(loaded.predict(rows).tobytes() == model.predict(rows, verbose=0).tobytes())


def main() -> None:
    table = Table(title="Breast cancer: malignant rows as anomalies among benign ones")
    table.add_column("trained on benign rows alone")
    for column in ("ROC AUC", "over splits", "fit, ms"):
        table.add_column(column, justify="right")
    table.add_row(*row("maas_engine.nn autoencoder, 30-24-1-24-30", network_scores))
    table.add_row(*row("scikit-learn IsolationForest", forest_scores))
    for components in (1, 12):
        table.add_row(*row(f"scikit-learn PCA, rebuilt from {components}", pca_scores(components)))
    known, others, malignant = split(0)
    model = autoencoder(known, 0)
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)
    console.print(flags(model, known, others, malignant), highlight=False)
    same = "yes" if same_after_loading(model, others) else "NO"
    console.print(f"Saved as ONNX and loaded, same bits: {same}")


if __name__ == "__main__":
    main()
