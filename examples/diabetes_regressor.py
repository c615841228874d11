"""A small network that regresses: diabetes, with early stopping; beside scikit-learn's MLPRegressor and Ridge.

Figures are means over five splits: with 442 patients a single one decides nothing.
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
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import maas_engine
from maas_engine import nn

SPLITS = 5
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def network(X: np.ndarray, y: np.ndarray, seed: int) -> nn.Sequential:
    """Train until the held-out rows have not improved for thirty epochs, and take the best epoch's weights."""
    nn.set_random_seed(seed)
    features = nn.Normalization()
    features.adapt(X)
    target = nn.Normalization(mean=[y.mean()], variance=[y.var()], invert=True)
    penalty = nn.regularizers.L2(0.01 * float(y.var()))  # the loss is in units of y²
    model = nn.Sequential(
        [
            nn.Input((X.shape[1],)),
            features,
            nn.Dense(64, activation="silu", kernel_regularizer=penalty),
            nn.Dropout(0.5),
            nn.Dense(1),
            target,
        ]
    )
    model.compile(optimizer=nn.optimizers.Adam(0.003), loss="mse", metrics=["mae"])
    stop = nn.callbacks.EarlyStopping(patience=30, restore_best_weights=True)
    model.fit(X, y, epochs=500, validation_split=0.15, callbacks=[stop], verbose=0)
    return model


def their_network(X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    mlp = MLPRegressor(
        hidden_layer_sizes=64,
        learning_rate_init=0.003,
        early_stopping=True,
        n_iter_no_change=30,
        max_iter=500,
        random_state=seed,
    )
    pipeline = make_pipeline(StandardScaler(), mlp)
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler()).fit(X, y)


def ridge(X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    return make_pipeline(StandardScaler(), Ridge()).fit(X, y)


def same_after_loading(model: nn.Sequential, X: np.ndarray) -> bool:
    """Whether a file of the model predicts the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diabetes.onnx"
        model.save(path)
        loaded = maas_engine.load(path)
    return bool(loaded.predict(X).tobytes() == model.predict(X, verbose=0).tobytes())


def splits() -> list[Split]:
    X, y = load_diabetes(return_X_y=True)
    tables = X.astype(np.float32), y.astype(np.float32)
    return [tuple(train_test_split(*tables, random_state=seed)) for seed in range(SPLITS)]


def row(title: str, fit: Callable[[np.ndarray, np.ndarray, int], Any]) -> list[str]:
    """Fit a model on each split and judge it on the rows left out."""
    tables, scores, seconds = splits(), [], []
    fit(*tables[0][::2], 0)  # not timed: what the first fit alone does
    for seed, (X, X_test, y, y_test) in enumerate(tables):
        start = time.perf_counter()
        model = fit(X, y, seed)
        seconds.append(time.perf_counter() - start)
        scores.append(r2_score(y_test, np.ravel(model.predict(X_test))))
    return [title, f"{np.mean(scores):.3f}", f"± {np.std(scores):.3f}", f"{1e3 * np.median(seconds):.1f}"]


def main() -> None:
    table = Table(title="Diabetes: a network with dropout and early stopping, beside scikit-learn")
    table.add_column("model")
    for column in ("R², hold-out", "over splits", "fit, ms"):
        table.add_column(column, justify="right")
    table.add_row(*row("maas_engine.nn", network))
    table.add_row(*row("scikit-learn MLPRegressor", their_network))
    table.add_row(*row("scikit-learn Ridge", ridge))
    X, X_test, y, _ = splits()[0]
    same = same_after_loading(network(X, y, 0), X_test)
    table.caption = f"saved as ONNX and loaded, same bits: {'yes' if same else 'NO'}"
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)


if __name__ == "__main__":
    main()
