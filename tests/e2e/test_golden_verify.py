"""`maas-engine verify` on the files that other tools wrote: ONNX Runtime gives the same answers as the engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import answer

GOLDEN = Path(__file__).parents[1] / "golden" / "onnx"


@pytest.mark.parametrize(
    "name",
    [
        "skl2onnx/logistic_zipmap_text",
        "torch_dynamo/activations",
        "torch_script/layer_norm",
        "keras_tensorflow/reshape",
        "keras_torch/activations",
    ],
)
def test_verify_against_onnxruntime(name: str, tmp_path: Path) -> None:
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        rows = pd.DataFrame(arrays["input_0"])
    table = tmp_path / "rows.parquet"
    rows.rename(columns=str).to_parquet(table)
    result = answer("verify", str(GOLDEN / f"{name}.onnx"), "--data", str(table))
    assert result["same"]
    assert result["rows"] == len(rows)
