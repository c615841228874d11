"""A model of categorical columns: each category is a learned vector; beside scikit-learn's one-hot columns.

The table is breast cancer with every measurement cut into eight ranges, so that all thirty columns are categories
without order. Figures are means over five splits.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

import maas_engine
from maas_engine import nn

SPLITS = 5
RANGES = 8
SIZE = 4  # of a category's vector
Probabilities = Callable[[np.ndarray], np.ndarray]


def network(codes: np.ndarray, y: np.ndarray, seed: int) -> nn.Sequential:
    """One table of vectors holds all columns' categories: each column's begin where the last one's end."""
    nn.set_random_seed(seed)
    columns = codes.shape[1]
    model = nn.Sequential(
        [
            nn.Input((columns,), dtype="int64"),
            nn.Embedding(columns * RANGES, SIZE, embeddings_regularizer=nn.regularizers.L2(1e-3)),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=nn.optimizers.Adam(0.003), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(indices(codes), y, epochs=60, verbose=0)
    return model


def indices(codes: np.ndarray) -> np.ndarray:
    """Return rows of the table of vectors."""
    return codes + RANGES * np.arange(codes.shape[1])


def network_probabilities(codes: np.ndarray, y: np.ndarray, seed: int) -> Probabilities:
    model = network(codes, y, seed)
    return lambda rows: model.predict(indices(rows), verbose=0)[:, 0]


def one_hot(model: Any, codes: np.ndarray, y: np.ndarray) -> Probabilities:
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), model).fit(codes, y)
    return lambda rows: pipeline.predict_proba(rows)[:, 1]


def logistic_probabilities(codes: np.ndarray, y: np.ndarray, seed: int) -> Probabilities:
    return one_hot(LogisticRegression(max_iter=1000), codes, y)


def mlp_probabilities(codes: np.ndarray, y: np.ndarray, seed: int) -> Probabilities:
    mlp = MLPClassifier(
        hidden_layer_sizes=16, learning_rate_init=0.003, early_stopping=True, max_iter=200, random_state=seed
    )
    return one_hot(mlp, codes, y)


def split(seed: int) -> list[np.ndarray]:
    """Return categories to learn from and others, then the answers of both."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    bins = KBinsDiscretizer(RANGES, encode="ordinal", quantile_method="averaged_inverted_cdf").fit(X)
    return [bins.transform(X).astype(np.int64), bins.transform(X_test).astype(np.int64), y, y_test]


def row(title: str, fit: Callable[[np.ndarray, np.ndarray, int], Probabilities]) -> list[str]:
    """Fit on each split and judge the rows left out."""
    correct, losses, seconds = [], [], []
    for seed in range(SPLITS):
        codes, codes_test, y, y_test = split(seed)
        start = time.perf_counter()
        probabilities = fit(codes, y, seed)
        seconds.append(time.perf_counter() - start)
        found = probabilities(codes_test)
        correct.append(accuracy_score(y_test, found > 0.5))
        losses.append(log_loss(y_test, found))
    return [title, f"{np.mean(correct):.4f}", f"{np.mean(losses):.4f}", f"{1e3 * np.median(seconds):.1f}"]


def same_after_loading(model: nn.Sequential, rows: np.ndarray) -> bool:
    """Whether a file of the model predicts the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embedding.onnx"
        model.save(path)
        loaded = maas_engine.load(path)
    return bool(loaded.predict(rows).tobytes() == model.predict(rows, verbose=0).tobytes())


def main() -> None:
    table = Table(title=f"Breast cancer as 30 columns of {RANGES} categories")
    table.add_column("model")
    for column in ("accuracy", "log loss", "fit, ms"):
        table.add_column(column, justify="right")
    table.add_row(*row(f"maas_engine.nn, vectors of {SIZE}", network_probabilities))
    table.add_row(*row("scikit-learn one-hot + LogisticRegression", logistic_probabilities))
    table.add_row(*row("scikit-learn one-hot + MLPClassifier", mlp_probabilities))
    codes, codes_test, y, _ = split(0)
    same = same_after_loading(network(codes, y, 0), indices(codes_test))
    table.caption = f"saved as ONNX and loaded, same bits: {'yes' if same else 'NO'}"
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)


if __name__ == "__main__":
    main()
