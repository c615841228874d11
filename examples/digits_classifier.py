"""A network that reads digits, by scikit-learn's own interface: our MLPClassifier beside scikit-learn's.

Both get the same parameters and rows, and draw the same first weights and batches, so that they end alike; ours in
float64 as theirs, and in float32. Times are medians of alternating fits.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import maas_engine
from maas_engine import neural_network as ours

RUNS = 5
PARAMETERS: dict[str, Any] = {
    "hidden_layer_sizes": 128,
    "batch_size": 64,
    "max_iter": 20,
    "tol": 0.0,
    "n_iter_no_change": 20,
    "random_state": 0,
}
Tables = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def tables() -> Tables:
    """Return pixels in 0 ... 1 and digits: rows to learn from and others."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    return X, X_test, y, y_test


def fit(library: Any, X: np.ndarray, y: np.ndarray) -> tuple[Any, float]:
    """Return the trained model and the milliseconds it took."""
    model = library.MLPClassifier(**PARAMETERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is meant to end after so many epochs
        start = time.perf_counter()
        model.fit(X, y)
        return model, 1e3 * (time.perf_counter() - start)


def comparison(data: Tables) -> Table:
    X, X_test, y, y_test = data
    table = Table(title=f"Digits: 64-128-10, {PARAMETERS['max_iter']} epochs of {len(X)} rows")
    table.add_column("model")
    for column in ("accuracy", "log loss", "training loss", "fit, ms"):
        table.add_column(column, justify="right")
    sides = [
        ("maas_engine", ours, float),
        ("maas_engine, float32", ours, np.float32),
        ("scikit-learn", theirs, float),
    ]
    runs = [[fit(library, X.astype(dtype), y) for _, library, dtype in sides] for _ in range(RUNS)]
    for k, (title, _, dtype) in enumerate(sides):
        model = runs[0][k][0]
        probabilities = model.predict_proba(X_test.astype(dtype))
        table.add_row(
            title,
            f"{accuracy_score(y_test, model.predict(X_test.astype(dtype))):.4f}",
            f"{log_loss(y_test, probabilities):.4f}",
            f"{model.loss_:.6f}",
            f"{statistics.median(run[k][1] for run in runs):.1f}",
        )
    return table


def same_after_loading(data: Tables) -> bool:
    """Whether a file of the model gives the same digits and bits of probabilities, also row by row."""
    X, X_test, y, _ = (part.astype(np.float32) if part.dtype == float else part for part in data)
    model, _ = fit(ours, X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.onnx"
        model.save(path)
        loaded = maas_engine.load(path)
    probabilities = model.predict_proba(X_test)
    alone = np.concatenate([loaded.predict_proba(X_test[i : i + 1]) for i in range(len(X_test))])
    digits = np.array_equal(loaded.predict(X_test), model.predict(X_test))
    return digits and loaded.predict_proba(X_test).tobytes() == probabilities.tobytes() == alone.tobytes()


def main() -> None:
    data = tables()
    table = comparison(data)
    table.caption = f"saved as ONNX and loaded, same bits: {'yes' if same_after_loading(data) else 'NO'}"
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)


if __name__ == "__main__":
    main()
