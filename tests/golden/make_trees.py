"""Writes onnx/onnxmltools: `python tests/golden/make_trees.py`.

With lightgbm 4.7.0, onnxmltools 1.16.0, onnx 1.23.2.
"""

from __future__ import annotations

import lightgbm
import numpy as np
from golden_onnx import ROWS, write
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_diabetes


def main() -> None:
    rows, y = load_diabetes(return_X_y=True)
    model = lightgbm.LGBMRegressor(n_estimators=3, num_leaves=4, verbose=-1).fit(rows, y)
    some = rows[:ROWS].astype(np.float32)
    made = convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, rows.shape[1]]))])
    write("onnxmltools", "lightgbm", made, [some], [model.predict(some)])


if __name__ == "__main__":
    main()
