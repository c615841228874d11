"""The models that are only run: weights from a seed, the ONNX file all rivals open, and the rows."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace as Data
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .problems import Problem

# Widths from the rows to the answer; relu between, `last` at the end.
NETWORKS = {
    "predict_linear": ((20, 1), None),
    "predict_logistic": ((20, 1), "Sigmoid"),
    "predict_mlp": ((10, 64, 32, 1), None),
    "predict_wide_mlp": ((784, 256, 128, 10), None),
}
NUMBERS, CATEGORIES = 6, 3  # columns of the pipeline's table


def weights(kind: str, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """(W, b) of each layer, float32; W is (inputs, outputs)."""
    widths, _ = NETWORKS[kind]
    return [
        (
            (rng.standard_normal((a, b)) / np.sqrt(a)).astype(np.float32),
            rng.standard_normal(b).astype(np.float32),
        )
        for a, b in pairwise(widths)
    ]


def network_file(kind: str, layers: list[tuple[np.ndarray, np.ndarray]], folder: Path) -> str:
    """The network as other tools write it: Gemm and its activation, opset 17."""
    from onnx import TensorProto, helper, numpy_helper, save

    nodes, constants, value = [], [], "X"
    for i, (W, b) in enumerate(layers):
        constants += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(b, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [value, f"W{i}", f"b{i}"], [f"sum{i}"]))
        op = "Relu" if i + 1 < len(layers) else NETWORKS[kind][1]
        value = f"sum{i}"
        if op is not None:
            nodes.append(helper.make_node(op, [value], [f"out{i}"]))
            value = f"out{i}"
    first, last = len(layers[0][0]), len(layers[-1][1])
    graph = helper.make_graph(
        nodes,
        kind,
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", first])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["N", last])],
        constants,
    )
    path = folder / f"{kind}.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return str(path)


def network(p: Problem, rng: np.random.Generator) -> Data:
    """X, layers, last (the closing activation or None) and the path of the file."""
    kind = p.kind.removesuffix("_load")
    layers = weights(kind, rng)
    X = rng.standard_normal((p.rows, len(layers[0][0]))).astype(np.float32)
    folder = tempfile.TemporaryDirectory()
    path = network_file(kind, layers, Path(folder.name))
    return Data(X=X, layers=layers, last=NETWORKS[kind][1], path=path, folder=folder)


def columns(rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A table by column, shape (rows,): numbers with a tenth missing, and categories."""
    table: dict[str, np.ndarray] = {}
    for j in range(NUMBERS):
        values = rng.normal(j, 1 + j, rows).astype(np.float32)
        values[rng.random(rows) < 0.1] = np.nan
        table[f"number{j}"] = values
    for j in range(CATEGORIES):
        table[f"category{j}"] = rng.choice([f"value {k}" for k in range(4 + 4 * j)], rows).astype(object)
    return table


def pipeline(p: Problem, rng: np.random.Generator) -> Data:
    """A scikit-learn pipeline trained on 5,000 rows, its skl2onnx file, and the table to predict."""
    import pandas as pd
    from skl2onnx import to_onnx
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pd.DataFrame(columns(5000, rng))
    numbers, texts = list(frame.columns[:NUMBERS]), list(frame.columns[NUMBERS:])
    y = (
        frame["number0"].fillna(0) + (frame["category0"] == "value 1") + rng.normal(0, 1, 5000) > 0.3
    ).to_numpy()
    estimator = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), texts),
        ),
        LogisticRegression(),
    ).fit(frame, y.astype(np.int64))
    folder = tempfile.TemporaryDirectory()
    path = str(Path(folder.name) / "pipeline.onnx")
    options = {"zipmap": False}
    Path(path).write_bytes(to_onnx(estimator, frame[:1], options=options).SerializeToString())
    table = columns(p.rows, rng)
    feed = {name: values[:, None] for name, values in table.items()}
    return Data(
        estimator=estimator, frame=pd.DataFrame(table), table=table, feed=feed, path=path, folder=folder
    )


def fingerprint_of_model(data: Data, answer: Any) -> float:
    """The mean square of the predictions; a session that was only opened counts 1."""
    del data
    return 1.0 if answer is None else float((np.asarray(answer, np.float64) ** 2).mean())
